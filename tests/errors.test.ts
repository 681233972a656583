/** What becomes of errors that the program did not make itself. */

import { expect, test } from 'bun:test';
import { asMailError, userError } from '../src/errors.ts';
import { refusal } from '../src/imap/respond.ts';
import { failureReply } from '../src/lmtp/failure.ts';
import { toWireError } from '../src/store/writer/wire.ts';

function failing(code: string): Error {
  return Object.assign(new Error(`${code}: it failed, open '/var/spool/mailstore/secret'`), { code });
}

test('a machine that has no space, files or memory left is no bug of ours: the same may succeed later', () => {
  const codes = [
    'ENOSPC',
    'EDQUOT',
    'EIO',
    'EMFILE',
    'ENFILE',
    'ENOMEM',
    'SQLITE_FULL',
    'SQLITE_IOERR_WRITE',
  ];
  for (const code of [...codes, 'SQLITE_CANTOPEN', 'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT']) {
    const error = failing(code);
    expect(asMailError(error)).toMatchObject({ kind: 'server', code: 'unavailable', cause: error });
    expect(refusal(error)).toMatchObject({ word: 'NO', code: 'UNAVAILABLE' });
    expect(toWireError(error).code).toBe('unavailable');
    // Whoever asks need not know where the store keeps what.
    expect(asMailError(error).message).not.toContain('/var/spool');
  }
});

test('an index that cannot be read is named as damaged, and temporary for whoever delivers', () => {
  for (const code of ['SQLITE_CORRUPT', 'SQLITE_CORRUPT_INDEX', 'SQLITE_NOTADB']) {
    expect(asMailError(failing(code))).toMatchObject({ kind: 'server', code: 'corruption' });
    expect(refusal(failing(code))).toMatchObject({ word: 'NO', code: 'CORRUPTION' });
    expect(failureReply(failing(code), { lmtp_overquota_perm_failure: false })).toMatchObject({ code: 451 });
  }
});

test('what nobody expected is a bug, and what was meant stays what it is', () => {
  for (const error of [new TypeError('x is undefined'), failing('ENOENT'), failing('EIOX')]) {
    expect(asMailError(error)).toMatchObject({ kind: 'server', code: 'serverbug' });
    expect(refusal(error)).toMatchObject({ word: 'NO', code: 'SERVERBUG' });
  }
  const meant = userError('overquota', 'Over quota');
  expect(asMailError(meant)).toBe(meant);
});
