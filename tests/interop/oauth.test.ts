/** curl with an access token, against keys that a provider of the test's own publishes. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { run } from '../harness/command.ts';
import { TestStore } from '../harness/server.ts';

const ISSUER = 'https://idp.example.org';
const keys = await generateKeyPair('RS256');
let provider: ReturnType<typeof Bun.serve>;
let store: TestStore;

beforeAll(async () => {
  const jwks = { keys: [{ ...await exportJWK(keys.publicKey), kid: 'one', alg: 'RS256' }] };
  provider = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json(jwks) });
  store = await TestStore.start({
    config: {
      server: { workers: '1' },
      auth: { allowplaintext: 'false' },
      oauth: {
        jwks_url: `"http://127.0.0.1:${provider.port}/jwks"`,
        issuer: `"${ISSUER}"`,
        audience: '"mailstore"',
      },
    },
  });
});
afterAll(async () => {
  await store.dispose();
  await provider.stop(true);
});

async function token(user: string, audience = 'mailstore'): Promise<string> {
  return await new SignJWT({ email: user }).setProtectedHeader({ alg: 'RS256', kid: 'one' }).setIssuer(ISSUER)
    .setAudience(audience).setExpirationTime('5m').sign(keys.privateKey);
}

/** curl's exit code and output; 67 is a login that was denied. */
async function curl(
  url: string,
  mechanism: string,
  bearer: string,
): Promise<{ code: number | null; stdout: string }> {
  return await run('curl', [
    ...['-sS', '--max-time', '20', '--cacert', store.certificate, '--login-options', `AUTH=${mechanism}`],
    ...['--user', 'django:', '--oauth2-bearer', bearer, url],
  ]);
}

for (const mechanism of ['OAUTHBEARER', 'XOAUTH2']) {
  test(`curl logs in by ${mechanism}, over IMAP and POP3`, async () => {
    const imap = await curl(`imaps://localhost:${store.ports.imaps}/`, mechanism, await token('django'));
    expect(imap).toMatchObject({ code: 0 });
    expect(imap.stdout).toContain('INBOX');
    expect(await curl(`pop3s://localhost:${store.ports.pop3s}/`, mechanism, await token('django')))
      .toMatchObject({ code: 0 });
    const url = `imaps://localhost:${store.ports.imaps}/`;
    const refused = [await token('django', 'webshop'), await token('inge'), 'opaque'];
    const codes = await Promise.all(refused.map(async (bearer) => (await curl(url, mechanism, bearer)).code));
    expect(codes).toEqual([67, 67, 67]);
  });
}

test('tokens go through TLS only', async () => {
  const { code } = await curl(`imap://localhost:${store.ports.imap}/`, 'OAUTHBEARER', await token('django'));
  expect(code).not.toBe(0);
});
