/** RFC 5228: what every script may use without require. */
import type { Extension } from '../extension.ts';
import { MATCH_TYPES } from '../match/types.ts';
import { discard, keep, redirect } from './base/actions.ts';
import { elseCommand, elsif, ifCommand, requireCommand, stop } from './base/control.ts';
import { address, exists, header, size } from './base/tests.ts';
import { allof, anyof, falseTest, not, trueTest } from './base/logic.ts';

export const base: Extension = {
  capability: '',
  commands: [requireCommand, ifCommand, elsif, elseCommand, stop, keep, discard, redirect],
  tests: [address, allof, anyof, exists, falseTest, header, not, size, trueTest],
  matchTypes: MATCH_TYPES,
  addressParts: ['all', 'localpart', 'domain'],
};
