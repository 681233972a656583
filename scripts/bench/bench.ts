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
  readonly server: RunningServer;
  readonly measured: Measured;
  readonly synced: Record<string, Synced>;
  filled: boolean;
}

/** Starts the servers in a new folder below `parent`, does the work, and leaves nothing behind. */
export async function withServers<Result>(
  kinds: readonly ServerKind[],
  parent: string,
  users: readonly string[],
  work: (servers: readonly RunningServer[]) => Promise<Result>,
): Promise<Result> {
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, 'mailstore-bench-'));
  chmodSync(dir, 0o755); // servers that change to their own user must get through
  const servers: RunningServer[] = [];
  const interrupted = (): void => void cleared(servers, dir).then(() => process.exit(1));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const certificate = makeCertificate(dir);
    for (const kind of kinds) await setUp(kind, dir, certificate, users, servers);
    return await work(servers);
  } finally {
    for (const server of servers) await server.dispose();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What a run that is ended from outside leaves behind: nothing. */
async function cleared(servers: readonly RunningServer[], dir: string): Promise<void> {
  for (const server of servers) await server.dispose('kill');
  rmSync(dir, { recursive: true, force: true });
}

/** Adds a server that greets. */
async function setUp(
  kind: ServerKind,
  parent: string,
  certificate: Certificate,
  users: readonly string[],
  servers: RunningServer[],
): Promise<void> {
  const dir = join(parent, kind.name);
  mkdirSync(dir);
  const [imap = 0, imaps = 0, pop3 = 0] = await freePorts(3);
  const ports = { imap, imaps, pop3 };
  const server = new RunningServer(kind, dir, ports, await kind.prepare(dir, ports, certificate, users));
  servers.push(server);
  await server.start();
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

  /** Runs all workloads; `keep` gets what there is after each of them, so that a run that is ended was not for nothing. */
  async run(keep: (results: readonly ServerResult[]) => void): Promise<readonly ServerResult[]> {
    const users = [...new Set(this.#workloads.flatMap((workload) => workload.users(this.#sizes)))];
    return await withServers(this.#kinds, this.#parent, users, async (servers) => {
      const contestants = servers.map((server): Contestant => ({
        server,
        measured: {},
        synced: {},
        filled: false,
      }));
      // The figures grow in place.
      const results = contestants.map(({ server, measured, synced }): ServerResult => ({
        name: server.name,
        version: server.version,
        measured,
        synced,
      }));
      for (const workload of this.#workloads) {
        await this.#take(workload, contestants);
        keep(results);
      }
      return results;
    });
  }

  async #take(workload: Workload, all: readonly Contestant[]): Promise<void> {
    const contestants = all.filter(({ server }) => !workload.own || server.name === 'mailstore');
    for (const contestant of contestants) {
      const begun = performance.now();
      if (workload.filled && !contestant.filled) {
        await fillMailboxes(contestant.server, this.#sizes);
        contestant.filled = true;
      }
      await workload.prepare?.(contestant.server, this.#sizes);
      progress(contestant.server, `${workload.name}: prepared`, begun);
    }
    for (let round = 0; round < this.#sizes.repetitions; round++) {
      for (const contestant of contestants) {
        const begun = performance.now();
        await workload.run(contestant.server, this.#sizes, new Taker(contestant.measured, contestant.synced));
        progress(contestant.server, workload.name, begun);
      }
    }
  }
}

function progress(server: RunningServer, what: string, begun: number): void {
  console.error(`${server.name}: ${what} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
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
