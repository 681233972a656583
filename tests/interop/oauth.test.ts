/** curl with an access token, against keys that a provider of the test's own publishes. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { run } from '../harness/command.ts';
import { mailstoreCommand, TestStore } from '../harness/server.ts';

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

/** How one of our test clients ends with a token for a password, and what it shows. */
async function testClient(name: keyof typeof PLACES, mechanism: string, bearer: string) {
  const [program = '', ...before] = mailstoreCommand();
  const { port, tls, input } = PLACES[name];
  return await run(program, [
    ...[...before, name, ...tls, '--ca', store.certificate, '-p', String(store.ports[port]), '-m', mechanism],
    ...['-a', 'django', '-w', bearer, 'localhost'],
  ], { input });
}

const PLACES = {
  imtest: { port: 'imaps', tls: ['-s'], input: '01 LIST "" *\n02 LOGOUT\n' },
  pop3test: { port: 'pop3s', tls: ['-s'], input: 'STAT\nQUIT\n' },
  sivtest: { port: 'sieve', tls: ['-t', ''], input: 'LISTSCRIPTS\nLOGOUT\n' },
} as const;

for (const mechanism of ['OAUTHBEARER', 'XOAUTH2']) {
  test(`imtest, pop3test and sivtest log in by ${mechanism}`, async () => {
    const good = await token('django');
    const imap = await testClient('imtest', mechanism, good);
    expect(imap.stdout).toMatch(/Authenticated\.\nSecurity strength factor: (?:128|256)\n\* LIST /);
    expect(imap.stdout).toContain(`C: A01 AUTHENTICATE ${mechanism} `);
    const pop = await testClient('pop3test', mechanism, good);
    expect(pop.stdout).toMatch(/Authenticated\.\nSecurity strength factor: (?:128|256)\n\+OK 0 0\r\n/);
    const sieve = await testClient('sivtest', mechanism, good);
    expect(sieve.stdout).toMatch(/Authenticated\.\nSecurity strength factor: (?:128|256)\nOK\b/);
    expect([imap.code, pop.code, sieve.code]).toEqual([0, 0, 0]);
    // What opens the mailbox is not shown.
    expect(imap.stdout + pop.stdout).not.toContain(good);
    const line = `user=django\x01auth=Bearer ${good}`;
    expect(imap.stdout + pop.stdout).not.toContain(Buffer.from(line).toString('base64').slice(40, 80));
    const refused = [await token('django', 'webshop'), await token('inge')];
    for (const bearer of refused) {
      for (const name of ['imtest', 'pop3test', 'sivtest'] as const) {
        const { code, stdout } = await testClient(name, mechanism, bearer);
        expect(stdout).toContain('Authentication failed. ');
        expect(code).toBe(77);
        // The server's reason, then its refusal.
        expect(stdout).toMatch(/^S: (?:\+ [A-Za-z0-9+/=]+|".+"|\{\d+\})$/m);
      }
    }
  });
}

test('tokens go through TLS only', async () => {
  const { code } = await curl(`imap://localhost:${store.ports.imap}/`, 'OAUTHBEARER', await token('django'));
  expect(code).not.toBe(0);
});
