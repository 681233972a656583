/** imtest, pop3test and lmtptest against a running store: every mechanism, layer and kind of TLS, and what fails. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_MECHANISMS } from '../../src/auth/client/mechanisms.ts';
import { type Finished, run } from '../harness/command.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { freePorts } from '../harness/ports.ts';
import { gone, isRunning } from '../harness/processes.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';

/** So long that it takes many frames of a security layer. */
const BODY = `${'0123456789abcdef'.repeat(4)}\r\n`.repeat(4000);

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({
    users: [],
    config: {
      // One: what a login leaves for the next is known to the worker that saw it.
      server: { admins: '["cyrus"]', workers: '1' },
      auth: {
        allowplaintext: 'false',
        sasl_mech_list:
          '["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN", "ANONYMOUS"]',
        sasl_digest_ciphers: '["rc4", "3des", "rc4-56", "des", "rc4-40"]',
        allowanonymouslogin: 'true',
        proxyservers: '["inge"]',
      },
      pop3: { allowapop: 'true' },
      lmtp: { trusted_networks: '[]' },
    },
  });
  for (const user of ['django', 'inge']) store.addUser(user);
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  await lmtp.deliver('michael@nausch.org', ['django'], Buffer.from(`Subj: Testmail\r\n\r\nAhoi,\r\n${BODY}`));
  await lmtp.quit();
});
afterAll(() => store.dispose());

type Port = 'imap' | 'imaps' | 'pop3' | 'pop3s' | 'lmtp';

/** Runs a test client of ours as django. */
async function client(name: string, port: Port, args: readonly string[], input = ''): Promise<Finished> {
  const [program = '', ...before] = mailstoreCommand();
  const who = args.includes('-a') ? [] : ['-a', 'django'];
  const secret = args.includes('-w') ? [] : ['-w', PASSWORD];
  const all = [...before, name, '-p', String(store.ports[port]), ...who, ...secret, ...args, 'localhost'];
  return await run(program, all, { input });
}

const READ = [
  '01 LIST "" *',
  '02 SELECT INBOX',
  '03 STATUS INBOX (MESSAGES)',
  '04 UID fetch 1:1 (UID RFC822.SIZE FLAGS BODY.PEEK[])',
  '05 LOGOUT',
  '',
].join('\n');

/** The mailbox was read to the end, whatever protected it. */
function readIt({ code, stdout }: Finished): void {
  const said = stdout.replace(BODY, '(the body)');
  expect(said).toContain('Authenticated.\n');
  expect(said).toMatch(/\* LIST \(.*\) "\/" "?INBOX"?\r\n/);
  expect(said).toContain('02 OK [READ-WRITE]');
  expect(said).toContain('* STATUS INBOX (MESSAGES 1)\r\n');
  expect(said).toContain('Ahoi,\r\n(the body))\r\n04 OK ');
  expect(said).toMatch(/\* BYE .*\r\n05 OK .*\r\nConnection closed\.\n$/);
  expect(code).toBe(0);
}

describe('the how-to', () => {
  test('imtest -m DIGEST-MD5: privacy protection, 128 bits, and the mailbox inside the layer', async () => {
    const done = await client('imtest', 'imap', ['-m', 'DIGEST-MD5'], READ);
    expect(done.stdout).toMatch(
      new RegExp(
        [
          '^S: \\* OK \\[CAPABILITY .*\\] .* ready',
          'C: A01 AUTHENTICATE DIGEST-MD5',
          'S: \\+ [A-Za-z0-9+/=]+',
          'C: [A-Za-z0-9+/=]+',
          'S: \\+ [A-Za-z0-9+/=]+',
          'C: ',
          'S: A01 OK Success \\(privacy protection\\)',
          'Authenticated\\.',
          'Security strength factor: 128',
          'C: C01 CAPABILITY',
          'S: \\* CAPABILITY IMAP4rev1 .*',
          'S: C01 OK Completed',
          '',
        ].join('\n'),
      ),
    );
    readIt(done);
  });

  test('the strongest mechanism is taken where none is named', async () => {
    const plain = await client('imtest', 'imap', [], READ);
    expect(plain.stdout).toContain('C: A01 AUTHENTICATE SCRAM-SHA-256 ');
    readIt(plain);
    const tls = await client('imtest', 'imap', ['-t', ''], READ);
    expect(tls.stdout).toContain('C: A01 AUTHENTICATE SCRAM-SHA-256-PLUS ');
    readIt(tls);
  });
});

describe('layers of DIGEST-MD5', () => {
  for (const most of [112, 56, 40, 1, 0]) {
    test(`of at most ${most} bits`, async () => {
      const done = await client('imtest', 'imap', ['-m', 'DIGEST-MD5', '-l', String(most)], READ);
      expect(done.stdout).toContain(`Security strength factor: ${most}\n`);
      readIt(done);
    });
  }

  test('none of the wanted strength', async () => {
    const done = await client('imtest', 'imap', ['-m', 'DIGEST-MD5', '-k', '200', '-l', '256']);
    expect(done.stdout).toContain(
      'Authentication failed. DIGEST-MD5 cannot reach 200 bits of protection (-k)\n',
    );
    expect(done.code).toBe(65);
  });
});

describe('every mechanism', () => {
  for (const { name, security } of CLIENT_MECHANISMS) {
    if (name === 'EXTERNAL' || /OAUTH/.test(name)) continue;
    const plaintext = !security.includes('NO_PLAINTEXT');
    test(`${name} under TLS by STARTTLS, the password shown only where it is asked for`, async () => {
      const done = await client('imtest', 'imap', ['-m', name, '-t', ''], READ);
      expect(done.stdout).toMatch(
        /\nTLS connection established: TLSv1\.3 with cipher \S+ \((\d+)\/\1 bits\)\n/,
      );
      if (name === 'ANONYMOUS') {
        expect(done.stdout).toContain('Authenticated.\n');
        expect(done.stdout).not.toContain('* LIST');
        return;
      }
      readIt(done);
      const secret = Buffer.from(PASSWORD).toString('base64').slice(0, 16);
      expect(done.stdout).not.toContain(PASSWORD);
      for (const line of done.stdout.matchAll(/^C: (.*)$/gm)) {
        expect(Buffer.from(line[1] ?? '', 'base64').toString('latin1')).not.toContain(PASSWORD);
      }
      expect(done.stdout.includes('<omitted>')).toBe(plaintext);
      if (name !== 'LOGIN') return;
      const shown = await client('imtest', 'imap', ['-m', name, '-t', '', '-v']);
      expect(shown.stdout).toContain(`C: ${secret}`);
    });
  }

  test('a wrong password, an unknown user', async () => {
    const attempts = ['SCRAM-SHA-256', 'CRAM-MD5', 'DIGEST-MD5'].flatMap((mechanism) => [
      client('imtest', 'imap', ['-m', mechanism, '-w', 'wrong'], '01 NOOP\n'),
      client('imtest', 'imap', ['-m', mechanism, '-w', 'wrong', '-a', 'nobody'], '01 NOOP\n'),
    ]);
    for (const done of await Promise.all(attempts)) {
      expect(done.stdout).toContain(
        'Authentication failed. NO [AUTHENTICATIONFAILED] Authentication failed.\nSecurity strength factor: 0\n',
      );
      // What was to be done after the login is not done.
      expect(done.stdout).not.toContain('\n01 OK');
      expect(done.stdout).toEndWith('Connection closed.\n');
      expect(done.code).toBe(77);
    }
  });

  test('-i waits for the first challenge', async () => {
    for (const mechanism of ['SCRAM-SHA-256', 'PLAIN']) {
      const done = await client('imtest', 'imap', ['-m', mechanism, '-i', '-t', ''], READ);
      expect(done.stdout).toMatch(new RegExp(`\\nC: A01 AUTHENTICATE ${mechanism}\\nS: \\+ ?\\nC: `));
      readIt(done);
    }
  });

  test('-u: a proxy server acts for a user, a user for nobody', async () => {
    await Promise.all(['DIGEST-MD5', 'SCRAM-SHA-256'].map(async (mechanism) => {
      readIt(await client('imtest', 'imap', ['-m', mechanism, '-a', 'inge', '-u', 'django'], READ));
      const refused = await client('imtest', 'imap', ['-m', mechanism, '-u', 'inge']);
      expect(refused.stdout).toContain('Authentication failed. NO [AUTHORIZATIONFAILED]');
      expect(refused.code).toBe(77);
    }));
  });
});

describe('TLS', () => {
  test('from the first byte, and only where the certificate is said to be good without complaint', async () => {
    const done = await client('imtest', 'imaps', ['-s', '-m', 'PLAIN'], READ);
    expect(done.stdout).toStartWith(
      'verify error:num=18:self-signed certificate\nTLS connection established: ',
    );
    readIt(done);
    const trusted = await client('imtest', 'imaps', ['-s', '--ca', store.certificate, '-m', 'PLAIN'], READ);
    expect(trusted.stdout).toStartWith('TLS connection established: ');
    readIt(trusted);
  });

  test('--ca ends the connection before anything is said where the certificate is of somebody else', async () => {
    const other = join(store.dir, 'other.pem');
    writeFileSync(other, await Bun.file('/etc/ssl/certs/ca-certificates.crt').text());
    const done = await client('imtest', 'imap', ['-t', '', '--ca', other, '-m', 'PLAIN']);
    expect(done.stderr).toContain(
      'mailstore imtest: the certificate of the server is not good: num=18:self-signed certificate\n',
    );
    expect(done.stdout).not.toContain('AUTHENTICATE');
    expect(done.code).toBe(65);
  });

  test('PLAIN is not offered without', async () => {
    const done = await client('imtest', 'imap', ['-m', 'PLAIN']);
    expect(done.stdout).toContain('Authentication failed. the server does not offer PLAIN\n');
    expect(done.code).toBe(65);
    const login = await client('imtest', 'imap', ['-m', 'login']);
    expect(login.stdout).toContain('Authentication failed. the server does not offer login\n');
  });
});

describe('what is done after the login', () => {
  test('login by the command; -f sends a file, then the session is ended', async () => {
    const script = join(store.dir, 'script');
    writeFileSync(script, '01 NOOP\n02 STATUS INBOX (MESSAGES)\n');
    const done = await client('imtest', 'imap', ['-m', 'login', '-t', '', '-f', script]);
    expect(done.stdout).toMatch(/C: L01 LOGIN django \{13\}\nS: \+ .*\nC: <omitted>\nS: L01 OK /);
    expect(done.stdout).toContain('02 STATUS INBOX (MESSAGES)\n');
    expect(done.stdout).toContain('* STATUS INBOX (MESSAGES 1)\r\n');
    expect(done.stdout).toContain('C: Q01 LOGOUT\n');
    expect(done.stdout).toMatch(/Q01 OK .*\r\nConnection closed\.\n$/);
    expect(done.code).toBe(0);
    expect((await client('imtest', 'imap', ['-f', '/nonexistent'])).code).toBe(65);
  });

  test('without -w the first line of standard input is the password', async () => {
    const [program = '', ...before] = mailstoreCommand();
    const args = [...before, 'imtest', '-p', String(store.ports.imap), '-a', 'django', '-m', 'DIGEST-MD5'];
    readIt(await run(program, args, { input: `${PASSWORD}\n${READ}` }));
    const none = await run(program, args);
    expect(none.stdout).toContain('C: *\nS: A01 BAD ');
    expect(none.stdout).toContain('Authentication failed. there is no password');
    expect(none.code).toBe(65);
  });

  test('-n logs in again on a new connection, by DIGEST-MD5 without a challenge (RFC 2831 §2.2)', async () => {
    for (const most of ['128', '1', '0']) {
      const done = await client('imtest', 'imap', ['-m', 'DIGEST-MD5', '-n', '3', '-l', most], READ);
      expect(done.stdout.match(/^Authenticated\.$/gm)).toHaveLength(3);
      const factors: readonly string[] = done.stdout.match(/^Security strength factor: .*$/gm) ?? [];
      expect(factors).toEqual(Array.from({ length: 3 }, () => `Security strength factor: ${most}`));
      const sent: readonly string[] = done.stdout.match(/^C: A01 AUTHENTICATE DIGEST-MD5 \S+$/gm) ?? [];
      const counts = sent.map((line) => /nc=(\d+)/.exec(atob(line.split(' ').at(-1) ?? ''))?.[1]);
      expect(counts).toEqual(['00000002', '00000003']);
      readIt(done);
    }
  });

  test('-n goes on with the session of TLS', async () => {
    const done = await client('imtest', 'imaps', ['-s', '-m', 'PLAIN', '-n', '3'], READ);
    expect(done.stdout.match(/^Reused session$/gm)).toHaveLength(2);
    readIt(done);
    // What is bound to the channel is bound to this one.
    const bound = await client('imtest', 'imap', ['-t', '', '-m', 'SCRAM-SHA-256-PLUS', '-n', '2'], READ);
    expect(bound.stdout.match(/^Authenticated\.$/gm)).toHaveLength(2);
    readIt(bound);
  });

  test('-q ends where the server cannot compress', async () => {
    const done = await client('imtest', 'imap', ['-m', 'SCRAM-SHA-256', '-q'], READ);
    expect(done.stdout).toContain('Authenticated.\n');
    expect(done.stderr).toContain('the server does not compress (-q)');
    expect(done.code).toBe(65);
  });

  /** The command line of an imtest that waits at a socket. */
  const waiting = (...args: readonly string[]) => {
    const [program = '', ...before] = mailstoreCommand();
    const secret = args.includes('-w') ? [] : ['-w', PASSWORD];
    const who = ['-p', String(store.ports.imap), '-a', 'django', ...secret, '-m', 'DIGEST-MD5'];
    return [program, [...before, 'imtest', ...who, ...args, 'localhost']] as const;
  };

  /** Says something to the socket of an imtest; everything that comes back until it closes. */
  async function saidTo(path: string, text: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connect(path);
    let all = '';
    socket.on('data', (chunk: Buffer) => all += chunk.toString('latin1'));
    socket.on('close', () => resolve(all)).on('error', reject);
    socket.end(text);
    return await promise;
  }

  test('-x goes on over a socket that only the same user can open', async () => {
    const path = join(store.dir, 'dialogue');
    const pidFile = join(store.dir, 'pid');
    const [program, args] = waiting('-x', path, '-I', pidFile);
    const done = run(program, args);
    while (!existsSync(path)) await sleep(5);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(pidFile, 'utf8')).toMatch(/^\d+\n$/);
    expect(await saidTo(path, '02 STATUS INBOX (MESSAGES)\n03 LOGOUT\n')).toMatch(
      /^\* STATUS INBOX \(MESSAGES 1\)\r\n02 OK .*\r\n\* BYE .*\r\n03 OK .*\r\n$/,
    );
    const { code, stdout } = await done;
    expect(code).toBe(0);
    expect(stdout).toContain(`Waiting at ${path}.\n`);
    expect(existsSync(path)).toBe(false);
  });

  test('-X goes on in the background', async () => {
    const path = join(store.dir, 'dialogue');
    const pidFile = join(store.dir, 'pid');
    const [program, args] = waiting('-X', path, '-I', pidFile);
    const { code, stdout } = await run(program, args);
    expect(stdout).toMatch(/Authenticated\.\nSecurity strength factor: 128\n/);
    expect(code).toBe(0);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(isRunning(pid)).toBe(true);
    expect(await saidTo(path, '02 STATUS INBOX (MESSAGES)\n')).toContain('02 OK ');
    await gone([pid]);
    // A login that fails is told by who waits for it.
    const [, wrong] = waiting('-X', path, '-w', 'wrong');
    expect(await run(program, wrong)).toMatchObject({ code: 77 });
    expect(existsSync(path)).toBe(false);
  });

  test('-x ends with the connection, whether or not anybody came', async () => {
    const path = join(store.dir, 'dialogue');
    const [program, args] = waiting('-x', path);
    const before = store.roles().get('worker')?.[0];
    const done = run(program, args);
    while (!existsSync(path)) await sleep(5);
    store.killRole('worker');
    const { code, stderr } = await done;
    expect(stderr).toContain('the server closed the connection before anybody came');
    expect(code).toBe(75);
    expect(existsSync(path)).toBe(false);
    await store.greets();
    expect(store.roles().get('worker')?.[0]).not.toBe(before);
  });

  test('-x leaves what is no socket as it is', async () => {
    const [program, args] = waiting('-x', store.configFile);
    const { code, stderr } = await run(program, args);
    expect(stderr).toContain(`${store.configFile} is there and is no socket`);
    expect(code).toBe(65);
    expect(statSync(store.configFile).isFile()).toBe(true);
  });

  test('-z times ten mailboxes of five messages', async () => {
    const done = await client('imtest', 'imap', ['-z']);
    expect(done.stdout.match(/^S: T02 OK /gm)).toHaveLength(50);
    expect(done.stdout.match(/^S: T03 OK /gm)).toHaveLength(10);
    expect(done.stdout).toMatch(/\ntook \d+\.\d\d seconds\n/);
    expect(done.code).toBe(0);
  });
});

describe('POP3', () => {
  for (const mechanism of ['SCRAM-SHA-256', 'CRAM-MD5', 'apop']) {
    test(`pop3test -m ${mechanism}`, async () => {
      const done = await client('pop3test', 'pop3', ['-m', mechanism], 'STAT\nQUIT\n');
      expect(done.stdout).toMatch(/Authenticated\.\nSecurity strength factor: 0\n\+OK 1 \d+\r\n/);
      expect(done.code).toBe(0);
    });
  }

  test('pop3test: DIGEST-MD5 with its layer, USER and PASS under TLS', async () => {
    const layer = await client('pop3test', 'pop3', ['-m', 'DIGEST-MD5'], 'RETR 1\nQUIT\n');
    expect(layer.stdout).toContain('Security strength factor: 128\nC: CAPA\nS: +OK ');
    expect(layer.stdout).toContain(BODY);
    const user = await client('pop3test', 'pop3s', ['-s', '-m', 'user'], 'STAT\n');
    expect(user.stdout).toContain('C: USER django\nS: +OK ');
    expect(user.stdout).toContain('C: PASS <omitted>\nS: +OK ');
    expect(user.stdout).not.toContain(PASSWORD);
    const stls = await client('pop3test', 'pop3', ['-t', '', '-m', 'PLAIN']);
    expect(stls.stdout).toContain('C: STLS\nS: +OK ');
    expect(stls.code).toBe(0);
  });

  test('a wrong password', async () => {
    const done = await client('pop3test', 'pop3', ['-m', 'CRAM-MD5', '-w', 'wrong']);
    expect(done.stdout).toContain('Authentication failed. -ERR [AUTH]');
    expect(done.code).toBe(77);
  });
});

describe('LMTP', () => {
  test('lmtptest: DIGEST-MD5 with its layer, then a message', async () => {
    const message = 'MAIL FROM:<a@b.org>\nRCPT TO:<inge>\nDATA\nSubject: x\n\nhello\n.\nQUIT\n';
    const done = await client('lmtptest', 'lmtp', ['-m', 'DIGEST-MD5', '-a', 'inge'], message);
    expect(done.stdout).toContain('Security strength factor: 128\nC: LHLO lmtptest\nS: 250-');
    expect(done.stdout).toMatch(/354 .*\r\n250 2\.1\.5 Ok .*\r\n221 /);
  });

  test('STARTTLS, and a unix socket that asks for no login', async () => {
    const done = await client('lmtptest', 'lmtp', ['-m', 'PLAIN', '-t', '']);
    expect(done.stdout).toContain('C: STARTTLS\nS: 220 ');
    expect(done.stdout).toContain('C: AUTH PLAIN <omitted>\nS: 235 ');
    expect(done.code).toBe(0);
    const [program = '', ...before] = mailstoreCommand();
    const socket = await run(program, [...before, 'lmtptest', store.lmtpSocket]);
    expect(socket.stdout).toContain(
      '\nThe server asks for no login.\nSecurity strength factor: 0\nC: QUIT\n221 ',
    );
    expect(socket.code).toBe(0);
  });
});

describe('servers that do not behave', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close()));

  /** Says one thing to everybody and closes. */
  async function says(text: string): Promise<number> {
    const [port = 0] = await freePorts(1);
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(text);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return port;
  }

  test('nobody listens, closes at once, says something else, moves the cursor', async () => {
    const [nobody = 0] = await freePorts(1);
    const ask = async (port: number) => {
      const [program = '', ...before] = mailstoreCommand();
      return await run(program, [...before, 'imtest', '-p', String(port), '-a', 'd', '-w', 'x', '127.0.0.1']);
    };
    expect((await ask(nobody)).stderr).toContain(`no connection to 127.0.0.1:${nobody}`);
    expect((await ask(nobody)).code).toBe(75);
    expect(await ask(await says(''))).toMatchObject({
      code: 75,
      stderr: 'mailstore imtest: the connection is lost: the server closed it\n',
    });
    expect((await ask(await says('220 smtp\r\n'))).code).toBe(65);
    const cursor = await ask(await says('* OK \x1b[2Jhello\r\n'));
    expect(cursor.stdout).toContain('S: * OK \\u{1b}[2Jhello\n');
    // Success without the proof that SCRAM asks the server for.
    const liar = await says(
      '* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] hi\r\nA01 OK welcome\r\n',
    );
    const lied = await ask(liar);
    expect(lied.stdout).toContain(
      'Authentication failed. the server lets us in without having proved who it is\n',
    );
    expect(lied.code).toBe(77);
  });
});
