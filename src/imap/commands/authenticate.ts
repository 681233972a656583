import { decodeResponse, encodeChallenge, startSasl } from '../../auth/sasl.ts';
import { syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { AuthenticateCommand } from '../parse/command.ts';
import type { Completion, Session } from '../session.ts';

/** AUTHENTICATE (RFC 9051 §6.2.2), with the initial response of SASL-IR (RFC 4959). */
export async function authenticate(
  session: Session,
  command: AuthenticateCommand,
): Promise<Completion | null> {
  const exchange = startSasl(command.mechanism, session.sasl);
  let step = await exchange.step(command.initial);
  while (step.kind === 'challenge') {
    const response = await ask(session, step.challenge);
    if (response === null) return null;
    step = await exchange.step(response);
  }
  // IMAP has no place for data with success (RFC 4422 §3.6): it goes out as a challenge, answered by nothing.
  if (step.final !== undefined && await ask(session, step.final) === null) return null;
  if (session.closed) return null;
  const completion = await session.logIn(step.identity);
  const strength = session.connection.secure ? 'tls' : PROTECTION[Math.min(step.layer?.strength ?? 0, 2)];
  if (step.layer === undefined) return { ...completion, text: `Success (${strength} protection)` };
  // RFC 9051 §6.2.2: the layer begins behind the CRLF of OK; capabilities are asked for inside it.
  return { text: `Success (${strength} protection)`, layer: step.layer };
}

/** In Cyrus's words, by the bits of the mechanism's layer. */
const PROTECTION = ['no', 'integrity', 'privacy'] as const;

/** Sends a challenge and waits for the response; null when the connection ended first. `*` gives up: BAD. */
async function ask(session: Session, challenge: Uint8Array): Promise<Uint8Array | null> {
  session.write(`+ ${encodeChallenge(challenge)}\r\n`);
  const line = await session.input.line(limits.sasl_response.value);
  if (line === null) return null;
  const response = decodeResponse(line);
  if (response === 'cancel') throw syntaxError('Authentication cancelled');
  return response;
}
