/** Tells the owner of a script that failed, once a day (`limits.delivery_notice`), by a message in the INBOX. */

import { MailError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { scriptNotice } from '../../outgoing/forms/notice.ts';
import type { Store } from '../../store/border.ts';
import type { Aftermath } from '../occasion.ts';
import { postmasterOf } from './delivered.ts';

/** Kind and key of the mark that says that the owner was told. */
const TOLD = ['notice', 'script'] as const;

/** Never throws: the message it is about is safe. */
export async function tellOwner(store: Store, occasion: Aftermath, problem: string): Promise<void> {
  const { now, original, owner, recipient, settings } = occasion;
  const [kind, key] = TOLD;
  try {
    if (store.marked(owner.userid, kind, key)) return;
    const notice = scriptNotice(problem, original, owner.address, postmasterOf(settings), occasion.stamp());
    const stage = store.stage(0);
    for (const chunk of notice.chunks()) stage.write(chunk);
    const until = Math.floor(now / 1000) + limits.delivery_notice.value;
    const [result] = await store.deliver([{
      target: { ...recipient.target, name: { owner: owner.userid, path: '' } },
      message: await stage.finish(),
      placements: [{ mailbox: { owner: owner.userid, path: '' }, byAddress: true }],
      marks: [{ kind, key, until, fresh: true }],
    }], { ignoreQuota: false });
    if (result?.error !== undefined) throw result.error;
  } catch (thrown) {
    // Somebody else has told in the same moment.
    if (thrown instanceof MailError && thrown.code === 'alreadyexists') return;
    occasion.log.warn('owner not told of the script', {
      error: thrown instanceof Error ? thrown : undefined,
    });
  }
}
