/** A piece of work that every server gets in turn, and how its cost is taken. */

import type { FigureName, Measured, Sizes, Synced } from './figures.ts';
import type { RunningServer } from './servers/server.ts';
import { processorSeconds } from '../../tests/harness/processes.ts';

export interface Workload {
  /** What --only calls it. */
  readonly name: string;
  /** Whether it works on the mailboxes of `fill.ts`. */
  readonly filled?: boolean;
  /** Whether only mailstore does it. */
  readonly own?: boolean;
  /** Users it logs in as or delivers to. */
  users(sizes: Sizes): readonly string[];
  /** What is not measured: mailboxes made, caches warmed. Once per server, before the first repetition. */
  prepare?(server: RunningServer, sizes: Sizes): Promise<void>;
  /** One repetition. */
  run(server: RunningServer, sizes: Sizes, take: Taker): Promise<void>;
}

/** What a piece of work cost. */
export interface Cost {
  readonly seconds: number;
  /** Processor seconds of the server's process tree. */
  readonly server: number;
  /** Processor seconds of this client with the programs it ran. */
  readonly client: number;
}

/** Does the work and says what it cost. The server must be the same process before and after. */
export async function costOf(server: RunningServer, work: () => Promise<void>): Promise<Cost> {
  const serverBefore = processorSeconds(server.pid);
  const clientBefore = clientSeconds();
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const client = clientSeconds() - clientBefore;
  return { seconds, server: processorSeconds(server.pid) - serverBefore, client };
}

/** Own time and that of children that have ended (not of the servers: those still run). */
function clientSeconds(): number {
  const own = process.cpuUsage();
  return (own.user + own.system) / 1e6 + endedChildren();
}

let ended = 0;

/** Processor seconds of a program that the client ran, from its own account. */
export function addClientSeconds(seconds: number): void {
  ended += seconds;
}

function endedChildren(): number {
  return ended;
}

/** Takes figures of one server. */
export class Taker {
  readonly measured: Measured;
  /** By operation. */
  readonly synced: Record<string, Synced>;

  constructor(measured: Measured, synced: Record<string, Synced>) {
    this.measured = measured;
    this.synced = synced;
  }

  /** Operations per second. */
  rate(figure: FigureName, operations: number, cost: Cost): void {
    this.value(figure, operations / cost.seconds, operations, cost);
  }

  /** Milliseconds of one of `rounds`, each of so many operations (for the processor time of one). */
  time(figure: FigureName, rounds: number, cost: Cost, operations = 1): void {
    this.value(figure, cost.seconds * 1000 / rounds, rounds * operations, cost);
  }

  /** A figure of another kind, with the cost of what made it where that says something. */
  value(figure: FigureName, value: number, operations = 0, cost?: Cost): void {
    const entry = this.measured[figure] ??= { values: [], cpu: [], client: [] };
    entry.values.push(value);
    if (cost === undefined) return;
    entry.cpu.push(cost.server / operations * 1e6);
    entry.client.push(cost.client / cost.seconds);
  }
}
