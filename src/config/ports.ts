import { readFileSync } from 'node:fs';

/** Service names that /etc/services often lacks, with the ports they have in the IANA registry. */
const knownPorts = new Map<string, number>([
  ['imap', 143],
  ['imap2', 143],
  ['imaps', 993],
  ['lmtp', 24],
  ['pop3', 110],
  ['pop3s', 995],
  ['sieve', 4190],
  ['nntp', 119],
  ['nntps', 563],
  ['http', 80],
  ['https', 443],
  ['csync', 2005],
  ['mupdate', 3905],
]);

/** The port of a service name: from the built-in table, else from /etc/services; undefined where neither has it. */
export function portOf(name: string, services = '/etc/services'): number | undefined {
  const known = knownPorts.get(name.toLowerCase());
  if (known !== undefined) return known;
  let text: string;
  try {
    text = readFileSync(services, 'latin1');
  } catch {
    return undefined; // small systems have no such file; the built-in table is what there is
  }
  for (const line of text.split('\n')) {
    const [first, port = '', ...aliases] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const match = /^(\d{1,5})\/tcp$/.exec(port);
    if (match !== null && (first === name || aliases.includes(name))) return Number(match[1]);
  }
  return undefined;
}

/** The name a port is written by, where the built-in table has one. */
export function nameOfPort(port: number): string | undefined {
  for (const [name, known] of knownPorts) if (known === port) return name;
  return undefined;
}
