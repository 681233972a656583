/** MAIL FROM:<sender> with SIZE, BODY, SMTPUTF8, RET, ENVID, BY, IGNOREQUOTA and AUTH (RFC 5321 §4.1.1.2). */

import { syntaxError } from '../../errors.ts';
import type { Dialogue, Transaction } from '../dialogue.ts';
import { parseBy, parseEnvid, parseRet } from '../parse/dsn.ts';
import { parseOctets, parseParameters } from '../parse/parameters.ts';
import { decodeUtf8, parsePath, type Path } from '../parse/path.ts';
import { newQueueId } from '../transaction.ts';
import { reply } from '../write.ts';
import { mayIgnoreQuota } from './lhlo.ts';
import { SAY_LHLO } from './sequence.ts';

export function mail(dialogue: Dialogue, argument: string): void {
  if (dialogue.clientName === '') throw SAY_LHLO;
  if (!dialogue.trusted && dialogue.user === null) {
    dialogue.say(reply(530, '5.7.0', 'Authentication required'));
    return;
  }
  if (dialogue.transaction !== null) {
    throw syntaxError('Sender was already given, say RSET first', 'clientbug');
  }
  const from = /^FROM:/i.exec(argument);
  if (from === null) throw syntaxError('Expected MAIL FROM:<address>');
  const text = argument.slice(from[0].length);
  let sender: Path;
  try {
    sender = parsePath(text);
  } catch (thrown) {
    dialogue.say(reply(501, '5.1.7', (thrown as Error).message));
    return;
  }

  let smtputf8 = false;
  let body: Transaction['body'] = '7BIT';
  let declaredSize = 0;
  let ignoreQuota = false;
  let ret: Transaction['ret'];
  let envid: string | undefined;
  let deliverBy: Transaction['deliverBy'];
  for (const [keyword, value] of parseParameters(text.slice(sender.end))) {
    switch (keyword) {
      case 'SIZE': {
        const octets = value === null ? null : parseOctets(value);
        if (octets === null) throw syntaxError('SIZE needs a number of octets');
        declaredSize = octets;
        break;
      }
      case 'BODY': {
        const wanted = value?.toUpperCase();
        if (wanted !== '7BIT' && wanted !== '8BITMIME' && wanted !== 'BINARYMIME') {
          throw syntaxError('BODY is 7BIT, 8BITMIME or BINARYMIME');
        }
        body = wanted;
        break;
      }
      case 'SMTPUTF8':
        if (value !== null || dialogue.settings.reject8bit) return unknownParameter(dialogue, keyword);
        smtputf8 = true;
        break;
      case 'RET':
        ret = parseRet(value);
        break;
      case 'ENVID':
        envid = parseEnvid(value);
        break;
      case 'BY':
        deliverBy = parseBy(value);
        break;
      case 'IGNOREQUOTA':
        if (value !== null || !mayIgnoreQuota(dialogue)) return unknownParameter(dialogue, keyword);
        ignoreQuota = true;
        break;
      case 'AUTH':
        // RFC 4954 §5: whoever offers AUTH must take it; without trust in it, it counts as AUTH=<>.
        if (value === null || dialogue.mechanisms.length === 0) return unknownParameter(dialogue, keyword);
        break;
      default:
        return unknownParameter(dialogue, keyword);
    }
  }
  if (sender.eightBit && !smtputf8) {
    // RFC 6531 §3.5
    dialogue.say(reply(553, '5.6.7', 'A non-ASCII address needs SMTPUTF8'));
    return;
  }
  if (sender.eightBit && decodeUtf8(sender.address) === null) {
    dialogue.say(reply(501, '5.1.7', 'Address is not valid UTF-8'));
    return;
  }
  const { maxmessagesize } = dialogue.settings;
  if (maxmessagesize > 0 && declaredSize > maxmessagesize) {
    // RFC 1870 §6.1
    dialogue.say(reply(552, '5.3.4', `Message is larger than ${maxmessagesize} bytes`));
    return;
  }
  dialogue.transaction = {
    queueId: newQueueId(),
    sender: sender.address,
    smtputf8,
    body,
    declaredSize,
    ignoreQuota,
    ret,
    envid,
    deliverBy,
    begun: Date.now(),
    recipients: [],
    reception: null,
  };
  dialogue.say(reply(250, '2.1.0', 'ok'));
}

/** RFC 5321 §4.1.1.11: 555 for parameters that are not implemented. */
export function unknownParameter(dialogue: Dialogue, keyword: string): void {
  dialogue.say(reply(555, '5.5.4', `Unsupported parameter ${keyword}`));
}
