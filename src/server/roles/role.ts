/**
 * What every role does first: bind its life to the supervisor's, wait for its settings, log under its name; and
 * what it does with the messages that are the same for all.
 */

import { type LoginAnswer, type LoginQuestion, NOTHING_KNOWN } from '../../auth/abuse/book.ts';
import type { EventJob } from '../../config/services.ts';
import { asMailError } from '../../errors.ts';
import { libc, PR_SET_PDEATHSIG } from '../../net/libc.ts';
import type { TlsMaterial } from '../../net/tlsmaterial.ts';
import { createLog, type Log } from '../../telemetry/log.ts';
import { openRoleChannel, type StartMessage, type ToRole } from '../control.ts';

/** What a role is once it runs. */
export interface RunningRole {
  /** Ends it in good order; the process exits when this resolves. */
  stop(): Promise<void>;
  /** New certificates. Only workers have it. */
  tls?(material: TlsMaterial): void;
  /** The administrator has asked for a reload. Only workers have it. */
  reload?(): void;
  /** Does a scheduled job. Only the janitor has it. */
  job?(job: EventJob): Promise<void>;
  /** Rejects when the role cannot go on; the process then exits with the error's reason in the log. */
  readonly failed?: Promise<never>;
}

/** Asks the supervisor what the workers know of logins together. */
export type AskLogins = (question: LoginQuestion) => Promise<LoginAnswer>;

/** Starts a role; resolves when it does its work. */
export type RoleBody = (start: StartMessage, log: Log, ask: AskLogins) => Promise<RunningRole>;

const SIGKILL = 9;

/** The role is over in any case after so long; the supervisor's own patience is longer. */
const STOP_LIMIT_MS = 4000;

/** A supervisor that has not answered a question by then is busy with worse; logins do not wait for it. */
const ANSWER_MS = 2000;

/**
 * Runs a role in this process until it is told to stop; resolves to the exit code. `loading` brings the code of the
 * role, which is done while the supervisor's word to start is waited for.
 */
export async function runRole(loading: Promise<RoleBody>): Promise<number> {
  // Whoever waits for it below is told; until then a failure is nobody's.
  loading.catch(() => {});
  // A stuck role must not outlive its supervisor; one that still runs sees the end of its input first.
  libc().prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // Signals to the whole group (Ctrl-C, a control group being stopped) are the supervisor's to pass on in its order.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

  const channel = openRoleChannel();
  const { promise: over, resolve: finish } = Promise.withResolvers<number>();
  const early: ToRole[] = [];
  const started = new Promise<StartMessage | undefined>((resolve) => {
    channel.onOrphaned(() => resolve(undefined));
    channel.onMessage((message) => {
      if (message.type === 'start') resolve(message);
      else if (message.type === 'ping') channel.send({ type: 'pong' });
      else early.push(message);
      if (message.type === 'stop') resolve(undefined);
    });
  });
  const start = await started;
  if (start === undefined) return 0;

  const root = createLog({
    level: start.level,
    fields: start.role === 'worker' ? { role: start.role, worker: start.number } : { role: start.role },
  });
  let running: RunningRole | undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => finish(1), STOP_LIMIT_MS);
    (running === undefined ? Promise.resolve() : running.stop()).then(
      () => finish(0),
      (thrown) => {
        root.error('stop failed', { error: asMailError(thrown) });
        finish(1);
      },
    );
  };
  channel.onOrphaned(stop);
  const questions = new Map<number, (answer: LoginAnswer) => void>();
  let lastQuestion = 0;
  const ask: AskLogins = (question) => {
    const id = ++lastQuestion;
    return new Promise((resolve) => {
      const late = setTimeout(() => answered(id, NOTHING_KNOWN), ANSWER_MS);
      questions.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      channel.send({ type: 'login', id, question });
    });
  };
  const answered = (id: number, answer: LoginAnswer) => {
    questions.get(id)?.(answer);
    questions.delete(id);
  };
  const receive = (message: ToRole) => {
    switch (message.type) {
      case 'ping':
        channel.send({ type: 'pong' });
        break;
      case 'stop':
        stop();
        break;
      case 'level':
        root.setLevel(message.level);
        running?.reload?.();
        break;
      case 'login':
        answered(message.id, message.answer);
        break;
      case 'tls':
        running?.tls?.(message.material);
        break;
      case 'job':
        if (running?.job === undefined) {
          channel.send({ type: 'done', id: message.id, error: `the ${start.role} has no jobs` });
          break;
        }
        running.job(message.job).then(
          () => channel.send({ type: 'done', id: message.id, error: null }),
          (thrown) => channel.send({ type: 'done', id: message.id, error: asMailError(thrown).message }),
        );
        break;
      case 'start':
        break;
    }
  };
  channel.onMessage(receive);
  for (const message of early) receive(message);

  const fail = (what: string, thrown: unknown) => {
    const error = asMailError(thrown);
    root.error(what, {
      code: error.code,
      error,
      cause: error.cause instanceof Error ? error.cause : undefined,
    });
    finish(error.code === 'config' ? 78 : error.code === 'corruption' ? 65 : 70);
  };
  // An exception nobody caught leaves a state nobody knows: a fresh process is safer, the store allows for it.
  process.on('uncaughtException', (error) => fail('uncaught exception', error));
  process.on('unhandledRejection', (reason) => fail('unhandled rejection', reason));
  try {
    const body = await loading;
    if (!stopping) {
      // What waits for others while it starts, as for the writer's recovery, is not waited for when it is to end.
      const begun = await Promise.race([body(start, root, ask), over]);
      if (typeof begun !== 'number') {
        running = begun;
        running.failed?.catch((thrown) => fail(`${start.role} failed`, thrown));
        channel.send({ type: 'ready' });
      }
    }
  } catch (thrown) {
    fail(`${start.role} cannot start`, thrown);
  }
  const code = await over;
  root.flush();
  return code;
}
