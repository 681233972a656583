import { describe, expect, test } from 'bun:test';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { type Derive, ITERATIONS } from '../../../src/auth/scramkeys.ts';
import { pbkdf2 } from '../../../src/crypto.ts';
import { costOf, HashCosts } from '../../../src/auth/secrets/hashcosts.ts';
import { makeHashedSecret, storedHashes } from '../../../src/auth/secrets/hashed.ts';
import { EmbeddedSecrets, makeSecret, readSecret } from '../../../src/auth/secrets/embedded.ts';
import type { ScramHash } from '../../../src/auth/secrets/source.ts';
import { Proofs } from '../../../src/auth/secrets/proofs.ts';
import { MailError } from '../../../src/errors.ts';
import { limits } from '../../../src/limits.ts';
import type { SecretRecord } from '../../../src/store/border.ts';

/** PBKDF2 with every call written down. */
function counting() {
  const calls: { iterations: number; length: number; hash: ScramHash; salt: number; password: string }[] = [];
  const derive: Derive = (password, salt, iterations, length, hash) => {
    calls.push({ iterations, length, hash, salt: salt.length, password });
    return pbkdf2(password, salt, iterations, length, hash);
  };
  return { calls, derive };
}

async function records(...users: [string, string][]): Promise<Map<string, SecretRecord>> {
  const map = new Map<string, SecretRecord>();
  for (const [userid, password] of users) {
    map.set(userid, { userid, secret: await makeSecret(password, false), changed: 1 });
  }
  return map;
}

function source(map: Map<string, SecretRecord>, now: () => number = () => 0) {
  const { calls, derive } = counting();
  const looked: string[] = [];
  const secrets = new EmbeddedSecrets({
    get(userid) {
      looked.push(userid);
      return map.get(userid) ?? null;
    },
  }, { derive, proofs: new Proofs(now) });
  return { secrets, calls, looked };
}

/** SCRAM's keys as RFC 5802 §3 defines them, done by hand. */
function keysByHand(password: string, salt: Buffer, iterations: number, hash: ScramHash) {
  const salted = pbkdf2Sync(password, salt, iterations, hash === 'sha1' ? 20 : 32, hash);
  const clientKey = createHmac(hash, salted).update('Client Key').digest();
  const storedKey = createHash(hash).update(clientKey).digest();
  const serverKey = createHmac(hash, salted).update('Server Key').digest();
  return { storedKey, serverKey };
}

describe('a stored secret', () => {
  test('holds what SCRAM needs and not the password', async () => {
    const text = await makeSecret('pencil', false);
    const secret = readSecret({ userid: 'user', secret: text, changed: 0 });
    for (const [keys, hash] of [[secret.scram_sha_256, 'sha256'], [secret.scram_sha_1, 'sha1']] as const) {
      const salt = Buffer.from(keys.salt, 'base64');
      expect(salt.length).toBe(16);
      expect(keys.iterations).toBeGreaterThanOrEqual(4096);
      const byHand = keysByHand('pencil', salt, keys.iterations, hash);
      expect(keys.storedKey).toBe(byHand.storedKey.toString('base64'));
      expect(keys.serverKey).toBe(byHand.serverKey.toString('base64'));
    }
    expect(secret.plain).toBeUndefined();
    expect(text).not.toContain('pencil');
    expect(secret.scram_sha_1.salt).not.toBe(secret.scram_sha_256.salt);
  });

  test('what is done by hand here gives the example of RFC 7677 §3', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const { storedKey, serverKey } = keysByHand('pencil', salt, 4096, 'sha256');
    const message = 'n=user,r=rOprNGfwEbeRWgbNEkqO,' +
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,' +
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const signature = createHmac('sha256', serverKey).update(message).digest('base64');
    expect(signature).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
    const clientSignature = createHmac('sha256', storedKey).update(message).digest();
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (clientSignature[at] as number)));
    expect(createHash('sha256').update(clientKey).digest('hex')).toBe(storedKey.toString('hex'));
  });

  test('holds the password where a mechanism needs it', async () => {
    const text = await makeSecret('pencil', true);
    expect(readSecret({ userid: 'user', secret: text, changed: 0 }).plain).toBe('pencil');
  });

  test('is never the same twice', async () => {
    expect(await makeSecret('pencil', false)).not.toBe(await makeSecret('pencil', false));
  });

  test('passwords nobody could log in with are refused', async () => {
    for (
      const bad of ['', 'a\u0000b', 'a\nb', '\u00ad', '\ud800', 'x'.repeat(limits.password_bytes.value + 1)]
    ) {
      await expect(makeSecret(bad, false)).rejects.toMatchObject({ code: 'cannot' });
    }
    await makeSecret('x'.repeat(limits.password_bytes.value), false);
  });

  test('one that cannot be read names the user and the remedy', () => {
    const good = { salt: 'AAAAAAAAAAAAAAAAAAAAAA==', iterations: 1, storedKey: '', serverKey: '' };
    for (
      const secret of [
        '',
        'x',
        'null',
        '[]',
        '{}',
        '{"v":2}',
        JSON.stringify({ v: 1, scram_sha_256: good, scram_sha_1: good }),
      ]
    ) {
      try {
        readSecret({ userid: 'bob', secret, changed: 0 });
        throw new Error(`taken: ${secret}`);
      } catch (thrown) {
        if (!(thrown instanceof MailError)) throw thrown;
        expect(thrown.code).toBe('corruption');
        expect(thrown.message).toContain("'bob'");
        expect(thrown.message).toContain('user passwd');
      }
    }
  });
});

describe('checking a password', () => {
  test('right and wrong', async () => {
    const { secrets } = source(await records(['bob', 'pencil'], ['eve', 'secret']));
    expect(await secrets.verify('bob', 'pencil')).toBe(true);
    expect(await secrets.verify('bob', 'secret')).toBe(false);
    expect(await secrets.verify('bob', 'Pencil')).toBe(false);
    expect(await secrets.verify('bob', 'pencil ')).toBe(false);
    expect(await secrets.verify('bob', '')).toBe(false);
    expect(await secrets.verify('nobody', 'pencil')).toBe(false);
    expect(await secrets.verify('', 'pencil')).toBe(false);
    expect(await secrets.verify(null, 'pencil')).toBe(false);
  });

  test('passwords that look the same are the same (RFC 4013)', async () => {
    const { secrets } = source(await records(['bob', 'pa\u00dfwu\u0308rt\u00a01']));
    expect(await secrets.verify('bob', 'pa\u00dfw\u00fcrt 1')).toBe(true);
  });

  test('every failure does the same work, whoever is asked for', async () => {
    const { secrets, calls, looked } = source(await records(['bob', 'pencil']));
    const tries: [string | null, string][] = [
      ['bob', 'wrong'],
      ['nobody', 'pencil'],
      ['nobody', 'wrong'],
      [null, 'pencil'],
      ['', 'pencil'],
      ['bob', ''],
      ['nobody', ''],
      ['bob', 'a\u0000b'],
      ['bob', 'x'.repeat(limits.password_bytes.value + 1)],
      ['nobody', 'x'.repeat(limits.password_bytes.value + 1)],
    ];
    for (const [userid, password] of tries) expect(await secrets.verify(userid, password)).toBe(false);
    expect(looked.length).toBe(tries.length);
    expect(calls.length).toBe(tries.length);
    for (const { iterations, length, hash, salt } of calls) {
      expect({ iterations, length, hash, salt }).toEqual({
        iterations: ITERATIONS,
        length: 32,
        hash: 'sha256',
        salt: 16,
      });
    }
  });

  test('the same failure twice does the work twice', async () => {
    const { secrets, calls } = source(await records(['bob', 'pencil']));
    await secrets.verify('bob', 'wrong');
    await secrets.verify('bob', 'wrong');
    expect(calls.length).toBe(2);
  });

  test('hashes that were taken over cost everybody the same, whatever their kinds', async () => {
    const map = await records(['bob', 'pencil']);
    const stored = (userid: string, hash: string) =>
      map.set(userid, { userid, secret: makeHashedSecret(hash), changed: 1 });
    stored('b1', '$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234');
    stored('b2', '$2y$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01235');
    stored('y', '$y$j9T$saltsaltsalt$0123456789012345678901234567890123456789012');
    stored('s', '$6$rounds=9000$saltsalt$0123456789');
    stored('fast', '{SSHA}MTVk7pvz7Rl0SVWHYXJr0hQ4WzJrYXNk');
    const { derive, calls } = counting();
    const checked: string[] = [];
    const hashes = new HashCosts(
      (hash, password) => {
        const cost = costOf(hash);
        if (cost !== null) checked.push(cost);
        return Promise.resolve(password === `of ${hash}`);
      },
      () =>
        storedHashes({
          page: (after, count) => [...map.values()].filter(({ userid }) => userid > after).slice(0, count),
        }),
    );
    const secrets = new EmbeddedSecrets({ get: (userid) => map.get(userid) ?? null }, { derive, hashes });
    const users = ['nobody', 'bob', 'b1', 'b2', 'y', 's', 'fast', '', null];
    for (const user of [...users, ...users]) {
      [checked.length, calls.length] = [0, 0];
      expect(await secrets.verify(user, 'wrong')).toBe(false);
      expect([user, checked.toSorted(), calls.length]).toEqual([user, ['2$12', '6$rounds=9000', 'y$j9T'], 1]);
    }
    // What is right does not wait for the hashes of others.
    checked.length = 0;
    expect(await secrets.verify('bob', 'pencil')).toBe(true);
    expect(checked).toEqual([]);
    const { secret } = map.get('y') as SecretRecord;
    const { hash } = JSON.parse(secret) as { hash: string };
    expect(await secrets.verify('y', `of ${hash}`)).toBe(true);
    expect(checked).toEqual(['y$j9T']);
    // Nobody logs in with the password of a hash that was only checked for the time it takes.
    expect(await secrets.verify('nobody', `of ${hash}`)).toBe(false);
    expect(await secrets.verify('bob', `of ${hash}`)).toBe(false);
  });

  test('kinds of hashes are told by what they cost, and are bounded', async () => {
    expect([
      '{CRYPT}$6$salt$digest',
      '$6$other$digest',
      '$6$rounds=5$salt$digest',
      '{BLF-CRYPT}$2y$05$saltanddigest',
      '$argon2id$v=19$m=65536,t=2,p=1$salt$digest',
      '$apr1$salt$digest',
      'abJnggxhB/yWI',
      '_J9..rasmBYk8r9AiWNc',
      '{SSHA}x',
    ].map(costOf)).toEqual([
      '6',
      '6',
      '6$rounds=5',
      '2$05',
      'argon2id$v=19$m=65536,t=2,p=1',
      'apr1',
      'des',
      '_J9..',
      null,
    ]);
    let checked = 0;
    const hashes = new HashCosts(() => Promise.resolve(checked++ < 0));
    for (let cost = 10; cost < 99; cost++) hashes.note(`$2b$${cost}$x`);
    await hashes.matches([], 'wrong');
    expect(checked).toBe(limits.hash_kinds.value);
    // A hash of somebody else that cannot be checked is no answer about this user.
    const broken = new HashCosts(() => Promise.reject(new MailError('server', 'unavailable', 'no crypt')));
    broken.note('$6$salt$digest');
    expect(await broken.matches([], 'wrong')).toBe(false);
    expect(broken.matches(['$6$salt$digest'], 'wrong')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('an over-long password is not hashed whole', async () => {
    const { secrets, calls } = source(await records(['bob', 'pencil']));
    await secrets.verify('bob', 'x'.repeat(1 << 20));
    expect(calls[0]?.password.length).toBeLessThanOrEqual(limits.password_bytes.value);
  });

  test('a store that cannot answer is an error, not a no', async () => {
    const secrets = new EmbeddedSecrets({
      get() {
        throw new MailError('server', 'unavailable', 'the store is restarting');
      },
    });
    await expect(secrets.verify('bob', 'pencil')).rejects.toMatchObject({ code: 'unavailable' });
    const broken = new EmbeddedSecrets({ get: (userid) => ({ userid, secret: '{}', changed: 1 }) });
    await expect(broken.verify('bob', 'pencil')).rejects.toMatchObject({ code: 'corruption' });
  });
});

describe('a password that was right a moment ago', () => {
  test('is not hashed again, for a while', async () => {
    let time = 0;
    const { secrets, calls } = source(await records(['bob', 'pencil']), () => time);
    await secrets.verify('bob', 'pencil');
    await secrets.verify('bob', 'pencil');
    expect(calls.length).toBe(1);
    time += limits.login_cache_seconds.value * 1000;
    expect(await secrets.verify('bob', 'pencil')).toBe(true);
    expect(calls.length).toBe(2);
  });

  test('proves nothing for another password or another user', async () => {
    const map = await records(['bob', 'pencil'], ['eve', 'secret']);
    const { secrets } = source(map);
    await secrets.verify('bob', 'pencil');
    expect(await secrets.verify('eve', 'pencil')).toBe(false);
    expect(await secrets.verify('bob', 'secret')).toBe(false);
    expect(await secrets.verify('bobpencil', '')).toBe(false);
    expect(await secrets.verify('nobody', 'pencil')).toBe(false);
    expect(await secrets.verify(null, 'pencil')).toBe(false);
  });

  test('is noticed to have changed, at once', async () => {
    const map = await records(['bob', 'pencil']);
    const { secrets, calls } = source(map);
    await secrets.verify('bob', 'pencil');
    map.set('bob', { userid: 'bob', secret: await makeSecret('rubber', false), changed: 1 });
    expect(await secrets.verify('bob', 'pencil')).toBe(false);
    expect(await secrets.verify('bob', 'rubber')).toBe(true);
    map.delete('bob');
    expect(await secrets.verify('bob', 'pencil')).toBe(false);
    expect(await secrets.verify('bob', 'rubber')).toBe(false);
    expect(calls.length).toBe(5);
  });

  test('is proved anew when the record was written again', async () => {
    const map = await records(['bob', 'pencil']);
    const { secrets, calls } = source(map);
    await secrets.verify('bob', 'pencil');
    map.set('bob', { ...map.get('bob') as SecretRecord, changed: 2 });
    expect(await secrets.verify('bob', 'pencil')).toBe(true);
    expect(calls.length).toBe(2);
  });
});

describe('proofs', () => {
  test('differ where any input differs, also by where one ends and the next begins', () => {
    const proofs = new Proofs();
    const inputs = [['a', 'b'], ['ab', ''], ['', 'ab'], ['a', 'b', ''], ['a', 'b', 0], ['a', 'b', '0'], [
      'a","b',
    ], ['a\u0000b']];
    expect(new Set(inputs.map((each) => proofs.proof(each))).size).toBe(inputs.length);
    expect(proofs.proof(['a', 'b'])).toBe(proofs.proof(['a', 'b']));
    expect(new Proofs().proof(['a', 'b'])).not.toBe(proofs.proof(['a', 'b']));
  });

  test('are bounded in number and the oldest goes first', () => {
    const proofs = new Proofs(() => 0);
    const most = limits.login_cache_entries.value;
    for (let n = 0; n <= most; n++) proofs.remember(`proof ${n}`);
    expect(proofs.size).toBe(most);
    expect(proofs.holds('proof 0')).toBe(false);
    expect(proofs.holds('proof 1')).toBe(true);
    proofs.remember('proof 1');
    proofs.remember('another');
    expect(proofs.holds('proof 1')).toBe(true);
    expect(proofs.holds('proof 2')).toBe(false);
  });

  test('that have ended make room by themselves', () => {
    let time = 0;
    const proofs = new Proofs(() => time);
    for (let n = 0; n < 100; n++) proofs.remember(`proof ${n}`);
    time += limits.login_cache_seconds.value * 1000;
    proofs.remember('another');
    expect(proofs.size).toBe(1);
  });
});
