/**
 * Reading what `strace -f -yy -xx` wrote: every system call of every process, in the order in which the kernel was asked.
 *
 * All strings and paths stand there in hex, so no quoting has to be understood. A call that another process interrupts in the
 * trace comes in two lines; it took effect at some moment between them, so both line numbers are kept.
 */

/** The calls that change a file system, make it durable, or answer a client. */
export const TRACED_CALLS = [
  'open',
  'openat',
  'creat',
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'pwritev2',
  'truncate',
  'ftruncate',
  'fallocate',
  'copy_file_range',
  'sendfile',
  'ioctl',
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'symlink',
  'symlinkat',
  'unlink',
  'unlinkat',
  'mkdir',
  'mkdirat',
  'rmdir',
  'fsync',
  'fdatasync',
  'sync',
  'syncfs',
  'sync_file_range',
  'msync',
  'sendto',
  'sendmsg',
  'io_uring_setup',
] as const;

/** The command line that records: everything behind it is traced into `file`. */
export function straceCommand(file: string): string[] {
  const calls = `trace=${TRACED_CALLS.join(',')}`;
  return ['strace', '-f', '-yy', '-xx', '-s', '16777216', '--seccomp-bpf', '-qq', '-e', calls, '-o', file];
}

/** One system call. */
export interface Call {
  readonly pid: number;
  readonly name: string;
  /** Arguments as strace writes them. */
  readonly args: string;
  /** What it returned; -1 for an error; null where the process was killed before the call came back. */
  readonly result: number | null;
  /** Path of the descriptor it returned, '' where it returned none. */
  readonly resultPath: string;
  /** Line on which it began, and on which it had ended. */
  readonly begun: number;
  readonly ended: number;
}

const UNFINISHED = ' <unfinished ...>';

/** The calls of a trace in the order of their ends. */
export function* parseTrace(bytes: Buffer): IterableIterator<Call> {
  const open = new Map<number, { begun: number; text: string }>();
  let line = 0;
  for (let at = 0; at < bytes.length; line++) {
    const newline = bytes.indexOf(10, at);
    const end = newline === -1 ? bytes.length : newline;
    const text = bytes.toString('latin1', at, end);
    at = end + 1;
    const space = text.indexOf(' ');
    const pid = Number(text.slice(0, space));
    const rest = text.slice(space + 1).trimStart();
    // Signals, ends, and a thread that strace let go of before it knew what it was about.
    if (/^(---|\+\+\+|\?\?\?)/.test(rest)) continue;
    if (rest.endsWith(UNFINISHED)) {
      open.set(pid, { begun: line, text: rest.slice(0, -UNFINISHED.length) });
      continue;
    }
    const resumed = /^<\.\.\. \S+ resumed>/.exec(rest);
    if (resumed === null) {
      yield callOf(pid, rest, line, line);
      continue;
    }
    // Of a process that was killed, strace may not know the call any more (`???`).
    const first = open.get(pid);
    open.delete(pid);
    // What was under way when the process ended may not have had a first line of ours.
    if (first !== undefined) yield callOf(pid, first.text + rest.slice(resumed[0].length), first.begun, line);
  }
}

function callOf(pid: number, text: string, begun: number, ended: number): Call {
  const paren = text.indexOf('(');
  const equals = text.lastIndexOf(' = ');
  if (paren === -1 || equals === -1) throw new Error(`trace line ${ended}: ${text.slice(0, 200)}`);
  const close = text.lastIndexOf(')', equals);
  const outcome = text.slice(equals + 3);
  const value = /^-?\d+/.exec(outcome)?.[0];
  return {
    pid,
    name: text.slice(0, paren),
    args: text.slice(paren + 1, close),
    result: value === undefined ? null : Number(value),
    resultPath: pathOfDescriptor(outcome),
    begun,
    ended,
  };
}

/** The text of strace's hex form. */
function unhex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}

/** The strings among the arguments, in order. */
export function stringsOf(args: string): Buffer[] {
  const out: Buffer[] = [];
  for (let at = args.indexOf('"'); at !== -1;) {
    const end = args.indexOf('"', at + 1);
    if (args.startsWith('...', end + 1)) throw new Error('a string of the trace is cut off');
    out.push(unhex(args.slice(at + 1, end)));
    at = args.indexOf('"', end + 1);
  }
  return out;
}

/** The path (or socket) of the first descriptor in a text: `5<...>`; '' where there is none. */
export function pathOfDescriptor(text: string): string {
  const match = /^(?:-?\d+|AT_FDCWD)<([A-Za-z]\w*:\[.*?\]|[^>]*)>/.exec(text);
  const inside = match?.[1] ?? '';
  return inside.startsWith('\\x') ? unhex(inside).toString('latin1') : inside;
}

/** The arguments behind the last string or bracket, as numbers: sizes and offsets. */
export function trailingNumbers(args: string): number[] {
  const end = Math.max(args.lastIndexOf('"'), args.lastIndexOf(']'), args.lastIndexOf('>'));
  return args.slice(end + 1).split(',').map((part) => part.trim()).filter((part) => /^-?\d+$/.test(part))
    .map(Number);
}
