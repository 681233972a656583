import { sizeKind } from '../kinds/measure.ts';
import { pathKind, textKind } from '../kinds/plain.ts';
import { option } from '../option.ts';

const bucket = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/;

/** Where backups go and what is kept for them. */
export const backupOptions = {
  backup_target: option({
    toml: 'backup.target',
    kind: textKind(
      'a folder (an absolute path), s3://BUCKET/PREFIX or nothing',
      (text) => text === '' || text.startsWith('/') || bucket.test(text),
    ),
    default: '',
    imapd: [],
    doc:
      'Where "mailstore backup" puts backups and "mailstore restore" takes them from, unless told otherwise: a ' +
      'folder on another disk than that of the store, or a bucket of an S3-compatible service.',
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
  backup_s3_endpoint: option({
    toml: 'backup.s3_endpoint',
    kind: textKind(
      'a URL such as "https://s3.example.org"',
      (text) => text === '' || /^https?:\/\/\S+$/.test(text),
    ),
    default: '',
    defaultText: "Amazon's in backup.s3_region",
    imapd: [],
    doc: 'The service that has the bucket.',
  }),
  backup_s3_region: option({
    toml: 'backup.s3_region',
    kind: textKind(),
    default: '',
    imapd: [],
    doc: 'The region of the bucket, as the service calls it.',
  }),
  backup_s3_credentials: option({
    toml: 'backup.s3_credentials',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc:
      'A file with lines aws_access_key_id = ... and aws_secret_access_key = ... (and aws_session_token where ' +
      "there is one), readable by the server's user and nobody else. Without it the environment variables of those " +
      'names in capitals are used.',
  }),
};
