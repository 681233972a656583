/** Every mechanism there is, strongest first: the order they are offered in. */

import type { Mechanism } from './mechanism.ts';
import { anonymous } from './mechanisms/anonymous.ts';
import { cramMd5 } from './mechanisms/crammd5.ts';
import { digestMd5 } from './mechanisms/digestmd5.ts';
import { external } from './mechanisms/external.ts';
import { login } from './mechanisms/login.ts';
import { oauthBearer, xoauth2 } from './mechanisms/oauth.ts';
import { plain } from './mechanisms/plain.ts';
import { scramSha1, scramSha1Plus, scramSha256, scramSha256Plus } from './mechanisms/scram.ts';

export const MECHANISMS: readonly Mechanism[] = [
  external,
  scramSha256Plus,
  scramSha1Plus,
  scramSha256,
  scramSha1,
  oauthBearer,
  xoauth2,
  digestMd5,
  cramMd5,
  plain,
  login,
  anonymous,
];
