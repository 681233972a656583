import type { CommandSpec, Extension } from '../extension.ts';
import { fromOctets } from '../octets.ts';

/** A command that writes its string to the log of the run. */
export function logCommand(name: string): CommandSpec {
  return {
    name,
    parameters: [{ name: 'text', type: 'string' }],
    emit(call, compiler) {
      const text = call.text('text');
      compiler.command(call.node, {
        execute(run) {
          const line = fromOctets(text.value(run)).replace(/[\x00-\x1f\x7f]+/g, ' ').trim();
          run.host.log(line);
          if (run.trace !== null) run.note(`${name} "${line}"`);
        },
      });
    },
  };
}

/** vnd.dovecot.debug: `debug_log "text"`. */
export const dovecotDebug: Extension = {
  capability: 'vnd.dovecot.debug',
  commands: [logCommand('debug_log')],
};
