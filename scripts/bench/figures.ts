/** What is measured, in the order of the table, with the goal that each figure has to reach. */

export interface Figure {
  readonly title: string;
  readonly unit: string;
  /** Whether a larger value is the better one. */
  readonly better: 'more' | 'less';
  readonly goal?: Goal;
}

/** How good mailstore wants to be: so many times better than a peer of the same run, or below a bound of its own. */
export interface Goal {
  readonly ratio?: number;
  /** The peer it is compared with; without it the best of all. */
  readonly peer?: string;
  readonly under?: number;
}

const more = (title: string, unit: string, goal?: Goal): Figure => figure(title, unit, 'more', goal);
const less = (title: string, unit: string, goal?: Goal): Figure => figure(title, unit, 'less', goal);

function figure(title: string, unit: string, better: Figure['better'], goal: Goal | undefined): Figure {
  return goal === undefined ? { title, unit, better } : { title, unit, better, goal };
}

const TUNED = 'dovecot-tuned';

export const FIGURES = {
  lmtp1: more('LMTP 4 KB, 1 session', 'messages/s', { ratio: 1.5 }),
  lmtp8: more('LMTP 4 KB, 8 sessions', 'messages/s', { ratio: 2 }),
  lmtp32: more('LMTP 4 KB, 32 sessions', 'messages/s', { ratio: 3 }),
  lmtp128: more('LMTP 4 KB, 128 sessions', 'messages/s'),
  lmtp32kept: more('LMTP 4 KB, 32 kept sessions', 'messages/s'),
  deliveryCpu: less('processor time of 1000 deliveries at 32', 's', { ratio: 2 }),
  mail1: more('LMTP real mail, 1 session', 'messages/s'),
  mail8: more('LMTP real mail, 8 sessions', 'messages/s'),
  mail32: more('LMTP real mail, 32 sessions', 'messages/s'),
  mail128: more('LMTP real mail, 128 sessions', 'messages/s'),
  many1: more('LMTP 20 recipients, 1 session', 'deliveries/s', { ratio: 5 }),
  many8: more('LMTP 20 recipients, 8 sessions', 'deliveries/s', { ratio: 5 }),
  sieve1: more('LMTP 4 KB, 60 Sieve rules, 1 session', 'messages/s', { ratio: 2 }),
  sieve8: more('LMTP 4 KB, 60 Sieve rules, 8 sessions', 'messages/s', { ratio: 2 }),
  sieve32: more('LMTP 4 KB, 60 Sieve rules, 32 sessions', 'messages/s', { ratio: 2 }),
  sieveCpu: less('processor time of 1000 of these at 32', 's', { ratio: 2 }),
  disk: less('disk per delivery with 20 recipients', 'bytes', { ratio: 1 }),
  append: more('APPEND of 1000', 'messages/s', { ratio: 2 }),
  multiappend: more('MULTIAPPEND of 1000', 'messages/s', { ratio: 3 }),
  fetchFirst: more('FETCH envelope, structure: first time', 'messages/s', { ratio: 2.5 }),
  fetchCold: more('FETCH envelope, structure: after start', 'messages/s', { ratio: 2.5 }),
  fetch: more('FETCH envelope, structure: warm', 'messages/s', { ratio: 2.5 }),
  bodies: more('FETCH bodies', 'MB/s', { ratio: 1 }),
  fetchOne: less('FETCH of one body', 'ms'),
  storeAnswered: less('STORE on 10,000, answered', 'ms', { ratio: 1, peer: TUNED }),
  storeSilent: less('STORE on 10,000, silent', 'ms', { ratio: 1, peer: TUNED }),
  storeOne: less('STORE on one', 'ms'),
  copy: less('COPY of 10,000', 'ms', { ratio: 10 }),
  move: less('MOVE of 10,000', 'ms', { ratio: 10 }),
  expunge: less('EXPUNGE of 10,000', 'ms', { ratio: 3 }),
  searchText: less('SEARCH TEXT over 10,000, not indexed', 'ms', { ratio: 2 }),
  searchHeader: less('SEARCH SUBJECT over 10,000', 'ms'),
  searchFlags: less('SEARCH UNSEEN SINCE over 10,000', 'ms'),
  sort: less('SORT DATE of 10,000', 'ms', { ratio: 1 }),
  thread: less('THREAD REFERENCES of 10,000', 'ms', { ratio: 1 }),
  selectCold: less('SELECT 100,000, first after start', 'ms', { ratio: 1 }),
  select: less('SELECT 100,000, new connection', 'ms', { ratio: 1 }),
  selectAgain: less('SELECT 100,000, same connection', 'ms', { ratio: 1 }),
  status: less('STATUS of 100,000', 'ms', { ratio: 1 }),
  list: less('LIST of 500 mailboxes', 'ms'),
  logins: more('connect, LOGIN, LOGOUT; 8 at a time', 'logins/s', { ratio: 1 }),
  popListing: less('POP3 login, LIST, UIDL of 10,000', 'ms', { ratio: 1 }),
  popOne: less('POP3 RETR of one', 'ms', { ratio: 1 }),
  popMany: more('POP3 RETR, pipelined', 'messages/s', { ratio: 1 }),
  idleMedian: less('delivery to EXISTS in IDLE, p50', 'ms', { ratio: 1 }),
  idleSlow: less('delivery to EXISTS in IDLE, p99', 'ms', { ratio: 1 }),
  fanout: less('delivery to EXISTS in 100 sessions', 'ms'),
  mix: more('imaptest, 50 clients', 'commands/s', { ratio: 1.2, peer: TUNED }),
  base: less('memory without connections', 'KB PSS'),
  users: less('memory with 100 users in IDLE', 'KB PSS', { under: 150 * 1024 }),
  idle: less('an idle connection, of 2,000', 'KB PSS', { under: 10 }),
  idleTls: less('an idle TLS connection, of 2,000', 'KB PSS', { under: 25 }),
  idleMany: less('an idle connection, of 10,000', 'KB PSS', { under: 10 }),
  idleManyTls: less('an idle TLS connection, of 10,000', 'KB PSS', { under: 25 }),
  start: less('start to greeting', 'ms'),
  restart: less('kill -9 to greeting', 'ms', { ratio: 1 }),
  restartSelect: less('kill -9 to first SELECT', 'ms', { ratio: 1 }),
  restartLog: less('kill -9 to first SELECT, 1 GB of log', 'ms', { under: 1000 }),
} satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;

/** Everything measured of one figure at one server, one entry per repetition. */
export interface Measurement {
  readonly values: number[];
  /** Processor time of the server's whole process tree per operation, microseconds. */
  readonly cpu: number[];
  /** Share of one processor that the client took meanwhile: near 1 it was the bottleneck. */
  readonly client: number[];
}

export type Measured = Partial<Record<FigureName, Measurement>>;

/** What a server asked of the disk, per operation. */
export interface Synced {
  /** Calls by name: fsync, fdatasync … */
  readonly syncs: Readonly<Record<string, number>>;
  /** Bytes written to files. */
  readonly written: number;
}

/** How much work a run does. */
export interface Sizes {
  /** Rounds over all servers; the median counts. */
  readonly repetitions: number;
  /** Deliveries with one session; several sessions deliver three times as many. */
  readonly deliveries: number;
  /** Messages of the mailbox that is read, marked, copied, searched. */
  readonly fetched: number;
  /** Messages of the mailbox that is selected. */
  readonly large: number;
  /** Messages of one APPEND run. */
  readonly appended: number;
  /** Rounds of an operation that takes about a millisecond. */
  readonly rounds: number;
  readonly mailboxes: number;
  readonly logins: number;
  /** Deliveries that are waited for in IDLE. */
  readonly notified: number;
  /** Idle connections: of every server, and of mailstore beyond that. */
  readonly idle: number;
  readonly idleMany: number;
  readonly mixSeconds: number;
  /** Bytes of log not yet behind a checkpoint that mailstore recovers from. */
  readonly logBytes: number;
}

export const FULL: Sizes = {
  repetitions: 1,
  deliveries: 600,
  fetched: 10_000,
  large: 100_000,
  appended: 1000,
  rounds: 200,
  mailboxes: 500,
  logins: 800,
  notified: 30,
  idle: 2000,
  idleMany: 10_000,
  mixSeconds: 8,
  logBytes: 1e9,
};

export const QUICK: Sizes = {
  repetitions: 1,
  deliveries: 100,
  fetched: 1000,
  large: 5000,
  appended: 200,
  rounds: 20,
  mailboxes: 50,
  logins: 80,
  notified: 5,
  idle: 50,
  idleMany: 100,
  mixSeconds: 2,
  logBytes: 30e6,
};

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The value that `percent` of the values do not exceed, between two values by their mean. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * percent / 100;
  const lower = sorted[Math.floor(place)];
  const upper = sorted[Math.ceil(place)];
  if (lower === undefined || upper === undefined) throw new Error('percentile of nothing');
  return lower + (upper - lower) * (place - Math.floor(place));
}
