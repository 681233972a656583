/** Whether the machine went down since the store was last recovered: files may be torn then (a loss of power). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** An id of this boot of the machine; '' where there is none. */
export function bootId(): string {
  return read(BOOT_ID);
}

/** True unless this boot of the machine has recovered the store before. */
export function machineRestarted(logFolder: string): boolean {
  const boot = bootId();
  return boot === '' || boot !== read(join(logFolder, 'boot'));
}

/** Notes that everything was verified in this boot. Only a recovery that came to its end may say so. */
export function rememberBoot(logFolder: string): void {
  const boot = bootId();
  if (boot !== '') writeFileSync(join(logFolder, 'boot'), boot, { mode: 0o600 });
}
