import { expect, test } from 'bun:test';
import { FILING_COMMANDS } from './filing.ts';
import { FILTER_COMMANDS } from './filters.ts';
import { runRounds } from './rounds.ts';

/** At least so many; scripts/crash/run runs as many as one likes. */
const ROUNDS = 24;
/** Far above what the slowest machine takes: the rounds are the bound. */
const LIMIT_MS = 900_000;

const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 31);

/** Every way in which a mailbox can be changed: one that the rounds leave out is not tested. */
const COMMANDS = [
  ...FILING_COMMANDS,
  ...FILTER_COMMANDS,
  'APPEND',
  'BDAT',
  'CLOSE',
  'COPY',
  'COPY to another owner',
  'CREATE',
  'CREATE with a special use',
  'DATA',
  'DELETE',
  'DELETEACL',
  'EXPUNGE',
  'MOVE',
  'MOVE to another owner',
  'MULTIAPPEND',
  'QUIT of POP3',
  'RENAME',
  'RENAME INBOX',
  'SETACL',
  'SETQUOTA',
  'STORE +FLAGS',
  'STORE +FLAGS.SILENT',
  'STORE -FLAGS',
  'STORE -FLAGS.SILENT',
  'STORE FLAGS',
  'STORE FLAGS.SILENT',
  'STORE UNCHANGEDSINCE (fresh)',
  'STORE UNCHANGEDSINCE (stale)',
  'SUBSCRIBE',
  'UID EXPUNGE',
  'UNSUBSCRIBE',
  'mailstore mailbox undelete',
  'mailstore reconstruct',
  'mailstore user add',
  'mailstore user passwd',
  'mailstore user remove',
  'over quota by IMAP',
  'over quota by LMTP',
];

test('whatever is killed at whatever moment, what was acknowledged is there once', async () => {
  const outcome = await runRounds({
    seed,
    rounds: Number(process.env['CRASH_ROUNDS'] ?? ROUNDS),
    commands: COMMANDS,
    report: (text) => console.log(`seed ${seed}: ${text}`),
  });
  expect(outcome.wrong).toEqual([]);
  expect(outcome.acknowledged).toBeGreaterThan(outcome.rounds);
  expect(COMMANDS.filter((command) => !outcome.commands.has(command))).toEqual([]);
}, LIMIT_MS);
