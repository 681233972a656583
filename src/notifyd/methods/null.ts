import type { Method } from '../method.ts';

/** Nobody is told. */
export const nullMethod: Method = {
  name: 'null',
  unusable: () => null,
  notify: () => {},
};
