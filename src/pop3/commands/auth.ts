import { decodeResponse, encodeChallenge, offered, startSasl } from '../../auth/sasl.ts';
import { asMailError, syntaxError } from '../../errors.ts';
import { openMaildrop } from '../login.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** AUTH mechanism [initial-response] (RFC 5034 §4); alone it lists the mechanisms, as older clients ask for them. */
export async function auth(session: Pop3Session, argument: string): Promise<void> {
  if (argument === '') {
    const lines = offered(session.sasl).map((name) => `${name}\r\n`);
    session.write(`${ok('Mechanisms follow')}${lines.join('')}.\r\n`);
    return;
  }
  const [mechanism = '', initial, ...more] = argument.split(' ');
  if (more.length > 0) throw syntaxError('Expected AUTH mechanism [initial response]');
  const exchange = startSasl(mechanism, session.sasl);
  const first = initial === undefined ? null : decodeResponse(initial);
  if (first === 'cancel') throw syntaxError('Authentication cancelled');
  let step = await exchange.step(first);
  while (step.kind === 'challenge') {
    const response = await ask(session, step.challenge);
    if (response === null) return;
    step = await exchange.step(response);
  }
  // RFC 5034 §4: data that comes with the success goes out as a challenge, which is answered by nothing.
  if (step.final !== undefined && await ask(session, step.final) === null) return;
  if (session.ended) return;
  const { layer } = step;
  await openMaildrop(session, step.identity, null, () => {
    if (layer === undefined) return;
    // What came in before the client could know of the layer is nobody's.
    session.discard();
    session.connection.protect(layer);
  });
}

/** Sends a challenge and waits for the response; null when the connection ended first. */
async function ask(session: Pop3Session, challenge: Uint8Array): Promise<Uint8Array | null> {
  session.write(`+ ${encodeChallenge(challenge)}\r\n`);
  const line = await session.line();
  if (line === null) return null;
  try {
    const response = decodeResponse(line);
    if (response === 'cancel') throw syntaxError('Authentication cancelled');
    return response;
  } catch (thrown) {
    const error = asMailError(thrown);
    throw error.kind === 'limit' ? syntaxError(error.message) : error;
  }
}
