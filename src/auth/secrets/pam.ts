/** Passwords checked by PAM, under the service names that Debian's Cyrus package has files for. */

import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Checkers } from '../checker/pool.ts';
import { serviceName } from '../servicename.ts';
import type { Asking, SecretSource, UserSecret } from './source.ts';

export interface PamOptions {
  /** One service for all protocols; '' for the protocol's own. */
  readonly service: string;
  /** A folder of service files instead of /etc/pam.d, or ''. */
  readonly confdir: string;
}

export class PamSecrets implements SecretSource {
  readonly abilities = { plain: false, scram: false } as const;
  readonly #checkers: Pick<Checkers, 'ask'>;
  readonly #options: PamOptions;
  readonly #log: Log;

  constructor(checkers: Pick<Checkers, 'ask'>, options: PamOptions, log: Log) {
    this.#checkers = checkers;
    this.#options = options;
    this.#log = log;
  }

  async verify(userid: string | null, password: string, asking?: Asking): Promise<boolean> {
    const fits = password !== '' && !password.includes('\0') &&
      Buffer.byteLength(password) <= limits.password_bytes.value;
    const service = this.#options.service === ''
      ? serviceName(asking?.protocol ?? 'imap')
      : this.#options.service;
    let answer;
    try {
      answer = await this.#checkers.ask({
        kind: 'pam',
        service,
        confdir: this.#options.confdir,
        user: userid ?? 'nobody',
        password: fits ? password : ' ',
        rhost: asking?.remoteAddress ?? '',
      });
    } catch (thrown) {
      this.#log.error('PAM cannot tell', {
        service,
        reason: thrown instanceof Error ? thrown.message : String(thrown),
      });
      throw thrown;
    }
    if (answer.verdict === 'error') {
      this.#log.error('PAM cannot tell', { service, reason: answer.text });
      throw serverError(`PAM cannot be asked: ${answer.text}`);
    }
    return answer.verdict === 'yes' && fits && userid !== null;
  }

  secret(): Promise<UserSecret | null> {
    return Promise.resolve(null);
  }
}
