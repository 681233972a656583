/** What `config check` says of certificates. */

import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSettings } from '../../src/config/settings.ts';
import { checkCertificates } from '../../src/net/certificatecheck.ts';
import { Authority, type Issued, type Wanted } from '../harness/authority.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-check-'));
afterAll(() => rmSync(folder, { recursive: true }));
const root = new Authority(folder, 'Root');
const middle = new Authority(folder, 'Middle', root);
const host = 'imap.example.org';
let count = 0;

/** A certificate of the middle authority with these files behind it. */
function chain(wanted: Wanted, ...behind: string[]): Issued {
  const issued = middle.issue(`c${++count}`, { names: [`DNS:${host}`], days: 90, ...wanted });
  const cert = join(folder, `chain${count}.pem`);
  writeFileSync(cert, [issued.cert, ...behind].map((file) => readFileSync(file, 'utf8')).join(''));
  return { cert, key: issued.key };
}

/** What is said, problems with a ! in front, without the name of the file. */
function said(
  { cert, key }: Issued,
  given: Parameters<typeof makeSettings>[0] = {},
  now = new Date(),
): string[] {
  const settings = makeSettings({ servername: host, tls_server_cert: cert, tls_server_key: key, ...given });
  return checkCertificates(settings, now).map(({ text, problem }) => `${problem ? '!' : ''}${text}`);
}

const good = chain({}, middle.cert, root.cert);
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

/** The authorities of the tests are good for 20 and 30 days: they end soon from the day they were made. */
const ENDING = /^its issuer "(?:Middle|Root)" expires on \d{4}-\d\d-\d\d, in [12]9 days$/;
const besides = (lines: readonly string[]) => lines.filter((line) => !ENDING.test(line));

test('a good one', () => expect(besides(said(good))).toEqual([]));

test('the end: over, soon, not yet begun, of an issuer too', () => {
  expect(said(good, {}, inDays(95))[0]).toMatch(/^!expired on \d{4}-\d\d-\d\d$/);
  expect(said(good, {}, inDays(65))[0]).toMatch(/^expires on \d{4}-\d\d-\d\d, in 24 days$/);
  expect(said(good, {}, inDays(-2))[0]).toMatch(/^!is not valid before /);
  expect(said(good, {}, inDays(25))[0]).toMatch(/^!its issuer "Middle" expired on /);
});

test('a chain that is incomplete, out of order or broken', () => {
  expect(besides(said(chain({})))).toEqual([
    'the chain is incomplete: "Middle", the issuer of "c2", neither stands behind it nor is an authority everybody knows',
  ]);
  expect(said(chain({}, middle.cert)).at(-1)).toStartWith(
    'the chain is incomplete: "Root", the issuer of "Middle",',
  );
  expect(said(chain({}, root.cert, middle.cert)).at(-1)).toBe(
    'the chain is out of order: "c4" is not followed by its issuer "Middle"',
  );
  const other = new Authority(folder, 'Other');
  expect(said(chain({}, other.cert)).at(-1)).toBe('the chain is broken: "Other" is not the issuer of "c5"');
  // What is missing is taken from the authorities that are configured.
  const both = join(folder, 'both.pem');
  writeFileSync(both, readFileSync(middle.cert, 'utf8') + readFileSync(root.cert, 'utf8'));
  expect(besides(said(chain({}), { tls_client_ca_file: both }))).toEqual([]);
});

test('a weak key, a key of another certificate, other names', () => {
  const weak = chain({ key: 'rsa1024' }, middle.cert, root.cert);
  expect(said(weak)).toContain('has a weak key: RSA with 1024 bits; make one with at least 2048');
  expect(said({ cert: good.cert, key: weak.key })).toEqual([
    `!is not the key of the certificate in ${good.cert}`,
  ]);
  const named = (...names: string[]) => besides(said(chain({ names }, middle.cert, root.cert)));
  const unnamed = [expect.stringMatching(/^does not name imap\.example\.org/)];
  expect(named('DNS:mail.example.org')).toEqual(unnamed);
  expect(named('DNS:*.org')).toEqual(unnamed);
  expect(named('DNS:*.example.org')).toEqual([]);
  expect(named('DNS:other.example', 'DNS:IMAP.Example.ORG')).toEqual([]);
});

test('files that are not there, or hold nothing', () => {
  expect(said({ cert: '/nowhere.pem', key: good.key })).toEqual(['!cannot read the certificate: ENOENT']);
  expect(said({ cert: good.cert, key: good.cert })).toEqual([
    '!holds no private key in PEM form without a passphrase',
  ]);
});
