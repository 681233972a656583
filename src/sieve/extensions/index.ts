import type { Extension } from '../extension.ts';

const ON = ['header', 'address', 'date'];

/** RFC 5260 §6; the tests themselves do it (`fieldnumber.ts`). */
export const index: Extension = {
  capability: 'index',
  tags: [
    { on: ON, tag: { name: 'index', parameter: { name: 'index', type: 'number', least: 1 } } },
    { on: ON, tag: { name: 'last', needs: 'index' } },
  ],
};
