/** Deliveries on their way to the writer. */
import { MailError } from '../../errors.ts';
import type { Delivery, DeliveryResult, DeliveryTarget, Identity, Placed } from '../border.ts';
import { isRefusal, type Received } from '../spool/stage.ts';
import type { Change, DeliveredTarget, DeliveryAddress, PlacementData } from '../writer/requests.ts';

/** A target that remembers who posts. */
export interface Target extends DeliveryTarget {
  readonly poster: Identity | null;
}

type Ask = (change: Change, blobs: readonly Uint8Array[]) => Promise<unknown>;

/** Bytes of the messages of one change, when recipients have different ones: far below what a frame may hold. */
const CHANGE_BYTES = 8 << 20;

/** Delivers. One change, unless its messages are too many for one. */
export async function deliverAll(
  deliveries: readonly Delivery[],
  ignoreQuota: boolean,
  ask: Ask,
): Promise<DeliveryResult[]> {
  const results: DeliveryResult[] = [];
  for (let from = 0; from < deliveries.length;) {
    const messages: Received[] = [];
    let bytes = 0;
    let at = from;
    for (; at < deliveries.length; at++) {
      const message = (deliveries[at] as Delivery).message as Received;
      if (messages.includes(message)) continue;
      if (messages.length > 0 && bytes + message.held > CHANGE_BYTES) break;
      bytes += message.held;
      messages.push(message);
    }
    results.push(...await deliver(deliveries.slice(from, at), messages, ignoreQuota, ask));
    from = at;
  }
  return results;
}

async function deliver(
  deliveries: readonly Delivery[],
  messages: readonly Received[],
  ignoreQuota: boolean,
  ask: Ask,
): Promise<DeliveryResult[]> {
  const handed = messages.map((message) => message.hand());
  try {
    const answers = await ask(
      {
        op: 'deliver',
        targets: deliveries.map((delivery) =>
          addressOf(delivery, messages.indexOf(delivery.message as Received))
        ),
        messages: handed.map(({ data }) => data),
        ignoreQuota,
      },
      handed.length === 1
        ? (handed[0] as (typeof handed)[number]).blobs
        : handed.flatMap(({ blobs }) => blobs),
    );
    const told = answers as DeliveredTarget[];
    for (const message of messages) {
      const stored = deliveries.some((delivery, at) =>
        delivery.message === message && isStored(told[at] as DeliveredTarget)
      );
      if (!stored) message.forget();
    }
    return deliveries.map(({ target }, at) => resultOf(target, told[at] as DeliveredTarget));
  } catch (thrown) {
    if (isRefusal(thrown)) { for (const message of messages) message.forget(); }
    const error = thrown instanceof MailError
      ? thrown
      : new MailError('server', 'unavailable', 'the message could not be stored', thrown);
    return deliveries.map(({ target }) => ({ target, error }));
  }
}

function addressOf({ target, placements, marks, by }: Delivery, message: number): DeliveryAddress {
  const address: DeliveryAddress = {
    userid: target.userid,
    path: target.name.path,
    poster: (target as Target).poster ?? null,
  };
  if (message > 0) address.message = message;
  if (placements !== undefined) {
    address.placements = placements.map(({ mailbox, flags = [], ...how }): PlacementData => ({
      owner: mailbox.owner,
      path: mailbox.path,
      flags: [...flags],
      ...how,
    }));
  }
  if (marks !== undefined && marks.length > 0) address.marks = [...marks];
  if (by !== undefined) address.by = by;
  return address;
}

function isStored({ uid, placed = [] }: DeliveredTarget): boolean {
  return uid !== undefined || placed.some((place) => place.uid !== null);
}

function resultOf(to: DeliveryTarget, answer: DeliveredTarget): DeliveryResult {
  const { error, uid, uidvalidity, failed } = answer;
  if (error !== undefined) {
    const { kind, code, text } = error;
    const refused = new MailError(kind as MailError['kind'], code as MailError['code'], text);
    return failed === undefined ? { target: to, error: refused } : { target: to, error: refused, failed };
  }
  if (answer.placed !== undefined) {
    const placed = answer.placed.map(({ owner, path, ...place }): Placed => ({
      mailbox: { owner, path },
      ...place,
    }));
    return { target: to, placed };
  }
  const target: DeliveryTarget = { ...to, name: { owner: to.userid, path: answer.path } };
  return uid === undefined || uidvalidity === undefined ? { target } : { target, uid, uidvalidity };
}
