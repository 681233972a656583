/** Certificates as `config check` looks at them: in their files, and with `--live` as the running server shows them. */

import { X509Certificate } from 'node:crypto';
import type { Finding } from '../config/finding.ts';
import { formatListen } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';
import { checkCertificates } from '../net/certificatecheck.ts';
import { checkRevocations } from '../net/crlcheck.ts';
import { shownCertificate } from '../net/livecheck.ts';
import type { TlsMaterial } from '../net/tlsmaterial.ts';

export interface CertificateFindings {
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** What is to be said of the files, lists of revoked certificates among them. */
export function certificateFindings(settings: Settings): CertificateFindings {
  const found = [...checkCertificates(settings), ...checkRevocations(settings)];
  const finding = ({ file, text }: (typeof found)[number]): Finding => ({ file, line: 0, key: '', text });
  return {
    problems: found.filter(({ problem }) => problem).map(finding),
    warnings: found.filter(({ problem }) => !problem).map(finding),
  };
}

/** What one service said, in the form `checkLive` tells of sources. */
export interface LiveCertificate {
  readonly source: string;
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Asks every service that has TLS which certificate it shows. Services behind proxies and on unix sockets are not asked.
 * @param material the files, read while that is allowed
 */
export async function* liveCertificates(
  settings: Settings,
  material: TlsMaterial | undefined,
): AsyncGenerator<LiveCertificate> {
  for (const service of settings.services) {
    if (
      service.listen.kind !== 'tcp' || service.proxy_protocol || (!service.tls && !settings.allowstarttls)
    ) continue;
    const own = material?.services[service.name] ?? material?.services[''];
    if (material === undefined || own === undefined) continue;
    const source = `${service.name} (${formatListen(service.listen)})`;
    try {
      const shown = await shownCertificate(service, settings.servername);
      const held = [own.certificates, ...material.further].flat()
        .map(({ cert }) => new X509Certificate(cert).fingerprint256);
      const ok = held.includes(shown.fingerprint256);
      const until = new Date(shown.validTo).toISOString().slice(0, 10);
      const text = ok
        ? `shows the certificate in the files, good to ${until}`
        : 'shows another certificate than the files hold; reload the server, and see its log';
      yield { source, ok, text };
    } catch (thrown) {
      // Before the first start that is as it should be.
      const absent = (thrown as { code?: string }).code === 'ECONNREFUSED';
      const text = absent ? 'nothing listens there' : `shows no certificate: ${(thrown as Error).message}`;
      yield { source, ok: absent, text };
    }
  }
}
