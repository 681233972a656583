/** What the workers are told of a record: which mailbox changed and how, never contents. */
import type { OwnerEvent } from '../log/events.ts';
import { UidSet } from '../uidset.ts';

/** A change in one owner's mailboxes as it travels to workers that watch the owner. */
export type Published =
  | { k: 'exists'; mb: number; u: string; q: number }
  | { k: 'flags'; mb: number; u: string; q: number; userid?: string }
  | { k: 'expunge'; mb: number; u: string; q: number }
  | { k: 'keywords'; mb: number }
  | { k: 'renamed'; mb: number; path: string }
  | { k: 'acl'; mb: number }
  | { k: 'deleted'; mb: number }
  | { k: 'list' };

/** What happened to one owner, for those who watch it. */
export interface OwnerNews {
  owner: number;
  origin: string;
  events: Published[];
}

/** The public form of an owner's events, in order. */
export function publishedOf(events: readonly OwnerEvent[]): Published[] {
  const out: Published[] = [];
  for (const event of events) {
    switch (event.k) {
      case 'add': {
        const first = event.msgs[0];
        const last = event.msgs.at(-1);
        if (first === undefined || last === undefined) break;
        out.push({ k: 'exists', mb: event.mb, u: UidSet.range(first[0], last[0]).toString(), q: event.q });
        break;
      }
      case 'copy': {
        const uids = UidSet.range(event.first, event.first + UidSet.parse(event.u).size - 1);
        out.push({ k: 'exists', mb: event.mb, u: uids.toString(), q: event.q });
        break;
      }
      case 'flags':
        out.push({ k: 'flags', mb: event.mb, u: event.u, q: event.q });
        break;
      case 'seen':
        out.push({ k: 'flags', mb: event.mb, u: event.u, q: event.q, userid: event.userid });
        break;
      case 'expunge':
        out.push({ k: 'expunge', mb: event.mb, u: event.u, q: event.q });
        break;
      case 'keywords':
        out.push({ k: 'keywords', mb: event.mb });
        break;
      case 'rename':
        out.push({ k: 'renamed', mb: event.mb, path: event.path });
        break;
      case 'acl':
        out.push({ k: 'acl', mb: event.mb });
        break;
      case 'delete':
        out.push({ k: 'deleted', mb: event.mb });
        break;
      case 'metadata':
      case 'snooze':
      case 'script':
      case 'scriptgone':
      case 'scriptname':
      case 'scriptactive':
      case 'marks':
        break;
      default:
        out.push({ k: 'list' });
    }
  }
  return out;
}
