/** `mailstore check`: the whole store against itself: directory, indexes, log, spool, quota. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import { MailError } from '../../errors.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { OwnerReader } from '../index/reader.ts';
import { layoutOf } from '../layout.ts';
import { type EarlyEnd, earlyEnd, readLog } from '../log/redo.ts';
import { readSynced } from '../log/synced.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { Finding } from './finding.ts';
import { checkDirectory, checkIndex } from './index.ts';
import { isDamage } from '../index/damage.ts';
import { identify } from '../index/salvage.ts';
import { readDerived } from '../writer/directorynote.ts';
import { errorText } from '../writer/errortext.ts';
import { directorySnapshot, SNAPSHOT } from '../snapshot.ts';
import { checkSpool } from './spool.ts';

/** Longest time between the sync of a batch and its commit, generously. */
const IN_FLIGHT_MS = 500;

/** So many users are named of those whom something concerns. */
const NAMED = 20;

export interface CheckOptions {
  /** Only these users; all when empty. */
  readonly users: readonly string[];
  /** Read every message file and compare its hash. */
  readonly deep: boolean;
}

export interface CheckReport {
  readonly owners: number;
  readonly messages: number;
  readonly findings: readonly Finding[];
}

/** Checks a store at rest or in use. Changes nothing. */
export function checkStore(settings: Settings, options: CheckOptions): CheckReport {
  const layout = layoutOf(settings);
  const findings: Finding[] = [];
  if (!existsSync(layout.directory)) {
    return { owners: 0, messages: 0, findings: [storeDamage(layout.directory, 'directory.db is missing')] };
  }
  const chain = readChain(layout.log, findings);
  const found = checkDirectory(layout.directory);
  findings.push(...found);
  if (options.deep && existsSync(directorySnapshot(settings))) {
    for (const finding of checkDirectory(directorySnapshot(settings))) {
      if (finding.severity === 'damage') findings.push({ ...finding, place: directorySnapshot(settings) });
    }
  }
  // Without the names of the owners there is nothing more to look at.
  if (found.some(({ severity }) => severity === 'notice')) return { owners: 0, messages: 0, findings };
  try {
    return checkOwners(settings, options, findings, chain);
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (found.length === 0) findings.push(storeDamage(layout.directory, errorText(error)));
    return { owners: 0, messages: 0, findings };
  }
}

function checkOwners(
  settings: Settings,
  options: CheckOptions,
  findings: Finding[],
  { lastOf, missing }: Chain,
): CheckReport {
  const directory = new DirectoryReader(layoutOf(settings).directory);
  let messages = 0;
  try {
    const all = directory.owners();
    const wanted = options.users.length === 0
      ? all
      : all.filter((owner) => options.users.includes(owner.userid));
    for (const userid of options.users) {
      if (!wanted.some((owner) => owner.userid === userid)) {
        findings.push({ severity: 'damage', userid, place: 'directory.db', text: 'there is no such user' });
      }
    }
    const behind: string[] = [];
    for (const owner of wanted) {
      if (missing !== null && lsnOf(settings, owner) < missing.synced) behind.push(owner.userid);
      const found = checkOwner(settings, owner, directory, options.deep, lastOf.get(owner.id) ?? 0);
      messages += found.messages;
      findings.push(...found.findings);
    }
    if (behind.length > 0) {
      const text = `changes of ${behind.length} users may be among the missing ones: ${firstOf(behind)}`;
      findings.push(storeDamage(layoutOf(settings).log, text));
    }
    findings.push(...derivedDirectory(settings, directory, wanted));
    if (options.users.length === 0) findings.push(...strangers(settings, all));
    return { owners: wanted.length, messages, findings };
  } finally {
    directory.close();
  }
}

function storeDamage(place: string, text: string): Finding {
  return { severity: 'damage', userid: '', place, text };
}

/** What the log says. */
interface Chain {
  /** Each owner's last LSN. */
  readonly lastOf: ReadonlyMap<number, number>;
  /** What is known to be missing at its end. */
  readonly missing: EarlyEnd | null;
}

/** Reads the whole log, which checks every batch. */
function readChain(folder: string, findings: Finding[]): Chain {
  const lastOf = new Map<number, number>();
  try {
    // Before the log: one that is in use goes on meanwhile.
    const synced = readSynced(folder);
    const last = readLog(folder, 0, (record) => {
      for (const section of record.s) lastOf.set(section.o, record.l);
    });
    const missing = earlyEnd(folder, last, synced);
    if (missing !== null) findings.push(storeDamage(folder, missing.text));
    return { lastOf, missing };
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    findings.push(storeDamage(folder, error.message));
    return { lastOf, missing: null };
  }
}

/** How far an owner's index is; 0 where it cannot be read. */
function lsnOf(settings: Settings, owner: OwnerRow): number {
  return identify(layoutOf(settings).index(owner.folder))?.lsn ?? 0;
}

function checkOwner(
  settings: Settings,
  owner: OwnerRow,
  directory: DirectoryReader,
  deep: boolean,
  lastLsn: number,
): { messages: number; findings: Finding[] } {
  const layout = layoutOf(settings);
  const path = layout.index(owner.folder);
  const { userid } = owner;
  if (!existsSync(path)) {
    return {
      messages: 0,
      findings: [{
        severity: 'damage',
        userid,
        place: path,
        text: 'the index is missing; run "mailstore reconstruct"',
      }],
    };
  }
  const folders: Record<string, string> = {};
  for (const [name, root] of Object.entries(settings.partition)) folders[name] = join(root, owner.folder);
  const findings = checkIndex(path, userid);
  const snapshot = join(folders[owner.partition] ?? '', SNAPSHOT);
  if (deep && existsSync(snapshot)) {
    for (const found of checkIndex(snapshot, userid)) {
      if (found.severity === 'damage') {
        findings.push({ ...found, place: snapshot, text: `${found.place}: ${found.text}` });
      }
    }
  }
  try {
    findings.push(...checkSpool({ indexPath: path, userid, folders, deep }).findings);
    const found = compareWithDirectory(path, owner, directory, lastLsn);
    return { messages: found.messages, findings: [...findings, ...found.findings] };
  } catch (error) {
    // An index that cannot be read was named above.
    if (!findings.some(({ severity }) => severity === 'damage')) {
      findings.push({ severity: 'damage', userid, place: path, text: errorText(error) });
    }
    return { messages: 0, findings };
  }
}

/** What the log, directory.db and an index say of each other. */
function compareWithDirectory(
  path: string,
  owner: OwnerRow,
  directory: DirectoryReader,
  lastLsn: number,
): { messages: number; findings: Finding[] } {
  const { userid } = owner;
  const findings: Finding[] = [];
  const reader = new OwnerReader(path);
  let messages = 0;
  try {
    if (reader.owner !== owner.id) {
      findings.push({ severity: 'damage', userid, place: path, text: `belongs to owner ${reader.owner}` });
    }
    // In a running store the last batch may be logged and not committed yet: look twice.
    if (reader.lsn < lastLsn) Bun.sleepSync(IN_FLIGHT_MS);
    if (reader.lsn < lastLsn) {
      findings.push({
        severity: 'damage',
        userid,
        place: path,
        text: `is at ${reader.lsn} but the log goes to ${lastLsn}`,
      });
    }
    const floor = directory.floor(owner.id);
    if (reader.lsn < floor) {
      findings.push({
        severity: 'damage',
        userid,
        place: path,
        text: `is at ${reader.lsn} but had ${floor}: its journal was lost`,
      });
    }
    const scriptDiffers = () => directory.script(owner.id) !== (reader.activeScript()?.hash ?? null);
    if (scriptDiffers()) Bun.sleepSync(IN_FLIGHT_MS);
    if (scriptDiffers()) {
      findings.push({
        severity: 'damage',
        userid,
        place: path,
        text: 'directory.db and the index differ about the active Sieve script',
      });
    }
    const own = reader.mailboxes();
    const listed = new Map(directory.mailboxesOf(owner.id).map((mailbox) => [mailbox.id, mailbox]));
    for (const row of own) {
      messages += row.messages;
      const other = listed.get(row.id);
      const same = other !== undefined && other.path === row.path && other.mailboxid === row.mailboxid &&
        JSON.stringify(other.acl) === JSON.stringify(row.acl);
      if (!same) {
        findings.push({
          severity: 'damage',
          userid,
          place: row.path,
          text: 'directory.db and the index differ about this mailbox',
        });
      }
      listed.delete(row.id);
    }
    for (const mailbox of listed.values()) {
      findings.push({
        severity: 'damage',
        userid,
        place: mailbox.path,
        text: 'directory.db lists a mailbox that the index does not have',
      });
    }
  } finally {
    reader.close();
  }
  return { messages, findings };
}

/** A directory.db that was derived from the owners does not know all it knew: named until the administrator has seen to it. */
function derivedDirectory(
  settings: Settings,
  directory: DirectoryReader,
  owners: readonly OwnerRow[],
): Finding[] {
  const derived = readDerived(layoutOf(settings));
  if (derived === null) return [];
  const known = new Set(directory.secrets().map(({ userid }) => userid));
  const without = owners.map(({ userid }) => userid).filter((userid) => !known.has(userid));
  const text =
    `directory.db was derived from the users' indexes at ${derived.at}: passwords that were kept in it may be ` +
    `missing or older than they were; ${without.length} users have none${
      without.length > 0 ? ` (${firstOf(without)})` : ''
    }. Set them again with "mailstore user passwd" where they are needed, then remove this file` +
    (derived.kept.length > 0 ? `; what was damaged is kept as ${derived.kept.join(', ')}` : '');
  return [storeDamage(derived.path, text)];
}

/** The first of many names. */
function firstOf(names: readonly string[]): string {
  return names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ' and others' : '');
}

/** Index folders that belong to no user: left by a removal that was interrupted. */
function strangers(settings: Settings, owners: readonly OwnerRow[]): Finding[] {
  const root = join(settings.configdirectory, 'user');
  if (!existsSync(root)) return [];
  const known = new Set(owners.map((owner) => join(root, owner.folder, 'index.db')));
  const findings: Finding[] = [];
  for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, entry);
    if (entry.endsWith('/index.db') && !known.has(path)) {
      findings.push({ severity: 'notice', userid: '', place: path, text: 'belongs to no user' });
    }
  }
  return findings;
}
