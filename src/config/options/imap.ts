import { good } from '../kinds/kind.ts';
import { durationKind } from '../kinds/measure.ts';
import { option } from '../option.ts';

/** The IMAP service. */
export const imapOptions = {
  timeout: option({
    toml: 'imap.timeout',
    kind: durationKind(30 * 60, 7 * 86400),
    default: 30 * 60,
    imapd: [{
      key: 'timeout',
      unit: 'm',
      // Cyrus raises a smaller number to 30 without a word.
      read: (text) => /^\d{1,2}$/.test(text) && Number(text) < 30 ? good(30 * 60) : undefined,
    }],
    doc:
      'After how long without a command a client is logged out. At least 30 minutes (RFC 9051 section 5.4); ' +
      'a number in imapd.conf counts minutes.',
  }),
};
