/** Challenges of CRAM-MD5 and SCRAM: not to be guessed, not to be answered twice (FIELD 64, 65). */

import { describe, expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { BARE_CHANNEL } from '../../src/auth/channel.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { type SaslExchange, startSasl } from '../../src/auth/sasl.ts';
import type { SecretSource, UserSecret } from '../../src/auth/secrets/source.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { passwords } from '../auth/passwords.ts';

class Server {
  lines = '';
  readonly #source: SecretSource;

  constructor(source: SecretSource = passwords((userid) => userid === 'django' ? 'pencil' : undefined)) {
    this.#source = source;
  }

  start(mechanism: string): SaslExchange {
    const settings = makeSettings({
      sasl_mech_list: ['CRAM-MD5', 'SCRAM-SHA-256'],
      servername: 'imap.example.org',
    });
    const log = createLog({
      journal: false,
      level: 'info',
      now: () => 'T',
      write: (bytes) => {
        this.lines += Buffer.from(bytes).toString();
        return bytes.length;
      },
    });
    this.flush = () => log.flush();
    return startSasl(mechanism, {
      settings,
      authenticator: new Authenticator({
        settings,
        source: this.#source,
        log,
        sleep: () => Promise.resolve(),
      }),
      channel: BARE_CHANNEL,
      origin: { protocol: 'imap', remoteAddress: '', localAddress: '', secure: false, connection: '1' },
    });
  }

  flush: () => void = () => {};
}

async function said(exchange: SaslExchange, response: string | null): Promise<string> {
  try {
    const step = await exchange.step(response === null ? null : Buffer.from(response));
    return step.kind === 'done' ? step.identity.userid : Buffer.from(step.challenge).toString();
  } catch (thrown) {
    return asMailError(thrown).code;
  }
}

describe('CRAM-MD5', () => {
  const answer = (challenge: string) =>
    `django ${createHmac('md5', 'pencil').update(challenge).digest('hex')}`;

  test('a thousand challenges are a thousand, and each has 18 random bytes', async () => {
    const seen = new Set<string>();
    const bits = new Array<number>(18 * 8).fill(0);
    for (let round = 0; round < 1000; round++) {
      const challenge = await said(new Server().start('CRAM-MD5'), null);
      const [, random = ''] = /^<([A-Za-z0-9_-]{24})\.\d+@imap\.example\.org>$/.exec(challenge) ?? [];
      seen.add(random);
      for (const [at, byte] of Buffer.from(random, 'base64url').entries()) {
        for (let bit = 0; bit < 8; bit++) bits[8 * at + bit] = (bits[8 * at + bit] ?? 0) + (byte >> bit & 1);
      }
    }
    expect(seen.size).toBe(1000);
    // No bit stands still; 1,000 fair throws are outside of this less often than once in 10^23.
    for (const ones of bits) expect(Math.abs(ones - 500)).toBeLessThan(170);
  });

  test('an answer is good once, for its own challenge', async () => {
    const server = new Server();
    const exchange = server.start('CRAM-MD5');
    const overheard = answer(await said(exchange, null));
    const other = server.start('CRAM-MD5');
    await said(other, null);
    expect(await said(other, overheard)).toBe('authenticationfailed');
    expect(await said(exchange, overheard)).toBe('django');
    expect(await said(exchange, overheard)).toBe('badsyntax');
    expect(await said(server.start('CRAM-MD5'), overheard)).toBe('badsyntax');
  });

  test('after a wrong answer the challenge is gone', async () => {
    const exchange = new Server().start('CRAM-MD5');
    const challenge = await said(exchange, null);
    expect(await said(exchange, answer('other'))).toBe('authenticationfailed');
    expect(await said(exchange, answer(challenge))).toBe('badsyntax');
  });
});

describe('SCRAM with what a directory makes up', () => {
  const keys = { salt: 'AAAAAAAAAAA=', storedKey: 'A'.repeat(43) + '=', serverKey: 'A'.repeat(43) + '=' };
  const source = (secret: UserSecret | null): SecretSource => ({
    abilities: { plain: false, scram: 'stored' },
    verify: () => Promise.resolve(false),
    secret: () => Promise.resolve(secret),
  });

  /** The answer to the first message, without what is random. */
  async function first(secret: UserSecret | null): Promise<{ answer: string; end: string; log: string }> {
    const server = new Server(source(secret));
    const exchange = server.start('SCRAM-SHA-256');
    const answer = await said(exchange, 'n,,n=django,r=abc');
    const nonce = /^r=([^,]*)/.exec(answer)?.[1] ?? '';
    const end = await said(exchange, `c=biws,r=${nonce},p=${'A'.repeat(43)}=`);
    server.flush();
    return { answer: answer.replace(/^r=abc[^,]*/, 'r=').replace(/s=[^,]*/, 's='), end, log: server.lines };
  }

  test('a huge number of rounds, none, less than none: nobody computes them, and nobody is told', async () => {
    const nobody = await first(null);
    expect(nobody).toMatchObject({ answer: 'r=,s=,i=10000', end: 'authenticationfailed' });
    for (const iterations of [1_000_001, 2 ** 31, 1e15, Infinity, 0, -1, NaN]) {
      const { answer, end, log } = await first({ scram: { sha256: { ...keys, iterations } } });
      expect([answer, end]).toEqual([nobody.answer, nobody.end]);
      expect(log).toContain('reason=secret');
    }
    expect((await first({ scram: { sha256: { ...keys, iterations: 4096 } } })).answer).toBe('r=,s=,i=4096');
  });
});
