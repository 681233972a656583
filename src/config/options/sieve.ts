import { listKind } from '../kinds/collection.ts';
import { sizeKind } from '../kinds/measure.ts';
import { integerKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** Sieve scripts and ManageSieve. */
export const sieveOptions = {
  sieve_maxscriptsize: option({
    toml: 'sieve.maxscriptsize',
    kind: sizeKind(1024, 2 ** 20),
    default: 64 * 1024,
    imapd: [{ key: 'sieve_maxscriptsize', unit: 'K' }],
    doc: 'The size of the largest script a user may have. A number in imapd.conf counts kilobytes.',
  }),
  sieve_maxscripts: option({
    toml: 'sieve.maxscripts',
    kind: integerKind(0, 1000),
    default: 20,
    imapd: imapd('sieve_maxscripts'),
    doc: 'How many scripts a user may have; 0 for none. One of them is active at a time.',
  }),
  sieve_extensions: option({
    toml: 'sieve.extensions',
    kind: listKind({ separator: /[\s,]+/, item: 'Sieve extensions' }),
    default: [],
    defaultText: 'all there are',
    imapd: imapd('sieve_extensions'),
    doc:
      'The extensions of the language that scripts may require. An empty list allows all there are; comparators are always ' +
      'allowed. What a name stands for that is not there cannot be required.',
  }),
};
