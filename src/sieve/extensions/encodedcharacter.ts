import type { Extension } from '../extension.ts';

/** RFC 5228 §2.4.2.4: `${hex:…}` and `${unicode:…}` in strings; what they mean is in `expand.ts`. */
export const encodedCharacter: Extension = { capability: 'encoded-character' };
