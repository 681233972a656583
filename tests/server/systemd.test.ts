import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const unitFile = join(import.meta.dir, '../../systemd/mailstore.service');

/** Runs systemd-analyze on the unit, with an executable that is there. */
function analyze(...args: string[]): { code: number; text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-unit-'));
  try {
    const unit = join(folder, 'mailstore.service');
    writeFileSync(unit, readFileSync(unitFile, 'utf8').replaceAll('/usr/local/bin/mailstore', '/bin/true'));
    const done = Bun.spawnSync(['systemd-analyze', ...args, unit], { stdout: 'pipe', stderr: 'pipe' });
    return { code: done.exitCode, text: done.stdout.toString() + done.stderr.toString() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('systemd has nothing to say about the unit', () => {
  expect(analyze('verify')).toEqual({ code: 0, text: '' });
});

test('the service is exposed below 2.0', () => {
  const { text } = analyze('security', '--offline=true', '--no-pager');
  const level = Number(/Overall exposure level for mailstore\.service: ([\d.]+)/.exec(text)?.[1]);
  expect(level).toBeGreaterThan(0);
  expect(level).toBeLessThan(2);
});

test('the service has one capability and may compile code', () => {
  const unit = readFileSync(unitFile, 'utf8');
  expect(unit).toMatch(/^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
  expect(unit).toMatch(/^CapabilityBoundingSet=CAP_NET_BIND_SERVICE$/m);
  expect(unit).not.toMatch(/^MemoryDenyWriteExecute=yes/m);
  expect(unit).toMatch(/^UnsetEnvironment=.*\bBUN_BE_BUN\b/m);
});
