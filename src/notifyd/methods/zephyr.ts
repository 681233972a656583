import type { Method } from '../method.ts';

/** Zephyr, which Cyrus can be built with: named, so that who asks for it hears that it is not there. */
export const zephyrMethod: Method = {
  name: 'zephyr',
  unusable: () => 'zephyr is not there',
  notify: () => {},
};
