/** RFC 5230, and RFC 6131 with `:seconds`. Whom a reply goes to, and whether, is for whoever sends it. */
import { act, addressOf, addressWrong, draft, mailboxOf } from '../action.ts';
import type { Call, Extension, Modifier } from '../extension.ts';
import { fromOctets, octetBytes } from '../octets.ts';
import type { Command, Run } from '../run.ts';
import type { ArgumentNode } from '../syntax.ts';
import type { Text, Texts } from '../text.ts';

interface VacationParts {
  readonly seconds: number | null;
  readonly subject: Text | null;
  readonly from: Text | null;
  readonly addresses: Texts | null;
  readonly mime: boolean;
  readonly handle: Text | null;
  readonly reason: Text;
  /** Digest of what the script says, before variables are expanded (§4.2). */
  readonly digest: string;
  readonly modifiers: readonly Modifier[];
}

class Vacation implements Command {
  readonly #parts: VacationParts;

  constructor(parts: VacationParts) {
    this.#parts = parts;
  }

  execute(run: Run): void {
    const { seconds, subject, from, addresses, mime, handle, reason, digest, modifiers } = this.#parts;
    const text = fromOctets(reason.value(run));
    act(run, {
      kind: 'vacation',
      seconds,
      subject: subject === null ? null : fromOctets(subject.value(run)),
      from: from === null ? null : mailboxOf(from.value(run), run.settings),
      addresses: addresses === null
        ? []
        : addresses.values(run).map((address) => addressOf(address, run.settings)),
      mime,
      handle: handle === null ? digest : `handle ${fromOctets(handle.value(run))}`,
      reason: text,
      fcc: draft(run, modifiers).fcc,
    }, () => `vacation "${text}"`);
  }
}

/** §4.2: each argument with its length, so that no two sets of them look alike. */
function digest(call: Call): string {
  const hash = new Bun.CryptoHasher('sha256');
  for (const name of ['subject', 'from', 'mime', 'reason']) {
    const argument: ArgumentNode | null = name !== 'mime' && call.has(name) ? call.argument(name) : null;
    const text = argument?.kind === 'string' ? argument.value : call.has(name) ? '1' : '';
    hash.update(`${name} ${text.length} `);
    hash.update(octetBytes(text));
  }
  return hash.digest('hex');
}

/** §5: a MIME entity whose header is ASCII. */
function mimeWrong(reason: string): string | null {
  const end = /\r\n\r\n|^\r\n/.exec(reason);
  const header = end === null ? reason : reason.slice(0, end.index);
  return /[\x80-\xff]/.test(header) ? 'the header of a :mime reason must be ASCII (RFC 5230 §5)' : null;
}

const SECONDS_PER_DAY = 86_400;

export const vacation: Extension = {
  capability: 'vacation',
  commands: [{
    name: 'vacation',
    tags: [
      { name: 'days', group: 'period', parameter: { name: 'days', type: 'number' } },
      { name: 'subject', parameter: { name: 'subject', type: 'string' } },
      { name: 'from', parameter: { name: 'from', type: 'string', check: addressWrong } },
      { name: 'addresses', parameter: { name: 'addresses', type: 'strings', check: addressWrong } },
      { name: 'mime' },
      { name: 'handle', parameter: { name: 'handle', type: 'string' } },
    ],
    parameters: [{ name: 'reason', type: 'string' }],
    emit(call, compiler) {
      const reason = call.text('reason');
      const wrong = call.has('mime') && reason.constant !== null ? mimeWrong(reason.constant) : null;
      if (wrong !== null) {
        compiler.error(call.position('reason'), wrong);
        return;
      }
      const text = (name: string): Text | null => call.has(name) ? call.text(name) : null;
      const seconds = call.has('seconds')
        ? call.number('seconds')
        // §4.1: at least one day.
        : call.has('days')
        ? Math.max(1, call.number('days')) * SECONDS_PER_DAY
        : null;
      compiler.command(
        call.node,
        new Vacation({
          seconds,
          subject: text('subject'),
          from: text('from'),
          addresses: call.has('addresses') ? call.texts('addresses') : null,
          mime: call.has('mime'),
          handle: text('handle'),
          reason,
          digest: digest(call),
          modifiers: call.modifiers(),
        }),
      );
    },
  }],
};

/** RFC 6131 §2 */
export const vacationSeconds: Extension = {
  capability: 'vacation-seconds',
  implies: ['vacation'],
  tags: [{
    on: ['vacation'],
    tag: { name: 'seconds', group: 'period', parameter: { name: 'seconds', type: 'number' } },
  }],
};
