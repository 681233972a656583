/** What is wrong, or soon will be, with the lists of revoked certificates a configuration names: for `config check`. */

import { X509Certificate } from 'node:crypto';
import { asMailError } from '../errors.ts';
import type { CertificateFinding } from './certificatecheck.ts';
import { type RevocationList, revocationList, subjectOf } from './crl.ts';
import { checksClients, readAuthorities, readRevoked, type TlsFiles, tlsFiles } from './tlsfiles.ts';
import type { TlsSettings } from './tlsfiles.ts';

const DAY_MS = 86_400_000;

/** A list is warned of in the last quarter of its life: some are made for a day, some for a month. At most so long before. */
const SOON_DAYS = 7;

const REMEDY =
  'make a new one (openssl ca -gencrl) or fetch it from the authority; it is used without a restart';

/** Everything there is to say of the lists, file by file. */
export function checkRevocations(settings: TlsSettings, now: Date = new Date()): CertificateFinding[] {
  const all = tlsFiles(settings).filter((files) => files.crl !== '' && checksClients(files));
  const once = all.filter((files, index) =>
    all.findIndex(({ crl, ca, caDir }) => crl === files.crl && ca === files.ca && caDir === files.caDir) ===
      index
  );
  return once.flatMap((files) => checkFile(files, now));
}

function checkFile(files: TlsFiles, now: Date): CertificateFinding[] {
  const findings: CertificateFinding[] = [];
  const say = (text: string, problem: boolean, file = files.crl) =>
    void findings.push({ file, text, problem });
  let lists: RevocationList[];
  let authorities: X509Certificate[];
  try {
    lists = readRevoked(files.crl).map((pem) => revocationList(bytesOf(pem)));
    authorities = readAuthorities(files.ca, files.caDir).map((pem) => new X509Certificate(pem));
  } catch (thrown) {
    const error = asMailError(thrown);
    if (error.code !== 'config') {
      say(`holds something that is no list of revoked certificates; ${REMEDY}`, true);
      return findings;
    }
    const unreadable = (error.cause as { code?: string } | undefined)?.code === 'EACCES';
    const [file = files.crl, ...text] = error.message.split(': ');
    say(text.join(': '), !unreadable, file);
    return findings;
  }
  for (const authority of authorities) {
    const subject = Buffer.from(subjectOf(authority.raw));
    const name = JSON.stringify(/^CN=(.+)$/m.exec(authority.subject)?.[1] ?? authority.subject);
    const own = lists.filter(({ issuer }) => subject.equals(issuer));
    if (own.length === 0) {
      say(
        `holds no list of ${name}: every client certificate of that authority is refused; ${REMEDY}`,
        false,
      );
    }
    // Of several, the newest counts.
    const [newest] = own.sort((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
    if (newest !== undefined) checkDates(newest, name, now, say);
  }
  return findings;
}

function checkDates(
  { thisUpdate, nextUpdate }: RevocationList,
  name: string,
  now: Date,
  say: (text: string, problem: boolean) => void,
): void {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  if (thisUpdate > now) {
    return say(`the list of ${name} is not valid before ${day(thisUpdate)}: is the clock right?`, true);
  }
  if (nextUpdate === null) return;
  const left = nextUpdate.getTime() - now.getTime();
  const soon = Math.min(SOON_DAYS * DAY_MS, (nextUpdate.getTime() - thisUpdate.getTime()) / 4);
  if (left <= 0) {
    say(
      `the list of ${name} expired on ${
        day(nextUpdate)
      }: every client certificate of that authority is refused; ${REMEDY}`,
      true,
    );
  } else if (left < soon) {
    say(
      `the list of ${name} expires on ${
        nextUpdate.toISOString().slice(0, 16)
      }Z; from then on every client certificate ` +
        `of that authority is refused: ${REMEDY}`,
      false,
    );
  }
}

/** The bytes in a PEM block. */
function bytesOf(pem: string): Uint8Array {
  return Buffer.from(pem.split('\n').filter((line) => !line.includes('-----')).join(''), 'base64');
}
