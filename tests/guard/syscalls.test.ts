/** What strace prints is counted as it was meant. */

import { expect, test } from 'bun:test';
import { countCalls } from '../harness/syscalls.ts';

test('files are told from sockets, and calls that others interrupted count once', () => {
  const trace = `100 write(5</srv/log/1.log>, ""..., 120) = 120
101 pwrite64(6</srv/index.db-wal>, ""..., 4096, 32 <unfinished ...>
100 write(7<socket:[12]>, ""..., 50) = 50
101 <... pwrite64 resumed>) = 4096
100 fdatasync(5</srv/log/1.log> <unfinished ...>
102 write(8<pipe:[9]>, ""..., 1) = 1
100 <... fdatasync resumed>) = 0
100 writev(9</srv/spool/a>, [{iov_base=""..., iov_len=10}], 1) = -1 ENOSPC (No space left on device)
100 copy_file_range(10</srv/a>, NULL, 11</srv/b>, NULL, 700, 0) = 700
100 write(2</dev/null>, ""..., 9) = 9
100 futex(0x7f, FUTEX_WAKE_PRIVATE, 1) = 1
100 exit_group(0) = ?
100 +++ exited with 0 +++
`;
  const { calls, syncs, written } = countCalls(trace);
  expect(syncs).toEqual({ fdatasync: 1 });
  expect(written).toBe(120 + 4096 + 700);
  expect(calls).toEqual({ write: 4, pwrite64: 1, fdatasync: 1, writev: 1, copy_file_range: 1 });
});
