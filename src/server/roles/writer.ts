/** The writer's role: the store's one changing process. */

import { runWriter } from '../../store/writer/run.ts';
import type { RoleBody } from './role.ts';

export const writerBody: RoleBody = async ({ settings }, log) => {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const writer = await runWriter(settings, log, { ready: resolve, fatal: reject });
  await ready;
  return { failed, stop: () => writer.close() };
};
