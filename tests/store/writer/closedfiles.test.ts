/** The power goes while an owner is closed: his message files are looked at all the same. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noteClosed } from '../../../src/store/log/closed.ts';
import { damage, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

let folders: TestFolders;
beforeEach(() => folders = new TestFolders());
afterEach(() => folders.remove());

const notes: readonly (readonly [string, (owner: number) => void])[] = [
  ['is being rebuilt', (owner) => writeFileSync(join(folders.log, `rebuilding.${owner}`), '')],
  ['lacks records', (owner) => noteClosed(folders.log, new Set([owner]))],
];
for (const [what, note] of notes) {
  test(`whose index ${what}: files of the right size and with other bytes are made anew`, async () => {
    const t = new TestStore(folders);
    for (let n = 0; n < 3; n++) await t.deliver(message(n, 2000), 'anna', 'bert');
    const anna = t.writer.state.directory.owner('anna');
    t.abandon();
    note(anna?.id ?? 0);
    const files = messageFiles(folders.spool);
    const before = files.map((path) => readFileSync(path, 'latin1'));
    for (const path of files) writeFileSync(path, Buffer.alloc(readFileSync(path).length));
    const again = new TestStore(folders, true);
    expect(files.map((path) => readFileSync(path, 'latin1'))).toEqual(before);
    expect(damage(folders.settings)).toEqual([]);
    again.abandon();
  });
}
