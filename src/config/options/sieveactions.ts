import { durationKind } from '../kinds/measure.ts';
import { choiceKind, switchKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

const DAY = 86_400;

/** What actions of Sieve scripts may do, and how. */
export const sieveActionOptions = {
  sieve_use_lmtp_reject: option({
    toml: 'sieve.use_lmtp_reject',
    kind: switchKind(),
    default: true,
    imapd: imapd('sieve_use_lmtp_reject'),
    doc:
      'Refuse messages that a script rejects in the answer to LMTP, so that the sending server tells its sender. Without ' +
      'it, and for a reason beyond ASCII, "reject" sends the reason by mail; "ereject" always refuses.',
  }),
  sieve_vacation_min_response: option({
    toml: 'sieve.vacation_min_response',
    kind: durationKind(0, 365 * DAY),
    default: 3 * DAY,
    imapd: [{ key: 'sieve_vacation_min_response', unit: 's' }],
    doc:
      'The shortest time between two vacation replies to the same sender; scripts that say less get this. 0 lets ' +
      '":seconds 0" answer every message.',
  }),
  sieve_vacation_max_response: option({
    toml: 'sieve.vacation_max_response',
    kind: durationKind(0, 3650 * DAY),
    default: 90 * DAY,
    imapd: [{ key: 'sieve_vacation_max_response', unit: 's' }],
    doc:
      'The longest time between two vacation replies to the same sender; scripts that say more get this. Less than a ' +
      'day is a day (RFC 6131).',
  }),
  sieve_vacation_sender: option<'null' | 'owner'>({
    toml: 'sieve.vacation_sender',
    kind: choiceKind(['null', 'owner']),
    default: 'null',
    imapd: [],
    doc:
      'The envelope sender of vacation replies: "null" as RFC 5230 wants it, so that nothing can answer them, or the ' +
      '"owner" of the script, for mail servers that take no mail of the null sender.',
  }),
  sieve_duplicate_max_expiration: option({
    toml: 'sieve.duplicate_max_expiration',
    kind: durationKind(0, 3650 * DAY),
    default: 90 * DAY,
    imapd: [{ key: 'sieve_duplicate_max_expiration', unit: 's' }],
    doc: 'How long the test "duplicate" may remember a message at most, whatever a script says.',
  }),
  sievenotifier: option({
    toml: 'sieve.notifier',
    kind: textKind(),
    default: '',
    defaultText: 'the one notifyd takes',
    imapd: imapd('sievenotifier'),
    doc: "The method of notifyd for Cyrus's older notify action, where a script names none.",
  }),
  sieve_utf8fileinto: option({
    toml: 'sieve.utf8fileinto',
    kind: switchKind(),
    default: true,
    imapdDefault: false,
    imapd: imapd('sieve_utf8fileinto'),
    doc:
      'Folder names in scripts are UTF-8, as RFC 5228 has it. Without it they are modified UTF-7 where they can be, as ' +
      'scripts for Cyrus have them; an imapd.conf that does not name it means that.',
  }),
};
