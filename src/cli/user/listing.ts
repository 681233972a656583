/** Users and their passwords in files of other programs: passwd, shadow, htpasswd; LDIF; a dump of sasldb2. Pure. */

import { userError } from '../../errors.ts';

export type ListingFormat = 'passwd' | 'ldif' | 'sasldb';
export const LISTING_FORMATS: readonly ListingFormat[] = ['passwd', 'ldif', 'sasldb'];

/** One user: a password as it is, or a hash of it. */
export interface ListedUser {
  /** For messages. */
  readonly line: number;
  readonly name: string;
  /** The realm of sasldb; '' elsewhere. */
  readonly realm: string;
  readonly secret: string;
  /** Whether `secret` is the password itself. */
  readonly clear: boolean;
}

/** What a file is, by its first lines. */
export function listingFormat(text: string): ListingFormat {
  if (/^VERSION=\d+\r?$/m.test(text.slice(0, 200))) return 'sasldb';
  return /^(?:version:|dn:)/im.test(text.slice(0, 65_536)) ? 'ldif' : 'passwd';
}

/**
 * The users of a file, in its order; those without a password are left out.
 * @throws MailError 'cannot' for what is not of this format
 */
export function listedUsers(text: string, format: ListingFormat): ListedUser[] {
  switch (format) {
    case 'passwd':
      return passwd(text);
    case 'ldif':
      return ldif(text);
    case 'sasldb':
      return sasldb(text);
  }
}

/** `name:hash` and whatever follows. */
function passwd(text: string): ListedUser[] {
  return text.split(/\r?\n/).flatMap((entry, index) => {
    const [name = '', secret = ''] = entry.split(':');
    // x, * and ! stand for a password that is elsewhere, or for none.
    if (name === '' || entry.startsWith('#') || /^(?:x|[*!].*)?$/.test(secret)) return [];
    return [{ line: index + 1, name, realm: '', ...secretOf(secret, false) }];
  });
}

/** LDIF (RFC 2849): entries with `uid` and `userPassword`; of several values the first counts. */
function ldif(text: string): ListedUser[] {
  const users: ListedUser[] = [];
  let begun = 1;
  let values = new Map<string, string>();
  const end = (next: number) => {
    const [name, secret] = [values.get('uid'), values.get('userpassword')];
    if (name !== undefined && secret !== undefined) {
      users.push({ line: begun, name, realm: '', ...secretOf(secret, true) });
    }
    [begun, values] = [next, new Map()];
  };
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    let line = lines[index] as string;
    if (line === '') {
      end(index + 2);
      continue;
    }
    // A line that begins with a blank goes on with the one before it.
    while (lines[index + 1]?.startsWith(' ')) line += (lines[++index] as string).slice(1);
    const [, attribute = '', colons = '', value = ''] =
      /^([A-Za-z0-9.-]+)(?:;[^:]*)?(::?) ?(.*)$/.exec(line) ?? [];
    const key = attribute.toLowerCase();
    if (values.has(key)) continue;
    values.set(key, colons === '::' ? Buffer.from(value, 'base64').toString('utf8') : value);
  }
  end(0);
  return users;
}

/** `db_dump -p` (or without -p) of /etc/sasldb2: keys `user NUL realm NUL property`, each followed by its value. */
function sasldb(text: string): ListedUser[] {
  const lines = text.split(/\r?\n/);
  const begin = lines.indexOf('HEADER=END');
  const finish = lines.indexOf('DATA=END');
  if (begin < 0 || finish < begin) {
    throw userError('cannot', 'this is no whole dump of sasldb2; make one by: db_dump -p /etc/sasldb2');
  }
  const decode = lines.slice(0, begin).includes('format=print')
    ? printed
    : (value: string) => Buffer.from(value, 'hex').toString('utf8');
  const users: ListedUser[] = [];
  for (let index = begin + 1; index + 1 < finish; index += 2) {
    const [name = '', realm = '', property] = decode((lines[index] as string).slice(1)).split('\0');
    if (property !== 'userPassword') continue;
    users.push({
      line: index + 1,
      name,
      realm,
      secret: decode((lines[index + 1] as string).slice(1)),
      clear: true,
    });
  }
  return users;
}

/** The printable form of db_dump: `\xx` is a byte, `\\` a backslash. */
function printed(value: string): string {
  const bytes: number[] = [];
  const source = Buffer.from(value, 'utf8');
  for (let at = 0; at < source.length; at++) {
    if (source[at] !== 0x5c) bytes.push(source[at] as number);
    else if (source[at + 1] === 0x5c) bytes.push(source[++at] as number);
    else {
      bytes.push(Number.parseInt(source.toString('latin1', at + 1, at + 3), 16));
      at += 2;
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

/** `{CLEAR}…` is a password as it is; without a scheme it is one where `plain` says so, else a hash. */
function secretOf(value: string, plain: boolean): { secret: string; clear: boolean } {
  const [, scheme, rest = ''] = /^\{([A-Za-z0-9-]+)\}(.*)$/.exec(value) ?? [];
  if (scheme === undefined) return { secret: value, clear: plain };
  return /^(?:CLEAR|CLEARTEXT|PLAIN)$/i.test(scheme)
    ? { secret: rest, clear: true }
    : { secret: value, clear: false };
}
