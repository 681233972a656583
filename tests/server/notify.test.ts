import { expect, test } from 'bun:test';
import { openNotifier } from '../../src/server/notify.ts';

test('abstract sockets are spoken to as well, and nothing of it is left to children', async () => {
  const name = `mailstore-test-${process.pid}`;
  const listener = Bun.spawn([
    'python3',
    '-uc',
    `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind('\\0'+sys.argv[1]); print('bound'); print(repr(s.recv(4096)))`,
    name,
  ], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const environment: Record<string, string | undefined> = {
    NOTIFY_SOCKET: `@${name}`,
    WATCHDOG_USEC: '3000000',
    WATCHDOG_PID: String(process.pid),
    HOME: '/',
  };
  let text = '';
  for await (const chunk of listener.stdout) {
    text += Buffer.from(chunk).toString();
    if (text.includes('bound') && lines.push(text) === 1) {
      const notifier = openNotifier(environment);
      expect(notifier.watchdogMs).toBe(3000);
      notifier.send('READY=1', 'STATUS=Größe');
    }
  }
  expect(text).toContain(String.raw`b'READY=1\nSTATUS=Gr\xc3\xb6\xc3\x9fe'`);
  expect(environment).toEqual({ HOME: '/' });
});

test('without systemd nothing is said; a watchdog for another process is not ours', () => {
  expect(openNotifier({}).watchdogMs).toBe(0);
  expect(() => openNotifier({}).send('READY=1')).not.toThrow();
  const { watchdogMs } = openNotifier({
    NOTIFY_SOCKET: '/nonexistent',
    WATCHDOG_USEC: '1000',
    WATCHDOG_PID: '1',
  });
  expect(watchdogMs).toBe(0);
});
