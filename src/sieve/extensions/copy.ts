import type { Extension, Modifier } from '../extension.ts';

const COPY: Modifier = {
  apply: (_, draft) => {
    draft.copy = true;
  },
};

/** RFC 3894: `:copy` leaves the implicit keep as it is. */
export const copy: Extension = {
  capability: 'copy',
  tags: [{ on: ['fileinto', 'redirect', 'pipe'], tag: { name: 'copy', modify: () => COPY } }],
};
