/** RFC 8579: mailboxes by what they are for. */
import { mailboxNameWrong } from '../action.ts';
import type { Draft, Extension, Modifier, TagSpec } from '../extension.ts';
import { fromOctets } from '../octets.ts';
import { type Run, ScriptError, type Test } from '../run.ts';
import type { Text, Texts } from '../text.ts';

/** RFC 6154 §6: an attribute is a backslash and an atom. */
function useWrong(flag: string): string | null {
  return /^\\[^\x00-\x20\x7f-\xff(){%*"\\\]]+$/.test(flag)
    ? null
    : `"${flag}" is no special use: expected one like "\\\\Junk" (RFC 6154 §2)`;
}

class SpecialUseExists implements Test {
  readonly #mailbox: Text | null;
  readonly #flags: Texts;

  constructor(mailbox: Text | null, flags: Texts) {
    this.#mailbox = mailbox;
    this.#flags = flags;
  }

  evaluate(run: Run): boolean {
    const name = this.#mailbox?.value(run) ?? null;
    if (name !== null && mailboxNameWrong(name) !== null) return false;
    const mailbox = name === null ? null : fromOctets(name);
    return this.#flags.values(run).every((flag) =>
      useWrong(flag) === null && run.host.specialUseExists(mailbox, fromOctets(flag))
    );
  }
}

class SpecialUseTag implements Modifier {
  readonly #flag: Text;

  constructor(flag: Text) {
    this.#flag = flag;
  }

  apply(run: Run, { target }: Draft): void {
    const flag = this.#flag.value(run);
    const wrong = useWrong(flag);
    if (wrong !== null) throw new ScriptError(wrong);
    target.specialUse = fromOctets(flag);
  }
}

const TAG = {
  name: 'specialuse',
  parameter: { name: 'special-use flag', type: 'string', check: useWrong },
  modify: (call) => new SpecialUseTag(call.text('specialuse')),
} satisfies TagSpec;

export const specialUse: Extension = {
  capability: 'special-use',
  tests: [{
    name: 'specialuse_exists',
    parameters: [
      { name: 'mailbox', type: 'string', optional: true, doubt: mailboxNameWrong },
      { name: 'special-use flags', type: 'strings', check: useWrong },
    ],
    compile: (call) =>
      new SpecialUseExists(
        call.has('mailbox') ? call.text('mailbox') : null,
        call.texts('special-use flags'),
      ),
  }],
  tags: [{ on: ['fileinto', 'implicit_keep_target', 'snooze'], tag: TAG }, {
    on: ['vacation', 'notify'],
    tag: { ...TAG, needs: 'fcc' },
  }],
};
