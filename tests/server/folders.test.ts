import { afterEach, beforeEach, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSettings } from '../../src/config/settings.ts';
import { makeFolders, networkFilesystem } from '../../src/server/folders.ts';

let base: string;
beforeEach(() => (base = mkdtempSync(join(tmpdir(), 'mailstore-folders-'))));
afterEach(() => rmSync(base, { recursive: true }));

const settings = () =>
  makeSettings({
    configdirectory: join(base, 'deep/lib'),
    partition: { default: join(base, 'spool'), archive: join(base, 'archive') },
  });
const local = () => undefined;

test('what is missing is made, what is there keeps its mode', () => {
  mkdirSync(join(base, 'archive'));
  chmodSync(join(base, 'archive'), 0o770);
  const made = makeFolders(settings(), undefined, false, local);
  expect(made).toContain(join(base, 'deep/lib/socket'));
  expect(made).not.toContain(join(base, 'archive'));
  const mode = (path: string) => statSync(join(base, path)).mode & 0o777;
  expect([
    mode('deep'),
    mode('deep/lib'),
    mode('deep/lib/log'),
    mode('deep/lib/socket'),
    mode('spool'),
    mode('archive'),
  ])
    .toEqual([0o755, 0o751, 0o700, 0o755, 0o700, 0o770]);
  expect(makeFolders(settings(), undefined, false, local)).toEqual([]);
});

test('a network file system is refused unless it is allowed (DESIGN rule 18)', () => {
  const spool = join(base, 'archive');
  const kindOf = (path: string) => path === spool ? 'NFS' : undefined;
  expect(() => makeFolders(settings(), undefined, false, kindOf)).toThrow(
    `folder ${spool}: lies on a network file system (NFS), which does not keep what a mail store needs; ` +
      'use a local disk, or start with --allow-network-filesystem at your own risk',
  );
  expect(() => makeFolders(settings(), undefined, true, kindOf)).not.toThrow();
});

test('a local disk is none', () => {
  expect(networkFilesystem(base)).toBeUndefined();
  expect(networkFilesystem('/proc')).toBeUndefined();
});

test('what stands in the way is named', () => {
  writeFileSync(join(base, 'spool'), '');
  expect(() => makeFolders(settings(), undefined, false, local)).toThrow(
    `folder ${base}/spool: is not a folder`,
  );
});
