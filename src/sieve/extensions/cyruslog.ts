import type { Extension } from '../extension.ts';
import { logCommand } from './dovecotdebug.ts';

/** vnd.cyrus.log: `log "text"`. */
export const cyrusLog: Extension = { capability: 'vnd.cyrus.log', commands: [logCommand('log')] };
