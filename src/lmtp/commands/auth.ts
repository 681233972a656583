/** AUTH mechanism [initial-response] (RFC 4954 §4). */

import {
  decodeResponse,
  encodeChallenge,
  type SaslExchange,
  type SaslStep,
  startSasl,
} from '../../auth/sasl.ts';
import { asMailError, syntaxError } from '../../errors.ts';
import type { Dialogue } from '../dialogue.ts';
import { failureReply } from '../failure.ts';
import { type Reply, reply } from '../write.ts';
import { SAY_LHLO } from './sequence.ts';

export function auth(dialogue: Dialogue, argument: string): void {
  if (dialogue.clientName === '') throw SAY_LHLO;
  if (dialogue.trusted) throw syntaxError('You are trusted without authentication', 'clientbug');
  if (dialogue.user !== null) throw syntaxError('You are authenticated already', 'clientbug');
  // RFC 4954 §4: not during a mail transaction.
  if (dialogue.transaction !== null) throw syntaxError('Not during a transaction', 'clientbug');
  const [mechanism = '', initial, ...rest] = argument.split(/ +/);
  if (mechanism === '' || rest.length > 0) throw syntaxError('Expected AUTH mechanism [initial response]');
  let exchange: SaslExchange;
  try {
    exchange = startSasl(mechanism, dialogue.sasl);
  } catch (thrown) {
    const error = asMailError(thrown);
    return dialogue.say(
      error.code === 'cannot'
        ? reply(504, '5.5.4', 'This authentication mechanism is not offered')
        : failureReply(error, dialogue.settings),
    );
  }
  if (initial === undefined) dialogue.wait(step(dialogue, exchange, null));
  else takeLine(dialogue, exchange, initial);
}

/** One base64 line of the client; its failures end the exchange, not the connection. */
function takeLine(dialogue: Dialogue, exchange: SaslExchange, line: string): void {
  let response: Uint8Array | 'cancel';
  try {
    response = decodeResponse(line);
  } catch (thrown) {
    return dialogue.say(
      asMailError(thrown).code === 'limit'
        ? reply(500, '5.5.6', 'Authentication exchange line is too long')
        : reply(501, '5.5.2', 'Expected base64'),
    );
  }
  if (response === 'cancel') return dialogue.say(reply(501, '5.7.0', 'Authentication cancelled'));
  dialogue.wait(step(dialogue, exchange, response));
}

async function step(dialogue: Dialogue, exchange: SaslExchange, response: Uint8Array | null): Promise<void> {
  let answer: Reply;
  try {
    const result = await exchange.step(response);
    if (result.kind === 'done') return finish(dialogue, result);
    // RFC 4954 §4: an empty challenge is "334 " with the space.
    answer = reply(334, '', encodeChallenge(result.challenge));
    dialogue.readLine((line) => takeLine(dialogue, exchange, line));
  } catch (thrown) {
    const error = asMailError(thrown);
    // RFC 4954 §6: temporary authentication failure.
    answer = error.kind === 'server'
      ? reply(454, '4.7.0', 'Authentication is not possible at the moment')
      : error.kind === 'user'
      ? failureReply(error, dialogue.settings)
      : reply(501, '5.5.2', 'Malformed authentication response');
  }
  dialogue.say(answer);
}

/** RFC 4954 §4: data that comes with the success goes out as a challenge, which the client answers with nothing. */
function finish(dialogue: Dialogue, done: Extract<SaslStep, { kind: 'done' }>): void {
  const succeed = (): void => {
    dialogue.say(reply(235, '2.7.0', 'Authentication succeeded'));
    dialogue.logIn(done.identity, done.layer);
  };
  if (done.final === undefined) return succeed();
  dialogue.say(reply(334, '', encodeChallenge(done.final)));
  dialogue.readLine((line) => {
    if (line === '' || line === '=') succeed();
    else if (line === '*') dialogue.say(reply(501, '5.7.0', 'Authentication cancelled'));
    else dialogue.say(reply(501, '5.5.2', 'Expected an empty response'));
  });
}
