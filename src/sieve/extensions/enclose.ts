import type { CommandSpec, Extension } from '../extension.ts';
import { fieldNameWrong } from '../fieldname.ts';
import { fromOctets, lowerAscii } from '../octets.ts';
import { finishLoops } from '../parts.ts';
import type { Command, Run } from '../run.ts';
import { mapped, type Text, type Texts } from '../text.ts';

class Enclose implements Command {
  readonly #subject: Text | null;
  readonly #headers: Texts | null;
  readonly #text: Text;

  constructor(subject: Text | null, headers: Texts | null, text: Text) {
    this.#subject = subject;
    this.#headers = headers === null ? null : mapped(headers, lowerAscii);
    this.#text = text;
  }

  execute(run: Run): void {
    const text = run.allocate(this.#text.value(run));
    const subject = this.#subject?.value(run) ?? null;
    // The message is copied.
    run.spend(run.message.size >> 10);
    run.message.enclose({
      subject: subject === null ? null : fromOctets(subject),
      names: this.#headers?.values(run) ?? [],
      from: fromOctets(run.envelope.to),
      date: new Date(run.host.now),
      text: fromOctets(text),
    });
    finishLoops(run);
    if (run.trace !== null) run.note('enclose the message');
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
    const subject = call.has('subject') ? call.text('subject') : null;
    const headers = call.has('headers') ? call.texts('headers') : null;
    compiler.command(call.node, new Enclose(subject, headers, call.text('text')));
  },
};

export const enclose: Extension = { capability: 'enclose', commands: [encloseCommand] };
