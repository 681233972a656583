/** RFC 9042: mailboxes by their object id, which stays when they are renamed. */
import type { Draft, Extension, Modifier, TagSpec } from '../extension.ts';
import { fromOctets } from '../octets.ts';
import type { Run, Test } from '../run.ts';
import type { Text, Texts } from '../text.ts';

class MailboxIdExists implements Test {
  readonly #ids: Texts;

  constructor(ids: Texts) {
    this.#ids = ids;
  }

  evaluate(run: Run): boolean {
    return this.#ids.values(run).every((id) => run.host.mailboxIdExists(fromOctets(id)));
  }
}

class MailboxIdTag implements Modifier {
  readonly #id: Text;

  constructor(id: Text) {
    this.#id = id;
  }

  apply(run: Run, { target }: Draft): void {
    target.mailboxId = fromOctets(this.#id.value(run));
  }
}

const TAG = {
  name: 'mailboxid',
  parameter: { name: 'mailbox id', type: 'string' },
  excludes: ['specialuse'],
  modify: (call) => new MailboxIdTag(call.text('mailboxid')),
} satisfies TagSpec;

export const mailboxid: Extension = {
  capability: 'mailboxid',
  tests: [{
    name: 'mailboxidexists',
    parameters: [{ name: 'mailbox ids', type: 'strings' }],
    compile: (call) => new MailboxIdExists(call.texts('mailbox ids')),
  }],
  tags: [{ on: ['fileinto', 'implicit_keep_target', 'snooze'], tag: TAG }, {
    on: ['vacation', 'notify'],
    tag: { ...TAG, needs: 'fcc' },
  }],
};
