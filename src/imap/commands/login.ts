import { loginAllowed } from '../../auth/sasl.ts';
import { userError } from '../../errors.ts';
import type { LoginCommand } from '../parse/command.ts';
import type { Completion, Session } from '../session.ts';

/** LOGIN (RFC 9051 §6.2.3). Without TLS only where `allowplaintext` says so: LOGINDISABLED is announced otherwise. */
export async function login(session: Session, command: LoginCommand): Promise<Completion> {
  const { origin } = session;
  if (!loginAllowed(session.sasl)) {
    throw userError('privacyrequired', 'Passwords are not accepted without TLS');
  }
  const identity = await session.deps.authenticator.authenticate({
    mechanism: 'LOGIN command',
    authcid: command.user,
    authzid: '',
    password: command.password,
    origin,
  });
  return await session.logIn(identity);
}
