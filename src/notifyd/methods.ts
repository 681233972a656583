/** The ways to notify somebody, by name. */

import type { Method } from './method.ts';
import { externalMethod } from './methods/external.ts';
import { logMethod } from './methods/log.ts';
import { mailtoMethod } from './methods/mailto.ts';
import { nullMethod } from './methods/null.ts';
import { webhookMethod } from './methods/webhook.ts';
import { zephyrMethod } from './methods/zephyr.ts';

export const METHODS: ReadonlyMap<string, Method> = new Map(
  [nullMethod, logMethod, mailtoMethod, externalMethod, webhookMethod, zephyrMethod].map((
    method,
  ) => [method.name, method]),
);
