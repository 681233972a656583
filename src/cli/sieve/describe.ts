/** Actions as a person reads them. */

import type { Action, NotifyMethod, Placement } from '../../sieve/result.ts';

/** One line for an action. */
export function describe(action: Action): string {
  switch (action.kind) {
    case 'keep':
      return `keep${action.implicit ? ' (implicit)' : ''}${how(action.placement)}`;
    case 'fileinto':
      return `fileinto "${action.placement.mailbox}"${how(action.placement)}`;
    case 'snooze':
      return `snooze until ${
        new Date(action.until * 1000).toISOString()
      }, then "${action.placement.mailbox}"${how(action.placement)}`;
    case 'redirect':
      return `redirect to <${action.address}>${action.content === null ? '' : ' (changed)'}`;
    case 'discard':
      return 'discard';
    case 'reject':
      return `${action.early ? 'ereject' : 'reject'}: ${firstLine(action.reason)}`;
    case 'pipe':
      return `pipe to ${[action.program, ...action.args].join(' ')}${
        action.content === null ? '' : ' (changed)'
      }`;
    case 'report':
      return `report "${action.feedback}" to <${action.address}>`;
    case 'vacation':
      return `vacation reply: ${firstLine(action.reason)}`;
    case 'notify':
      return `notify ${target(action.method)}${
        action.message === null ? '' : `: ${firstLine(action.message)}`
      }`;
  }
}

function target(method: NotifyMethod): string {
  if ('mailto' in method) {
    return [...method.mailto.to, ...method.mailto.cc, ...method.mailto.bcc]
      .map(({ address }) => `<${address}>`).join(', ');
  }
  return 'uri' in method ? method.uri : `by the method "${method.name}"`;
}

function how({ flags, create, specialUse, mailboxId, content }: Placement): string {
  const details = [
    ...flags.length > 0 ? [`flags ${flags.join(' ')}`] : [],
    ...create ? ['made if missing'] : [],
    ...specialUse === null ? [] : [`special use ${specialUse}`],
    ...mailboxId === null ? [] : [`mailbox id ${mailboxId}`],
    ...content === null ? [] : ['changed'],
  ];
  return details.length === 0 ? '' : ` (${details.join(', ')})`;
}

function firstLine(text: string): string {
  const [line = ''] = text.split(/\r?\n/);
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
