/**
 * Measures mail stores side by side in one run: mailstore and, where they are installed, Debian's Cyrus and Dovecot,
 * each with its own configuration, data and ports, in its default durability. All of them run; every workload goes
 * over all of them before the next one begins, so that a machine that changes its mind is the same for each.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { FULL, QUICK, type Sizes } from './figures.ts';
import { Bench, withServers } from './bench.ts';
import { GROWTH, growthOfMailbox, growthOfUsers, growthUsers, QUICK_GROWTH, renderCurves } from './growth.ts';
import { cyrus } from './servers/cyrus.ts';
import { dovecot, dovecotTuned } from './servers/dovecot.ts';
import { mailstore } from './servers/mailstore.ts';
import type { ServerKind } from './servers/server.ts';
import { renderTable, type ServerResult } from './table.ts';
import { WORKLOADS } from './workloads.ts';

const SERVERS: readonly ServerKind[] = [mailstore, cyrus, dovecot, dovecotTuned];

const HELP = `usage: scripts/bench/run [OPTION]...
       scripts/bench/run --show FILE...

  --servers LIST   of ${SERVERS.map((server) => server.name).join(', ')} (default: all that are installed)
  --only LIST      of ${WORKLOADS.map((workload) => workload.name).join(', ')}
                   (default: all)
  --repetitions N  rounds over all servers; the median is shown (default ${FULL.repetitions})
  --quick          small and short, to see that everything runs
  --json           print all values as JSON instead of the table
  --save FILE      keep all values as JSON there, too, after every workload
  --show           print the table of files that --save has written; later ones add to earlier ones
  --growth         instead of all that: the cost of operations at 1k to 1M messages and 1k to 100k users, of mailstore
                   unless --servers names others; an hour and 60 GB of disk, --quick shows that it runs
  --dir DIR        where the stores lie during the run (default: a new folder below ${tmpdir()})
  --install        install Debian's Cyrus and Dovecot side by side, and what else the workloads need, and end

mailstore is dist/mailstore, or what MAILSTORE_BIN names; IMAPTEST names imaptest where it is not in PATH. What each
workload does, and what each server syncs, stands in scripts/bench/README.md.
`;

interface Saved {
  readonly processors: number;
  readonly sizes: Sizes;
  readonly results: readonly ServerResult[];
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    servers: { type: 'string' },
    only: { type: 'string' },
    repetitions: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'string' },
    show: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    dir: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(HELP);
} else if (options.show) {
  console.log(
    renderTable(joined(positionals.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Saved))),
  );
} else if (options.growth) {
  await measureGrowth();
} else {
  await measure();
}

async function measureGrowth(): Promise<void> {
  const sizes = options.quick ? QUICK_GROWTH : GROWTH;
  const kinds = options.servers === undefined ? [mailstore] : installed();
  const results = await withServers(kinds, options.dir ?? tmpdir(), growthUsers(), async (servers) => {
    const all = [];
    for (const server of servers) {
      const mailbox = await growthOfMailbox(server, sizes);
      console.log(renderCurves(`${server.name}, messages in the mailbox:`, mailbox));
      const users = await growthOfUsers(server, sizes);
      console.log(`\n${renderCurves(`${server.name}, users with mail:`, users)}`);
      all.push({ name: server.name, mailbox, users });
    }
    return all;
  });
  const json = JSON.stringify({ processors: cpus().length, sizes, results }, undefined, 2);
  if (options.save !== undefined) writeFileSync(options.save, `${json}\n`);
  if (options.json) console.log(json);
}

async function measure(): Promise<void> {
  const preset = options.quick ? QUICK : FULL;
  const sizes: Sizes = { ...preset, repetitions: Number(options.repetitions ?? preset.repetitions) };
  const workloads = chosen('--only', options.only, WORKLOADS);
  const bench = new Bench(installed(), workloads, sizes, options.dir ?? tmpdir());
  const json = (results: readonly ServerResult[]): string => {
    const saved: Saved = { processors: cpus().length, sizes, results };
    return JSON.stringify(saved, undefined, 2);
  };
  const results = await bench.run((soFar) => {
    if (options.save !== undefined) writeFileSync(options.save, `${json(soFar)}\n`);
  });
  console.log(options.json ? json(results) : renderTable(results));
}

function installed(): ServerKind[] {
  return chosen('--servers', options.servers, SERVERS).filter((kind) => {
    if (kind.version() !== undefined) return true;
    if (options.servers !== undefined) throw new Error(`${kind.name} is not installed`);
    console.error(`${kind.name}: not installed, left out`);
    return false;
  });
}

/** The items that a list of names on the command line names, or all. */
function chosen<Item extends { readonly name: string }>(
  option: string,
  list: string | undefined,
  all: readonly Item[],
): readonly Item[] {
  const wanted = list?.split(',');
  const unknown = wanted?.find((name) => all.every((item) => item.name !== name));
  if (unknown !== undefined) throw new Error(`${option}: there is no ${unknown}`);
  return wanted === undefined ? all : all.filter((item) => wanted.includes(item.name));
}

/** Results of several runs as if they were one. */
function joined(runs: readonly Saved[]): ServerResult[] {
  const all = new Map<string, ServerResult>();
  for (const { name, version, measured, synced } of runs.flatMap((run) => run.results)) {
    const before = all.get(name);
    all.set(name, {
      name,
      version,
      measured: { ...before?.measured, ...measured },
      synced: { ...before?.synced, ...synced },
    });
  }
  return SERVERS.flatMap(({ name }) => all.get(name) ?? []);
}
