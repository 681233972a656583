import type { Extension } from '../extension.ts';
import type { Keys } from '../keys.ts';
import { Values } from '../match/values.ts';
import { fromOctets, lowerAscii, toOctets } from '../octets.ts';
import type { Run, Test } from '../run.ts';
import type { Text } from '../text.ts';

class EnvironmentTest implements Test {
  readonly #item: Text;
  readonly #keys: Keys;

  constructor(item: Text, keys: Keys) {
    this.#item = item;
    this.#keys = keys;
  }

  /** §4: false whatever is asked about an item that is not known; the count of an empty one is 0. */
  evaluate(run: Run): boolean {
    const value = run.host.environment(fromOctets(lowerAscii(this.#item.value(run))));
    if (value === null) return false;
    const matcher = this.#keys.matcher(run);
    if (matcher.matchCount !== undefined) return matcher.matchCount(value === '' ? 0 : 1);
    return this.#keys.match(run, new Values([toOctets(value)]));
  }
}

/** RFC 5183 */
export const environment: Extension = {
  capability: 'environment',
  tests: [{
    name: 'environment',
    match: true,
    parameters: [{ name: 'item', type: 'string' }, { name: 'key list', type: 'strings' }],
    compile(call) {
      const keys = call.keys('key list');
      return keys === null ? null : new EnvironmentTest(call.text('item'), keys);
    },
  }],
};
