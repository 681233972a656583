/** One POP3 session at a time (RFC 1939 §4), over all processes: a file whose lock the system keeps. */
import { existsSync, statSync, utimesSync } from 'node:fs';
import { userError } from '../../errors.ts';
import type { MaildropLock } from '../border.ts';
import { lockFile } from '../lock.ts';

/** @throws MailError 'inuse' */
export function lockMaildrop(path: string): MaildropLock {
  const known = existsSync(path);
  const lock = lockFile(path);
  if (lock === null) throw userError('inuse', 'Another POP3 session has this maildrop');
  const before = known ? statSync(path).mtimeMs / 1000 : null;
  const now = new Date();
  utimesSync(path, now, now);
  let held = true;
  return {
    before,
    release() {
      if (held) lock.release();
      held = false;
    },
  };
}
