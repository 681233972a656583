/** Disk states of one recording, chosen at random, each opened and verified. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../../src/config/settings.ts';
import { Random } from '../../harness/random.ts';
import { decodeBatch } from '../../../src/store/log/batch.ts';
import { readHeader, SEGMENT_HEADER } from '../../../src/store/log/segment.ts';
import { Disk, type Fates, type Image } from './disk.ts';
import { fatesOf, type Past, WAY_NAMES } from './fates.ts';
import { ImageWriter } from './image.ts';
import type { Operation, Recording } from './operation.ts';
import type { Owed, State } from './reference.ts';
import { type Told, toldUntil } from './saved.ts';
import { verify } from './verify.ts';

export interface Subject {
  readonly settings: Settings;
  readonly recording: Recording;
  readonly states: readonly State[];
  readonly owed: readonly Owed[];
  /** The highest LSN that was used before the recording begins. */
  /** What was told of backups and a restore before, where the recording is of a start that does neither. */
  readonly told?: Told;
  readonly highestLsn: number;
}

/** A state that was wrong, with what it takes to make it again. */
export interface Failure {
  readonly at: number;
  readonly way: string;
  readonly wrong: readonly string[];
}

export interface Tally {
  /** Hashes of the images that were opened. */
  readonly hashes: Set<bigint>;
  /** How often each way was taken, distinct images only. */
  readonly ways: Map<string, number>;
  /** Acknowledged changes that were to be there, over all states. */
  owed: number;
  readonly failures: Failure[];
}

export function newTally(): Tally {
  return { hashes: new Set(), ways: new Map(), owed: 0, failures: [] };
}

/** The last things that were written before a moment, as leftovers on the disk. */
class Leftovers implements Past {
  private readonly written: { at: number; bytes: Buffer }[] = [];
  now = 0;

  constructor(recording: Recording) {
    for (const { change, begun } of recording.operations) {
      if (change.kind === 'data' && change.bytes.length >= 64) {
        this.written.push({ at: begun, bytes: change.bytes });
      }
    }
  }

  stale(random: Random): Buffer {
    let until = this.written.length;
    while (until > 1 && (this.written[until - 1]?.at ?? 0) >= this.now) until--;
    return this.written[random.below(until)]?.bytes ?? Buffer.from('left over');
  }
}

/** Takes one recording through its moments. */
export class Machine {
  readonly tally: Tally = newTally();
  private disk: Disk;
  private readonly leftovers: Leftovers;
  private readonly writer: ImageWriter;
  private readonly lsns: { at: number; lsn: number }[];
  private readonly seen = new Set<string>();
  private readonly checked = new Set<string>();
  private opened = 0;

  /**
   * @param folder for images; on a file system in memory
   * @param rebuildEvery in every so manieth state all indexes are thrown away as well
   */
  constructor(
    readonly subject: Subject,
    private readonly folder: string,
    private readonly omitted: ReadonlySet<string> = new Set(),
    private readonly rebuildEvery: number = 16,
  ) {
    mkdirSync(folder, { recursive: true });
    this.disk = new Disk(subject.recording, omitted);
    this.leftovers = new Leftovers(subject.recording);
    this.writer = new ImageWriter(join(folder, 'pool'));
    this.lsns = lsnsOf(subject);
  }

  /** Goes to a moment, forwards or from the beginning. */
  goTo(moment: number): void {
    if (moment < this.disk.now) this.disk = new Disk(this.subject.recording, this.omitted);
    this.disk.advance(moment);
    this.leftovers.now = moment;
  }

  /** What is not sure at the moment it stands at. */
  get pending(): ReadonlySet<Operation> {
    return this.disk.pending;
  }

  /** Index of the oldest state that is right at the moment it stands at. */
  get oldest(): number {
    const { owed } = this.subject;
    return owed[lowerBound(owed, this.disk.now) - 1]?.state ?? 0;
  }

  /** What was told of backups and a restore by then. */
  get told(): Told {
    return this.subject.told ?? toldUntil(this.subject.recording, this.disk.now);
  }

  /** The highest LSN that was used by then, durable or not. */
  get highestLsn(): number {
    return this.lsns[lowerBound(this.lsns, this.disk.now) - 1]?.lsn ?? this.subject.highestLsn;
  }

  /** The disk as it may look at the moment it stands at. */
  image(way: string, random: Random): Image {
    return this.disk.image(fatesOf(way, random, this.disk.now, this.leftovers));
  }

  /** Makes a folder hold an image. */
  put(image: Image, root: string): void {
    this.writer.write(image, root);
  }

  /** States at the moment it stands at, each in another way. Returns the images' verdicts through the tally. */
  async open(ways: readonly string[], random: Random): Promise<void> {
    for (const way of ways) {
      await this.openWith(way, fatesOf(way, random, this.disk.now, this.leftovers));
    }
  }

  /** One state, unless its image was opened before. */
  async openWith(way: string, fates: Fates): Promise<void> {
    const image = this.disk.image(fates);
    const until = lowerBound(this.subject.owed, this.disk.now);
    // The same disk later has to hold more; it is opened again, but counts once.
    const key = `${image.hash} ${this.oldest}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    if (!this.tally.hashes.has(image.hash)) this.tally.ways.set(way, (this.tally.ways.get(way) ?? 0) + 1);
    this.tally.hashes.add(image.hash);
    this.tally.owed += until;
    const wrong = await this.verify(image);
    if (wrong.length > 0) this.tally.failures.push({ at: this.disk.now, way, wrong });
  }

  private async verify(image: Image): Promise<readonly string[]> {
    const root = join(this.folder, 'root');
    this.writer.write(image, root);
    const { settings, states } = this.subject;
    const { wrong } = await verify(
      settings,
      {
        states,
        oldest: this.oldest,
        highestLsn: this.highestLsn,
        digestOf: (stat) => this.writer.digestOf(stat),
        told: this.told,
        checked: this.checked,
      },
      root,
      {
        check: ++this.opened % 10 === 0,
        deliver: this.opened % 5 === 0,
        again: this.opened % 8 === 0,
        saved: this.opened % 4 === 0,
        rebuilt: this.opened % this.rebuildEvery === 0,
      },
    );
    return wrong;
  }

  remove(): void {
    process.chdir('/');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** How many stand before a moment. */
function lowerBound(list: readonly { at: number }[], moment: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.at ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The highest LSN written to the log up to each moment. */
function lsnsOf({ recording, highestLsn }: Subject): { at: number; lsn: number }[] {
  const ids = new Map<number, bigint>();
  const out: { at: number; lsn: number }[] = [];
  const segments = new Set<number>();
  let highest = highestLsn;
  for (const { change, begun } of recording.operations) {
    if (change.kind === 'make' && /^state\/log\/.*\.log$/.test(change.path)) segments.add(change.node);
    if (change.kind !== 'data' || !segments.has(change.node)) continue;
    if (change.offset === 0) {
      const id = readHeader(change.bytes)?.id;
      if (id !== undefined) ids.set(change.node, id);
    }
    const id = ids.get(change.node);
    if (id === undefined) continue;
    for (let offset = change.offset === 0 ? SEGMENT_HEADER : 0;;) {
      const batch = decodeBatch(change.bytes, offset, id);
      if (batch === null) break;
      highest = Math.max(highest, batch.firstLsn + batch.count - 1);
      out.push({ at: begun, lsn: highest });
      offset = batch.end;
    }
  }
  return out;
}

/** Moments of a recording in which the disk may look in different ways, spread evenly, in order. */
export function someMoments(recording: Recording, count: number, random: Random): number[] {
  const { operations } = recording;
  const moments = new Set<number>();
  for (let n = 0; n < count * 2 && moments.size < count; n++) {
    const operation = operations[random.below(operations.length)];
    // Not what was there before.
    if (operation === undefined || operation.ended <= 0) continue;
    moments.add(random.oneIn(2) ? operation.begun + 1 : Math.min(operation.ended, recording.end) + 1);
  }
  return [...moments].sort((a, b) => a - b);
}

/** All ways, the common ones once. */
export function waysAt(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => random.pick(WAY_NAMES));
}
