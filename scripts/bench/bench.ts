/** One run: sets the servers up, takes every workload over all of them, and leaves nothing behind. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../tests/harness/ports.ts';
import type { Measured, Sizes, Synced } from './figures.ts';
import { type Certificate, RunningServer, type ServerKind } from './servers/server.ts';
import type { ServerResult } from './table.ts';
import { Taker, type Workload } from './workload.ts';
import { fillMailboxes } from './workloads/fill.ts';

interface Contestant {
  readonly kind: ServerKind;
  readonly server: RunningServer;
  readonly measured: Measured;
  readonly synced: Record<string, Synced>;
  filled: boolean;
}

export class Bench {
  readonly #kinds: readonly ServerKind[];
  readonly #workloads: readonly Workload[];
  readonly #sizes: Sizes;
  readonly #parent: string;

  constructor(kinds: readonly ServerKind[], workloads: readonly Workload[], sizes: Sizes, parent: string) {
    this.#kinds = kinds;
    this.#workloads = workloads;
    this.#sizes = sizes;
    this.#parent = parent;
  }

  async run(): Promise<ServerResult[]> {
    mkdirSync(this.#parent, { recursive: true });
    const dir = mkdtempSync(join(this.#parent, 'mailstore-bench-'));
    chmodSync(dir, 0o755); // servers that change to their own user must get through
    const contestants: Contestant[] = [];
    try {
      const certificate = makeCertificate(dir);
      for (const kind of this.#kinds) contestants.push(await this.#setUp(kind, dir, certificate));
      for (const workload of this.#workloads) await this.#take(workload, contestants);
    } finally {
      for (const { server } of contestants) await server.dispose();
      rmSync(dir, { recursive: true, force: true });
    }
    return contestants.map(({ kind, measured, synced }) => ({
      name: kind.name,
      version: kind.version() ?? '',
      measured,
      synced,
    }));
  }

  async #setUp(kind: ServerKind, parent: string, certificate: Certificate): Promise<Contestant> {
    const dir = join(parent, kind.name);
    mkdirSync(dir);
    const [imap = 0, imaps = 0] = await freePorts(2);
    const ports = { imap, imaps };
    const users = [...new Set(this.#workloads.flatMap((workload) => workload.users(this.#sizes)))];
    const setup = await kind.prepare(dir, ports, certificate, users);
    const server = new RunningServer(kind, dir, ports, setup);
    await server.start();
    return { kind, server, measured: {}, synced: {}, filled: false };
  }

  async #take(workload: Workload, all: readonly Contestant[]): Promise<void> {
    const contestants = all.filter(({ kind }) => !workload.own || kind.name === 'mailstore');
    for (const contestant of contestants) {
      const begun = performance.now();
      if (workload.filled && !contestant.filled) {
        await fillMailboxes(contestant.server, this.#sizes);
        contestant.filled = true;
      }
      await workload.prepare?.(contestant.server, this.#sizes);
      progress(contestant.kind, `${workload.name}: prepared`, begun);
    }
    for (let round = 0; round < this.#sizes.repetitions; round++) {
      for (const contestant of contestants) {
        const begun = performance.now();
        await workload.run(contestant.server, this.#sizes, new Taker(contestant.measured, contestant.synced));
        progress(contestant.kind, workload.name, begun);
      }
    }
  }
}

function progress(kind: ServerKind, what: string, begun: number): void {
  console.error(`${kind.name}: ${what} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}

function makeCertificate(dir: string): Certificate {
  const certificate = { file: join(dir, 'server.pem'), key: join(dir, 'server.key') };
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost'
      .split(' ');
  const made = spawnSync('openssl', [...args, '-keyout', certificate.key, '-out', certificate.file], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  chmodSync(certificate.key, 0o644); // of this run alone, and read by servers under users of their own
  return certificate;
}
