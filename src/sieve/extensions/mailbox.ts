/** RFC 5490: mailboxes that may not be there, and what is said about them and the server. */
import { mailboxNameWrong } from '../action.ts';
import type { Extension, Modifier, TestSpec } from '../extension.ts';
import { Values } from '../match/values.ts';
import type { Keys } from '../keys.ts';
import { fromOctets, strictFromOctets, toOctets } from '../octets.ts';
import type { Run, Test } from '../run.ts';
import type { Text, Texts } from '../text.ts';

/** A question to the store costs more than a comparison. */
const STEPS_PER_QUESTION = 50;

class MailboxExists implements Test {
  readonly #names: Texts;

  constructor(names: Texts) {
    this.#names = names;
  }

  evaluate(run: Run): boolean {
    return this.#names.values(run).every((name) => {
      run.spend(STEPS_PER_QUESTION);
      const text = mailboxNameWrong(name) === null ? strictFromOctets(name) : null;
      return text !== null && run.host.mailboxExists(text);
    });
  }
}

const CREATE: Modifier = {
  apply: (_, { target }) => {
    target.create = true;
  },
};

/** §3.1 and §3.2 */
export const mailbox: Extension = {
  capability: 'mailbox',
  tests: [{
    name: 'mailboxexists',
    parameters: [{ name: 'mailbox names', type: 'strings', doubt: mailboxNameWrong }],
    compile: (call) => new MailboxExists(call.texts('mailbox names')),
  }],
  tags: [
    { on: ['fileinto', 'implicit_keep_target', 'snooze'], tag: { name: 'create', modify: () => CREATE } },
    { on: ['vacation', 'notify'], tag: { name: 'create', needs: 'fcc', modify: () => CREATE } },
  ],
};

/** A value of an annotation compared with keys; `mailbox` is null for the server's. */
class MetadataTest implements Test {
  readonly #mailbox: Text | null;
  readonly #entry: Text;
  readonly #keys: Keys;

  constructor(mailbox: Text | null, entry: Text, keys: Keys) {
    this.#mailbox = mailbox;
    this.#entry = entry;
    this.#keys = keys;
  }

  evaluate(run: Run): boolean {
    const value = metadata(run, this.#mailbox, this.#entry.value(run));
    return this.#keys.match(run, new Values(value === null ? [] : [toOctets(value)]));
  }
}

class MetadataExists implements Test {
  readonly #mailbox: Text | null;
  readonly #entries: Texts;

  constructor(mailbox: Text | null, entries: Texts) {
    this.#mailbox = mailbox;
    this.#entries = entries;
  }

  evaluate(run: Run): boolean {
    return this.#entries.values(run).every((entry) => metadata(run, this.#mailbox, entry) !== null);
  }
}

function metadata(run: Run, mailbox: Text | null, entry: string): string | null {
  run.spend(STEPS_PER_QUESTION);
  const name = mailbox?.value(run) ?? null;
  if (entryWrong(entry) !== null || name !== null && mailboxNameWrong(name) !== null) return null;
  return run.host.metadata(name === null ? null : fromOctets(name), entry);
}

/** RFC 5464 §4.1: what an entry is called. */
function entryWrong(entry: string): string | null {
  const fine = /^\/(?:shared|private)(?:\/[^*%/\x00-\x19\x80-\xff]+)+$/i.test(entry);
  return fine
    ? null
    : 'an annotation is called "/shared/…" or "/private/…", without * and %, in ASCII (RFC 5464 §4.1)';
}

function metadataTests(prefix: '' | 'server'): TestSpec[] {
  const where = prefix === '' ? [{ name: 'mailbox', type: 'string', doubt: mailboxNameWrong } as const] : [];
  return [
    {
      name: `${prefix}metadata`,
      match: true,
      parameters: [
        ...where,
        { name: 'annotation name', type: 'string', doubt: entryWrong },
        { name: 'key list', type: 'strings' },
      ],
      compile(call) {
        const keys = call.keys('key list');
        const name = prefix === '' ? call.text('mailbox') : null;
        return keys === null ? null : new MetadataTest(name, call.text('annotation name'), keys);
      },
    },
    {
      name: `${prefix}metadataexists`,
      parameters: [...where, { name: 'annotation names', type: 'strings', doubt: entryWrong }],
      compile: (call) =>
        new MetadataExists(prefix === '' ? call.text('mailbox') : null, call.texts('annotation names')),
    },
  ];
}

/** §3.3 and §3.4 */
export const mboxmetadata: Extension = { capability: 'mboxmetadata', tests: metadataTests('') };

/** §4.1 and §4.2 */
export const servermetadata: Extension = { capability: 'servermetadata', tests: metadataTests('server') };
