/** Writes figures.json anew: for a change that is worth what it costs, and after one that made something cheaper. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stored } from './compare.ts';
import { type Figures, GuardedStore, OPERATIONS } from './operations.ts';

const FILE = join(import.meta.dir, 'figures.json');

const { tolerance, operations: before } = JSON.parse(readFileSync(FILE, 'utf8')) as Stored;
const operations: Record<string, Figures> = {};
const store = await GuardedStore.start();
try {
  for (const operation of OPERATIONS) operations[operation.name] = rounded(await store.measure(operation));
} finally {
  await store.dispose();
}
writeFileSync(FILE, `${JSON.stringify({ tolerance, operations }, undefined, 2)}\n`);
for (const [name, now] of Object.entries(operations)) {
  const changes = (['calls', 'syncs', 'written'] as const).map((figure) =>
    `${figure} ${String(before[name]?.[figure] ?? '-').padStart(8)} -> ${String(now[figure]).padEnd(8)}`
  );
  console.log(`${name.padEnd(26)} ${changes.join(' ')}`);
}

function rounded(figures: Figures): Figures {
  return {
    calls: Math.round(figures.calls * 100) / 100,
    syncs: Math.round(figures.syncs * 1000) / 1000,
    written: Math.round(figures.written),
    instructions: figures.instructions === null ? null : Math.round(figures.instructions),
  };
}
