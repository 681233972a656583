import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ConfigError, type Finding } from '../../src/config/finding.ts';

/** A folder of its own for one test file; `write` answers the path of the file. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'mailstore-config-'));

  write(name: string, content: string | Uint8Array, mode = 0o640): string {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
    return file;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** What a configuration is refused for; fails the test when it is not. */
export function findingsOf(run: () => unknown): readonly Finding[] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.findings;
    throw thrown;
  }
  throw new Error('the configuration was taken');
}
