/**
 * Mailbox names as a user sees them and as the store keeps them.
 *
 *   the store's               unixhierarchysep         altnamespace            an admin, virtual domains
 *   {bob, ''}                 INBOX                    INBOX                   user/bob
 *   {bob, 'Sent/2012'}        INBOX/Sent/2012          Sent/2012               user/bob/Sent/2012
 *   {eve, 'Sent'}             user/eve/Sent            Other Users/eve/Sent    user/eve/Sent
 *   {eve@example.org, ''}     (another domain)         (another domain)        user/eve@example.org
 *   {'', 'staff'}             staff                    Shared Folders/staff    staff
 *
 * Invariants
 * 1. `toInternal(toExternal(name))` is `name`, and distinct names have distinct external forms, in every mode and
 *    for every name that `checkName` accepts and that is of the viewer's domain, or the viewer a global administrator.
 * 2. Only own folders have no domain suffix. Every other name ends at its last '@' where virtual domains are on,
 *    so a name that holds an '@' itself carries its domain, be it the viewer's own or the empty one.
 * 3. A component never changes its meaning with the separator: with '.', a dot inside a component is written '^'
 *    (as Cyrus writes it) and, so that nothing collides, a '^' inside it is written '/'.
 * 4. Names here are Unicode. Modified UTF-7 is made and read by the protocol.
 */

import type { Settings } from '../config/settings.ts';
import { userError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Identity, MailboxName } from './border.ts';
import { canonicalDomain, isSharedOwner, joinUserid, makeUserid, splitUserid } from './userid.ts';

export { isSharedOwner, ownerFolder } from './userid.ts';

/** What of the settings decides about names. */
export type NamespaceSettings = Pick<
  Settings,
  | 'unixhierarchysep'
  | 'altnamespace'
  | 'userprefix'
  | 'sharedprefix'
  | 'virtdomains'
  | 'defaultdomain'
  | 'username_tolower'
>;

/** One entry of NAMESPACE (RFC 2342 §5); the prefix ends in the separator unless it is empty. */
export interface NamespacePrefix {
  readonly prefix: string;
  readonly separator: string;
}

/** What no name may hold: controls and the line and paragraph separators (RFC 9051 §9 mailbox, RFC 5198 §2). */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** A component nobody can have in mind but an attacker; exports name folders after components. */
const DOTS = /^\.\.?$/;

/** First components a shared mailbox cannot have: they begin the other namespaces. */
const NOT_SHARED = /^(?:inbox|user)$/i;

const INBOX = /^inbox$/i;

/** The first level of other users' mailboxes without altnamespace. */
const USER = 'user';

/** One user's view of all mailbox names. Immutable, and made in no time: nobody needs to keep one. */
export class Namespace {
  readonly #settings: NamespaceSettings;
  readonly #identity: Identity;
  /** The viewer's domain, '' for the default one. */
  readonly #domain: string;

  constructor(settings: NamespaceSettings, identity: Identity) {
    this.#settings = settings;
    this.#identity = identity;
    this.#domain = splitUserid(identity.userid, settings).domain;
  }

  /** Hierarchy separator. */
  get separator(): '/' | '.' {
    return this.#settings.unixhierarchysep ? '/' : '.';
  }

  get personal(): NamespacePrefix {
    return this.#prefix(this.#alt ? '' : 'INBOX');
  }

  get otherUsers(): NamespacePrefix {
    return this.#prefix(this.#alt ? this.#settings.userprefix : USER);
  }

  get shared(): NamespacePrefix {
    return this.#prefix(this.#alt ? this.#settings.sharedprefix : '');
  }

  #prefix(first: string): NamespacePrefix {
    const { separator } = this;
    return { prefix: first === '' ? '' : first + separator, separator };
  }

  /** Altnamespace is for users: administrators always see the standard names, as in Cyrus. */
  get #alt(): boolean {
    return this.#settings.altnamespace && !this.#identity.admin;
  }

  get #domains(): boolean {
    return this.#settings.virtdomains !== 'off';
  }

  /** May name mailboxes of every domain. */
  get #global(): boolean {
    return this.#identity.admin && this.#domain === '';
  }

  /**
   * The mailbox a client names; not whether it exists. Names are normalized to NFC (RFC 9051 §5.1).
   * @throws MailError 'cannot' for a name no mailbox can have, 'nonexistent' for one of a domain that is not
   *   the viewer's (the answer it would get if it looked there)
   */
  toInternal(external: string): MailboxName {
    const name = normalize(external);
    const parts = name.split(this.separator).map((part) => this.#fromShown(part));
    const first = parts[0] as string;
    if (INBOX.test(first) && !(this.#alt && parts.length > 1)) {
      return named(this.#identity.userid, parts.slice(1));
    }
    if (this.#alt) {
      if (INBOX.test(first)) {
        // Own folders whose names would read as something else stand below INBOX: see #personal.
        if (!this.#hidden(parts[1] as string)) {
          throw userError('cannot', 'folders stand beside INBOX here, not below it');
        }
        return named(this.#identity.userid, parts.slice(1));
      }
      if (!this.#hidden(first)) return named(this.#identity.userid, parts);
    }
    return this.#foreign(name);
  }

  /** The name as this viewer writes it; `toInternal` reads it back. */
  toExternal(name: MailboxName): string {
    if (name.owner === this.#identity.userid && !this.#identity.admin) return this.#personal(name.path);
    const { local, domain } = splitUserid(name.owner, this.#settings);
    const first = local === '' ? this.shared.prefix : this.otherUsers.prefix + this.#shown(local);
    let text = first;
    if (name.path !== '') {
      if (local !== '') text += this.separator;
      text += name.path.split('/').map((part) => this.#shown(part)).join(this.separator);
    }
    if (!this.#domains) return text;
    return domain === this.#domain && !text.includes('@') ? text : `${text}@${domain || this.#unqualified()}`;
  }

  /** The viewer's own mailboxes, which never carry a domain. */
  #personal(path: string): string {
    if (path === '') return 'INBOX';
    const parts = path.split('/');
    const text = parts.map((part) => this.#shown(part)).join(this.separator);
    return this.#alt && !this.#hidden(parts[0] as string) ? text : `INBOX${this.separator}${text}`;
  }

  /** With altnamespace: a first component that an own folder cannot stand under, as it means something else. */
  #hidden(first: string): boolean {
    return INBOX.test(first) || first === this.#fromShown(this.#settings.userprefix.normalize('NFC')) ||
      first === this.#fromShown(this.#settings.sharedprefix.normalize('NFC'));
  }

  /** A name of another user or of a shared hierarchy. */
  #foreign(name: string): MailboxName {
    const at = this.#domains ? name.lastIndexOf('@') : -1;
    const domain = at < 0 ? this.#domain : this.#suffix(name.slice(at + 1));
    const parts = (at < 0 ? name : name.slice(0, at)).split(this.separator)
      .map((part) => this.#fromShown(part));
    const first = parts[0] as string;
    if (this.#alt && first === this.#fromShown(this.#settings.sharedprefix.normalize('NFC'))) {
      return this.#sharedName(domain, parts.slice(1));
    }
    if (first === (this.#alt ? this.#fromShown(this.#settings.userprefix.normalize('NFC')) : USER)) {
      const local = parts[1];
      if (local === undefined || local === '') throw userError('cannot', `'${name}' does not say which user`);
      return named(this.#owner(local, domain), parts.slice(2));
    }
    return this.#sharedName(domain, parts);
  }

  #sharedName(domain: string, parts: string[]): MailboxName {
    if (parts.length === 0) throw userError('cannot', 'the prefix of the shared folders is not a mailbox');
    return named(domain === '' ? '' : `@${domain}`, parts);
  }

  #owner(local: string, domain: string): string {
    const name = this.#settings.username_tolower ? local.toLowerCase() : local;
    try {
      return makeUserid(name, domain, this.#settings);
    } catch {
      throw userError('cannot', `'${local}' cannot be the name of a user`);
    }
  }

  /** The domain a suffix stands for; other domains than the viewer's are there for global administrators only. */
  #suffix(text: string): string {
    const domain = text === '' ? '' : canonicalDomain(text);
    if (domain === undefined) throw userError('cannot', `'${text}' is not a domain`);
    const meant = domain === canonicalDomain(this.#settings.defaultdomain) ? '' : domain;
    if (!this.#global && meant !== this.#domain) throw userError('nonexistent', 'there is no such mailbox');
    return meant;
  }

  /** How the default domain is written where it has to be: by its name if it has one. */
  #unqualified(): string {
    return canonicalDomain(this.#settings.defaultdomain) ?? '';
  }

  #shown(component: string): string {
    return this.separator === '/' ? component : component.replaceAll('^', '/').replaceAll('.', '^');
  }

  #fromShown(part: string): string {
    return fromShown(part, this.separator);
  }
}

/** A component from its external form (invariant 3). */
function fromShown(part: string, separator: '/' | '.'): string {
  return separator === '/' ? part : part.replaceAll('^', '.').replaceAll('/', '^');
}

/**
 * The mailbox of `owner` that stands at `text` below its INBOX or its shared hierarchy, levels separated as clients
 * see them: what stands behind '+' in an address, or a folder name in the settings.
 * @throws MailError 'cannot'
 */
export function folderName(
  owner: string,
  text: string,
  settings: Pick<Settings, 'unixhierarchysep'>,
): MailboxName {
  const separator = settings.unixhierarchysep ? '/' : '.';
  return named(owner, normalize(text).split(separator).map((part) => fromShown(part, separator)));
}

/** A name of these components; none is the INBOX of a user. */
function named(owner: string, parts: readonly string[]): MailboxName {
  if (parts.includes('')) throw userError('cannot', 'a level of the mailbox name is empty');
  return checkName({ owner, path: parts.join('/') });
}

function normalize(external: string): string {
  if (!external.isWellFormed()) throw userError('cannot', 'the mailbox name is not valid Unicode');
  return external.normalize('NFC');
}

/**
 * The grammar of mailbox names, the one place that decides what a name may look like: 1 to 32 components below the
 * owner (none for an INBOX), 1,024 bytes, NFC, no control characters, no empty component, none that is '.' or '..'.
 * The new name of every mailbox that moves with its parent has to pass it too.
 * @returns the name itself
 * @throws MailError 'cannot', with the reason in words
 */
export function checkName(name: MailboxName): MailboxName {
  const { owner, path } = name;
  if (path === '') {
    if (isSharedOwner(owner)) throw userError('cannot', 'the mailbox name is empty');
    return name;
  }
  if (!path.isWellFormed() || path !== path.normalize('NFC')) {
    throw userError('cannot', 'the mailbox name is not normalized Unicode (NFC)');
  }
  if (FORBIDDEN.test(path)) throw userError('cannot', 'a mailbox name cannot hold control characters');
  const bytes = Buffer.byteLength(path);
  if (bytes > limits.mailbox_name.value) {
    throw userError('cannot', `the mailbox name is longer than ${limits.mailbox_name.value} bytes`);
  }
  const parts = path.split('/');
  if (parts.length > limits.mailbox_depth.value) {
    throw userError('cannot', `the mailbox name has more than ${limits.mailbox_depth.value} levels`);
  }
  for (const part of parts) {
    if (part === '') throw userError('cannot', 'a level of the mailbox name is empty');
    if (DOTS.test(part)) throw userError('cannot', `a level of a mailbox name cannot be '${part}'`);
  }
  if (isSharedOwner(owner) && NOT_SHARED.test(parts[0] as string)) {
    throw userError('cannot', `a shared mailbox cannot be named '${parts[0]}'`);
  }
  return name;
}

/** Whether two names are the same mailbox. */
export function sameName(a: MailboxName, b: MailboxName): boolean {
  return a.owner === b.owner && a.path === b.path;
}

/** Whether `name` stands below `ancestor`: compared by levels, so `ab` is not below `a`. */
export function isBelow(name: MailboxName, ancestor: MailboxName): boolean {
  if (name.owner !== ancestor.owner) return false;
  if (ancestor.path === '') return name.path !== '';
  return name.path.startsWith(ancestor.path + '/');
}

/**
 * The mailbox one level up; a user's INBOX for its top folders, undefined for an INBOX and for the first level of
 * a shared hierarchy.
 */
export function parentName(name: MailboxName): MailboxName | undefined {
  if (name.path === '') return undefined;
  const cut = name.path.lastIndexOf('/');
  if (cut < 0 && isSharedOwner(name.owner)) return undefined;
  return { owner: name.owner, path: cut < 0 ? '' : name.path.slice(0, cut) };
}

/** The last component; '' for an INBOX. */
export function leafName(name: MailboxName): string {
  return name.path.slice(name.path.lastIndexOf('/') + 1);
}

export { joinUserid, splitUserid };
