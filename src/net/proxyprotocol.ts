/**
 * The PROXY protocol, versions 1 and 2: what a proxy in front says of the connection it passes on. The header stands
 * before everything else, TLS included; whoever may send one may choose the address he is logged and banned by.
 */

import { isIP } from '../config/ip.ts';
import { syntaxError } from '../errors.ts';
import { limits } from '../limits.ts';

/** Both ends of a connection as the proxy has them. */
export interface Proxied {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface ProxyHeader {
  /** Bytes of the header; what follows is the client's. */
  readonly length: number;
  /** null where the proxy speaks for itself (a health check) or does not know: the connection is what it is. */
  readonly proxied: Proxied | null;
}

/** §2.2: what no other protocol begins with. */
const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const FIXED = 16;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** §2.1: the longest line there is, with its CRLF. */
const LINE = 107;

/**
 * Reads the header at the beginning of a connection's bytes.
 * @returns 'more' while it is not whole
 * @throws MailError 'badsyntax' for bytes that are no header, or one beyond `limits.proxy_header`
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | 'more' {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length === 0) return 'more';
  return view[0] === SIGNATURE[0] ? readBinary(view) : readLine(view);
}

function readLine(view: Buffer): ProxyHeader | 'more' {
  const start = view.subarray(0, 6).toString('latin1');
  if (!'PROXY '.startsWith(start)) throw syntaxError('no PROXY header');
  const end = view.subarray(0, LINE).indexOf('\r\n');
  if (end < 0) {
    if (view.length >= LINE) throw syntaxError('the PROXY line is too long');
    return 'more';
  }
  const line = view.subarray(0, end).toString('latin1');
  const length = end + 2;
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { length, proxied: null };
  const [, family, source, target, from, to] =
    /^PROXY TCP([46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  if (source === undefined || target === undefined) throw syntaxError('the PROXY line is malformed');
  const kind = Number(family);
  if (isIP(source) !== kind || isIP(target) !== kind) {
    throw syntaxError('the PROXY line has no valid addresses');
  }
  return { length, proxied: ends(source, target, Number(from), Number(to)) };
}

function readBinary(view: Buffer): ProxyHeader | 'more' {
  const there = Math.min(view.length, SIGNATURE.length);
  if (!view.subarray(0, there).equals(SIGNATURE.subarray(0, there))) throw syntaxError('no PROXY header');
  if (view.length < FIXED) return 'more';
  const command = view[12] as number;
  const family = view[13] as number;
  const length = FIXED + view.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) throw syntaxError('a PROXY header of another version or command');
  if (length > limits.proxy_header.value) throw syntaxError('the PROXY header is too long');
  if (view.length < length) return 'more';
  // §2.2: LOCAL is the proxy itself; addresses of other families are to be ignored.
  if (command === 0x20 || (family !== TCP4 && family !== TCP6)) return { length, proxied: null };
  const size = family === TCP4 ? 4 : 16;
  if (length < FIXED + 2 * size + 4) throw syntaxError('the PROXY header is too short for its addresses');
  const address = (at: number) => formatAddress(view.subarray(at, at + size));
  const ports = FIXED + 2 * size;
  return {
    length,
    proxied: ends(
      address(FIXED),
      address(FIXED + size),
      view.readUInt16BE(ports),
      view.readUInt16BE(ports + 2),
    ),
  };
}

function ends(remoteAddress: string, localAddress: string, remotePort: number, localPort: number): Proxied {
  if (remotePort > 65535 || localPort > 65535) throw syntaxError('the PROXY header has no valid ports');
  return { remoteAddress: plain(remoteAddress), remotePort, localAddress: plain(localAddress), localPort };
}

/** The way addresses are written everywhere: IPv6 shortened in lower case, IPv4-mapped as IPv4. */
function plain(address: string): string {
  if (isIP(address) !== 6) return address;
  const bare = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(bare);
  if (mapped === null) return bare;
  const [high, low] = [parseInt(mapped[1] as string, 16), parseInt(mapped[2] as string, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(bytes.readUInt16BE(at).toString(16));
  return groups.join(':');
}
