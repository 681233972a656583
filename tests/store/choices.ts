/** What a random history is about: who does what to which mailbox. */
import type { Random } from '../harness/random.ts';
import type { Model, ModelBox, Name, Who } from './model.ts';
import { message } from './teststore.ts';

export const USERS = ['anna', 'bert', 'cora'];
export const PATHS = ['', '', '', 'Work', 'Work/2026', 'Archive', 'Sent', 'Archive/old/x'];
export const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', '\\Answered', '\\Draft', 'work', 'Later', '$Junk'];

export class Choices {
  private texts = 0;

  constructor(readonly random: Random, readonly model: Model) {}

  who(): Who {
    return this.random.oneIn(8)
      ? { userid: 'cyrus', admin: true }
      : { userid: this.random.pick(USERS), admin: false };
  }

  name(): Name {
    return { owner: this.random.pick(USERS), path: this.random.pick(PATHS) };
  }

  /** A user and a mailbox he is likely to have something to do with. */
  both(): { who: Who; name: Name } {
    const who = this.who();
    const name = this.name();
    const owner = this.random.oneIn(3) || who.admin ? name.owner : who.userid;
    return { who, name: this.random.oneIn(4) ? { ...name, owner } : this.existing(owner) };
  }

  /** A mailbox that is there, if the owner has one. */
  existing(owner: string): Name {
    const boxes = this.model.owners.get(owner)?.boxes.filter((box) => !box.deleted) ?? [];
    return { owner, path: boxes.length === 0 ? '' : this.random.pick(boxes).path };
  }

  flags(): string[] {
    return FLAGS.filter(() => this.random.oneIn(4));
  }

  uids(box: ModelBox | undefined): number[] {
    const top = box?.uidnext ?? 3;
    const uids: number[] = [];
    for (let uid = 1; uid <= top; uid++) if (this.random.oneIn(2)) uids.push(uid);
    return uids;
  }

  text(): { text: string; id: string } {
    const n = this.random.oneIn(5) ? this.random.below(this.texts + 1) : this.texts++;
    // Now and then one that travels by the stage.
    return { text: message(n, n % 40 === 39 ? 70_000 : 120 + (n * 37) % 400), id: `${n}` };
  }
}
