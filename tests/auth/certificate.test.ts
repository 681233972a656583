/** Names of client certificates, and for whom the rules say they stand (FIELD 66). */

import { afterAll, describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateNames, certificateUser } from '../../src/auth/certificate.ts';
import { parseCertificateRule, readRules } from '../../src/config/externalrules.ts';
import { Authority, type Wanted } from '../harness/authority.ts';
import { Random } from '../harness/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));
const authority = new Authority(folder, 'ca');
let count = 0;

function der(wanted: Wanted): Buffer {
  return new X509Certificate(readFileSync(authority.issue(`c${++count}`, wanted).cert)).raw;
}

function user(certificate: Uint8Array, ...rules: string[]): string | null {
  return certificateUser(certificate, readRules(rules, parseCertificateRule));
}

/** Puts other bytes into a certificate, of the same length: it is not signed then, but nobody looks at that here. */
function patched(certificate: Buffer, from: string, to: string): Buffer {
  const at = certificate.indexOf(from);
  expect(at).toBeGreaterThan(0);
  const copy = Buffer.from(certificate);
  copy.write(to, at, 'latin1');
  return copy;
}

const django = der({ subject: '/O=Nausch/CN=django', names: ['DNS:x.example', 'email:django@nausch.org'] });

describe('the rules', () => {
  test('without one, a certificate stands for nobody', () => expect(user(django)).toBeNull());

  test('by address, by common name, by fingerprint', () => {
    expect(user(django, 'email')).toBe('django@nausch.org');
    expect(user(django, 'cn')).toBe('django');
    const { fingerprint256 } = new X509Certificate(django);
    expect(user(django, `sha256 ${fingerprint256} -> inge`)).toBe('inge');
    expect(user(django, `sha256 ${fingerprint256.replaceAll(':', '').toLowerCase()} -> inge`)).toBe('inge');
    expect(user(django, `sha256 ${'0'.repeat(64)} -> inge`)).toBeNull();
  });

  test('patterns hold for the whole name, and their groups make the user', () => {
    expect(user(django, 'email (.*)@nausch\\.org -> $1')).toBe('django');
    expect(user(django, 'email django -> django')).toBeNull();
    expect(user(django, 'cn d -> x', 'cn (\\w+) -> $1@nausch.org')).toBe('django@nausch.org');
    expect(user(django, 'cn a|django -> $1$2x')).toBe('x');
  });

  test('a certificate of another realm is nobody here', () => {
    const other = der({ subject: '/CN=django', names: ['email:django@evil.example'] });
    expect(user(other, 'email (.*)@nausch\\.org -> $1')).toBeNull();
    const longer = der({ names: ['email:django@nausch.org.evil.example'] });
    expect(user(longer, 'email (.*)@nausch\\.org -> $1')).toBeNull();
  });

  test('what is no rule is told', () => {
    for (
      const text of ['', 'mail', 'cn x', 'cn -> x', 'cn ( -> x', 'sha256 00 -> x', `sha256 ${'0'.repeat(64)}`]
    ) {
      expect(parseCertificateRule(text).ok).toBe(false);
    }
  });
});

describe('names that are none', () => {
  test('no common name, two of them, none with anything in it', () => {
    expect(user(der({ subject: '/O=Nausch' }), 'cn')).toBeNull();
    expect(user(der({ subject: '' }), 'cn', 'email')).toBeNull();
    expect(user(der({ subject: '/CN=django/CN=admin' }), 'cn')).toBeNull();
  });

  test('a NUL does not end a name, nor does a line end or a direction mark stand in one', () => {
    for (const odd of ['django\0x', 'djang\0xx', 'djang\nxx', 'djang\x1bxx', 'djang\xff\xffx']) {
      const certificate = patched(der({ subject: '/CN=djangoxx' }), 'djangoxx', odd);
      expect(user(certificate, 'cn')).toBeNull();
      expect(user(certificate, 'cn (.*) -> $1', 'cn django.* -> django')).toBeNull();
    }
    const address = der({ names: ['email:django@nausch.org0evil.example'] });
    expect(user(patched(address, 'org0evil', 'org\0evil'), 'email')).toBeNull();
    expect(user(patched(address, 'org0evil', 'org\xc3\xa4vil'), 'email')).toBeNull();
    const turned = der({ subject: '/CN=a\u202eb' });
    expect(user(turned, 'cn')).toBeNull();
  });

  test('text that looks like another attribute is part of the name it stands in', () => {
    const certificate = der({ subject: '/O=x, CN=admin/CN=django' });
    expect(certificateNames(certificate).commonNames).toEqual(['django']);
    const quoted = der({
      subject: '/CN=django\\/emailAddress=admin@nausch.org',
      names: ['DNS:email:admin.example'],
    });
    expect(user(quoted, 'email')).toBeNull();
  });
});

test('bytes that are no certificate, cut or changed anywhere, never do harm', () => {
  const random = new Random(20261126);
  const rules = readRules(['email', 'cn', `sha256 ${'0'.repeat(64)} -> x`], parseCertificateRule);
  for (let length = 0; length < django.length; length += 7) {
    expect(certificateUser(django.subarray(0, length), rules)).toBeNull();
  }
  for (let round = 0; round < 2000; round++) {
    const copy = Buffer.from(django);
    for (let change = 0; change <= random.below(4); change++) {
      copy[random.below(copy.length)] = random.below(256);
    }
    const found = certificateUser(copy, rules);
    // deno-lint-ignore no-control-regex
    expect(found === null || !/[\u0000-\u001f]/.test(found)).toBe(true);
  }
  expect(certificateUser(Buffer.alloc(64 << 10, 0x30), rules)).toBeNull();
});
