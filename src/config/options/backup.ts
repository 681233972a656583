import { sizeKind } from '../kinds/measure.ts';
import { textKind } from '../kinds/plain.ts';
import { option } from '../option.ts';

/** Where backups go and what is kept for them. */
export const backupOptions = {
  backup_target: option({
    toml: 'backup.target',
    kind: textKind(
      'a folder (an absolute path) or nothing',
      (text) => text === '' || text.startsWith('/'),
    ),
    default: '',
    imapd: [],
    doc:
      'Where "mailstore backup" puts backups and "mailstore restore" takes them from, unless told otherwise. ' +
      'It needs a place the store does not lie on.',
  }),
  backup_hold_log: option({
    toml: 'backup.hold_log',
    kind: sizeKind(0, 2 ** 44),
    default: 4 * 2 ** 30,
    imapd: [],
    doc:
      'Where there is a backup.target, the redo log is kept until a backup has it, so that a restore can go back ' +
      'to any second; but never more than this, whether or not a backup comes. What is given up is said in the log. ' +
      '0 keeps nothing for the next backup.',
  }),
};
