/**
 * The log: one logfmt line per event on standard error, which is the journal under systemd.
 *
 * Invariants:
 * 1. One event is one line. Values are escaped so that no byte of a user name, a mailbox name or a message
 *    can end the line, start another field, move a terminal's cursor or reverse its text.
 * 2. Logging never makes a system call per line: lines of one turn of the event loop leave together.
 * 3. Nothing that was logged is lost by a normal exit (`process.on('exit')`), and logging never throws.
 * 4. Memory is bounded: a standard error that takes nothing more costs lines, which are counted and reported.
 */

import { writeSync } from 'node:fs';

/** From the quietest to the most talkative, as the option `loglevel` names them. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level of that name; `info` for any other. */
export function logLevel(name: string): LogLevel {
  return LOG_LEVELS.find((level) => level === name) ?? 'info';
}

/** What a field can hold. `undefined` leaves the field out; an Error gives its message (and stack at debug). */
export type LogValue = string | number | bigint | boolean | null | undefined | Error;

export type LogFields = Readonly<Record<string, LogValue>>;

/** A logger with bound fields. `event` is a short constant sentence, everything that varies is a field. */
export interface Log {
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
  /** Whether a line of this level would be written: ask before collecting costly fields. */
  enabled(level: LogLevel): boolean;
  /** A logger that puts `fields` into each of its lines. */
  child(fields: LogFields): Log;
}

/** The root of all loggers of a process: its level can change while it runs (SIGHUP). */
export interface RootLog extends Log {
  setLevel(level: LogLevel): void;
  /** Writes everything that waits, now. */
  flush(): void;
}

export interface LogOptions {
  readonly level?: LogLevel;
  /** Lines for the journal: `<priority>` in front and no time, the journal has its own (sd-daemon(3)). */
  readonly journal?: boolean;
  /** Takes bytes and answers how many it took; default: standard error. */
  readonly write?: (bytes: Uint8Array) => number;
  /** The time for each line; default: now, UTC, milliseconds. */
  readonly now?: () => string;
  readonly fields?: LogFields;
}

/** syslog(3) priorities of the levels. */
const PRIORITY: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** Longest value written; more is cut with an ellipsis, so that a client cannot flood the log (RFC 2971 §3). */
const MAX_VALUE = 1024;

/** Bytes that may wait for a standard error that does not take them. */
const MAX_WAITING = 1024 * 1024;

/**
 * Most bytes of one write: what a pipe takes whole (PIPE_BUF, pipe(7)), so that the lines of several processes on one
 * standard error do not run into each other.
 */
const WHOLE = 4096;

/** Bytes after which a busy turn of the event loop writes without waiting for its end. */
const FLUSH_AT = 32 * 1024;

/**
 * Characters that force quotes, and inside them an escape: C0 and C1 controls (line ends, ESC, CSI), the line
 * and paragraph separators, the bidirectional controls, zero-width and tag characters, lone surrogates.
 */
const UNSAFE =
  /[\u0000-\u001f"\\\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff\u{e0000}-\u{e0fff}]/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'gu');
/** A value that can stand without quotes. */
const BARE = /^[A-Za-z0-9_.:/@+,%#*!?()[\]{}<>|~^$&;'-]+$/;

/** The text of a field's value: bare where it is harmless, else quoted and escaped (invariant 1). */
export function logfmtValue(value: LogValue): string {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return String(value);
  }
  if (value === null || value === undefined) return '-';
  let text = value instanceof Error ? value.message || value.name : value;
  if (text.length > MAX_VALUE) text = text.slice(0, MAX_VALUE) + '...';
  if (BARE.test(text)) return text;
  if (!UNSAFE.test(text)) return `"${text}"`;
  return `"${text.replace(UNSAFE_ALL, escapeOne)}"`;
}

function escapeOne(match: string): string {
  switch (match) {
    case '"':
      return '\\"';
    case '\\':
      return '\\\\';
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
  }
  const point = match.codePointAt(0) as number;
  return point > 0xffff
    ? `\\U${point.toString(16).padStart(8, '0')}`
    : `\\u${point.toString(16).padStart(4, '0')}`;
}

/** One line without its end: `time=... level=... msg=... key=value ...`, or `<n>level=...` for the journal. */
function formatLine(
  level: LogLevel,
  event: string,
  bound: string,
  fields: LogFields | undefined,
  now: string,
): string {
  let line = now === '' ? `<${PRIORITY[level]}>level=${level}` : `time=${now} level=${level}`;
  line += ` msg=${logfmtValue(event)}${bound}`;
  return fields === undefined ? line : line + formatFields(fields);
}

function formatFields(fields: LogFields): string {
  let text = '';
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    text += ` ${key}=${logfmtValue(value)}`;
  }
  return text;
}

/** The lines of a process on their way to one file descriptor (invariants 2 to 4). */
class LogSink {
  #lines: string[] = [];
  #size = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #lost = 0;
  #scheduled = false;
  readonly #write: (bytes: Uint8Array) => number;

  constructor(write: (bytes: Uint8Array) => number) {
    this.#write = write;
  }

  push(line: string): void {
    if (this.#size + this.#rest.length > MAX_WAITING) {
      this.#lost++;
      return;
    }
    this.#lines.push(line);
    this.#size += line.length + 1;
    if (this.#size >= FLUSH_AT) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
  }

  /** The next whole lines that fit into one write. */
  #whole(): Uint8Array {
    if (this.#rest.length <= WHOLE) return this.#rest;
    const end = this.#rest.lastIndexOf(10, WHOLE - 1);
    return this.#rest.subarray(0, end < 0 ? WHOLE : end + 1);
  }

  flush(): void {
    if (this.#lines.length > 0) {
      const bytes = Buffer.from(this.#lines.join('\n') + '\n');
      this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
      this.#lines = [];
      this.#size = 0;
    }
    while (this.#rest.length > 0) {
      let taken: number;
      try {
        taken = this.#write(this.#whole());
      } catch (thrown) {
        if ((thrown as { code?: string }).code === 'EAGAIN') {
          // A full pipe with a reader that is behind: try again a little later.
          if (!this.#scheduled) {
            this.#scheduled = true;
            setTimeout(() => {
              this.#scheduled = false;
              this.flush();
            }, 20);
          }
        } else {
          // Nobody can ever read it (EPIPE, EBADF): there is no better place to complain to.
          this.#rest = new Uint8Array(0);
        }
        return;
      }
      this.#rest = this.#rest.subarray(taken);
    }
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      this.push(`level=warn msg="log lines lost" count=${lost}`);
    }
  }
}

class Logger implements Log {
  protected readonly state: { rank: number };
  readonly #sink: LogSink;
  readonly #now: () => string;
  readonly #bound: string;

  constructor(state: { rank: number }, sink: LogSink, now: () => string, bound: string) {
    this.state = state;
    this.#sink = sink;
    this.#now = now;
    this.#bound = bound;
  }

  error(event: string, fields?: LogFields): void {
    this.#put('error', event, fields);
  }
  warn(event: string, fields?: LogFields): void {
    this.#put('warn', event, fields);
  }
  info(event: string, fields?: LogFields): void {
    this.#put('info', event, fields);
  }
  debug(event: string, fields?: LogFields): void {
    this.#put('debug', event, fields);
  }

  enabled(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) <= this.state.rank;
  }

  child(fields: LogFields): Log {
    return new Logger(this.state, this.#sink, this.#now, this.#bound + formatFields(fields));
  }

  #put(level: LogLevel, event: string, fields: LogFields | undefined): void {
    if (!this.enabled(level)) return;
    this.#sink.push(formatLine(level, event, this.#bound, fields, this.#now()));
    if (fields !== undefined && this.enabled('debug')) {
      for (const key in fields) {
        const value = fields[key];
        if (value instanceof Error && value.stack !== undefined) {
          this.#sink.push(formatLine('debug', 'stack', this.#bound, { [key]: value.stack }, this.#now()));
        }
      }
    }
  }
}

class Root extends Logger implements RootLog {
  readonly #flush: () => void;

  constructor(state: { rank: number }, sink: LogSink, now: () => string, bound: string) {
    super(state, sink, now, bound);
    this.#flush = () => sink.flush();
  }

  setLevel(level: LogLevel): void {
    this.state.rank = LOG_LEVELS.indexOf(level);
  }

  flush(): void {
    this.#flush();
  }
}

/** Whether standard error is the journal's stream: systemd then sets JOURNAL_STREAM (systemd.exec(5)). */
export function stderrIsJournal(): boolean {
  return Boolean(process.env['JOURNAL_STREAM']);
}

/** The root logger of a process. Without options: level info, standard error, journal form where it belongs. */
export function createLog(options: LogOptions = {}): RootLog {
  const journal = options.journal ?? stderrIsJournal();
  const now = journal ? () => '' : options.now ?? (() => new Date().toISOString());
  const sink = new LogSink(options.write ?? ((bytes) => writeSync(2, bytes)));
  const root = new Root(
    { rank: LOG_LEVELS.indexOf(options.level ?? 'info') },
    sink,
    now,
    options.fields === undefined ? '' : formatFields(options.fields),
  );
  if (options.write === undefined) process.on('exit', () => root.flush());
  return root;
}

/** A log that keeps nothing, for tests and for tools that print their own errors. */
export const silentLog: Log = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  enabled: () => false,
  child: () => silentLog,
};
