/** Lists in the form of Cyrus SASL's pluginviewer, and what a configuration makes of them. */

import { afterAll, expect, test } from 'bun:test';
import { CLIENT_MECHANISMS } from '../../src/auth/client/mechanisms.ts';
import { MECHANISMS } from '../../src/auth/mechanisms.ts';
import type { CommandIo } from '../../src/cli/command.ts';
import { pluginviewerCommand } from '../../src/cli/pluginviewer.ts';
import { auxpropPlugins, checkMethods } from '../../src/config/options/auth.ts';
import { run as runProgram } from '../harness/command.ts';
import { Folder } from '../config/folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());
const usual = folder.write('usual.toml', '[auth]\nsasl_mech_list = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]\n');

async function view(...args: string[]): Promise<string> {
  let stdout = '';
  const io: CommandIo = {
    stdin: new ReadableStream(),
    stdout: (text) => void (stdout += text),
    stderr: () => {},
    env: {},
  };
  expect(await pluginviewerCommand.run(args, io)).toBe(0);
  return stdout;
}

/** Names of mechanisms of a list, by their own lines. */
function listed(text: string): string[] {
  return [...text.matchAll(/^\tSASL mechanism: (\S+), /gm)].map(([, name = '']) => name);
}

test('-s: the lines of the how-to', async () => {
  const text = await view('-s', '--config', usual);
  expect(text).toStartWith(
    `Installed SASL (server side) mechanisms are:\n${MECHANISMS.map(({ name }) => name).join(' ')}\n` +
      'List of server plugins follows\n',
  );
  expect(text).toContain(`Plugin "digestmd5" [loaded], \tAPI version: 4
\tSASL mechanism: DIGEST-MD5, best SSF: 128, supports setpass: no
\tsecurity flags: NO_ANONYMOUS|NO_PLAINTEXT|MUTUAL_AUTH
\tfeatures: PROXY_AUTHENTICATION
Plugin "crammd5" [loaded], \tAPI version: 4
\tSASL mechanism: CRAM-MD5, best SSF: 0, supports setpass: no
\tsecurity flags: NO_ANONYMOUS|NO_PLAINTEXT
\tfeatures: SERVER_FIRST
Plugin "plain" [loaded], \tAPI version: 4
\tSASL mechanism: PLAIN, best SSF: 0, supports setpass: no
\tsecurity flags: NO_ANONYMOUS
\tfeatures: WANT_CLIENT_FIRST|PROXY_AUTHENTICATION
Plugin "login" [loaded], \tAPI version: 4
\tSASL mechanism: LOGIN, best SSF: 0, supports setpass: no
\tsecurity flags: NO_ANONYMOUS
\tfeatures:
`);
  expect(listed(text)).toEqual(MECHANISMS.map(({ name }) => name));
});

test('-c: the lines of the how-to', async () => {
  const text = await view('-c', '--config', usual);
  expect(text).toStartWith('Installed SASL (client side) mechanisms are:\n');
  expect(text).toContain(`List of client plugins follows\n`);
  expect(text).toContain(`Plugin "digestmd5" [loaded], \tAPI version: 4
\tSASL mechanism: DIGEST-MD5, best SSF: 128
\tsecurity flags: NO_ANONYMOUS|NO_PLAINTEXT|MUTUAL_AUTH
\tfeatures: PROXY_AUTHENTICATION|NEED_SERVER_FQDN
`);
  expect(text).toContain(`Plugin "EXTERNAL" [loaded], \tAPI version: 4
\tSASL mechanism: EXTERNAL, best SSF: 0
\tsecurity flags: NO_ANONYMOUS|NO_PLAINTEXT|NO_DICTIONARY
\tfeatures: WANT_CLIENT_FIRST|PROXY_AUTHENTICATION
`);
  expect(listed(text)).toEqual(CLIENT_MECHANISMS.map(({ name }) => name));
});

test('-a: every source, then those that are configured and what they can do', async () => {
  const text = await view('-a', '--config', usual);
  expect(text).toStartWith(
    `Installed auxprop mechanisms are:\n${auxpropPlugins.join(' ')}\nList of auxprop plugins follows\n` +
      'Plugin "sasldb" , \tAPI version: 4\n\tsupports store: yes\n',
  );
  expect(text).toContain(`Ways to check a password (sasl_pwcheck_method) are:\n${checkMethods.join(' ')}\n`);
  for (const name of auxpropPlugins) expect(text).toContain(`Plugin "${name}" , \tAPI version: 4\n`);
  expect(text).toMatch(
    /^Configured sources of secrets, in the order they are asked:\n {2}sasldb: checks passwords; /m,
  );
});

test('why a mechanism is not offered, without and under TLS', async () => {
  const text = await view('-s', '--config', usual);
  expect(text.slice(text.indexOf('Offered without TLS'))).toStartWith(`Offered without TLS: SCRAM-SHA-256
Offered under TLS: SCRAM-SHA-256 PLAIN LOGIN
Not offered:
  EXTERNAL: it is not in sasl_mech_list
`);
  expect(text).toContain('  PLAIN without TLS: it sends the password as it is and needs TLS');
  expect(text).not.toContain('  PLAIN under TLS');
  const strict = folder.write('strict.toml', '[auth]\nsasl_minimum_layer = 56\n');
  const asked = await view('-s', '-m', 'scram-sha-1, external', '--config', strict);
  expect(asked).toContain(
    '  EXTERNAL under TLS: the client has shown no certificate of a user\n',
  );
  expect(asked).toContain('  SCRAM-SHA-1 without TLS: sasl_minimum_layer asks for 56 bits\n');
  expect(asked).toContain('Offered under TLS: SCRAM-SHA-1\n');
});

test('-m shows these mechanisms only, and refuses those there are not', async () => {
  expect(listed(await view('-s', '-m', 'PLAIN digest-md5', '--config', usual))).toEqual([
    'DIGEST-MD5',
    'PLAIN',
  ]);
  expect(listed(await view('-c', '-m', 'PLAIN digest-md5', '--config', usual))).toEqual([
    'DIGEST-MD5',
    'PLAIN',
  ]);
  expect(() => view('-m', 'GSSAPI')).toThrow('there is no mechanism GSSAPI');
  expect(() => view('sasldb')).toThrow('takes no "sasldb"');
});

test("Cyrus SASL's own pluginviewer says the same of the mechanisms both have", async () => {
  const theirs = (await runProgram('/usr/sbin/saslpluginviewer', ['-s'])).stdout;
  const ours = await view('-s', '--config', usual);
  // Newer versions have more flags than the how-to's; those of ours are among theirs.
  for (const mechanism of ['DIGEST-MD5', 'CRAM-MD5', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'ANONYMOUS']) {
    const entry = (text: string) => {
      const lines = text.split('\n');
      const at = lines.findIndex((line) => line.startsWith(`\tSASL mechanism: ${mechanism},`));
      const flags = (line: string | undefined) => (line ?? '').replace(/^.*: ?/, '').split('|');
      return {
        plugin: lines[at - 1],
        ssf: /best SSF: \d+/.exec(lines[at] ?? '')?.[0],
        security: flags(lines[at + 1]),
        features: flags(lines[at + 2]),
      };
    };
    const [ourEntry, theirEntry] = [entry(ours), entry(theirs)];
    expect([ourEntry.plugin, ourEntry.ssf]).toEqual([theirEntry.plugin, theirEntry.ssf]);
    expect(theirEntry.security).toEqual(expect.arrayContaining(ourEntry.security));
  }
});
