import { randomUUID } from '../../crypto.ts';
import { alert } from '../../outgoing/forms/alert.ts';
import { parseMailto } from '../../sieve/mailto.ts';
import type { Method } from '../method.ts';

const ADDRESS = /^[^\s<>()[\]\\,;:"@]+@[^\s<>()[\]\\,;:"@]+$/;

/** Mail to the addresses that are the notification's options, as Cyrus sends it: from the postmaster, to nobody else. */
export const mailtoMethod: Method = {
  name: 'mailto',
  unusable: () => null,
  async notify({ class: className, priority, options, message }, { settings, mailer }) {
    const to = [...new Set(options.flatMap(addressesOf))];
    if (to.length === 0) throw new Error('no address is named');
    const { servername } = settings;
    const postmaster = settings.postmaster.includes('@')
      ? settings.postmaster
      : `${settings.postmaster}@${servername}`;
    const stamp = { now: new Date(), messageId: `notify.${randomUUID()}`, servername };
    const { envelope, message: mail } = alert({ to, class: className, priority, message }, postmaster, stamp);
    const failed = (await mailer.send(envelope, mail)).filter(({ kind }) => kind !== 'sent');
    if (failed.length > 0) {
      throw new Error(failed.map(({ address, text }) => `${address}: ${text}`).join('; '));
    }
  },
};

/** An address, or those of a mailto URI (RFC 6068), whose other words are not looked at. */
function addressesOf(option: string): readonly string[] {
  if (ADDRESS.test(option)) return [option];
  if (!/^mailto:/i.test(option)) {
    throw new Error(`"${option.slice(0, 100)}" is neither an address nor a mailto URI`);
  }
  const uri = parseMailto(option);
  if (typeof uri === 'string') throw new Error(uri);
  return [...uri.to, ...uri.cc, ...uri.bcc].map(({ address }) => address);
}
