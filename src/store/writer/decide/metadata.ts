/** SETMETADATA (RFC 5464 §4.3): all entries of a change, or none. */
import { limitError, userError } from '../../../errors.ts';
import { limits } from '../../../limits.ts';
import { entriesOf, SERVER } from '../../index/metadata.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import { sleeperCount } from '../../index/snoozed.ts';
import { parseEntry } from '../../metadata.ts';
import { hasRight } from '../../rights.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { ensureOwner } from './user.ts';

type SetMetadata = Extract<Change, { op: 'metadata' }>;

/** Entries of one scope with their values; null removes one. */
type Values = Map<string, Uint8Array | null>;

export function decideMetadata(
  context: Context,
  change: SetMetadata,
  blobs: readonly Uint8Array[],
): unknown {
  const shared: Values = new Map();
  const own: Values = new Map();
  for (const [name, blob] of change.entries) {
    const parsed = parseEntry(name);
    const value = blob === null ? null : blobs[blob] as Uint8Array;
    if (value !== null && value.length > limits.store_metadata_value.value) {
      throw limitError(`A value has at most ${limits.store_metadata_value.value} bytes`, 'toobig');
    }
    (parsed.shared ? shared : own).set(parsed.entry, value);
  }
  const { by, name } = change;
  const places: [OwnerIndex, number, string, Values][] = name === null
    ? serverPlaces(context, change, shared, own)
    : mailboxPlaces(context, { ...change, name }, shared, own);
  for (const [index, mailbox, userid, values] of places) checkCounts(index, mailbox, userid, values);
  for (const [index, mailbox, userid, values] of places) {
    emitMetadata(context, index, mailbox, userid, values);
  }
  return { userid: by.userid };
}

function mailboxPlaces(
  context: Context,
  change: SetMetadata & { name: NonNullable<SetMetadata['name']> },
  shared: Values,
  own: Values,
): [OwnerIndex, number, string, Values][] {
  const { by } = change;
  const { index, row, rights } = context.mailbox(change.name, by);
  // RFC 5464 §3.3 wants 'l' and any of these; what others see takes the right to write, as in Cyrus.
  const may = hasRight(rights, 'l') && [...'rswip'].some((right) => hasRight(rights, right));
  if (!may && !context.administers(by, index.userid)) {
    throw userError('noperm', 'You may not set metadata of this mailbox');
  }
  if (shared.size > 0 && !hasRight(rights, 'w') && !context.administers(by, index.userid)) {
    throw userError('noperm', "You lack the right 'w' needed to set shared metadata");
  }
  return [[index, row.id, '', shared], [index, row.id, by.userid, own]];
}

/** Shared entries of the server stand with the shared mailboxes, private ones with their user. */
function serverPlaces(
  context: Context,
  { by }: SetMetadata,
  shared: Values,
  own: Values,
): [OwnerIndex, number, string, Values][] {
  const places: [OwnerIndex, number, string, Values][] = [];
  if (own.size > 0) {
    const owner = context.owner(by.userid);
    if (owner === null) {
      throw userError('cannot', 'You have no mailboxes, so there is no place to keep metadata');
    }
    places.push([context.index(owner), SERVER, by.userid, own]);
  }
  if (shared.size > 0) {
    if (!context.administers(by, '')) {
      throw userError('noperm', "The server's metadata is set by administrators");
    }
    places.push([context.index(ensureOwner(context, '')), SERVER, '', shared]);
  }
  return places;
}

function checkCounts(index: OwnerIndex, mailbox: number, userid: string, values: Values): void {
  const there = new Set(entriesOf(index, mailbox, userid));
  const before = there.size;
  for (const [entry, value] of values) {
    if (value === null) there.delete(entry);
    else there.add(entry);
  }
  if (there.size <= before) return;
  const more = there.size - before;
  if (
    there.size > limits.store_metadata_entries.value ||
    index.rows('annotation') - sleeperCount(index) + more > limits.store_metadata.value
  ) throw limitError('There are too many metadata entries');
}

/** Sets entries of one mailbox and user, or with '' the shared ones. */
export function emitMetadata(
  context: Context,
  index: OwnerIndex,
  mailbox: number,
  userid: string,
  values: ReadonlyMap<string, Uint8Array | null>,
): void {
  if (values.size === 0) return;
  const entries = [...values].map(([entry, value]): [string, number | null] => [
    entry,
    value === null ? null : context.blob(value),
  ]);
  context.emit(index, { k: 'metadata', mb: mailbox, q: index.nextModseq(), userid, entries });
}
