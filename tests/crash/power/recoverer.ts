/**
 * The first start after a loss of power, as a program that is recorded: recovery as the writer's process does it, some mail, a
 * checkpoint, and the end without closing anything. The current folder is the disk. A line `recorded WORD` on standard output says
 * how far it is; behind `at` stands the hash of what the store holds.
 */
import { mkdirSync, writeSync } from 'node:fs';
import type { Settings } from '../../../src/config/settings.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { rememberBoot } from '../../../src/store/writer/boot.ts';
import { Reserve } from '../../../src/store/writer/reserve.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { message, type TestFolders, TestStore } from '../../store/teststore.ts';
import { readContents } from './contents.ts';
import { findAll } from './found.ts';

const settings = JSON.parse(process.argv[2] ?? '') as Settings;
const id = process.argv[3] ?? '';

function report(word: string): void {
  writeSync(1, `recorded ${word}\n`);
}

function reportContents(): void {
  report(`at ${readContents(settings, false).hash}`);
}

const layout = layoutOf(settings);
for (
  const path of [layout.configdirectory, layout.log, layout.sockets, ...Object.values(settings.partition)]
) {
  mkdirSync(path, { recursive: true, mode: 0o750 });
}
new Reserve(layout.log, silentLog).look();
const store = new TestStore({ settings } as TestFolders, true);
rememberBoot(layout.log);
reportContents();
const users = [...findAll(settings).owners.keys()];
for (const size of [500, 100_000]) {
  if (users.length === 0) break;
  await store.deliver(message(`${id}.${size}`, size), ...users);
  reportContents();
}
await store.checkpoint();
report('checkpoint');
process.exit(store.fatal === null ? 0 : 1);
