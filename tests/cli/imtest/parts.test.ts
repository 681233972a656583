/** The parts of the test clients that need no server: arguments, choice of a mechanism, line ends, the password's line. */

import { describe, expect, test } from 'bun:test';
import { readPlan, usageOf } from '../../../src/cli/imtest/arguments.ts';
import { chooseMechanism, type Means, whyUnfit } from '../../../src/cli/imtest/choose.ts';
import { Input } from '../../../src/cli/imtest/input.ts';
import { LineEnds } from '../../../src/cli/imtest/interact.ts';
import { type ProgramName, PROGRAMS } from '../../../src/cli/imtest/programs.ts';
import { CLIENT_MECHANISMS, clientMechanism } from '../../../src/auth/client/mechanisms.ts';
import { Random } from '../../harness/random.ts';

describe('arguments', () => {
  test('each program has its port, its TLS and its service', () => {
    const port = (name: ProgramName, ...args: string[]) => readPlan(name, args)?.place;
    expect(port('imtest')).toEqual({ host: 'localhost', port: 143 });
    expect(port('imtest', '-s')).toEqual({ host: 'localhost', port: 993 });
    expect(port('pop3test', 'pop.example.org')).toEqual({ host: 'pop.example.org', port: 110 });
    expect(port('smtptest', '-s')).toEqual({ host: 'localhost', port: 465 });
    expect(port('lmtptest', '/run/lmtp')).toEqual({ path: '/run/lmtp' });
    expect(port('sivtest', '-p', '2000')).toEqual({ host: 'localhost', port: 2000 });
    expect(port('imtest', '-p', 'imaps')).toEqual({ host: 'localhost', port: 993 });
  });

  test("Cyrus's command line is understood", () => {
    const plan = readPlan('imtest', [
      ...['-t', '', '-p', 'imap', '-m', 'digest-md5', '-a', 'django', '-u', 'inge', '-k', '1', '-l', '56'],
      ...['-r', 'a.org', '-n', '3', '-i', '-v', '-w', 'secret', 'imap.example.org'],
    ]);
    expect(plan).toMatchObject({
      tls: 'starttls',
      identity: undefined,
      host: 'imap.example.org',
      mechanism: { name: 'DIGEST-MD5' },
      authcid: 'django',
      authzid: 'inge',
      layers: { least: 1, most: 56 },
      realm: 'a.org',
      times: 3,
      initial: false,
      verbose: true,
      password: 'secret',
    });
    expect(readPlan('imtest', ['-m', 'login'])?.mechanism).toEqual({ own: 'login' });
    expect(readPlan('imtest', ['-m', 'LOGIN'])?.mechanism).toMatchObject({ name: 'LOGIN' });
    expect(readPlan('pop3test', ['-m', 'apop'])?.mechanism).toEqual({ own: 'apop' });
    expect(readPlan('imtest', ['-a', 'django', '-u', 'django'])?.authzid).toBe('');
    expect(readPlan('imtest', ['-q', '-X', '/run/s', '-I', '/run/p'])).toMatchObject({
      compress: true,
      socket: { path: '/run/s', background: true },
      pidFile: '/run/p',
    });
  });

  test('what is not there is refused by name', () => {
    for (
      const [args, text] of [
        [['-c'], 'one-time passwords'],
        [['-o', 'x=y'], 'no options of SASL'],
        [['-x', 'f', '-X', 'f'], 'one of them'],
        [['-x', 'f', '-f', 'x'], 'in the place of -f'],
        [['-X', 'f', '-z'], 'in the place of -f'],
        [['-m', 'GSSAPI'], 'there is no mechanism GSSAPI'],
        [['-m', 'user'], 'there is no mechanism user'],
        [['-k', '999'], '0 to 256'],
        [['-k', '2', '-l', '1'], 'more than -l allows'],
        [['-n', '0'], '1 or more'],
        [['-p', 'nonsense-service'], 'no service is called so'],
        [['-p', '143', '/run/imap'], 'a unix socket has no port'],
        [['--ca', 'f'], 'is for TLS'],
        [['-t', '/nonexistent'], 'cannot be read'],
        [['a', 'b'], 'one server'],
        [['-z', '-f', 'x'], 'one of them'],
      ] as const
    ) expect(() => readPlan('imtest', args)).toThrow(text);
    expect(() => readPlan('lmtptest', ['-s'])).toThrow('-t "" asks for TLS');
    expect(() => readPlan('pop3test', ['-z'])).toThrow('-z is for imtest');
    expect(() => readPlan('pop3test', ['-q'])).toThrow('-q is for imtest');
  });

  test('--help of each', () => {
    for (const name of Object.keys(PROGRAMS) as ProgramName[]) {
      expect(readPlan(name, ['--help'])).toBeNull();
      expect(usageOf(name)).toStartWith(`Usage: ${name} `);
    }
  });
});

describe('the mechanism that is chosen', () => {
  const means: Means = { below: 0, least: 0, external: false, binding: false, proxy: false };
  const all = CLIENT_MECHANISMS.map(({ name }) => name);

  test('is the strongest that can be used', () => {
    expect(chooseMechanism(all, means)?.name).toBe('SCRAM-SHA-256');
    expect(chooseMechanism(all, { ...means, below: 256, binding: true })?.name).toBe('SCRAM-SHA-256-PLUS');
    expect(chooseMechanism(all, { ...means, external: true })?.name).toBe('EXTERNAL');
    expect(chooseMechanism(all, { ...means, least: 56 })?.name).toBe('DIGEST-MD5');
    expect(chooseMechanism(['LOGIN', 'CRAM-MD5'], { ...means, proxy: true })).toBeNull();
    expect(chooseMechanism(['LOGIN', 'CRAM-MD5'], means)?.name).toBe('CRAM-MD5');
    expect(chooseMechanism(['GSSAPI', 'PLAIN'], means)?.name).toBe('PLAIN');
  });

  test('is none that was not asked for by name where it says nothing of who we are', () => {
    expect(chooseMechanism(['ANONYMOUS'], means)).toBeNull();
    expect(chooseMechanism(['EXTERNAL'], means)).toBeNull();
    expect(chooseMechanism([], means)).toBeNull();
  });

  test('one that was asked for is refused with the reason', () => {
    const why = (name: string, more: Partial<Means>) => {
      const mechanism = clientMechanism(name);
      return mechanism === undefined ? '' : whyUnfit(mechanism, { ...means, ...more });
    };
    expect(why('EXTERNAL', {})).toContain('certificate');
    expect(why('SCRAM-SHA-1-PLUS', {})).toContain('TLS');
    expect(why('PLAIN', { least: 128 })).toContain('128 bits');
    expect(why('CRAM-MD5', { proxy: true })).toContain('-u');
    expect(why('PLAIN', { proxy: true, least: 128, below: 256 })).toBeNull();
  });
});

describe('what is typed', () => {
  test('lines end in CRLF wherever they are cut: against a slow model', () => {
    const random = new Random(4711);
    for (let round = 0; round < 300; round++) {
      const text = Array.from({ length: random.below(40) }, () => ['a', '\r', '\n', '\r\n'][random.below(4)])
        .join('');
      const lines = new LineEnds();
      let out = '';
      for (let at = 0; at < text.length;) {
        const cut = at + 1 + random.below(5);
        out += lines.push(Buffer.from(text.slice(at, cut))).toString();
        at = cut;
      }
      expect(out).toBe(text.replace(/(?<!\r)\n/g, '\r\n'));
    }
  });

  test('the last line is remembered, so that a session that was ended is not ended twice', () => {
    const lines = new LineEnds();
    lines.push(Buffer.from(`${'x'.repeat(100_000)}\na1 LOG`));
    expect([lines.last, lines.midLine]).toEqual(['a1 LOG', true]);
    lines.push(Buffer.from('OUT\n\r\n'));
    expect([lines.last, lines.midLine]).toEqual(['a1 LOGOUT', false]);
  });

  test('the first line may be the password, the rest stays', async () => {
    async function* pieces(...texts: string[]) {
      for (const text of texts) yield await Promise.resolve(Buffer.from(text, 'latin1'));
    }
    const input = new Input(() => pieces('sec', 'ret\r', '\n01 NO', 'OP\n'));
    expect(await input.firstLine()).toBe('secret');
    let rest = '';
    for await (const chunk of input.rest()) rest += Buffer.from(chunk).toString();
    expect(rest).toBe('01 NOOP\n');
    expect(new Input(() => pieces()).firstLine()).rejects.toThrow('there is no password');
    expect(new Input(() => pieces('\xff\n')).firstLine()).rejects.toThrow('not UTF-8');
    expect(await new Input(() => pieces('only')).firstLine()).toBe('only');
  });
});
