import { isMailboxList } from '../address.ts';
import type { CommandSpec, Extension } from '../extension.ts';
import { printable } from '../lexer.ts';
import { textEntity } from '../mail/compose.ts';
import { fromOctets, octetBytes } from '../octets.ts';
import { currentPart, finishLoops } from '../parts.ts';
import { type Command, type Run, ScriptError } from '../run.ts';
import type { Text } from '../text.ts';

/** RFC 5703 §5: a mailbox-list. */
function fromWrong(octets: string): string | null {
  return isMailboxList(octets)
    ? null
    : `"${
      printable(octets)
    }" is no address to write in From: expected 'user@domain', 'Name <user@domain>', or several`;
}

class Replace implements Command {
  readonly #content: Text;
  readonly #entity: boolean;
  readonly #subject: Text | null;
  readonly #from: Text | null;

  constructor(content: Text, entity: boolean, subject: Text | null, from: Text | null) {
    this.#content = content;
    this.#entity = entity;
    this.#subject = subject;
    this.#from = from;
  }

  execute(run: Run): void {
    const content = run.allocate(this.#content.value(run));
    const entity = this.#entity
      ? octetBytes(content.replace(/\r\n|\r|\n/g, '\r\n'))
      : Buffer.from(textEntity(fromOctets(content)));
    const part = currentPart(run);
    if (part !== null && part.parent !== null) {
      part.replace(entity);
      if (run.trace !== null) run.note(`replace a part of ${part.type.type}/${part.type.subtype}`);
      return;
    }
    const from = this.#from?.value(run) ?? null;
    const wrong = from === null ? null : fromWrong(from);
    if (wrong !== null) throw new ScriptError(`replace: ${wrong}`);
    const subject = this.#subject?.value(run) ?? null;
    run.spend(run.message.size >> 10);
    run.message.replaceAll(entity, {
      subject: subject === null ? null : fromOctets(subject),
      from: from === null ? null : fromOctets(from),
    });
    finishLoops(run);
    if (run.trace !== null) run.note('replace the message');
  }
}

/** RFC 5703 §5: the part that the loop is at, or all of the message, becomes a text or (with :mime) a MIME entity. */
const replaceCommand: CommandSpec = {
  name: 'replace',
  tags: [
    { name: 'mime' },
    { name: 'subject', parameter: { name: 'subject', type: 'string' } },
    { name: 'from', parameter: { name: 'from', type: 'string', check: fromWrong } },
  ],
  parameters: [{ name: 'replacement', type: 'string' }],
  emit(call, compiler) {
    const spare = ['subject', 'from'].find((name) => call.has(name));
    if (call.has('mime') && spare !== undefined) {
      return compiler.error(
        call.position(spare),
        `the replace command: ':${spare}' has no meaning with ':mime', whose text has a header of its own`,
      );
    }
    const text = (name: string): Text | null => call.has(name) ? call.text(name) : null;
    compiler.command(
      call.node,
      new Replace(call.text('replacement'), call.has('mime'), text('subject'), text('from')),
    );
  },
};

export const replace: Extension = { capability: 'replace', commands: [replaceCommand] };
