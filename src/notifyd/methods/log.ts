import type { Method } from '../method.ts';

/** A line of the log. */
export const logMethod: Method = {
  name: 'log',
  unusable: () => null,
  notify({ class: className, priority, user, mailbox, options, message }, { log }) {
    log.info('notification', {
      class: className,
      ...(priority === '' ? {} : { priority }),
      user,
      mailbox,
      ...(options.length === 0 ? {} : { options: options.join(', ') }),
      text: message,
    });
  },
};
