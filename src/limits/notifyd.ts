import { rows } from './limit.ts';

/** Notifyd: what programs of this machine may have us tell others. */
export const notifydLimits = rows({
  notify_datagram: {
    value: 8 << 10,
    unit: 'bytes',
    reason: 'Cyrus sends 8 KB at most; a notification is a few lines',
    onExcess: 'it is dropped, the log says so',
  },
  notify_options: {
    value: 10,
    unit: 'count',
    reason: "Cyrus's notifytest takes as many; methods have one or two",
    onExcess: 'the notification is dropped, the log says so',
  },
  notify_waiting: {
    value: 1_000,
    unit: 'count',
    reason:
      'notifications that wait for a slow program or a slow server; a worker holds 8 MB of them at most',
    onExcess: 'the notification is dropped, the log says so once a minute',
  },
  notify_running: {
    value: 4,
    unit: 'count',
    reason: 'programs or requests under way at a time, for each worker',
    onExcess: 'the next notification waits',
  },
  notify_seconds: {
    value: 20,
    unit: 'seconds',
    reason: 'a program or a server that has not taken a few lines by then hangs',
    onExcess: 'the program is killed, the request given up; the log says so',
  },
});
