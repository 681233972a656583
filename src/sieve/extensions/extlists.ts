/** RFC 6134: lists that are kept elsewhere. Which there are, the administrator says; no URI is ever fetched. */
import type { Extension, TestSpec } from '../extension.ts';
import { listName } from '../listname.ts';
import { list } from '../match/list.ts';
import type { Run, Test } from '../run.ts';
import type { Texts } from '../text.ts';

class ValidExtList implements Test {
  readonly #names: Texts;

  constructor(names: Texts) {
    this.#names = names;
  }

  evaluate(run: Run): boolean {
    return this.#names.values(run).every((name) => run.settings.lists.has(listName(name)));
  }
}

/** §2.7 */
const validExtList: TestSpec = {
  name: 'valid_ext_list',
  parameters: [{ name: 'list names', type: 'strings' }],
  compile: (call) => new ValidExtList(call.texts('list names')),
};

export const extlists: Extension = {
  capability: 'extlists',
  tests: [validExtList],
  matchTypes: [list],
  // §2.3: what is given is no address but the list of all to send to.
  tags: [{ on: ['redirect'], tag: { name: 'list' } }],
};
