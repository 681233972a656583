import { durationKind } from '../kinds/measure.ts';
import { listKind } from '../kinds/collection.ts';
import { choiceKind, integerKind, pathKind, switchKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

const DAY = 86_400;

/** What is wrong with a text and its meaning on a scale. */
function meaningProblem(most: number): (item: string) => string | undefined {
  return (item) => {
    const match = /=(\d{1,2})$/.exec(item);
    return match !== null && Number(match[1]) <= most
      ? undefined
      : `"${item.slice(0, 80)}" is no text with = and a number up to ${most} behind it`;
  };
}

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
  sieve_max_redirects: option({
    toml: 'sieve.max_redirects',
    kind: integerKind(0, 100),
    default: 4,
    imapd: [],
    doc: 'How many addresses a script may forward a message to; 0 for none. A script that wants more fails.',
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
  sieve_pipe_bin_dir: option({
    toml: 'sieve.pipe_bin_dir',
    kind: pathKind('an absolute path of a folder, or "" for none'),
    default: '',
    imapd: [],
    doc:
      'A folder of programs that scripts may give messages to (vnd.dovecot.pipe), by their names alone. Without it the ' +
      'extension is not there. They run as the user of the server, without a shell, in its sandbox.',
  }),
  sieve_filter_bin_dir: option({
    toml: 'sieve.filter_bin_dir',
    kind: pathKind('an absolute path of a folder, or "" for none'),
    default: '',
    imapd: [],
    doc: 'The same for programs that may change messages (vnd.dovecot.filter).',
  }),
  sieve_execute_bin_dir: option({
    toml: 'sieve.execute_bin_dir',
    kind: pathKind('an absolute path of a folder, or "" for none'),
    default: '',
    imapd: [],
    doc: 'The same for programs that scripts may ask (vnd.dovecot.execute).',
  }),
  sieve_editheader_forbid_add: option({
    toml: 'sieve.editheader_forbid_add',
    kind: listKind({ separator: /[\s,]+/, item: 'names of header fields' }),
    default: [],
    imapd: [],
    doc: 'Header fields that scripts must not add. Subject they always may.',
  }),
  sieve_editheader_forbid_delete: option({
    toml: 'sieve.editheader_forbid_delete',
    kind: listKind({ separator: /[\s,]+/, item: 'names of header fields' }),
    default: [],
    imapd: [],
    doc: 'Header fields that scripts must not delete, beside Received and Auto-Submitted, which nobody may.',
  }),
  sieve_spamtest_status_header: option({
    toml: 'sieve.spamtest_status_header',
    kind: textKind(),
    default: '',
    imapd: [],
    doc:
      'The header field in which a spam filter in front of the store tells its score, for the test "spamtest"; perhaps a ' +
      'colon and a POSIX extended expression behind it, whose first group is the score: ' +
      '"X-Spam-Status: score=(-?[0-9.]+)". Without it there are no spamtest and spamtestplus. It is only worth something ' +
      'where the mail server removes what strangers write there.',
  }),
  sieve_spamtest_status_type: option<'score' | 'strlen' | 'text'>({
    toml: 'sieve.spamtest_status_type',
    kind: choiceKind(['score', 'strlen', 'text']),
    default: 'score',
    imapd: [],
    doc:
      'What stands there: a number ("score"), as many characters as the number says ("strlen"), or one of the texts of ' +
      'spamtest_texts ("text").',
  }),
  sieve_spamtest_max: option({
    toml: 'sieve.spamtest_max',
    kind: textKind(),
    default: '',
    imapd: [],
    doc: 'The score from which on it is certainly spam: a number, or a header field and expression as in ' +
      'spamtest_status_header.',
  }),
  sieve_spamtest_texts: option({
    toml: 'sieve.spamtest_texts',
    kind: listKind({ separator: /\|/, item: 'texts such as "Yes=10"', check: meaningProblem(10) }),
    default: [],
    imapd: [],
    doc: 'What texts mean on the scale of spamtest from 0 to 10: "No=1", "Yes=10".',
  }),
  sieve_virustest_status_header: option({
    toml: 'sieve.virustest_status_header',
    kind: textKind(),
    default: '',
    imapd: [],
    doc: 'The same for what a virus scanner tells, and the test "virustest".',
  }),
  sieve_virustest_texts: option({
    toml: 'sieve.virustest_texts',
    kind: listKind({ separator: /\|/, item: 'texts such as "infected=5"', check: meaningProblem(5) }),
    default: [],
    imapd: [],
    doc: 'What its texts mean on the scale of virustest from 0 to 5: "clean=1", "infected=5".',
  }),
  imapsieve: option({
    toml: 'sieve.imapsieve',
    kind: switchKind(),
    default: false,
    imapd: [],
    doc:
      'Run scripts for what users do with messages by IMAP (RFC 6785): APPEND, COPY, MOVE and changes of flags. Which script a ' +
      'mailbox has says its annotation /shared/imapsieve/script, else that of the server ("mailstore mailbox metadata").',
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
