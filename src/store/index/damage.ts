/** Telling damage from other failures: what a database throws when its bytes are not those that were written. */
import { MailError } from '../../errors.ts';

/** A database is damaged. */
export class Damage extends MailError {
  constructor(path: string, what: string) {
    super('server', 'corruption', `${path} is damaged: ${what}`);
  }
}

/** An owner's index (0: directory.db) is damaged. */
export class IndexDamage extends Damage {
  constructor(readonly owner: number, path: string, what: string) {
    super(path, what);
  }
}

/** Codes of SQLite for bytes that cannot be right, or cannot be read at all. */
const CODES = /^SQLITE_(CORRUPT|NOTADB|FORMAT|IOERR_READ|IOERR_SHORT_READ|IOERR_CORRUPTFS)/;

/** Whether an error means that a database is damaged. */
export function isDamage(error: unknown): boolean {
  if (error instanceof Damage) return true;
  if (!(error instanceof Error)) return false;
  if ('code' in error && CODES.test(String(error.code))) return true;
  // A page of the schema that was zeroed leaves a database without its tables.
  return error.name === 'SQLiteError' &&
    /^(no such (table|column)|malformed|no such index)/.test(error.message);
}
