import type { Extension } from '../extension.ts';
import { printable } from '../lexer.ts';
import { count } from '../match/count.ts';
import { RELATION_NAMES, relationNamed } from '../match/relation.ts';
import { value } from '../match/value.ts';

/** RFC 5231: `:value "gt"` and `:count "gt"`. */
export const relational: Extension = {
  capability: 'relational',
  matchTypes: [value, count],
  matchParameter: {
    name: 'relation',
    type: 'string',
    constant: true,
    check: (name) =>
      relationNamed(name) === null
        ? `unknown relation "${printable(name)}": expected one of ${RELATION_NAMES}`
        : null,
  },
};
