/** Carries out what was decided, in the world of a test. */

import { eachField } from '../../../mime/header.ts';
import { redirectHeader } from '../../../outgoing/forms/redirect.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import type { Action, Content, Placement } from '../../../sieve/result.ts';
import { INBOX, type World } from './world.ts';

/** True if every action that was not carried out before succeeded. Why not stands among the errors. */
export function execute(world: World): boolean {
  let fine = true;
  for (const action of world.result.decided()) {
    // The implicit keep is made anew each time it is asked for; its result stands for it.
    const key = action.kind === 'keep' && action.implicit ? world.result : action;
    if (world.done.has(key)) continue;
    world.done.add(key);
    const wrong = carryOut(world, action);
    if (wrong === null) continue;
    world.error(wrong);
    fine = false;
  }
  return fine;
}

/** What went wrong, or null. */
function carryOut(world: World, action: Action): string | null {
  switch (action.kind) {
    case 'keep':
      return store(world, action.placement);
    case 'fileinto':
      return store(world, action.placement);
    case 'redirect':
      world.send(fromOctets(world.envelope.from), action.address, forwarded(world, action.content));
      return null;
    case 'discard':
      return null;
  }
}

function bytesOf(world: World, content: Content): Uint8Array {
  return content === null ? world.source : Buffer.concat(content);
}

function forwarded(world: World, content: Content): Uint8Array {
  const bytes = bytesOf(world, content);
  const body = eachField(bytes, () => true);
  return Buffer.concat([redirectHeader(bytes.subarray(0, body), world.owner), bytes.subarray(body)]);
}

function store(world: World, { mailbox, flags, content }: Placement): string | null {
  const name = mailbox ?? INBOX;
  const failed = `failed to store into mailbox '${name}'`;
  if (name.split('.').some((level) => level === '') || name.includes('/')) {
    return `${failed}: invalid mailbox name`;
  }
  if (name.toUpperCase() === INBOX) world.create(INBOX);
  const messages = world.mailboxes.get(name.toUpperCase() === INBOX ? INBOX : name);
  if (messages === undefined) return `${failed}: it does not exist`;
  messages.push({ bytes: bytesOf(world, content), flags });
  return null;
}
