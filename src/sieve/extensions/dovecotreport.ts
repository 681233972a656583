import { act, addressOf, addressWrong } from '../action.ts';
import type { Extension } from '../extension.ts';
import { printable } from '../lexer.ts';
import { fromOctets } from '../octets.ts';
import { type Command, type Run, ScriptError } from '../run.ts';
import type { Text } from '../text.ts';

/** RFC 2045 §5.1 token. */
function feedbackWrong(type: string): string | null {
  return /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/.test(type)
    ? null
    : `invalid feedback type "${printable(type)}": expected a token such as "abuse"`;
}

class Report implements Command {
  readonly #feedback: Text;
  readonly #text: Text;
  readonly #address: Text;
  readonly #headersOnly: boolean;

  constructor(feedback: Text, text: Text, address: Text, headersOnly: boolean) {
    this.#feedback = feedback;
    this.#text = text;
    this.#address = address;
    this.#headersOnly = headersOnly;
  }

  execute(run: Run): void {
    const feedback = this.#feedback.value(run);
    const wrong = feedbackWrong(feedback);
    if (wrong !== null) throw new ScriptError(wrong);
    const address = addressOf(this.#address.value(run), run.settings);
    // One of each kind for each address; the first counts.
    const told = run.result.actions.some((action) =>
      action.kind === 'report' && action.feedback === feedback && action.address === address
    );
    if (told) return;
    act(run, {
      kind: 'report',
      feedback,
      text: fromOctets(this.#text.value(run)),
      address,
      headersOnly: this.#headersOnly,
    }, () => `report "${feedback}" to <${address}>`);
  }
}

/** vnd.dovecot.report: tells somebody about the message in the form of RFC 5965. */
export const dovecotReport: Extension = {
  capability: 'vnd.dovecot.report',
  commands: [{
    name: 'report',
    tags: [{ name: 'headers_only' }],
    parameters: [
      { name: 'feedback type', type: 'string', check: feedbackWrong },
      { name: 'message', type: 'string' },
      { name: 'address', type: 'string', check: addressWrong },
    ],
    emit: (call, compiler) =>
      compiler.command(
        call.node,
        new Report(
          call.text('feedback type'),
          call.text('message'),
          call.text('address'),
          call.has('headers_only'),
        ),
      ),
  }],
};
