import { describe, expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { type ProxyHeader, readProxyHeader } from '../../src/net/proxyprotocol.ts';
import { Random } from '../harness/random.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

function read(text: string | Uint8Array): ProxyHeader | 'more' | 'refused' {
  try {
    return readProxyHeader(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  } catch {
    return 'refused';
  }
}

/** A header of version 2. */
function binary(command: number, family: number, body: readonly number[], length = body.length): Buffer {
  return Buffer.concat([
    Buffer.from(SIGNATURE, 'latin1'),
    Buffer.from([command, family, length >> 8, length & 255, ...body]),
  ]);
}

const FOUR = [192, 0, 2, 7, 198, 51, 100, 1, 0x30, 0x39, 0, 143];
const PROXIED = {
  remoteAddress: '192.0.2.7',
  remotePort: 12345,
  localAddress: '198.51.100.1',
  localPort: 143,
};
const SIX = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

describe('version 1', () => {
  const line = 'PROXY TCP4 192.0.2.7 198.51.100.1 12345 143\r\n';
  test('a line, and what follows is not touched', () => {
    expect(read(`${line}a LOGIN`)).toEqual({ length: line.length, proxied: PROXIED });
    expect(read('PROXY TCP6 2001:DB8:0:0::7 ::1 1 2\r\n')).toEqual({
      length: 36,
      proxied: { remoteAddress: '2001:db8::7', remotePort: 1, localAddress: '::1', localPort: 2 },
    });
  });

  test('IPv4 in IPv6 is IPv4, as everywhere', () => {
    const found = read('PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 12345 143\r\n');
    expect(found).toMatchObject({ proxied: PROXIED });
  });

  test('a proxy that does not know', () => {
    expect(read('PROXY UNKNOWN\r\nx')).toEqual({ length: 15, proxied: null });
    expect(read(`PROXY UNKNOWN ${'f'.repeat(39)} ${'f'.repeat(39)} 65535 65535\r\n`)).toMatchObject({
      proxied: null,
    });
  });

  test('cut anywhere, there is more to come', () => {
    for (let length = 0; length < line.length; length++) expect(read(line.slice(0, length))).toBe('more');
  });

  test('what is none is refused', () => {
    for (
      const text of [
        'a LOGIN x y\r\n',
        'PROXYTCP4',
        'GET / HTTP/1.1\r\n',
        '\x16\x03\x01\x02\x00',
        'PROXY TCP4 192.0.2.7 198.51.100.1 12345\r\n',
        'PROXY TCP4 192.0.2.7 198.51.100.1 12345 143 \r\n',
        'PROXY TCP4  192.0.2.7 198.51.100.1 12345 143\r\n',
        'PROXY TCP4 192.0.2.700 198.51.100.1 12345 143\r\n',
        'PROXY TCP4 2001:db8::7 ::1 1 2\r\n',
        'PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n',
        'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
        'PROXY TCP4 192.0.2.7 198.51.100.1 65536 143\r\n',
        'PROXY TCP4 192.0.2.7 198.51.100.1 -1 143\r\n',
        'PROXY UDP4 192.0.2.7 198.51.100.1 1 143\r\n',
        'PROXY TCP4 192.0.2.7 198.51.100.1 1 143\n\r\n',
        `PROXY ${'x'.repeat(200)}`,
      ]
    ) expect([text, read(text)]).toEqual([text, 'refused']);
  });
});

describe('version 2', () => {
  test('both families, and what a proxy adds is skipped', () => {
    expect(read(binary(0x21, 0x11, FOUR))).toEqual({ length: 28, proxied: PROXIED });
    expect(read(binary(0x21, 0x21, [...SIX, ...SIX, 0, 1, 0, 2]))).toMatchObject({
      proxied: { remoteAddress: '2001:db8::7', remotePort: 1, localPort: 2 },
    });
    const more = [...FOUR, 4, 0, 3, 1, 2, 3];
    expect(read(Buffer.concat([binary(0x21, 0x11, more), Buffer.from('\x16\x03')]))).toEqual({
      length: 34,
      proxied: PROXIED,
    });
  });

  test('a health check of the proxy, and families we have no address for', () => {
    expect(read(binary(0x20, 0x00, []))).toEqual({ length: 16, proxied: null });
    expect(read(binary(0x20, 0x11, FOUR))).toEqual({ length: 28, proxied: null });
    expect(read(binary(0x21, 0x31, Array(216).fill(0)))).toMatchObject({ proxied: null });
  });

  test('cut anywhere, there is more to come', () => {
    const whole = binary(0x21, 0x11, FOUR);
    for (let length = 0; length < whole.length; length++) {
      expect(read(whole.subarray(0, length))).toBe('more');
    }
  });

  test('what is none, or too long, is refused before it is there', () => {
    expect(read(binary(0x11, 0x11, FOUR))).toBe('refused');
    expect(read(binary(0x22, 0x11, FOUR))).toBe('refused');
    expect(read(binary(0x21, 0x11, FOUR.slice(0, 11)))).toBe('refused');
    expect(read(binary(0x21, 0x21, FOUR))).toBe('refused');
    expect(read('\r\n\r\nx')).toBe('refused');
    expect(read(binary(0x21, 0x11, [], limits.proxy_header.value))).toBe('refused');
    expect(read(binary(0x21, 0x11, [], 65535))).toBe('refused');
  });
});

test('any bytes: a header, more, or refused; never beyond what is there, and every prefix asks for more or is refused', () => {
  const random = new Random(20261127);
  const seeds = [
    Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 12345 143\r\n'),
    binary(0x21, 0x11, FOUR),
    binary(0x21, 0x21, [...SIX, ...SIX, 0, 1, 0, 2, 4, 0, 1, 9]),
  ];
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(random.pick(seeds));
    for (let change = random.below(4); change > 0; change--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    const found = read(bytes);
    if (typeof found === 'string') continue;
    expect(found.length).toBeLessThanOrEqual(bytes.length);
    expect(read(bytes.subarray(0, found.length - 1))).not.toHaveProperty('length', found.length);
    if (found.proxied !== null) expect(found.proxied.remoteAddress).toMatch(/^[0-9a-f.:]+$/);
  }
});
