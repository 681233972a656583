/** Sieve scripts: PUTSCRIPT, SETACTIVE, DELETESCRIPT and RENAMESCRIPT (RFC 5804 §2). */
import { limitError, userError } from '../../../errors.ts';
import { limits } from '../../../limits.ts';
import type { Identity } from '../../border.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import { activeScript, countScripts, findScript, type ScriptRow } from '../../index/scripts.ts';
import { isSharedOwner } from '../../names.ts';
import { checkScriptName } from '../../scriptname.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { ensureOwner } from './user.ts';

type Of<Op extends Change['op']> = Extract<Change, { op: Op }>;

/** The index whose scripts the caller may change: the own one, or, for administrators, any and the global scripts (''). */
function scriptsOf(context: Context, by: Identity, userid: string): OwnerIndex | null {
  if ((by.userid !== userid || isSharedOwner(userid)) && !context.administers(by, userid)) {
    throw userError('noperm', 'You may not change these scripts');
  }
  const owner = context.owner(userid);
  return owner === null ? null : context.index(owner);
}

function noScript(): Error {
  return userError('nonexistent', 'There is no script by that name');
}

function existing(
  context: Context,
  change: { by: Identity; owner: string; name: string },
): { index: OwnerIndex; script: ScriptRow } {
  const index = scriptsOf(context, change.by, change.owner);
  const script = index === null ? null : findScript(index, change.name);
  if (index === null || script === null) throw noScript();
  return { index, script };
}

/** Says in directory.db which script runs, if that is another one now. */
export function publishActive(context: Context, index: OwnerIndex, before: string | null): void {
  const hash = activeScript(index);
  if (hash !== before) context.emitDirectory({ k: 'script', o: index.id, hash });
}

export function decidePutScript(context: Context, change: Of<'putscript'>, content: Uint8Array): unknown {
  const { by, owner, name, maxScripts } = change;
  checkScriptName(name);
  if (content.length > limits.store_script_size.value) {
    throw limitError(`A script may have ${limits.store_script_size.value} bytes`, 'toobig');
  }
  const there = scriptsOf(context, by, owner);
  if (there === null && !isSharedOwner(owner)) {
    throw userError('cannot', 'There are no mailboxes, so there is no place to keep scripts');
  }
  const index = there ?? context.index(ensureOwner(context, owner));
  const old = findScript(index, name);
  const hash = new Bun.CryptoHasher('sha256').update(content).digest('hex');
  if (old?.hash === hash) return {};
  const most = Math.min(maxScripts, limits.store_scripts.value);
  if (old === null && countScripts(index) >= most) {
    throw limitError(`There are ${most} scripts already; delete one first`);
  }
  const active = old?.active ?? false;
  const blob = context.blob(content);
  context.emit(index, { k: 'script', name, content: blob, hash, at: context.now, active });
  if (active) context.emitDirectory({ k: 'script', o: index.id, hash });
  return {};
}

/** Null leaves none active (RFC 5804 §2.8). */
export function decideActivateScript(context: Context, change: Of<'activatescript'>): unknown {
  const { by, owner, name } = change;
  const index = name === null ? scriptsOf(context, by, owner) : existing(context, { by, owner, name }).index;
  if (index === null) return {};
  const before = activeScript(index);
  if (name === null ? before === null : findScript(index, name)?.active === true) return {};
  context.emit(index, { k: 'scriptactive', name });
  publishActive(context, index, before);
  return {};
}

export function decideDeleteScript(context: Context, change: Of<'deletescript'>): unknown {
  const { index, script } = existing(context, change);
  // RFC 5804 §2.10: a script that is active cannot be deleted.
  if (script.active) throw userError('inuse', 'The active script cannot be deleted');
  context.emit(index, { k: 'scriptgone', name: change.name });
  return {};
}

export function decideRenameScript(context: Context, change: Of<'renamescript'>): unknown {
  const { index } = existing(context, change);
  checkScriptName(change.to);
  if (change.to === change.name) return {};
  if (findScript(index, change.to) !== null) throw userError('alreadyexists', 'A script of that name exists');
  context.emit(index, { k: 'scriptname', name: change.name, to: change.to });
  return {};
}
