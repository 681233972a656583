/** GNU SASL's client: SCRAM bound to the TLS channel, which imtest does not speak over TLS 1.3. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { run } from '../harness/command.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({
    users: ['django', 'inge'],
    config: {
      auth: {
        sasl_mech_list:
          '["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", ' +
          '"CRAM-MD5", "PLAIN", "LOGIN"]',
        proxyservers: '["inge"]',
      },
    },
  });
});
afterAll(() => store.dispose());

interface As {
  readonly authcid?: string;
  readonly authzid?: string;
  readonly password?: string;
}

async function gsasl(mechanism: string, as: As = {}, ...args: string[]): Promise<string> {
  const { stdout } = await run('gsasl', [
    '--imap',
    '--starttls',
    '--mechanism',
    mechanism,
    '--connect',
    `localhost:${store.ports.imap}`,
    `--x509-ca-file=${store.certificate}`,
    `--authentication-id=${as.authcid ?? 'django'}`,
    `--password=${as.password ?? PASSWORD}`,
    ...(as.authzid === undefined ? [] : [`--authorization-id=${as.authzid}`]),
    ...args,
  ], { input: '' });
  return stdout;
}

for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS']) {
  test(`${mechanism}, bound by tls-exporter`, async () => {
    const said = await gsasl(mechanism);
    expect(said).toMatch(/^cD10bHMtZXhwb3J0ZXIs/m); // p=tls-exporter,
    expect(said).toMatch(/^\. OK \[CAPABILITY .*Success \(tls protection\)/m);
  });

  test(`${mechanism}, bound by tls-unique over TLS 1.2`, async () => {
    const said = await gsasl(mechanism, {}, '--priority=NORMAL:-VERS-TLS1.3');
    expect(said).toMatch(/^cD10bHMtdW5pcXVlL/m); // p=tls-unique,
    expect(said).toMatch(/^\. OK \[CAPABILITY .*Success \(tls protection\)/m);
  });

  test(`${mechanism} with a wrong password, and for somebody else`, async () => {
    expect(await gsasl(mechanism, { password: 'wrong' })).toMatch(/^\. NO \[AUTHENTICATIONFAILED\]/m);
    expect(await gsasl(mechanism, { authzid: 'inge' })).toMatch(/^\. NO \[AUTHORIZATIONFAILED\]/m);
    expect(await gsasl(mechanism, { authcid: 'inge', authzid: 'django' })).toMatch(/^\. OK /m);
  });
}

for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN']) {
  test(mechanism, async () => {
    expect(await gsasl(mechanism, {}, '--no-cb')).toMatch(/^\. OK \[?/m);
    expect(await gsasl(mechanism, { password: 'wrong' }, '--no-cb')).toMatch(
      /^\. NO \[AUTHENTICATIONFAILED\]/m,
    );
  });
}
