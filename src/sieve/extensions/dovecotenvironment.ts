import type { Extension } from '../extension.ts';
import { toOctets } from '../octets.ts';

/**
 * vnd.dovecot.environment: items of the environment test as variables, `${env.item}`. Names of variables have no dash, so that an
 * underscore stands for it where there is no item with an underscore. The items themselves are the host's.
 */
export const dovecotEnvironment: Extension = {
  capability: 'vnd.dovecot.environment',
  implies: ['environment'],
  namespaces: [{
    name: 'env',
    variable(path) {
      const item = path.join('.').toLowerCase();
      const dashed = item.replaceAll('_', '-');
      return {
        get: ({ host }) => toOctets(host.environment(item) ?? host.environment(dashed) ?? ''),
      };
    },
  }],
};
