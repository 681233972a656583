import { decodeResponse, encodeChallenge, startSasl } from '../../auth/sasl.ts';
import { syntaxError } from '../../errors.ts';
import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import { referralFor } from '../referral.ts';
import type { ManageSieveSession } from '../session.ts';
import { bye, byteString, literal, ok } from '../write.ts';

/** AUTHENTICATE mechanism [initial response] (RFC 5804 §2.1). What comes with the success is part of the OK (§1.3 SASL). */
export async function authenticate(session: ManageSieveSession, args: readonly Argument[]): Promise<void> {
  expectArguments(args, ['string', 'string'], 'AUTHENTICATE "mechanism" ["initial response"]', 1);
  const [mechanism, initial] = args;
  const exchange = startSasl(mechanism?.text ?? '', session.sasl);
  let step = await exchange.step(initial === undefined ? null : decode(initial.text));
  while (step.kind === 'challenge') {
    // Always a literal: Cyrus's sivtest and sieveshell know no other challenge.
    session.write(`${literal(encodeChallenge(step.challenge))}\r\n`);
    const response = await session.response();
    if (response === null) return;
    step = await exchange.step(decode(response));
  }
  if (session.ended) return;
  const elsewhere = referralFor(session.services.settings.sieve_referrals, step.identity.userid);
  if (elsewhere !== null) {
    const text = 'Your scripts are on another server';
    return session.leave(bye(text, `REFERRAL ${byteString(elsewhere)}`));
  }
  await session.logIn(step.identity);
  const { final, layer } = step;
  session.write(ok('', final === undefined ? '' : `SASL ${byteString(encodeChallenge(final))}`));
  if (layer !== undefined) await session.protect(layer);
}

/** @throws MailError 'badsyntax': a response that is none, too long or "*" ends the exchange alone */
function decode(text: string): Uint8Array {
  const response = decodeResponse(text);
  if (response === 'cancel') throw syntaxError('Authentication cancelled');
  return response;
}
