/** Notifyd's role as a worker plugs it in: datagrams of Cyrus's programs, and of our own (`notifysocket`). */

import type { Connection } from '../net/connection.ts';
import type { Protocol } from '../net/service.ts';
import { Dispatcher } from './dispatcher.ts';
import type { MethodParts } from './method.ts';

/** Notifications of this configuration. One per process. */
export function createNotifyd(parts: MethodParts): Protocol {
  const dispatcher = new Dispatcher(parts);
  return {
    alpn: 'notify',
    datagram: (bytes) => dispatcher.receive(bytes),
    // Nobody connects to a socket of datagrams.
    accept: (connection: Connection) => connection.destroy(),
    busy: '',
    late: '',
    shutdown: () => dispatcher.idle(),
  };
}
