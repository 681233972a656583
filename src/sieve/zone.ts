/** `:zone` (RFC 5260 §4.1, RFC 6009 §5): in which time zone a test wants to see a moment. */

import type { TagSpec } from './extension.ts';
import { printable } from './lexer.ts';
import { parseZone } from './moment.ts';
import { type Run, ScriptError } from './run.ts';
import type { Text } from './text.ts';

function zoneWrong(zone: string): string | null {
  return parseZone(zone) === null ? `"${printable(zone)}" is no time zone: expected one like "+0100"` : null;
}

export const ZONE: TagSpec = {
  name: 'zone',
  group: 'zone',
  parameter: { name: 'zone', type: 'string', check: zoneWrong },
};

/** The offset of a zone that was given, or of the server's at a moment: minutes east of UTC. */
export function localOr(run: Run, zone: Text | null, seconds: number): number {
  if (zone === null) return run.host.zoneOffset(seconds);
  const text = zone.value(run);
  const minutes = parseZone(text);
  if (minutes === null) throw new ScriptError(zoneWrong(text) ?? '');
  return minutes;
}
