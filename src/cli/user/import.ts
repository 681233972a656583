/** `mailstore user import`: takes users over from files of other programs. */

import { readFileSync } from 'node:fs';
import { makeSecret } from '../../auth/secrets/embedded.ts';
import { makeHashedSecret } from '../../auth/secrets/hashed.ts';
import { retrievableSecrets } from '../../config/retrievable.ts';
import type { Settings } from '../../config/settings.ts';
import { asMailError, userError } from '../../errors.ts';
import { type Administration, useridFrom } from '../administration.ts';
import { usageError } from '../options.ts';
import { EX_DATAERR, EX_OK } from '../sysexits.ts';
import { printable } from '../table.ts';
import {
  type ListedUser,
  listedUsers,
  LISTING_FORMATS,
  type ListingFormat,
  listingFormat,
} from './listing.ts';

/** Users that are on their way to the store at a time: one wait for the disk serves them all. */
const AT_A_TIME = 32;

/** @throws MailError 'badsyntax' for a format there is not */
export function formatFrom(text: string | undefined): ListingFormat | undefined {
  const format = LISTING_FORMATS.find((one) => one === text);
  if (text !== undefined && format === undefined) {
    throw usageError(`--format is one of ${LISTING_FORMATS.join(', ')}`);
  }
  return format;
}

/** A file to take users from. */
export interface Listing {
  readonly file: string;
  readonly text: string;
  /** Undefined to tell it by the text. */
  readonly format: ListingFormat | undefined;
}

/** @param replace also the passwords of users there are */
export async function importUsers(
  { store, settings, io }: Administration,
  { file, text, format }: Listing,
  replace: boolean,
): Promise<number> {
  const users = listedUsers(text, format ?? listingFormat(text));
  let [added, hashed, left] = [0, 0, 0];
  const seen = new Set<string>();
  const take = async (user: ListedUser): Promise<void> => {
    try {
      const userid = useridOf(user, settings);
      const exists = () =>
        userError('alreadyexists', 'there is such a user already; --replace sets the password');
      if (seen.has(userid) || (!replace && store.secrets.get(userid) !== null)) throw exists();
      seen.add(userid);
      const secret = user.clear
        ? await makeSecret(user.secret, retrievableSecrets(settings))
        : makeHashedSecret(user.secret);
      if (replace) await store.secrets.set(userid, secret);
      else if (!await store.secrets.replace(userid, null, secret)) throw exists();
      added++;
      if (!user.clear) hashed++;
    } catch (thrown) {
      const { kind, message } = asMailError(thrown);
      if (kind === 'server') throw thrown;
      left++;
      io.stderr(`${file}:${user.line}: ${printable(user.name)} is left out: ${message}\n`);
    }
  };
  for (let at = 0; at < users.length; at += AT_A_TIME) {
    await Promise.all(users.slice(at, at + AT_A_TIME).map(take));
  }
  io.stdout(`${added} of ${users.length} users imported${left > 0 ? `, ${left} left out` : ''}.\n`);
  if (hashed > 0) {
    io.stdout(
      `${hashed} have a hash instead of a password: they log in by PLAIN and LOGIN` +
        (settings.sasl_auto_transition === 'off'
          ? '; with auth.sasl_auto_transition = "yes" their first login makes it a password for all mechanisms.\n'
          : ', which makes it a password for all mechanisms.\n'),
    );
  }
  return left > 0 ? EX_DATAERR : EX_OK;
}

function useridOf({ name, realm }: ListedUser, settings: Settings): string {
  const qualified = realm !== '' && settings.virtdomains !== 'off' && realm !== settings.servername;
  return useridFrom(qualified && !name.includes('@') ? `${name}@${realm}` : name, settings);
}

/**
 * The text of a file; `-` is standard input.
 * @throws MailError 'cannot'
 */
export function readListing(file: string): string {
  try {
    return readFileSync(file === '-' ? '/dev/stdin' : file, 'utf8');
  } catch (thrown) {
    throw userError('cannot', `${file} cannot be read: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
}
