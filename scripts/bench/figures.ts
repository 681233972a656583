/** What is measured, in the order of the table. */

export interface Figure {
  readonly title: string;
  readonly unit: string;
  /** Whether a larger value is the better one. */
  readonly better: 'more' | 'less';
}

export const FIGURES = {
  lmtp1: { title: 'LMTP 4 KB, 1 session', unit: 'messages/s', better: 'more' },
  lmtp8: { title: 'LMTP 4 KB, 8 sessions', unit: 'messages/s', better: 'more' },
  lmtp32: { title: 'LMTP 4 KB, 32 sessions', unit: 'messages/s', better: 'more' },
  lmtp32kept: { title: 'LMTP 4 KB, 32 kept sessions', unit: 'messages/s', better: 'more' },
  deliveryCpu: { title: 'processor time of 1000 deliveries', unit: 's', better: 'less' },
  fetch: { title: 'FETCH flags, envelope, structure', unit: 'messages/s', better: 'more' },
  fetchCpu: { title: 'processor time of 100,000 fetched', unit: 's', better: 'less' },
  selectFirst: { title: 'SELECT large, first after start', unit: 'ms', better: 'less' },
  select: { title: 'SELECT large, new connection', unit: 'ms', better: 'less' },
  selectAgain: { title: 'SELECT large, same connection', unit: 'ms', better: 'less' },
  idle: { title: 'memory of an idle connection', unit: 'KB PSS', better: 'less' },
  base: { title: 'memory without connections', unit: 'KB PSS', better: 'less' },
  start: { title: 'start to greeting', unit: 'ms', better: 'less' },
  restart: { title: 'kill -9 to greeting', unit: 'ms', better: 'less' },
} satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;

/** All values measured for one server, figure by figure, one value per repetition. */
export type Measured = Partial<Record<FigureName, number[]>>;

/** How much work a run does. */
export interface Sizes {
  /** Repetitions of each figure; the median counts. */
  readonly repetitions: number;
  /** Deliveries with one session; several sessions deliver three times as many. */
  readonly deliveries: number;
  readonly fetched: number;
  readonly large: number;
  readonly idle: number;
}

export const FULL: Sizes = { repetitions: 5, deliveries: 1000, fetched: 10_000, large: 100_000, idle: 500 };
export const QUICK: Sizes = { repetitions: 1, deliveries: 200, fetched: 1000, large: 5000, idle: 50 };

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('median of nothing');
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
