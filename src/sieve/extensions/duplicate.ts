import type { Extension } from '../extension.ts';
import { lowerAscii, octetBytes } from '../octets.ts';
import type { Run, Test } from '../run.ts';
import { ConstantText, type Text } from '../text.ts';

interface DuplicateParts {
  /** The field the id comes from, or null. */
  readonly header: Text | null;
  readonly uniqueid: Text | null;
  readonly handle: Text | null;
  readonly seconds: number | null;
  readonly last: boolean;
}

class DuplicateTest implements Test {
  readonly #parts: DuplicateParts;

  constructor(parts: DuplicateParts) {
    this.#parts = parts;
  }

  evaluate(run: Run): boolean {
    const { handle, seconds, last } = this.#parts;
    const id = this.#id(run);
    // §3.1, §3.3: no id, or no time to remember it: false, and nothing is remembered.
    if (id === null || seconds === 0) return false;
    const key = digest(handle?.value(run) ?? '', id);
    const seen = run.host.seen(key);
    // §3.3: without :last the time counts from the first message, with it from the last.
    if (!seen || last) run.result.remember({ key, seconds });
    return seen;
  }

  #id(run: Run): string | null {
    const { header, uniqueid } = this.#parts;
    if (header === null) return uniqueid?.value(run) ?? null;
    return run.message.fields(lowerAscii(header.value(run))).values.items[0] ?? null;
  }
}

/** §3.2: ids of different handles have nothing to do with each other. */
function digest(handle: string, id: string): string {
  return new Bun.CryptoHasher('sha256').update(`${handle.length} `).update(octetBytes(handle)).update(
    octetBytes(id),
  )
    .digest('hex');
}

/** RFC 7352 */
export const duplicate: Extension = {
  capability: 'duplicate',
  tests: [{
    name: 'duplicate',
    tags: [
      { name: 'handle', parameter: { name: 'handle', type: 'string' } },
      { name: 'header', group: 'id', parameter: { name: 'header', type: 'string' } },
      { name: 'uniqueid', group: 'id', parameter: { name: 'uniqueid', type: 'string' } },
      { name: 'seconds', parameter: { name: 'seconds', type: 'number' } },
      { name: 'last' },
    ],
    parameters: [],
    compile(call) {
      const uniqueid = call.has('uniqueid') ? call.text('uniqueid') : null;
      const header = call.has('header') ? call.text('header') : new ConstantText('message-id');
      return new DuplicateTest({
        header: uniqueid === null ? header : null,
        uniqueid,
        handle: call.has('handle') ? call.text('handle') : null,
        seconds: call.has('seconds') ? call.number('seconds') : null,
        last: call.has('last'),
      });
    },
  }],
};
