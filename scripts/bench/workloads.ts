/** All workloads in the order in which they run. */

import type { Workload } from './workload.ts';
import { append } from './workloads/append.ts';
import { store, transfer } from './workloads/change.ts';
import { manyRecipients, realDelivery, smallDelivery } from './workloads/delivery.ts';
import { fetchBodies, fetchEnvelopes } from './workloads/fetch.ts';
import { idle } from './workloads/idle.ts';
import { logins } from './workloads/logins.ts';
import { manyConnections, memory } from './workloads/memory.ts';
import { mix } from './workloads/mix.ts';
import { pop3 } from './workloads/pop3.ts';
import { search } from './workloads/search.ts';
import { list, select } from './workloads/select.ts';
import { sieve } from './workloads/sieve.ts';
import { largeLog, start } from './workloads/start.ts';
import { syncs } from './workloads/syncs.ts';

export const WORKLOADS: readonly Workload[] = [
  smallDelivery,
  realDelivery,
  manyRecipients,
  sieve,
  append,
  fetchEnvelopes,
  fetchBodies,
  store,
  transfer,
  search,
  select,
  list,
  logins,
  pop3,
  idle,
  mix,
  memory,
  manyConnections,
  start,
  largeLog,
  syncs,
];
