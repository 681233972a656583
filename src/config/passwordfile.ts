/** Passwords that stand in files of their own, so that the configuration can be read by everybody. */

import { readFileSync } from 'node:fs';
import { MailError } from '../errors.ts';

/**
 * The first line of a file.
 * @param option what names the file in the configuration, for the message
 * @throws MailError 'config'
 */
export function firstLine(option: string, path: string): string {
  try {
    return (readFileSync(path, 'utf8').split(/\r?\n/, 1)[0]) ?? '';
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    throw new MailError('server', 'config', `${option}: the password cannot be read: ${text}`, thrown);
  }
}
