/** Marks: what must not happen twice to an owner's mail before a moment. They are set with the message itself (DESIGN rule 14). */
import { limitError, userError } from '../../../errors.ts';
import { limits } from '../../../limits.ts';
import type { Mark } from '../../border.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import { isSharedOwner } from '../../names.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { ensureOwner } from './user.ts';

/**
 * To be called before anything is emitted. Throws 'alreadyexists' if a mark that must be new is there, for instance by a delivery at
 * the same time, 'limit' for what no owner may have.
 */
export function checkMarks(context: Context, index: OwnerIndex, marks: readonly Mark[] = []): void {
  if (marks.length > limits.store_marks.value) throw limitError('There are too many marks');
  for (const { kind, key, fresh } of marks) {
    if (Buffer.byteLength(kind) + Buffer.byteLength(key) > limits.store_mark_key.value) {
      throw limitError('The mark is too long');
    }
    if (fresh !== true) continue;
    const until = index.sql('SELECT until FROM mark WHERE kind = ? AND key = ?').values(kind, key)[0]?.[0];
    if (until !== undefined && (until as number) > context.now) {
      throw userError('alreadyexists', `It was done before (${kind})`);
    }
  }
}

/** Sets marks. Where an owner has too many, those that end first go. */
export function emitMarks(context: Context, index: OwnerIndex, marks: readonly Mark[] = []): void {
  if (marks.length === 0) return;
  const most = limits.store_marks.value;
  const set = marks.map(({ kind, key, until }): [string, string, number] => [kind, key, Math.floor(until)]);
  const over = index.rows('mark') + marks.length > most;
  const drop = over
    ? index.sql('SELECT kind, key FROM mark ORDER BY until, kind, key LIMIT ?')
      .values(Math.max(marks.length, Math.floor(most / 10))) as [string, string][]
    : [];
  context.emit(index, { k: 'marks', set, drop });
}

/** Marks without a message, as of a redirect that went out and a message that is not kept. */
export function decideMark(context: Context, change: Extract<Change, { op: 'mark' }>): unknown {
  const owner = isSharedOwner(change.userid)
    ? ensureOwner(context, change.userid)
    : context.owner(change.userid);
  if (owner === null) throw userError('nouser', 'User unknown');
  const index = context.index(owner);
  checkMarks(context, index, change.marks);
  emitMarks(context, index, change.marks);
  return {};
}
