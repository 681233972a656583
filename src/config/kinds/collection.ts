/** Values of several parts: lists, networks, named paths, certificates. */

import { isIP } from '../ip.ts';
import { tomlString } from '../toml/quote.ts';
import { bad, describeToml, good, type Kind, mismatch, type Parsed, plainString, shorten } from './kind.ts';
import { filesKind, pathKind } from './plain.ts';

/** How the items of a list stand in imapd.conf, and what one of them must look like. */
export interface ListRules {
  readonly separator: RegExp;
  readonly item: string;
  readonly check?: (item: string) => string | undefined;
  readonly upperCase?: boolean;
  /** TOML may give a single item as a plain string. */
  readonly single?: boolean;
}

/** Several strings: an array in TOML, separated text in imapd.conf. */
export function listKind(rules: ListRules): Kind<readonly string[]> {
  const expects = `an array of ${rules.item}`;
  const collect = (items: readonly string[]): Parsed<readonly string[]> => {
    const list: string[] = [];
    for (const raw of items) {
      const item = rules.upperCase ? raw.toUpperCase() : raw;
      const plain = plainString(item);
      const problem = plain.ok
        ? (item === '' ? 'an empty string is not allowed here' : rules.check?.(item))
        : plain.problem;
      if (problem !== undefined) return bad(problem);
      if (!list.includes(item)) list.push(item);
    }
    return good(list);
  };
  return {
    name: 'list',
    expects,
    fromToml(value) {
      if (rules.single && typeof value === 'string') return collect([value]);
      if (!Array.isArray(value)) return mismatch(expects, value);
      const odd = value.find((item) => typeof item !== 'string');
      return odd === undefined
        ? collect(value.map(String))
        : bad(`expected ${expects}, found ${describeToml(odd)} in it`);
    },
    fromText: (text) =>
      collect(text.split(rules.separator).map((item) => item.trim()).filter((item) => item !== '')),
    toToml: writeList,
  };
}

/** Longest list on one line. */
const LINE = 90;

/** An array, on several lines where it is long. */
function writeList(value: readonly string[]): string {
  const items = value.map(tomlString);
  const line = `[${items.join(', ')}]`;
  return line.length <= LINE ? line : `[\n${items.map((item) => `  ${item},\n`).join('')}]`;
}

/** Networks in CIDR form, or single addresses. */
export function networksKind(): Kind<readonly string[]> {
  const inner = listKind({
    separator: /[\s,]+/,
    item: 'networks such as "127.0.0.0/8" or "::1"',
    check(item) {
      const [address = '', prefix, ...rest] = item.split('/');
      const family = isIP(address);
      const fits = family !== 0 && rest.length === 0 &&
        (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)));
      return fits
        ? undefined
        : `expected a network such as "127.0.0.0/8" or "::1", found ${tomlString(shorten(item))}`;
    },
  });
  return { ...inner, name: 'networks' };
}

/** Names with a path each: a table in TOML, one `<prefix>-<name>` line each in imapd.conf. */
export function pathsKind(): Kind<Readonly<Record<string, string>>> {
  const expects = 'a table of names and absolute paths';
  const path = pathKind();
  return {
    name: 'paths',
    expects,
    fromToml(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
        return mismatch(expects, value);
      }
      const paths: Record<string, string> = {};
      for (const [name, entry] of Object.entries(value)) {
        if (!/^[a-z0-9][a-z0-9_]*$/i.test(name)) {
          return bad(`${tomlString(shorten(name))} is not a valid name: letters, digits and _ only`);
        }
        const parsed = path.fromToml(entry);
        if (!parsed.ok) return bad(`${name}: ${parsed.problem}`);
        if (parsed.value === '') return bad(`${name}: expected an absolute path, found an empty string`);
        paths[name.toLowerCase()] = parsed.value;
      }
      if (Object.keys(paths).length === 0) return bad('at least one entry is needed');
      return good(paths);
    },
    fromText: () => bad('a name is needed, as in partition-default: /var/spool/mailstore'),
    toToml: (value) =>
      `{ ${Object.entries(value).map(([name, entry]) => `${name} = ${tomlString(entry)}`).join(', ')} }`,
  };
}

/** Names of external lists of Sieve (RFC 6134 §2.4: URIs, or ":" and a name) with a file each: a table in TOML. */
export function listFilesKind(): Kind<Readonly<Record<string, string>>> {
  const expects = 'a table of URIs and absolute paths';
  const path = pathKind();
  return {
    name: 'lists',
    expects,
    fromToml(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
        return mismatch(expects, value);
      }
      const files: Record<string, string> = {};
      for (const [name, entry] of Object.entries(value)) {
        if (!/^(?:[a-z][a-z0-9+.-]*)?:[!-~]+$/i.test(name)) {
          return bad(
            `${
              tomlString(shorten(name))
            } is no name of a list: expected a URI such as "tag:example.org,2026:friends"`,
          );
        }
        if (name.toLowerCase().startsWith(':addrbook:')) {
          return bad(`${tomlString(shorten(name))}: there are no address books of users here`);
        }
        const parsed = path.fromToml(entry);
        if (!parsed.ok) return bad(`${name}: ${parsed.problem}`);
        if (parsed.value === '') return bad(`${name}: expected an absolute path, found an empty string`);
        files[name.toLowerCase()] = parsed.value;
      }
      return good(files);
    },
    fromText: () => bad('lists can only be given in TOML'),
    toToml(value) {
      const entries = Object.entries(value).map(([name, file]) =>
        `${tomlString(name)} = ${tomlString(file)}`
      );
      return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
    },
  };
}

/** Users who are elsewhere, and where: a table in TOML of a userid, "@" and a domain, or "*", and a URL (RFC 5804 §3). */
export function referralsKind(): Kind<Readonly<Record<string, string>>> {
  const expects = 'a table of users and URLs';
  return {
    name: 'referrals',
    expects,
    fromToml(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
        return mismatch(expects, value);
      }
      const referrals: Record<string, string> = {};
      for (const [user, url] of Object.entries(value)) {
        if (user === '' || /[\x00-\x20\x7f]/.test(user)) {
          return bad(`${tomlString(shorten(user))} is no user: expected a userid, "@example.org" or "*"`);
        }
        if (typeof url !== 'string' || !/^sieve:\/\/[A-Za-z0-9.:[\]-]+$/.test(url)) {
          return bad(
            `${user}: expected a URL such as "sieve://mail.example.org", found ${describeToml(url)}`,
          );
        }
        referrals[user] = url;
      }
      return good(referrals);
    },
    fromText: () => bad('referrals can only be given in TOML'),
    toToml(value) {
      const entries = Object.entries(value).map(([user, url]) => `${tomlString(user)} = ${tomlString(url)}`);
      return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
    },
  };
}

/** A further certificate for SNI: PEM files. */
export interface CertificateFiles {
  readonly server_cert: string;
  readonly server_key: string;
}

/** Further certificates: an array of tables with `server_cert` and `server_key`. */
export function certificatesKind(): Kind<readonly CertificateFiles[]> {
  const expects = 'an array of tables with server_cert and server_key';
  const path = filesKind();
  return {
    name: 'certificates',
    expects,
    fromToml(value) {
      if (!Array.isArray(value)) return mismatch(expects, value);
      const list: CertificateFiles[] = [];
      for (const entry of value) {
        if (typeof entry !== 'object' || entry === null) return bad(`expected ${expects}`);
        const { server_cert, server_key, ...rest } = entry as Record<string, unknown>;
        const odd = Object.keys(rest)[0];
        if (odd !== undefined) {
          return bad(`unknown key ${tomlString(shorten(odd))}: a certificate has server_cert and server_key`);
        }
        const cert = path.fromToml(server_cert ?? '');
        const key = path.fromToml(server_key ?? '');
        if (!cert.ok) return bad(`server_cert: ${cert.problem}`);
        if (!key.ok) return bad(`server_key: ${key.problem}`);
        if (cert.value === '' || key.value === '') {
          return bad('a certificate needs both server_cert and server_key');
        }
        list.push({ server_cert: cert.value, server_key: key.value });
      }
      return good(list);
    },
    fromText: () => bad('further certificates can only be given in TOML'),
    toToml: (value) =>
      `[${
        value.map((c) =>
          `{ server_cert = ${tomlString(c.server_cert)}, server_key = ${tomlString(c.server_key)} }`
        ).join(', ')
      }]`,
  };
}
