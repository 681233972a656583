import type { CommandSpec, Extension } from '../extension.ts';
import { fieldNameWrong } from '../fieldname.ts';
import { fromOctets, lowerAscii } from '../octets.ts';
import { finishLoops } from '../parts.ts';
import type { Command, Run } from '../run.ts';
import { mapped, type Text, type Texts } from '../text.ts';

class Enclose implements Command {
  readonly #subject: Text;
  readonly #headers: Texts;
  readonly #text: Text;

  constructor(subject: Text, headers: Texts, text: Text) {
    this.#subject = subject;
    this.#headers = mapped(headers, lowerAscii);
    this.#text = text;
  }

  execute(run: Run): void {
    const text = run.allocate(this.#text.value(run));
    const subject = fromOctets(this.#subject.value(run));
    // The message is copied.
    run.spend(run.message.size >> 10);
    run.message.enclose(subject, this.#headers.values(run), fromOctets(text));
    finishLoops(run);
    if (run.trace !== null) run.note(`enclose in "${subject}"`);
  }
}

/** RFC 5703 §6: the message becomes an attachment of a new one. */
const encloseCommand: CommandSpec = {
  name: 'enclose',
  tags: [
    { name: 'subject', parameter: { name: 'subject', type: 'string' } },
    { name: 'headers', parameter: { name: 'headers', type: 'strings', check: fieldNameWrong } },
  ],
  parameters: [{ name: 'text', type: 'string' }],
  emit(call, compiler) {
    for (const tag of ['subject', 'headers']) {
      if (call.has(tag)) continue;
      return compiler.error(
        call.node.position,
        `the enclose command expects ':${tag}', which is not specified`,
      );
    }
    compiler.command(call.node, new Enclose(call.text('subject'), call.texts('headers'), call.text('text')));
  },
};

export const enclose: Extension = { capability: 'enclose', commands: [encloseCommand] };
