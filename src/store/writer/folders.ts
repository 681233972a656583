/** The folders of a user who was removed. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { OwnerRow } from '../index/directory.ts';
import type { Layout } from '../layout.ts';
import type { WriterState } from './context.ts';
import { step } from '../step.ts';

/** Removes index and message files of an owner that nobody has open any more. */
export function removeOwnerFolders({ settings }: WriterState, layout: Layout, { folder }: OwnerRow): void {
  rmSync(layout.userFolder(folder), { recursive: true, force: true });
  step('remove.index');
  for (const partition of Object.values(settings.partition)) {
    rmSync(join(partition, folder), { recursive: true, force: true });
    step('remove.messages');
  }
}
