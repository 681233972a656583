/**
 * The channel between the supervisor and a role: JSON lines on the child's standard input and output. Settings
 * and keys go this way because arguments and the environment can be read by others. The end of standard input
 * tells a role that its supervisor is gone.
 */

import { writeSync } from 'node:fs';
import type { LoginAnswer, LoginQuestion } from '../auth/abuse/book.ts';
import type { EventJob } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';
import { raise } from '../net/handlers.ts';
import type { TlsMaterial } from '../net/tlsmaterial.ts';
import type { LogLevel } from '../telemetry/log.ts';

export const ROLES = ['writer', 'worker', 'janitor', 'backup'] as const;

export type Role = (typeof ROLES)[number];

/** A listening socket a worker inherits. */
export interface InheritedSocket {
  readonly service: string;
  readonly fd: number;
  /** Path of a unix socket, or ''. */
  readonly path: string;
}

/** The word to start: all a role needs to know. It may come some time after the process has begun. */
export interface StartMessage {
  readonly type: 'start';
  readonly role: Role;
  /** 0, 1, ... among the roles of its kind. */
  readonly number: number;
  /** How many workers there are, for limits that are shared out. */
  readonly workers: number;
  readonly settings: Settings;
  readonly level: LogLevel;
  readonly tls: TlsMaterial | null;
  readonly sockets: readonly InheritedSocket[];
  /** What digests of users and passwords are made with in this run; base64. Only workers have it. */
  readonly loginKey: string;
}

export type ToRole =
  | StartMessage
  | { readonly type: 'ping' }
  | { readonly type: 'tls'; readonly material: TlsMaterial }
  | { readonly type: 'level'; readonly level: LogLevel }
  | { readonly type: 'job'; readonly id: number; readonly job: EventJob }
  | { readonly type: 'login'; readonly id: number; readonly answer: LoginAnswer }
  | { readonly type: 'stop' };

export type FromRole =
  | { readonly type: 'ready' }
  | { readonly type: 'pong' }
  | { readonly type: 'login'; readonly id: number; readonly question: LoginQuestion }
  | { readonly type: 'done'; readonly id: number; readonly error: string | null };

/** Cuts a stream of bytes into lines of JSON. What is no JSON goes to `odd`. */
export function lineReader<T>(
  message: (message: T) => void,
  odd: (line: string) => void,
): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = '';
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      if (line === '') continue;
      let parsed: T;
      try {
        parsed = JSON.parse(line) as T;
      } catch {
        odd(line);
        continue;
      }
      message(parsed);
    }
  };
}

/** A message as it travels. */
export function encodeMessage(message: ToRole | FromRole): string {
  return JSON.stringify(message) + '\n';
}

/** The role's end. */
export interface RoleChannel {
  send(message: FromRole): void;
  /** Replaces the receiver of messages. */
  onMessage(receive: (message: ToRole) => void): void;
  /** Replaces whom to tell when the supervisor is gone, at once if it is already. */
  onOrphaned(handler: () => void): void;
}

/** Opens the role's end on standard input and output. Messages that came before a receiver is set wait for it. */
export function openRoleChannel(): RoleChannel {
  let receive: ((message: ToRole) => void) | undefined;
  let orphaned: (() => void) | undefined;
  let over = false;
  const early: ToRole[] = [];
  const read = lineReader<ToRole>(
    (message) => receive === undefined ? early.push(message) : receive(message),
    () => {},
  );
  // The runtime's stream, not node's: that one is milliseconds of a start.
  void (async () => {
    try {
      for await (const chunk of Bun.stdin.stream()) {
        try {
          read(chunk);
        } catch (thrown) {
          raise(thrown);
        }
      }
    } catch {
      // As good as its end.
    }
    over = true;
    orphaned?.();
  })();
  return {
    send: (message) => {
      try {
        // Messages are rare and shorter than a pipe's buffer, so this neither blocks nor needs a queue.
        writeSync(1, encodeMessage(message));
      } catch {
        // The supervisor is gone; the end of standard input says the same.
      }
    },
    onMessage: (handler) => {
      receive = handler;
      for (const message of early.splice(0)) handler(message);
    },
    onOrphaned: (handler) => {
      orphaned = handler;
      if (over) handler();
    },
  };
}
