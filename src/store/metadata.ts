/** Names of metadata entries (RFC 5464 §3.2): which there can be, and how the store keeps them. */
import { syntaxError } from '../errors.ts';
import { limits } from '../limits.ts';

/** An entry as it is kept: in lower case, without its scope. */
export interface EntryName {
  /** `/comment` of `/shared/comment`. */
  readonly entry: string;
  readonly shared: boolean;
}

const SCOPE = /^\/(shared|private)(\/.*)$/;

/** Printable ASCII but the wildcards. */
const ALLOWED = /^[ -$&-)+-~]+$/;

/**
 * The parts of a name. Names are case-insensitive.
 * @throws MailError 'badsyntax' for what no entry can be called: RFC 5464 has BAD for it
 */
export function parseEntry(name: string): EntryName {
  const found = SCOPE.exec(name.toLowerCase());
  if (found === null) throw syntaxError('An entry begins with /shared/ or /private/');
  const [, scope, entry] = found as unknown as [string, string, string];
  if (!ALLOWED.test(entry)) throw syntaxError('An entry name is printable ASCII without * and %');
  if (entry.includes('//') || entry.endsWith('/')) {
    throw syntaxError('A component of the entry name is empty');
  }
  // RFC 5464 §3.2: /shared/vendor/<vendor-token>/... has four components at least.
  if (/^\/vendor(\/[^/]*)?$/.test(entry)) throw syntaxError("A vendor's entry has at least four components");
  if (name.length > limits.store_metadata_name.value) {
    throw syntaxError(`An entry name has at most ${limits.store_metadata_name.value} characters`);
  }
  return { entry, shared: scope === 'shared' };
}

/** The full name of a kept entry. */
export function entryName(entry: string, shared: boolean): string {
  return `/${shared ? 'shared' : 'private'}${entry}`;
}
