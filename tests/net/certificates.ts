/** Certificates for tests, made on the spot. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Makes NAME.crt and NAME.key in a folder: self-signed, for the host names given. */
export function makeCertificate(
  folder: string,
  name: string,
  hosts: readonly string[],
): { cert: string; key: string } {
  const cert = join(folder, `${name}.crt`);
  const key = join(folder, `${name}.key`);
  // deno-fmt-ignore
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30',
    '-subj', `/CN=${hosts[0]}`, '-addext', `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`,
    '-keyout', key, '-out', cert,
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  return { cert, key };
}
