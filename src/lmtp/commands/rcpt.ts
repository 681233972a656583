/** RCPT TO:<recipient> with NOTIFY, ORCPT and IGNOREQUOTA (RFC 5321 §4.1.1.3); who it is, and whether mail may be had now. */

import { findRecipient } from '../../delivery/recipient.ts';
import { syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { DsnNotify } from '../../outgoing/envelope.ts';
import type { DeliveryTarget } from '../../store/border.ts';
import type { Dialogue } from '../dialogue.ts';
import { failureReply } from '../failure.ts';
import { parseNotify, parseOrcpt } from '../parse/dsn.ts';
import { parseParameters } from '../parse/parameters.ts';
import { addressText, decodeUtf8, parsePath, type Path } from '../parse/path.ts';
import { type Reply, reply } from '../write.ts';
import { mayIgnoreQuota } from './lhlo.ts';
import { unknownParameter } from './mail.ts';
import { DATA_AFTER_BDAT, SAY_MAIL } from './sequence.ts';

export function rcpt(dialogue: Dialogue, argument: string): void {
  const { transaction } = dialogue;
  if (transaction === null) throw SAY_MAIL;
  if (transaction.reception !== null) throw DATA_AFTER_BDAT;
  const to = /^TO:/i.exec(argument);
  if (to === null) throw syntaxError('Expected RCPT TO:<address>');
  const text = argument.slice(to[0].length);
  const path = readRecipient(text, transaction.smtputf8);
  if ('code' in path) return dialogue.say(path);

  let ignoreQuota = transaction.ignoreQuota;
  let notify: DsnNotify | undefined;
  let originalRecipient: string | undefined;
  for (const [keyword, value] of parseParameters(text.slice(path.end))) {
    if (keyword === 'NOTIFY') notify = parseNotify(value);
    else if (keyword === 'ORCPT') originalRecipient = parseOrcpt(value, transaction.smtputf8);
    else if (keyword === 'IGNOREQUOTA' && value === null && mayIgnoreQuota(dialogue)) ignoreQuota = true;
    else return unknownParameter(dialogue, keyword);
  }
  const size = ignoreQuota ? null : transaction.declaredSize;
  dialogue.lookUp(
    findTarget(dialogue, path, size).then(
      (target) => () => {
        const { recipients } = transaction;
        if (recipients.length >= limits.lmtp_recipients.value) {
          // RFC 5321 §4.5.3.1.10
          return dialogue.say(
            reply(452, '4.5.3', 'Too many recipients, send the rest in another transaction'),
          );
        }
        if ((recipients[0]?.ignoreQuota ?? ignoreQuota) !== ignoreQuota) {
          // One delivery is one change of the store, and that either looks at quotas or does not.
          return dialogue.say(
            reply(452, '4.5.3', 'With and without IGNOREQUOTA do not mix, use another transaction'),
          );
        }
        recipients.push({ address: path.address, target, ignoreQuota, notify, originalRecipient });
        dialogue.say(reply(250, '2.1.5', 'ok'));
      },
      (thrown: unknown) => () => {
        const answer = failureReply(thrown, dialogue.settings);
        dialogue.log.info('recipient refused', {
          queueid: transaction.queueId,
          sender: addressText(transaction.sender),
          rcpt: addressText(path.address),
          result: `${answer.code} ${answer.status}`,
          error: thrown instanceof Error ? thrown : undefined,
        });
        dialogue.say(answer);
      },
    ),
  );
}

/** The forward path, or why it cannot be one. The null path is for senders only. */
export function readRecipient(text: string, smtputf8: boolean): Path | Reply {
  let path: Path;
  try {
    path = parsePath(text);
  } catch (thrown) {
    return reply(501, '5.1.3', (thrown as Error).message);
  }
  if (path.address === '') return reply(501, '5.1.3', 'The null address is no recipient');
  // RFC 6531 §3.5
  if (path.eightBit && !smtputf8) return reply(553, '5.6.7', 'A non-ASCII address needs SMTPUTF8');
  if (path.eightBit && decodeUtf8(path.local + path.domain) === null) {
    return reply(501, '5.1.3', 'Address is not valid UTF-8');
  }
  return path;
}

/** Asks the store for the mailbox of an address. @param size octets to come, null to ignore the quota */
export function findTarget(dialogue: Dialogue, path: Path, size: number | null): Promise<DeliveryTarget> {
  const { settings, store, interfaces, connection, user } = dialogue;
  const context = { settings, store, interfaces, localAddress: connection.localAddress, poster: user };
  const local = path.eightBit ? decodeUtf8(path.local) as string : path.local;
  const domain = path.eightBit ? decodeUtf8(path.domain) as string : path.domain;
  return findRecipient(context, { local, domain }, size);
}
