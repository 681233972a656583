/**
 * The manifest of one run: JSON lines. A head, one line per owner, one per thing that could not be saved, and a last line with
 * the digest of all before it. A run counts only with its manifest, which is written last.
 */
import { MailError, userError } from '../../errors.ts';
import type { Target } from './target.ts';

/** Version of the target's layout and of the manifest. */
export const BACKUP_FORMAT = 1;

/** The copy of a database. */
export interface SavedDatabase {
  /** Name in the target. */
  readonly name: string;
  readonly size: number;
  /** LSN the copy has applied. */
  readonly lsn: number;
}

/** Records of the log, in one file of the form of a log segment. */
export interface SavedPiece {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  /** LSNs of its first and last record. */
  readonly first: number;
  readonly last: number;
}

export interface ManifestHead {
  readonly mailstore: 'backup';
  readonly format: number;
  /** Of the program that made it. */
  readonly version: string;
  /** Random identity of the store; two stores do not share a target. */
  readonly store: string;
  readonly servername: string;
  /** When it began, and the moment whose state it holds; unix seconds. */
  readonly begun: number;
  readonly time: number;
  /** No change of this second or before is missing; none of a later second than `time` is in it. */
  readonly through: number;
  /** Every database is brought to this LSN by the log; the segment that holds it. */
  readonly cut: number;
  readonly segment: string;
  /** The copies have everything up to here; the pieces begin at or before it. */
  readonly base: number;
  /** The run whose cut the pieces continue from without a gap, or null. */
  readonly previous: string | null;
  readonly directory: SavedDatabase;
  readonly log: readonly SavedPiece[];
  /** Facts of the configuration that names and folders depend on; no secrets. */
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** One owner's line. */
export interface SavedOwner {
  readonly id: number;
  readonly userid: string;
  readonly folder: string;
  readonly index: SavedDatabase;
  /** Parts with ids below this one are in the target. */
  readonly nextpart: number;
}

/** Something that is wrong in the store itself and so could not be saved. */
export interface Unsaved {
  readonly userid: string;
  readonly place: string;
  readonly text: string;
}

/** What a run sent; the rest was there. */
export interface RunFigures {
  objects: number;
  objectBytes: number;
  indexes: number;
  indexBytes: number;
  logBytes: number;
}

export interface Manifest {
  /** Name in the target. */
  readonly name: string;
  readonly head: ManifestHead;
  readonly owners: readonly SavedOwner[];
  readonly unsaved: readonly Unsaved[];
  readonly figures: RunFigures;
}

const PREFIX = 'runs/';

/** `runs/20260105T031500Z-0000100000002a`: the order they were made in. */
export function manifestName(time: number, cut: number): string {
  const stamp = new Date(time * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${PREFIX}${stamp}-${cut.toString(16).padStart(14, '0')}`;
}

/** The second a run's name is of; 0 where it is none of ours. */
export function timeOfName(name: string): number {
  const [, date = '', time = ''] = /^(\d{8})T(\d{6})Z-/.exec(name.slice(PREFIX.length)) ?? [];
  const iso = `${date.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`;
  return (Date.parse(iso) || 0) / 1000;
}

/** Short form of a run's name, as the tools print and take it. */
export function runOf(name: string): string {
  return name.slice(PREFIX.length);
}

/** The whole name of a run in the target. */
export function nameOf(run: string): string {
  return PREFIX + run;
}

/** The digest of all lines before it. */
function lastLine(body: string): string {
  return `${JSON.stringify({ digest: new Bun.CryptoHasher('sha256').update(body).digest('hex') })}\n`;
}

export function encodeManifest(manifest: Omit<Manifest, 'name'>): Buffer {
  const lines = [
    JSON.stringify(manifest.head),
    ...manifest.owners.map((owner) => JSON.stringify({ owner })),
    ...manifest.unsaved.map((unsaved) => JSON.stringify({ unsaved })),
    JSON.stringify({ figures: manifest.figures }),
  ];
  const body = `${lines.join('\n')}\n`;
  return Buffer.from(body + lastLine(body));
}

/** Names of all complete runs, oldest first. */
export async function runNames(target: Target): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of target.list(PREFIX)) names.push(name);
  return names;
}

/** Reads and checks a manifest. Throws 'corruption' where it is not whole, 'nonexistent' where there is none. */
export async function readManifest(target: Target, name: string): Promise<Manifest> {
  const blocks: Uint8Array[] = [];
  for await (const block of target.read(name)) blocks.push(block);
  const damaged = (why: string) =>
    new MailError('server', 'corruption', `the manifest ${name} in ${target.text} is damaged: ${why}`);
  const text = Buffer.concat(blocks).toString('utf8');
  const at = text.lastIndexOf('\n', text.length - 2) + 1;
  const body = text.slice(0, at);
  try {
    if (text.slice(at) !== lastLine(body)) throw damaged('it does not end in its digest');
    const lines = body.split('\n');
    const head = JSON.parse(lines[0] as string) as ManifestHead;
    if (head.format > BACKUP_FORMAT) {
      throw new MailError(
        'server',
        'config',
        `${name} in ${target.text} is of a newer mailstore (${head.version}): use that one`,
      );
    }
    const owners: SavedOwner[] = [];
    const unsaved: Unsaved[] = [];
    let figures: RunFigures = { objects: 0, objectBytes: 0, indexes: 0, indexBytes: 0, logBytes: 0 };
    for (const line of lines.slice(1)) {
      if (line === '') continue;
      const row = JSON.parse(line) as { owner?: SavedOwner; unsaved?: Unsaved; figures?: RunFigures };
      if (row.owner !== undefined) owners.push(row.owner);
      if (row.unsaved !== undefined) unsaved.push(row.unsaved);
      if (row.figures !== undefined) figures = row.figures;
    }
    return { name, head, owners, unsaved, figures };
  } catch (error) {
    if (error instanceof MailError) throw error;
    throw damaged(error instanceof Error ? error.message : String(error));
  }
}

/** The newest run whose manifest is whole, or null. `damaged` hears of those that are not. */
export async function newestRun(
  target: Target,
  damaged: (error: MailError) => void,
): Promise<Manifest | null> {
  for (const name of (await runNames(target)).reverse()) {
    try {
      return await readManifest(target, name);
    } catch (error) {
      if (!(error instanceof MailError) || error.code !== 'corruption') throw error;
      damaged(error);
    }
  }
  return null;
}

/** The run an administrator names, whole or by its beginning. Throws 'nonexistent'. */
export async function findRun(target: Target, text: string): Promise<Manifest> {
  const found = (await runNames(target)).filter((name) => runOf(name).startsWith(text));
  const [only] = found;
  if (only === undefined) throw userError('nonexistent', `there is no run ${text} in ${target.text}`);
  if (found.length > 1) {
    throw userError('cannot', `${text} can be ${found.map(runOf).join(' or ')}; write more of the name`);
  }
  return await readManifest(target, only);
}
