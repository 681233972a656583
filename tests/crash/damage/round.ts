/** The store of a round, opened again and again. */
import { MailError } from '../../../src/errors.ts';
import { checkStore } from '../../../src/store/check/store.ts';
import type { Finding } from '../../../src/store/check/finding.ts';
import { type TestFolders, TestStore } from '../../store/teststore.ts';
import { type Change, keepUp, make, type Upkeep } from './changes.ts';
import { observe } from './observe.ts';

/** How often something that was refused is tried again: what was found damaged had its turn to heal meanwhile. */
const TURNS = 4;

export class Round {
  t: TestStore | null = null;
  readonly wrong: string[] = [];
  /** What the log said in all openings. */
  readonly logged: string[] = [];

  constructor(readonly folders: TestFolders, readonly verifyFiles: boolean) {}

  check(): Finding[] {
    try {
      return checkStore(this.folders.settings, { users: [], deep: true }).findings
        .filter(({ severity }) => severity === 'damage');
    } catch (error) {
      this.wrong.push(`check failed: ${error instanceof Error ? error.stack : error}`);
      return [];
    }
  }

  start(): TestStore {
    this.t = new TestStore(this.folders, this.verifyFiles);
    return this.t;
  }

  /** What users see once everything that was found damaged on the way has had its turn to heal. */
  async settled(): Promise<Map<string, string[]>> {
    let seen = new Map<string, string[]>();
    for (let turn = 0; turn < TURNS; turn++) {
      const t = this.t ?? this.start();
      seen = await observe(t);
      await t.writer.idle();
      // directory.db is damaged: the process ends, its successor makes it anew.
      if (t.fatal !== null) this.stop();
      else if (![...seen.values()].flat().some((line) => line.includes('ERROR'))) break;
    }
    return seen;
  }

  /** Makes a change, again where it is refused for damage. Returns those parts of it that were acknowledged. */
  async change(change: Change): Promise<Change[]> {
    const made: Change[] = [];
    let left = change;
    for (let turn = 0; turn < TURNS; turn++) {
      const t = this.t ?? this.start();
      try {
        const done = await make(t, left);
        if (done !== null) made.push(done);
        if (left.op !== 'deliver') return made;
        const to = left.to.filter((userid) => done?.op !== 'deliver' || !done.to.includes(userid));
        if (to.length === 0) return made;
        left = { ...left, to };
      } catch (error) {
        if (!(error instanceof MailError)) {
          this.wrong.push(`${change.op}: unclear ${error instanceof Error ? error.stack : error}`);
        } else if (error.kind !== 'server' && !this.check().some(({ place }) => place === 'directory.db')) {
          // A name that a damaged directory.db does not find is said not to exist; check names the damage.
          this.wrong.push(`${change.op}: ${error.message}`);
        }
      }
      await t.writer.idle();
      if (t.fatal !== null) this.stop();
    }
    return made;
  }

  async upkeep(upkeep: Upkeep): Promise<void> {
    const t = this.t ?? this.start();
    if (upkeep === 'restart') return this.stop();
    await keepUp(t, upkeep);
    if (t.fatal !== null) this.stop();
  }

  stop(): void {
    this.logged.push(...this.t?.lines.lines.splice(0) ?? []);
    this.t?.abandon();
    this.t = null;
  }
}
