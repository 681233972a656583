import type { Extension } from '../extension.ts';

/** RFC 5233: `:user` and `:detail` of a localpart; what separates them is configured (`Fields`, `RunInput.separators`). */
export const subaddress: Extension = { capability: 'subaddress', addressParts: ['user', 'detail'] };
