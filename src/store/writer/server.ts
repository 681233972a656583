/**
 * The writer's socket: takes changes of all processes, answers them, and tells each the news of the owners it watches.
 *
 * Invariants
 * 1. News of a batch goes out before its answers, on the same stream: whoever is answered has heard what others heard.
 * 2. Answers and news of one turn leave in one write per connection.
 */
import { rmSync } from 'node:fs';
import { limits } from '../../limits.ts';
import { listenLocal, type LocalStream } from '../../net/local.ts';
import type { RawListener } from '../../net/rawsocket.ts';
import type { Log } from '../../telemetry/log.ts';
import { encodeFrame, type Frame, FrameReader } from '../log/frame.ts';
import { completeCheckpoint, dirtyFolders, retireSegments } from './checkpoint.ts';
import { mend } from './mend.ts';
import { shortenJournals } from './journals.ts';
import { errorText } from './errortext.ts';
import { type FromWriter, toWireError, type ToWriter } from './wire.ts';
import type { OwnerNews } from './publish.ts';
import type { Writer } from './writer.ts';

class Peer {
  readonly watched = new Set<number>();
  /** `repairs` of the writer when this peer last asked what a checkpoint would stand for. */
  repairs = -1;

  constructor(readonly socket: LocalStream) {}

  send(message: FromWriter): void {
    this.socket.write(encodeFrame(message, []));
  }
}

export class WriterServer {
  private readonly peers = new Set<Peer>();
  private server: RawListener | undefined;

  constructor(
    private readonly writer: Writer,
    private readonly log: Log,
  ) {
    writer.onNews = (news) => this.publish(news);
    writer.onReplaced = (owner) => {
      for (const peer of this.peers) peer.send({ t: 'replaced', owner });
    };
    writer.state.owners.onClosed = (owner, closed) => {
      for (const peer of this.peers) peer.send({ t: 'closed', owner, closed });
    };
  }

  /** Listens on the unix socket `path`, readable by this user only. */
  listen(path: string): void {
    rmSync(path, { force: true });
    // Nobody else may connect in the moment before its mode is right.
    const before = process.umask(0o177);
    try {
      this.server = listenLocal(path, (socket) => this.accept(socket));
    } finally {
      process.umask(before);
    }
  }

  private accept(socket: LocalStream): void {
    const peer = new Peer(socket);
    this.peers.add(peer);
    for (const owner of this.writer.state.owners.closed.keys()) {
      peer.send({ t: 'closed', owner, closed: true });
    }
    const reader = new FrameReader(limits.store_frame.value);
    socket.handlers = {
      data: (chunk) => {
        try {
          reader.push(chunk, (frame) => this.handle(peer, frame));
        } catch (error) {
          this.log.error('connection to the writer closed: bad frame', { error: errorText(error) });
          socket.destroy();
        }
      },
      close: () => this.peers.delete(peer),
    };
  }

  private handle(peer: Peer, frame: Frame): void {
    const message = frame.head as ToWriter;
    switch (message.t) {
      case 'change': {
        const { id, origin, change } = message;
        this.writer.submit({ id, origin, change }, frame.blobs).then(
          (r) => peer.send({ t: 'done', id, r }),
          (error) => peer.send({ t: 'fail', id, e: toWireError(error) }),
        );
        return;
      }
      case 'watch':
        for (const owner of message.owners) peer.watched.add(owner);
        peer.send({ t: 'answer', n: message.n, r: this.writer.durableLsn });
        return;
      case 'unwatch':
        peer.watched.delete(message.owner);
        return;
      case 'ask': {
        // Only the connection may have broken: what this writer still works on is not unknown.
        void this.writer.settled().then(() => {
          const results: Record<string, unknown> = {};
          for (const id of message.ids) {
            const result = this.writer.resultOf(id);
            if (result !== undefined) results[id] = result;
          }
          peer.send({ t: 'answer', n: message.n, r: results });
        });
        return;
      }
      case 'dirty':
        peer.repairs = this.writer.repairs;
        peer.send({
          t: 'answer',
          n: message.n,
          r: {
            lsn: this.writer.durableLsn,
            bytes: this.writer.redo.bytesSinceCheckpoint,
            owners: dirtyFolders(this.writer),
          },
        });
        return;
      case 'checkpointed':
        completeCheckpoint(this.writer, message.lsn, peer.repairs).then(
          (r) => peer.send({ t: 'answer', n: message.n, r }),
          (error) => {
            this.log.error('checkpoint failed', { error: errorText(error) });
            peer.send({ t: 'answer', n: message.n, r: { checkpoint: 0, segments: [], closed: [] } });
          },
        );
        return;
      case 'shorten':
        shortenJournals(
          this.writer,
          this.log,
          message.owners,
          () => peer.send({ t: 'answer', n: message.n, r: {} }),
        );
        return;
      case 'retire':
        peer.send({
          t: 'answer',
          n: message.n,
          r: retireSegments(this.writer, this.log, message.lsn, message.stages),
        });
        return;
      case 'suspect':
        this.writer.suspect(message.owner, message.reason);
        return;
      case 'mend':
        mend(this.writer, message.mending).then(
          (r) => peer.send({ t: 'answer', n: message.n, r: { mended: r } }),
          (error) => peer.send({ t: 'answer', n: message.n, r: { e: toWireError(error) } }),
        );
        return;
      case 'rebuild':
        this.writer.rebuild(message.owner, message.acceptLoss === true).then(
          (r) => peer.send({ t: 'answer', n: message.n, r }),
          (error) => peer.send({ t: 'answer', n: message.n, r: { e: toWireError(error) } }),
        );
        return;
    }
  }

  private publish(news: readonly OwnerNews[]): void {
    for (const peer of this.peers) {
      if (peer.watched.size === 0) continue;
      const wanted = news.filter((one) => peer.watched.has(one.owner));
      if (wanted.length > 0) peer.send({ t: 'news', news: wanted });
    }
  }

  /** Takes nothing new, lets what was taken finish, and closes. */
  async close(): Promise<void> {
    this.server?.stop();
    await this.writer.idle();
    await new Promise((resolve) => setImmediate(resolve));
    for (const peer of this.peers) peer.socket.end();
  }
}
