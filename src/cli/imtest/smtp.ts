/** SMTP and LMTP up to the login, for the test clients. */

import { userError } from '../../errors.ts';
import { SmtpCommands } from '../../outgoing/smtp/commands.ts';
import type { Dialogue, Reply, ServerOffer } from './dialogue.ts';

export class SmtpDialogue extends SmtpCommands implements Dialogue {
  readonly logout = 'QUIT';

  async greeting(): Promise<ServerOffer> {
    await this.ready();
    return await this.offer();
  }

  async offer(): Promise<ServerOffer> {
    const extensions = await this.hello();
    return {
      mechanisms: (extensions.get('AUTH') ?? '').toUpperCase().split(' ').filter((name) => name !== ''),
      starttls: extensions.has('STARTTLS'),
      own: [],
    };
  }

  login(kind: string): Promise<Reply> {
    throw userError('cannot', `SMTP has no login "${kind}"`);
  }

  isLogout(line: string): boolean {
    return /^QUIT$/i.test(line);
  }
}
