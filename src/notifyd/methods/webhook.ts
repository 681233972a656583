import { createHmac } from '../../crypto.ts';
import { limits } from '../../limits.ts';
import type { Method } from '../method.ts';

/**
 * A request to a web server: POST with JSON. With a secret, `X-Mailstore-Signature: sha256=…` is the HMAC of the body under it,
 * so that the server knows who asks. No redirection is followed: the address is the administrator's.
 */
export const webhookMethod: Method = {
  name: 'webhook',
  unusable: ({ notify_webhook: url }) => url === '' ? 'notify.webhook names no address' : null,
  async notify({ class: className, priority, user, mailbox, options, message }, { settings }) {
    const body = JSON.stringify({ class: className, priority, user, mailbox, options, message });
    const secret = settings.notify_webhook_secret;
    const response = await fetch(settings.notify_webhook, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(secret === ''
          ? {}
          : { 'X-Mailstore-Signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` }),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(limits.notify_seconds.value * 1000),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the webhook answers ${response.status}`);
  },
};
