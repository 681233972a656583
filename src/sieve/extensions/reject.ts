/** RFC 5429: reject says why in any case, ereject says it as early as can be. */
import { act } from '../action.ts';
import type { CommandSpec, Extension } from '../extension.ts';
import { fromOctets } from '../octets.ts';
import type { Command, Run } from '../run.ts';
import type { Text } from '../text.ts';

class Reject implements Command {
  readonly #reason: Text;
  readonly #early: boolean;

  constructor(reason: Text, early: boolean) {
    this.#reason = reason;
    this.#early = early;
  }

  execute(run: Run): void {
    const reason = fromOctets(this.#reason.value(run));
    act(
      run,
      { kind: 'reject', early: this.#early, reason },
      () => `${this.#early ? 'e' : ''}reject "${reason}"`,
    );
    // §2.4
    run.result.implicitKeep = false;
  }
}

function command(name: string, early: boolean): CommandSpec {
  return {
    name,
    parameters: [{ name: 'reason', type: 'string' }],
    emit: (call, compiler) => compiler.command(call.node, new Reject(call.text('reason'), early)),
  };
}

/** §2.2 */
export const reject: Extension = { capability: 'reject', commands: [command('reject', false)] };

/** §2.1 */
export const ereject: Extension = { capability: 'ereject', commands: [command('ereject', true)] };
