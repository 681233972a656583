/**
 * Whether what was read for TLS can be used. Apart from reading, since a server that starts does it while its processes begin.
 */

import { nodeCrypto } from '../crypto.ts';
import { MailError } from '../errors.ts';
import { TlsContexts } from './tls.ts';
import type { Certificate, TlsMaterial } from './tlsmaterial.ts';

function wrong(file: string, text: string, cause?: unknown): MailError {
  return new MailError('server', 'config', `${file}: ${text}`, cause);
}

/**
 * Sees that a certificate is one, and that the key is its.
 * @throws MailError 'config' with the file and what is wrong with it
 */
export function checkCertificate({ certFile, keyFile, cert, key }: Certificate): void {
  const { X509Certificate, createPrivateKey } = nodeCrypto();
  let x509;
  try {
    x509 = new X509Certificate(cert);
  } catch (thrown) {
    throw wrong(certFile, 'holds no certificate in PEM form', thrown);
  }
  let parsed;
  try {
    parsed = createPrivateKey(key);
  } catch (thrown) {
    throw wrong(keyFile, 'holds no private key in PEM form without a passphrase', thrown);
  }
  if (!x509.checkPrivateKey(parsed)) throw wrong(keyFile, `is not the key of the certificate in ${certFile}`);
}

/** Sees that all of it can be used; without a certificate there is nothing to see. @throws MailError 'config' */
export function checkTlsMaterial(material: TlsMaterial | undefined): void {
  if (material === undefined) return;
  const { services, further } = material;
  for (const { certificates } of Object.values(services)) certificates.forEach(checkCertificate);
  for (const certificates of further) certificates.forEach(checkCertificate);
  new TlsContexts(material).prepare();
}
