/** Which owners' indexes a change may open. */
import type { Directory } from '../index/directory.ts';
import type { Change } from './requests.ts';

/** Ids of the owners a change reads or changes, as far as they exist. */
export function ownersOf(change: Change, directory: Directory): number[] {
  const ids: number[] = [];
  const user = (userid: string): void => {
    const owner = directory.owner(userid);
    if (owner !== null) ids.push(owner.id);
  };
  switch (change.op) {
    case 'deliver':
      for (const { userid, placements } of change.targets) {
        user(userid);
        for (const { owner } of placements ?? []) if (owner !== userid) user(owner);
      }
      break;
    case 'append':
    case 'create':
    case 'delete':
    case 'acl':
    case 'restoremailbox':
      user(change.name.owner);
      break;
    case 'metadata':
      user(change.by.userid);
      user(change.name?.owner ?? '');
      break;
    case 'subscribe':
      user(change.by.userid);
      user(change.name.owner);
      break;
    case 'quota':
      user(change.root.owner);
      break;
    case 'rename':
      user(change.from.owner);
      user(change.to.owner);
      break;
    case 'copy':
      ids.push(change.owner);
      user(change.to.owner);
      break;
    case 'store':
    case 'expunge':
    case 'recent':
    case 'told':
    case 'expire':
    case 'wake':
    case 'raise':
    case 'restoremessages':
    case 'restoreflags':
      ids.push(change.owner);
      break;
    case 'login':
    case 'mark':
    case 'purgeuser':
    case 'replaceowner':
    case 'adopt':
      user(change.userid);
      break;
    case 'undelete':
    case 'putscript':
    case 'activatescript':
    case 'deletescript':
    case 'renamescript':
      user(change.owner);
      break;
    case 'secret':
      break;
    default:
      change satisfies never;
  }
  return ids;
}
