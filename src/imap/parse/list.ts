/** LIST, basic and extended (RFC 9051 §6.3.9, RFC 5258 §6, RFC 5819, RFC 6154 §6), and LSUB (RFC 3501 §6.3.9). */

import { syntaxError } from '../../errors.ts';
import type { ListCommand, ListReturn, ListSelect, LsubCommand } from './command.ts';
import type { Lexer } from './lexer.ts';
import { parseStatusItems } from './status.ts';

/** `list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]` */
export function parseList(lexer: Lexer): ListCommand {
  let select: ListSelect = { subscribed: false, remote: false, recursiveMatch: false, specialUse: false };
  let returns: ListReturn = { subscribed: false, children: false, specialUse: false, status: null };
  let extended = false;
  if (lexer.takeSpaceBefore('(')) {
    extended = true;
    select = parseSelectOptions(lexer);
  }
  lexer.space();
  const reference = lexer.listMailbox();
  lexer.space();
  const multiple = lexer.peek() === 0x28;
  const patterns = multiple ? lexer.list('patterns', () => lexer.listMailbox()) : [lexer.listMailbox()];
  if (patterns.length === 0) throw lexer.expected('a pattern in the parentheses');
  if (lexer.takeSpaceAndWord('RETURN')) {
    extended = true;
    lexer.space();
    returns = parseReturnOptions(lexer);
  }
  extended ||= multiple;
  return {
    name: 'LIST',
    reference: reference ?? '',
    patterns: matchable(reference, patterns),
    select,
    // RFC 5258 §3.1: what was selected by is said of each mailbox, asked for or not.
    returns: {
      ...returns,
      subscribed: returns.subscribed || select.subscribed,
      specialUse: returns.specialUse || select.specialUse,
    },
    extended,
    rootOnly: !extended && patterns[0] === '',
  };
}

/** `lsub = "LSUB" SP mailbox SP list-mailbox` */
export function parseLsub(lexer: Lexer): LsubCommand {
  lexer.space();
  const reference = lexer.listMailbox();
  lexer.space();
  return {
    name: 'LSUB',
    reference: reference ?? '',
    patterns: matchable(reference, [lexer.listMailbox()]),
  };
}

/** The patterns that can match something: a name that does not decode is the name of nothing. */
function matchable(reference: string | null, patterns: readonly (string | null)[]): string[] {
  return reference === null ? [] : patterns.filter((pattern) => pattern !== null);
}

/** RECURSIVEMATCH only changes what another option selects and must not stand alone (RFC 5258 §3.1). */
function parseSelectOptions(lexer: Lexer): ListSelect {
  const words = lexer.list('selection options', () => {
    const start = lexer.position;
    const word = lexer.word('a selection option');
    if (!['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE'].includes(word)) {
      throw lexer.expected('SUBSCRIBED, REMOTE, RECURSIVEMATCH or SPECIAL-USE', start);
    }
    return word;
  });
  const select: ListSelect = {
    subscribed: words.includes('SUBSCRIBED'),
    remote: words.includes('REMOTE'),
    recursiveMatch: words.includes('RECURSIVEMATCH'),
    specialUse: words.includes('SPECIAL-USE'),
  };
  if (select.recursiveMatch && !select.subscribed && !select.specialUse) {
    throw syntaxError('LIST: RECURSIVEMATCH needs SUBSCRIBED or SPECIAL-USE beside it');
  }
  return select;
}

function parseReturnOptions(lexer: Lexer): ListReturn {
  const returns = { subscribed: false, children: false, specialUse: false, status: null } as {
    -readonly [Option in keyof ListReturn]: ListReturn[Option];
  };
  lexer.list('return options', () => {
    if (lexer.takeWord('SUBSCRIBED')) returns.subscribed = true;
    else if (lexer.takeWord('CHILDREN')) returns.children = true;
    else if (lexer.takeWord('SPECIAL-USE')) returns.specialUse = true;
    else if (lexer.takeWord('STATUS')) {
      lexer.space();
      returns.status = parseStatusItems(lexer);
    } else throw lexer.expected('SUBSCRIBED, CHILDREN, SPECIAL-USE or STATUS');
  });
  return returns;
}
