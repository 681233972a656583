/** A dialogue by hand through openssl s_client, and what a client sees of TLS. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { run } from '../harness/command.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({ users: ['hand'], config: { auth: { allowplaintext: 'false' } } });
});
afterAll(() => store.dispose());

const DIALOGUE = `a LOGIN hand ${PASSWORD}\nb SELECT INBOX\nc LOGOUT\n`;

function client(
  port: number,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const common = ['-quiet', '-crlf', '-verify_return_error', '-CAfile', store.certificate];
  return run('openssl', ['s_client', '-connect', `localhost:${port}`, ...common, ...args], {
    input: DIALOGUE,
  });
}

test('STARTTLS', async () => {
  const said = await client(store.ports.imap, '-starttls', 'imap');
  expect(said.stdout).toMatch(/^a OK /m);
  expect(said.stdout).toContain('\r\nb OK [READ-WRITE]');
  expect(said.stdout).toMatch(/\r\n\* BYE [^\r]*\r\nc OK [^\r]*\r\n$/);
});

test('TLS from the first byte, by version', async () => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    const said = await client(store.ports.imaps, version);
    expect(said.stdout).toMatch(/^\* OK /);
    expect(said.stdout).toContain('\r\nb OK [READ-WRITE]');
  }
  const old = await client(store.ports.imaps, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
  expect(old.stdout).toBe('');
});

test('without TLS no password is taken', async () => {
  const plain = await run(
    'bash',
    ['-c', `exec 3<>/dev/tcp/127.0.0.1/${store.ports.imap}; cat >&3; cat <&3`],
    {
      input: DIALOGUE.replaceAll('\n', '\r\n'),
    },
  );
  expect(plain.stdout).toContain('LOGINDISABLED');
  expect(plain.stdout).toMatch(/\r\na NO \[PRIVACYREQUIRED\]/);
});
