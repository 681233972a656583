import { mailboxName, mailboxNameWrong } from '../action.ts';
import type { Draft, Extension, Modifier } from '../extension.ts';
import type { Run } from '../run.ts';
import type { Text } from '../text.ts';

class FccTag implements Modifier {
  readonly #mailbox: Text;

  constructor(mailbox: Text) {
    this.#mailbox = mailbox;
  }

  apply(run: Run, draft: Draft): void {
    draft.target.mailbox = mailboxName(this.#mailbox.value(run));
    draft.fcc = draft.target;
  }
}

/** RFC 8580: a copy of a message that an action makes is filed. Tags of fileinto say how (§3.2). */
export const fcc: Extension = {
  capability: 'fcc',
  tags: [{
    on: ['vacation', 'notify'],
    tag: {
      name: 'fcc',
      parameter: { name: 'fcc', type: 'string', check: mailboxNameWrong },
      modify: (call) => new FccTag(call.text('fcc')),
    },
  }],
};
