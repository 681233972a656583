/** A user of a connection that is made of functions, each of which may be set at another time. */

import type { CloseReason, ConnectionUser, DataHandler } from './connection.ts';

export class Functions implements ConnectionUser {
  data: DataHandler | undefined;
  close: ((reason: CloseReason) => void) | undefined;
  idle: (() => void) | undefined;

  received(bytes: Buffer): void {
    this.data?.(bytes);
  }

  ended(reason: CloseReason): void {
    this.close?.(reason);
  }

  silent(): void {
    this.idle?.();
  }
}
