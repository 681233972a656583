/** The mechanisms a client of ours speaks, the preferred one first. */

import { digestMd5Client } from './digestmd5.ts';
import type { ClientMechanism } from './mechanism.ts';
import { oauthBearerClient, xoauth2Client } from './oauth.ts';
import { scramClients } from './scram.ts';
import { anonymousClient, cramMd5Client, externalClient, loginClient, plainClient } from './simple.ts';

export const CLIENT_MECHANISMS: readonly ClientMechanism[] = [
  ...scramClients,
  digestMd5Client,
  cramMd5Client,
  plainClient,
  loginClient,
  externalClient,
  anonymousClient,
  oauthBearerClient,
  xoauth2Client,
];

/** A mechanism by its name in any case; undefined where it is not one of ours. */
export function clientMechanism(name: string): ClientMechanism | undefined {
  const wanted = name.toUpperCase();
  return CLIENT_MECHANISMS.find((mechanism) => mechanism.name === wanted);
}
