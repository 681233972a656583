/** What a sender asks of reports and of time: DSN (RFC 3461 §4) and DELIVERBY (RFC 2852 §4). One character per byte. */

import { syntaxError } from '../../errors.ts';
import type { DeliverBy, DsnNotify } from '../../outgoing/envelope.ts';
import { decodeUtf8 } from './path.ts';

/** RFC 3461 §4: as written, `+HH` stands for one character. Null for what is no xtext. */
function decodeXtext(text: string): string | null {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*$/.test(text)) return null;
  return text.replace(
    /\+([0-9A-Fa-f]{2})/g,
    (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** RET (RFC 3461 §4.3) */
export function parseRet(value: string | null): 'FULL' | 'HDRS' {
  const ret = value?.toUpperCase();
  if (ret !== 'FULL' && ret !== 'HDRS') throw syntaxError('RET is FULL or HDRS');
  return ret;
}

/** ENVID (RFC 3461 §4.4): printable ASCII, at most 100 characters. */
export function parseEnvid(value: string | null): string {
  const envid = value === null || value.length > 100 ? null : decodeXtext(value);
  if (envid === null || !/^[\x20-\x7e]+$/.test(envid)) {
    throw syntaxError('ENVID needs an xtext of at most 100 characters');
  }
  return envid;
}

/** NOTIFY (RFC 3461 §4.1) */
export function parseNotify(value: string | null): DsnNotify {
  const words = (value ?? '').toUpperCase().split(',');
  const known = words.flatMap((word) =>
    word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY' || word === 'NEVER' ? [word] : []
  );
  if (known.length !== words.length || new Set(known).size !== known.length) {
    throw syntaxError('NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY');
  }
  if (known.length > 1 && known.includes('NEVER')) throw syntaxError('NOTIFY=NEVER stands alone');
  return known as DsnNotify;
}

/** ORCPT (RFC 3461 §4.2, RFC 6533 §3): `type;address`, decoded, at most 500 characters; Unicode. */
export function parseOrcpt(value: string | null, smtputf8: boolean): string {
  const match = /^([A-Za-z0-9-]+);(.+)$/.exec(value ?? '');
  const [, type = '', encoded = ''] = match ?? [];
  const address = value === null || value.length > 500
    ? null
    : type.toLowerCase() === 'utf-8'
    ? decodeUtf8Address(encoded, smtputf8)
    : decodeXtext(encoded);
  if (match === null || address === null || /[\x00-\x1f\x7f]/.test(address)) {
    throw syntaxError('ORCPT needs a type, a semicolon and an xtext of at most 500 characters');
  }
  return `${type.toLowerCase()};${address}`;
}

/** RFC 6533 §3: `\x{HEX}` stands for a character, and with SMTPUTF8 characters beyond ASCII for themselves. */
function decodeUtf8Address(encoded: string, smtputf8: boolean): string | null {
  const text = decodeUtf8(encoded);
  if (text === null || !smtputf8 && /[^\x21-\x7e]/.test(text)) return null;
  let broken = false;
  const decoded = text.replace(/\\(?:x\{([0-9A-Fa-f]{2,6})\})?/g, (_, hex: string | undefined) => {
    const point = hex === undefined ? -1 : Number.parseInt(hex, 16);
    if (point < 0 || point > 0x10ffff || point >= 0xd800 && point <= 0xdfff) {
      broken = true;
      return '';
    }
    return String.fromCodePoint(point);
  });
  return broken ? null : decoded;
}

/** BY (RFC 2852 §4): seconds from now, what is to happen then, and whether it is to be traced. */
export function parseBy(value: string | null): DeliverBy {
  const match = /^([+-]?\d{1,9});([RN])(T?)$/i.exec(value ?? '');
  if (match === null) throw syntaxError('BY needs seconds, a semicolon and R or N, perhaps with T');
  const seconds = Number(match[1]);
  const mode = match[2]?.toUpperCase() === 'R' ? 'return' : 'notify';
  if (mode === 'return' && seconds <= 0) throw syntaxError('BY with R needs a time to come');
  return { seconds, mode, trace: match[3] !== '' };
}
