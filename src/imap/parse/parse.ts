/** From a received command to its member of `Command`: the table of what is understood, and the dispatch. */

import { syntaxError } from '../../errors.ts';
import { parseAclIdentifier, parseSetAcl } from './acl.ts';
import { parseAppend } from './append.ts';
import { parseAuthenticate, parseLogin } from './authenticate.ts';
import type { Command, ParseMode, PlainCommand } from './command.ts';
import { parseEnable, parseId } from './enable.ts';
import { parseFetch } from './fetch.ts';
import { Lexer } from './lexer.ts';
import { parseList, parseLsub } from './list.ts';
import { parseCreate, parseMailboxCommand, parseRename, parseSelect } from './mailbox.ts';
import { parseGetQuota, parseSetQuota } from './quota.ts';
import type { ReceivedCommand } from './received.ts';
import { parseSearch } from './search.ts';
import { parseSort, parseThread } from './sort.ts';
import { parseStatus } from './status.ts';
import { parseCopy, parseExpunge, parseStore } from './store.ts';

type Parser = (lexer: Lexer) => Command;

const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ...([
    'CAPABILITY',
    'NOOP',
    'LOGOUT',
    'STARTTLS',
    'NAMESPACE',
    'IDLE',
    'CHECK',
    'CLOSE',
    'UNSELECT',
  ] as const)
    .map((name): [string, Parser] => [name, plain({ name })]),
  ['AUTHENTICATE', parseAuthenticate],
  ['LOGIN', parseLogin],
  ['ENABLE', parseEnable],
  ['ID', parseId],
  ['SELECT', (lexer) => parseSelect(lexer, 'SELECT')],
  ['EXAMINE', (lexer) => parseSelect(lexer, 'EXAMINE')],
  ['CREATE', parseCreate],
  ...(['DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE', 'GETQUOTAROOT', 'GETACL', 'MYRIGHTS'] as const)
    .map((name): [string, Parser] => [name, (lexer) => parseMailboxCommand(lexer, name)]),
  ['RENAME', parseRename],
  ['LIST', parseList],
  ['LSUB', parseLsub],
  ['STATUS', parseStatus],
  ['APPEND', parseAppend],
  ['EXPUNGE', (lexer) => parseExpunge(lexer, false)],
  ['UID EXPUNGE', (lexer) => parseExpunge(lexer, true)],
  ['SEARCH', (lexer) => parseSearch(lexer, false)],
  ['UID SEARCH', (lexer) => parseSearch(lexer, true)],
  ['SORT', (lexer) => parseSort(lexer, false)],
  ['UID SORT', (lexer) => parseSort(lexer, true)],
  ['THREAD', (lexer) => parseThread(lexer, false)],
  ['UID THREAD', (lexer) => parseThread(lexer, true)],
  ['FETCH', (lexer) => parseFetch(lexer, false)],
  ['UID FETCH', (lexer) => parseFetch(lexer, true)],
  ['STORE', (lexer) => parseStore(lexer, false)],
  ['UID STORE', (lexer) => parseStore(lexer, true)],
  ...(['COPY', 'MOVE'] as const).flatMap((name): [string, Parser][] => [
    [name, (lexer) => parseCopy(lexer, name, false)],
    [`UID ${name}`, (lexer) => parseCopy(lexer, name, true)],
  ]),
  ['GETQUOTA', parseGetQuota],
  ['SETQUOTA', parseSetQuota],
  ['SETACL', parseSetAcl],
  ['DELETEACL', (lexer) => parseAclIdentifier(lexer, 'DELETEACL')],
  ['LISTRIGHTS', (lexer) => parseAclIdentifier(lexer, 'LISTRIGHTS')],
]);

/** True for a command that is understood; `name` as in ReceivedCommand. */
export function isCommandName(name: string): boolean {
  return PARSERS.has(name);
}

/**
 * Parses a whole command. Throws a syntax error (answer BAD) where it does not follow the grammar; 'badcharset' and
 * 'cannot' (answer NO) for a character set or mailbox name that is well-formed but not possible.
 */
export function parseCommand(received: ReceivedCommand, mode: ParseMode): Command {
  const parser = PARSERS.get(received.name);
  if (parser === undefined) throw syntaxError('unknown command');
  const text = mode.searchres && received.literals.length === 0 && REPEATED.has(received.name)
    ? repeatedText(received, mode)
    : null;
  const known = text === null ? undefined : parsed.get(text);
  if (known !== undefined) return known;
  const lexer = new Lexer(received, mode);
  const command = parser(lexer);
  lexer.end();
  if (text !== null) {
    if (parsed.size >= KEPT) parsed.clear();
    parsed.set(text, command);
  }
  return command;
}

/** Commands that clients give again and again in the same words. */
const REPEATED: ReadonlySet<string> = new Set(['SELECT', 'EXAMINE', 'STATUS', 'LIST']);

/** How many are kept, and up to which length. */
const KEPT = 256;
const LONGEST = 200;

/** Commands parsed before, by their words. They are never changed. */
const parsed = new Map<string, Command>();

/** What a command is known by; null where it is too long to be kept. */
function repeatedText({ name, argumentsAt, lines }: ReceivedCommand, { utf8 }: ParseMode): string | null {
  const [line = ''] = lines;
  return line.length > LONGEST ? null : `${utf8 ? '8' : '7'}${name}${line.slice(argumentsAt)}`;
}

function plain(command: PlainCommand): Parser {
  return () => command;
}
