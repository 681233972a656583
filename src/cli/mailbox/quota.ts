/** `mailstore mailbox quota`: shows and sets the limits of quota roots (RFC 9208). */

import { sizeKind, writeSize } from '../../config/kinds/measure.ts';
import type { MailboxName, QuotaRoot } from '../../store/border.ts';
import { sameName } from '../../store/names.ts';
import { type Administration, mailboxFrom } from '../administration.ts';
import { usageError } from '../options.ts';
import { EX_OK } from '../sysexits.ts';
import { formatTable } from '../table.ts';
import { type Action, take } from './arguments.ts';

const sizes = sizeKind(0, 2 ** 50);

export const quota: Action = (operands, options) => {
  const [text, size] = take('quota', operands, ['MAILBOX', 'SIZE'], 0);
  const storage = size === undefined ? undefined : readSize(size);
  const messages = options.messages === undefined ? undefined : readCount(options.messages);
  if (text === undefined && messages !== undefined) throw usageError('--messages needs the MAILBOX');
  return async (administration) => {
    const { session, io } = administration;
    let roots: QuotaRoot[];
    if (text === undefined) roots = allRoots(administration);
    else {
      const name = mailboxFrom(text, administration);
      if (storage !== undefined || messages !== undefined) await set(name, storage, messages, administration);
      roots = session.quotaRoots(name);
      if (roots.length === 0 && !options.json) io.stdout(`${text} has no quota.\n`);
    }
    print(roots, options.json, administration);
    return EX_OK;
  };
};

/** Bytes, or null for none. A bare number is refused: for Cyrus's setquota it was kilobytes. */
function readSize(text: string): number | null {
  if (text === 'none') return null;
  if (/^[1-9]\d*$/.test(text)) {
    throw usageError(`"${text}" has no unit: say ${text}K for kilobytes (as in Cyrus), ${text}M or ${text}G`);
  }
  const parsed = sizes.fromText(text);
  if (!parsed.ok) throw usageError(`the quota is not a size: ${parsed.problem}; "none" removes it`);
  return parsed.value;
}

function readCount(text: string): number | null {
  if (text === 'none') return null;
  if (!/^\d{1,10}$/.test(text)) throw usageError(`--messages is a number or "none"; not "${text}"`);
  return Number(text);
}

/** Sets what is given and leaves the other limit as it is. */
async function set(
  name: MailboxName,
  storage: number | null | undefined,
  messages: number | null | undefined,
  { session }: Administration,
): Promise<void> {
  const now = session.quotaRoots(name).find(({ root }) => sameName(root, name));
  await session.setQuota(name, {
    storage: storage === undefined ? now?.storageLimit ?? null : storage,
    messages: messages === undefined ? now?.messagesLimit ?? null : messages,
  });
}

/** Every root once; a root that went while this ran is left out. */
function allRoots({ session, names }: Administration): QuotaRoot[] {
  const roots = new Map<string, QuotaRoot>();
  for (const { name } of session.list()) {
    for (const root of session.quotaRoots(name)) roots.set(names.toExternal(root.root), root);
  }
  return [...roots].sort(([a], [b]) => a < b ? -1 : 1).map(([, root]) => root);
}

function print(roots: readonly QuotaRoot[], json: boolean, { names, io }: Administration): void {
  const rows = roots.map((root) => ({
    root: names.toExternal(root.root),
    storage: { used: root.storageUsed, limit: root.storageLimit },
    messages: { used: root.messagesUsed, limit: root.messagesLimit },
  }));
  if (json) {
    io.stdout(`${JSON.stringify(rows)}\n`);
    return;
  }
  const columns = [
    { title: 'QUOTA ROOT' },
    { title: 'BYTES', right: true },
    { title: 'LIMIT', right: true },
    { title: 'USED', right: true },
    { title: 'MESSAGES', right: true },
    { title: 'LIMIT', right: true },
  ];
  const cells = rows.map(({ root, storage, messages }) => [
    root,
    String(storage.used),
    storage.limit === null ? '-' : writeSize(storage.limit),
    percent(storage.used, storage.limit),
    String(messages.used),
    messages.limit === null ? '-' : String(messages.limit),
  ]);
  io.stdout(formatTable(columns, cells));
}

function percent(used: number, limit: number | null): string {
  if (limit === null) return '-';
  return limit === 0 ? (used === 0 ? '0%' : '100%') : `${Math.floor(used / limit * 100)}%`;
}
