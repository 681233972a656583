/** Dovecot's imaptest with its standard mix of commands, where it is at hand: IMAPTEST or PATH. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleMessage } from '../message.ts';
import { PASSWORD } from '../servers/server.ts';
import { addClientSeconds, costOf, type Workload } from '../workload.ts';
import { makeInbox } from './delivery.ts';

const PROGRAM = process.env['IMAPTEST'] ?? 'imaptest';
const CLIENTS = 50;
/** Different messages that are appended. */
const MESSAGES = 200;

const names = Array.from({ length: CLIENTS }, (_, index) => `imaptest${index + 1}`);

export const mix: Workload = {
  name: 'imaptest',
  users: () => names,

  async prepare(server) {
    for (const name of names) await makeInbox(server, name);
    writeFileSync(join(server.dir, 'imaptest.mbox'), mbox());
  },

  async run(server, sizes, take) {
    if (Bun.which(PROGRAM) === null) {
      console.error('imaptest is not at hand: its mix is left out');
      return;
    }
    let commands = 0;
    const cost = await costOf(server, async () => {
      const child = Bun.spawn([
        PROGRAM,
        'host=127.0.0.1',
        `port=${server.ports.imap}`,
        'user=imaptest%d',
        `users=1-${CLIENTS}`,
        `pass=${PASSWORD}`,
        `mbox=${join(server.dir, 'imaptest.mbox')}`,
        `clients=${CLIENTS}`,
        `secs=${sizes.mixSeconds}`,
        'seed=1',
      ], { stdout: 'pipe', stderr: 'pipe' });
      const [output, complaint] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      const code = await child.exited;
      addClientSeconds(Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6);
      commands = commandsOf(output);
      if (commands === 0) {
        console.error(`${server.name}: imaptest ended with ${code}, left out: ${complaint.slice(-1000)}`);
      }
    });
    if (commands > 0) take.value('mix', commands / sizes.mixSeconds, commands, cost);
  },
};

/** The numbers below `Totals:`, one per command; 0 when imaptest did not come so far. */
function commandsOf(output: string): number {
  const totals = output.slice(output.lastIndexOf('Totals:')).split('\n');
  const line = totals.slice(1).find((text) => /^\s*(\d+\s+)+\d*\s*$/.test(text));
  if (line === undefined) return 0;
  return line.trim().split(/\s+/).reduce((total, number) => total + Number(number), 0);
}

function mbox(): string {
  return Array.from({ length: MESSAGES }, (_, index) => {
    const text = sampleMessage(index).toString('utf8').replaceAll('\r\n', '\n');
    return `From sender@example.net Thu Jan  1 10:00:00 2026\n${text}\n`;
  }).join('');
}
