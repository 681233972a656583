/**
 * Measures mail stores side by side in one run: mailstore and, where they are installed, Debian's Cyrus and
 * Dovecot, each with its own configuration, data and ports, in its default durability.
 */

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts } from '../../tests/harness/ports.ts';
import { FULL, type Measured, QUICK, type Sizes } from './figures.ts';
import { cyrus } from './servers/cyrus.ts';
import { dovecot } from './servers/dovecot.ts';
import { mailstore } from './servers/mailstore.ts';
import { RunningServer, type ServerKind } from './servers/server.ts';
import { renderTable, type ServerResult } from './table.ts';
import { deliveryUsers, measureDelivery } from './workloads/delivery.ts';
import { fillMailboxes, measureFetch, measureSelect, READER } from './workloads/mailbox.ts';
import { idleUsers, measureIdle, measureStarts } from './workloads/process.ts';

const SERVERS: readonly ServerKind[] = [mailstore, cyrus, dovecot];
const PARTS = ['delivery', 'mailbox', 'idle', 'start'] as const;

const HELP =
  `usage: scripts/bench/run [--servers LIST] [--only LIST] [--repetitions N] [--quick] [--json] [--dir DIR]

  --servers LIST   of ${SERVERS.map((server) => server.name).join(', ')} (default: all that are installed)
  --only LIST      of ${PARTS.join(', ')} (default: all)
  --repetitions N  values per figure; the median is shown (default ${FULL.repetitions})
  --quick          small and short, to see that everything runs
  --json           print all values as JSON
  --dir DIR        where the stores lie during the run (default: a new folder below ${tmpdir()})

mailstore is dist/mailstore, or what MAILSTORE_BIN names. smtp-source comes with Debian's postfix. Debian's cyrus-imapd and
dovecot-imapd exclude each other; for both at once install dovecot-imapd, dovecot-lmtpd and cyrus-common, and unpack the
rest: apt-get download cyrus-imapd && dpkg -x cyrus-imapd_*.deb DIR && cp DIR/usr/lib/cyrus/bin/* /usr/lib/cyrus/bin/
`;

const { values: options } = parseArgs({
  options: {
    servers: { type: 'string' },
    only: { type: 'string' },
    repetitions: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    dir: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const preset = options.quick ? QUICK : FULL;
const sizes: Sizes = { ...preset, repetitions: Number(options.repetitions ?? preset.repetitions) };
const wantedServers = options.servers?.split(',');
const wantedParts = options.only?.split(',') ?? [...PARTS];
const results: ServerResult[] = [];

for (const kind of SERVERS) {
  if (wantedServers !== undefined && !wantedServers.includes(kind.name)) continue;
  const version = kind.version();
  if (version === undefined) {
    if (wantedServers !== undefined) throw new Error(`${kind.name} is not installed`);
    progress(`${kind.name}: not installed, left out`);
    continue;
  }
  results.push({ name: kind.name, version, measured: await measure(kind) });
}

if (options.json) console.log(JSON.stringify({ processors: cpus().length, sizes, results }, undefined, 2));
else console.log(renderTable(results));

/** Everything about one server, which is gone with its data afterwards. */
async function measure(kind: ServerKind): Promise<Measured> {
  const parent = options.dir ?? tmpdir();
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, `bench-${kind.name}-`));
  chmodSync(dir, 0o755); // servers that change to their own user must get through
  const [imap = 0] = await freePorts(1);
  const ports = { imap };
  const users = [READER, ...deliveryUsers(sizes), ...idleUsers(sizes)];
  const server = new RunningServer(kind.name, dir, ports, await kind.prepare(dir, ports, users));
  const measured: Measured = {};
  const part = async (name: string, run: () => Promise<void>): Promise<void> => {
    if (!wantedParts.includes(name)) return;
    const begun = performance.now();
    await run();
    progress(`${kind.name}: ${name} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  };
  try {
    await server.start();
    await part('delivery', () => measureDelivery(server, sizes, measured));
    await part('mailbox', async () => {
      await fillMailboxes(server, sizes);
      await measureFetch(server, sizes, measured);
      await measureSelect(server, sizes, measured);
    });
    await part('idle', () => measureIdle(server, sizes, measured));
    await part('start', () => measureStarts(server, sizes, measured));
  } finally {
    await server.dispose();
    rmSync(dir, { recursive: true, force: true });
  }
  return measured;
}

function progress(text: string): void {
  console.error(text);
}
