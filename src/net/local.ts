/**
 * Streams between processes of this server, over a unix socket: both ends are ours, so that nothing is limited but by who
 * writes. A node socket would do the same with a dozen objects per stream and microseconds per message.
 */

import type { SocketHandler } from 'bun';
import { raise } from './handlers.ts';
import { Output } from './output.ts';
import { listenRaw, type RawHandlers, type RawListener, type RawSocket } from './rawsocket.ts';

/** What is told of a stream. */
export interface LocalHandlers {
  /** The buffer is the callee's. */
  data(bytes: Buffer): void;
  /** Once, when it is closed by whomever. */
  close(): void;
}

/** One end of a stream. */
export class LocalStream {
  readonly #socket: RawSocket<LocalStream>;
  readonly #output: Output;
  #handlers: LocalHandlers | undefined;
  #ending = false;
  #closed = false;

  /** Ends come from `listenLocal` and `connectLocal`. */
  constructor(socket: RawSocket<LocalStream>) {
    this.#socket = socket;
    this.#output = new Output({ take: (bytes) => this.#take(bytes) });
  }

  /** Whom to tell; to be set before the turn ends in which the stream came. */
  set handlers(handlers: LocalHandlers) {
    this.#handlers = handlers;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Queues bytes; what is written in one turn leaves together. */
  write(bytes: Uint8Array): void {
    if (!this.#closed && !this.#ending) this.#output.push(bytes);
  }

  /** Says that nothing follows once everything written has left; the other end closes then. */
  end(): void {
    this.#ending = true;
    this.#output.flush();
    this.#endWhenEmpty();
  }

  /** Closes at once. */
  destroy(): void {
    if (!this.#closed) this.#socket.close();
  }

  #take(bytes: Uint8Array): number {
    const taken = this.#socket.write(bytes);
    // The other end is gone; `close` follows.
    return taken < 0 ? bytes.length : taken;
  }

  #endWhenEmpty(): void {
    if (this.#ending && !this.#closed && this.#output.pending === 0) this.#socket.shutdown();
  }

  /** For the runtime's handlers. */
  received(bytes: Buffer): void {
    this.#handlers?.data(bytes);
  }

  /** For the runtime's handlers. */
  drained(): void {
    this.#output.drained();
    this.#endWhenEmpty();
  }

  /** For the runtime's handlers. */
  gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#output.close();
    this.#handlers?.close();
  }
}

/** What a handler of ours throws is a bug, and for the process to know of. */
function guarded(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    raise(thrown);
  }
}

const HANDLERS: RawHandlers<LocalStream> = {
  data: (socket, bytes) => guarded(() => socket.data?.received(bytes)),
  drain: (socket) => guarded(() => socket.data?.drained()),
  // Whoever says that nothing follows is answered no more.
  end: (socket) => socket.close(),
  close: (socket) => guarded(() => socket.data?.gone()),
  error: (socket) => socket.close(),
};

/** Listens on a unix socket that does not exist yet. Throws what the system says. */
export function listenLocal(path: string, accept: (stream: LocalStream) => void): RawListener {
  return listenRaw<LocalStream>({ unix: path }, {
    ...HANDLERS,
    open: (socket) =>
      guarded(() => {
        const stream = new LocalStream(socket);
        socket.data = stream;
        accept(stream);
      }),
  });
}

/** Connects; rejects where nobody listens. */
export async function connectLocal(path: string): Promise<LocalStream> {
  const socket = await Bun.connect(
    {
      unix: path,
      socket: HANDLERS as unknown as SocketHandler,
    } as Parameters<typeof Bun.connect>[0],
  ) as unknown as RawSocket<LocalStream>;
  const stream = new LocalStream(socket);
  socket.data = stream;
  return stream;
}
