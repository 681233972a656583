/** Opening the file of a message. */
import { MailError } from '../../errors.ts';
import { FileContent } from '../spool/content.ts';

/**
 * The bytes of a message of `size` bytes in the file `path`. Expunged and purged meanwhile is no surprise ('nonexistent'); a
 * living row without its file is (DESIGN rule 6).
 * @param lives whether the row is still there
 */
export function openContent(path: string, size: number, userid: string, lives: () => boolean): FileContent {
  try {
    return new FileContent(path, size);
  } catch (error) {
    const missing = error instanceof MailError && error.code === 'nonexistent';
    if (!missing || !lives()) throw error;
    throw new MailError(
      'server',
      'corruption',
      `${path}, the file of a message, is missing; run "mailstore reconstruct ${userid}"`,
    );
  }
}
