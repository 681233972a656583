import { listFilesKind, listKind, referralsKind } from '../kinds/collection.ts';
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
  sieve_referrals: option({
    toml: 'sieve.referrals',
    kind: referralsKind(),
    default: {},
    imapd: [],
    doc:
      'Users whose scripts are on another server, as while a site moves: { "anna" = "sieve://new.example.org", "@example.net" = ' +
      '"sieve://mail.example.net:4190" }, by userid, by domain, or "*" for all others. Who logs in by ManageSieve is sent there ' +
      '(RFC 5804, REFERRAL); sieveshell goes by itself. IMAP and the scripts that are here are not concerned.',
  }),
  sieve_lists: option({
    toml: 'sieve.lists',
    kind: listFilesKind(),
    default: {},
    imapd: [],
    doc:
      'Lists that scripts may ask with ":list" and forward to with "redirect :list" (extlists, RFC 6134): names, which are URIs, ' +
      'with a file each, { "tag:example.org,2026:friends" = "/etc/mailstore/friends" }. A line of a file is a key, to the first ' +
      'blank; what follows it, and lines that begin with #, do not count. Keys are compared without regard to case. A file that ' +
      'has changed is read again: put the new one in its place by a rename. Without a list extlists is not there.',
  }),
};
