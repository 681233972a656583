/** What a role's runtime is told by its environment. */

import { expect, test } from 'bun:test';
import { childEnvironment } from '../../src/server/child.ts';

test('what would change the runtime is not inherited, the rest is', () => {
  const kept = childEnvironment({
    PATH: '/bin',
    BUN_OPTIONS: '--smol',
    NODE_OPTIONS: '-r x',
    LISTEN_PID: '1',
    X: undefined,
  });
  expect(kept['PATH']).toBe('/bin');
  expect(Object.keys(kept).filter((name) => !name.startsWith('BUN_JSC_'))).toEqual(['PATH']);
});

test('the runtime knows the options it is given', () => {
  const given = Object.entries(childEnvironment({})).map(([name, value]) =>
    `${name.replace('BUN_JSC_', '')}=${value} `
  );
  expect(given).not.toEqual([]);
  const { stderr, exitCode } = Bun.spawnSync([process.execPath, '-e', '1'], {
    env: { ...childEnvironment({}), BUN_JSC_dumpOptions: '1' },
    stderr: 'pipe',
  });
  expect(exitCode).toBe(0);
  for (const option of given) expect(stderr.toString()).toContain(option);
});
