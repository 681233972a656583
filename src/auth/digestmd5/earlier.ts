/** What a client remembers of its last login by DIGEST-MD5, for one without a challenge (RFC 2831 §2.2). */

import type { DigestResponse } from './response.ts';

export interface EarlierDigest {
  /** The response the server took. */
  readonly response: DigestResponse;
  /** The largest frame the server takes. */
  readonly maxbuf: number;
}
