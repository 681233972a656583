/** RFC 5183 */

import { expect, test } from 'bun:test';
import { holds, MESSAGE_A } from '../harness.ts';

const host = {
  environment: (item: string): string | null =>
    ({ name: 'mailstore', 'remote-host': '', location: 'MS' })[item] ?? null,
};

function held(test: string): boolean {
  return holds(test, MESSAGE_A, ['environment', 'relational', 'comparator-i;ascii-numeric'], { host });
}

test('§4: items by their names; one that is not known is never matched', () => {
  expect(held('environment "location" "MS"')).toBe(true);
  expect(held('environment :contains "NAME" "store"')).toBe(true);
  expect(held('environment :contains "remote-host" ""')).toBe(true);
  expect(held('environment :contains "item" ""')).toBe(false);
  expect(held('environment :count "eq" :comparator "i;ascii-numeric" "name" "1"')).toBe(true);
  expect(held('environment :count "eq" :comparator "i;ascii-numeric" "remote-host" "0"')).toBe(true);
  expect(held('environment :count "eq" :comparator "i;ascii-numeric" "item" "0"')).toBe(false);
});
