/** JSON from an identity provider, bounded in time and size. */

import { readFileSync } from 'node:fs';
import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';

/**
 * @param ca a PEM file of authorities, '' for those of the system
 * @throws MailError 'unavailable' for anything but an answer of 200 that is JSON; no redirection is followed
 */
export async function fetchJson(url: string, init: RequestInit, ca: string): Promise<unknown> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(limits.oauth_seconds.value * 1000),
      ...(ca === '' ? {} : { tls: { ca: readFileSync(ca) } }),
    });
    if (response.status !== 200) throw new Error(`it answers ${response.status}`);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body ?? []) {
      parts.push(part);
      size += part.length;
      if (size > limits.oauth_bytes.value) {
        throw new Error(`its answer is longer than ${limits.oauth_bytes.value} bytes`);
      }
    }
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw serverError(`the identity provider (${new URL(url).host}) cannot be asked: ${reason}`, thrown);
  }
}
