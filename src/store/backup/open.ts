/** The target an administrator names: a folder, or a bucket with what the configuration says about its service. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import { MailError, userError } from '../../errors.ts';
import { DirectoryTarget } from './directory.ts';
import { S3Target } from './s3.ts';
import type { Target } from './target.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens a target by its text, that of the configuration unless given. Nothing is asked of it yet.
 * @throws MailError 'cannot' where neither names one or it cannot be one, 'config' where its credentials are missing
 */
export function openTarget(settings: Settings, text: string | undefined, env: Environment): Target {
  const wanted = text ?? settings.backup_target;
  if (wanted === '') {
    throw userError('cannot', 'no target: name a folder or s3://BUCKET/PREFIX, or set backup.target');
  }
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(wanted);
  if (s3 !== null) {
    const prefix = (s3[2] ?? '').replace(/^\/+|\/+$/g, '');
    return new S3Target({
      bucket: s3[1] as string,
      prefix,
      endpoint: settings.backup_s3_endpoint,
      region: settings.backup_s3_region,
      ...credentials(settings, env),
    });
  }
  if (!isAbsolute(wanted)) {
    throw userError('cannot', `${wanted} is not a target: an absolute path or s3://BUCKET/PREFIX is needed`);
  }
  const path = wanted.replace(/\/+$/, '') || '/';
  for (const folder of [settings.configdirectory, ...Object.values(settings.partition)]) {
    if (path === folder || path.startsWith(`${folder}/`)) {
      throw userError(
        'cannot',
        `${path} lies inside the store (${folder}); a backup belongs on another disk`,
      );
    }
  }
  return new DirectoryTarget(path);
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

/** From the file the configuration names, written as that of Amazon's tools, or from the environment. */
function credentials(settings: Settings, env: Environment): Credentials {
  const path = settings.backup_s3_credentials;
  const found = path === '' ? new Map<string, string>() : readCredentials(path);
  const get = (name: string) => path === '' ? env[name.toUpperCase()] : found.get(name);
  const accessKeyId = get('aws_access_key_id');
  const secretAccessKey = get('aws_secret_access_key');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const where = path === ''
      ? 'set backup.s3_credentials or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
      : `in ${path}`;
    throw new MailError(
      'server',
      'config',
      `the credentials of the backup are missing: aws_access_key_id and aws_secret_access_key (${where})`,
    );
  }
  return { accessKeyId, secretAccessKey, sessionToken: get('aws_session_token') ?? null };
}

function readCredentials(path: string): Map<string, string> {
  const wrong = (text: string) => new MailError('server', 'config', `backup.s3_credentials: ${path} ${text}`);
  let text: string;
  try {
    if ((statSync(path).mode & 0o007) !== 0) throw wrong('can be read by everybody: chmod 640 it');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof MailError) throw error;
    throw wrong(`cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const entry = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/i.exec(line);
    // The first profile counts.
    const name = entry?.[1]?.toLowerCase();
    if (name !== undefined && !found.has(name)) found.set(name, entry?.[2] as string);
  }
  return found;
}
