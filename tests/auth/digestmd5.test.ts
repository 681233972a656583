import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { type Cipher, CIPHERS } from '../../src/auth/digestmd5/ciphers.ts';
import { quoted, readDirectives } from '../../src/auth/digestmd5/directives.ts';
import { digestLayer, OUR_BUFFER } from '../../src/auth/digestmd5/layer.ts';
import { Nonces } from '../../src/auth/digestmd5/nonces.ts';
import { Rc4 } from '../../src/auth/digestmd5/rc4.ts';
import { isRight, readResponse, serverProof, sessionKey } from '../../src/auth/digestmd5/response.ts';
import { limits } from '../../src/limits.ts';
import { Random } from '../harness/random.ts';

/** RFC 2831 §4, the IMAP example. */
const EXAMPLE =
  'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,' +
  'cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",' +
  'response=d388dad90d4bbd760a152321f2143af7,qop=auth';

describe('the response', () => {
  test('of the RFC is right, and so is our answer to it', () => {
    const response = readResponse(Buffer.from(EXAMPLE));
    const key = sessionKey(response, 'secret');
    expect(isRight(response, key)).toBe(true);
    expect(serverProof(response, key)).toBe('ea40f60335c427b5527b84dbabcdfffd');
    expect(isRight(response, sessionKey(response, 'Secret'))).toBe(false);
  });

  test('every other value in it makes it wrong', () => {
    for (
      const [from, to] of [
        ['chris', 'chros'],
        ['realm="elwood', 'realm="elwoot'],
        ['OA6MG9tEQGm2hh', 'OA6MG9tEQGm2hi'],
        ['00000001', '00000002'],
        ['OA6MHXh6VqTrRk', 'OA6MHXh6VqTrRl'],
        ['imap/elwood', 'imap/elwoot'],
        ['qop=auth', 'qop=auth-int'],
        ['qop=auth', 'qop=auth,authzid="chris"'],
      ] as const
    ) {
      const response = readResponse(Buffer.from(EXAMPLE.replace(from, to)));
      expect([to, isRight(response, sessionKey(response, 'secret'))]).toEqual([to, false]);
    }
  });

  test('names and passwords of ISO 8859-1 are hashed as such, others as UTF-8 (§2.1.2.1)', () => {
    const keyOf = (user: string, charset: string, encoding: 'utf8' | 'latin1', password: string) =>
      sessionKey(
        readResponse(
          Buffer.concat([
            Buffer.from(`${charset}realm="r",nonce="n",nc=00000001,cnonce="c",digest-uri="imap/h",`),
            Buffer.from('response=d388dad90d4bbd760a152321f2143af7,username="'),
            Buffer.from(user, encoding),
            Buffer.from('"'),
          ]),
        ),
        password,
      ).toString('hex');
    expect(keyOf('müller', 'charset=utf-8,', 'utf8', 'gänsefüßchen')).toBe(
      keyOf('müller', '', 'latin1', 'gänsefüßchen'),
    );
    const md5 = (bytes: Buffer) => new Bun.CryptoHasher('md5').update(bytes).digest();
    const secret = md5(Buffer.from('łukasz:r:pa', 'utf8'));
    expect(keyOf('łukasz', 'charset=utf-8,', 'utf8', 'pa')).toBe(
      md5(Buffer.concat([secret, Buffer.from(':n:c')])).toString('hex'),
    );
  });

  test('what lacks something, says it twice or is out of bounds is refused', () => {
    for (
      const [from, to] of [
        ['username="chris",', ''],
        ['nonce="OA6MG9tEQGm2hh",', ''],
        ['cnonce="OA6MHXh6VqTrRk",', ''],
        ['nc=00000001,', ''],
        ['nc=00000001', 'nc=1'],
        ['nc=00000001', 'nc=0000000g'],
        ['digest-uri="imap/elwood.innosoft.com",', ''],
        ['response=d388dad90d4bbd760a152321f2143af7', 'response=d388'],
        ['response=d388dad90d4bbd760a152321f2143af7', 'response=D388DAD90D4BBD760A152321F2143AF7'],
        ['qop=auth', 'qop=none'],
        ['qop=auth', 'qop=auth-conf'],
        ['qop=auth', 'qop=auth-conf,cipher=rc5'],
        ['qop=auth', 'qop=auth,qop=auth-int'],
        ['qop=auth', 'qop=auth,maxbuf=16'],
        ['qop=auth', 'qop=auth,maxbuf=16777216'],
        ['qop=auth', 'qop=auth,maxbuf=-1'],
        ['qop=auth', 'qop=auth,charset=latin1'],
        ['charset=utf-8', 'charset="utf-16"'],
        ['"chris"', '"chris'],
        ['"chris"', '"chr\xffis"'],
        ['username="chris"', 'username="chris"x'],
      ] as const
    ) {
      const text = EXAMPLE.replace(from, to);
      expect(() => readResponse(Buffer.from(text, 'latin1'))).toThrow();
    }
    expect(() => readResponse(Buffer.from(`${EXAMPLE},x="${'y'.repeat(4096)}"`))).toThrow();
  });

  test('directives come back as they were put in', () => {
    const random = new Random(2831);
    for (let round = 0; round < 500; round++) {
      const wanted = new Map<string, string>();
      for (let count = random.below(6); count > 0; count--) {
        const value = Array.from(
          { length: random.below(8) },
          () => String.fromCharCode(random.pick([34, 92, 44, 61, 32, 9, 97, 0xe4, 48])),
        );
        wanted.set(`d${count}`, value.join(''));
      }
      const text = [...wanted].map(([name, value]) => `${name}=${quoted(value)}`)
        .join(random.pick([',', ', ', ' ,\t', ',,']));
      expect(readDirectives(Buffer.from(text, 'latin1'))).toEqual(wanted);
    }
  });

  test('a hostile list of directives takes no time', () => {
    for (
      const text of ['='.repeat(4000), 'a="' + '\\'.repeat(4000), ','.repeat(4095), 'a=' + '!'.repeat(4000)]
    ) {
      try {
        readDirectives(Buffer.from(text));
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'badsyntax' });
      }
    }
  });
});

describe('ciphers', () => {
  test('RC4 of RFC 6229, with keys of 40, 56 and 128 bits', () => {
    const stream = (key: string) => new Rc4(Buffer.from(key, 'hex')).apply(Buffer.alloc(16)).toString('hex');
    expect(stream('0102030405')).toBe('b2396305f03dc027ccc3524a0a1118a8');
    expect(stream('01020304050607')).toBe('293f02d47f37c9b633f2af5285feb46b');
    expect(stream('0102030405060708090a0b0c0d0e0f10')).toBe('9ac7cc9a609d1ef7b2932899cde41b97');
  });

  test('DES and 3DES are what OpenSSL computes with keys of DIGEST-MD5', () => {
    const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    const plain = Buffer.from('twenty-four bytes, whole');
    // Seven bytes spread over eight, the lowest bit of each left for parity (RFC 2831 §2.4).
    const spread = (seven: Buffer) => {
      const bits = [...seven].map((byte) => byte.toString(2).padStart(8, '0')).join('');
      return Array.from({ length: 8 }, (_, at) => parseInt(`${bits.slice(at * 7, at * 7 + 7)}0`, 2))
        .map((byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    const first = spread(key.subarray(0, 7));
    const second = spread(key.subarray(7, 14));
    for (const [name, hex] of [['des', first + first + first], ['3des', first + second + first]] as const) {
      const { stdout, status } = spawnSync('openssl', [
        'enc',
        '-des-ede3-cbc',
        '-nopad',
        '-K',
        hex,
        '-iv',
        key.subarray(8).toString('hex'),
      ], { input: plain });
      expect(status).toBe(0);
      const cipher = CIPHERS.find((each) => each.name === name) as Cipher;
      const seal = cipher.seal(key);
      // In pieces: the vector goes on from frame to frame.
      const sealed = Buffer.concat([seal(plain.subarray(0, 8)), seal(plain.subarray(8))]);
      expect(sealed.toString('hex')).toBe(stdout.toString('hex'));
      expect(cipher.open(key)(sealed).toString()).toBe(plain.toString());
    }
  });
});

describe('the layer', () => {
  const key = Buffer.from('0f0e0d0c0b0a09080706050403020100', 'hex');
  const kinds = [null, ...CIPHERS];

  for (const cipher of kinds) {
    test(`${cipher?.name ?? 'integrity'}: what goes in comes out, however it is cut`, () => {
      const random = new Random(7);
      for (const buffer of [60, 1000, 65_536]) {
        const server = digestLayer('server', key, cipher, buffer);
        const client = digestLayer('client', key, cipher, OUR_BUFFER);
        for (let round = 0; round < 20; round++) {
          const message = Buffer.from(
            Array.from({ length: 1 + random.below(3000) }, () => random.below(256)),
          );
          const wire = server.wrap(message);
          const got: Buffer[] = [];
          for (let at = 0; at < wire.length;) {
            const end = Math.min(wire.length, at + 1 + random.below(700));
            got.push(client.unwrap(wire.subarray(at, end)));
            at = end;
          }
          expect(Buffer.concat(got).equals(message)).toBe(true);
          for (let at = 0; at < wire.length;) {
            const length = wire.readUInt32BE(at);
            expect(length).toBeLessThanOrEqual(buffer);
            at += 4 + length;
          }
        }
      }
    });

    test(`${cipher?.name ?? 'integrity'}: a flipped bit, a frame again, left out or reordered is noticed`, () => {
      const frames = (): [Buffer, Buffer] => {
        const server = digestLayer('server', key, cipher, 65_536);
        return [server.wrap(Buffer.from('first')), server.wrap(Buffer.from('second'))];
      };
      const client = () => digestLayer('client', key, cipher, OUR_BUFFER);
      const [first, second] = frames();
      for (let at = 4; at < first.length; at++) {
        const damaged = Buffer.from(first);
        damaged[at] = (damaged[at] as number) ^ 1;
        expect(() => client().unwrap(damaged)).toThrow();
      }
      expect(() => client().unwrap(second)).toThrow();
      const twice = client();
      twice.unwrap(first);
      expect(() => twice.unwrap(first)).toThrow();
    });
  }

  test('frames that are too long or too short are refused before they are kept', () => {
    for (const length of [0, 15, OUR_BUFFER + 1, 0xffff_ffff]) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(length);
      expect(() => digestLayer('server', key, null, 65_536).unwrap(head)).toThrow();
    }
  });
});

describe('nonces', () => {
  test('each count is good once, for the same user and realm, for a while', () => {
    let now = 0;
    const nonces = new Nonces(() => now);
    nonces.remember('n', 'chris', 'r');
    expect(nonces.take('n', 'chris', 'r', 1)).toBe(false);
    expect(nonces.take('n', 'chris', 'r', 3)).toBe(false);
    expect(nonces.take('n', 'eve', 'r', 2)).toBe(false);
    expect(nonces.take('n', 'chris', 'other', 2)).toBe(false);
    expect(nonces.take('m', 'chris', 'r', 2)).toBe(false);
    expect(nonces.take('n', 'chris', 'r', 2)).toBe(true);
    expect(nonces.take('n', 'chris', 'r', 2)).toBe(false);
    expect(nonces.take('n', 'chris', 'r', 3)).toBe(true);
    now = limits.login_cache_seconds.value * 1000 + 1;
    expect(nonces.take('n', 'chris', 'r', 4)).toBe(false);
  });

  test('they are bounded in number: the oldest go', () => {
    const nonces = new Nonces(() => 0);
    const most = limits.digest_nonces.value;
    for (let count = 0; count <= most; count++) nonces.remember(`n${count}`, 'u', 'r');
    expect(nonces.take('n0', 'u', 'r', 2)).toBe(false);
    expect(nonces.take(`n${most}`, 'u', 'r', 2)).toBe(true);
  });
});
