/** A syntax tree as text: parsing it gives the same tree again, apart from places. */
import type { ArgumentNode, CallNode, CommandNode, Script } from './syntax.ts';

/** The script as octets, with CRLF line ends, one command per line and two spaces per block. */
export function render(script: Script): string {
  return script.commands.map((command) => renderCommand(command, '')).join('');
}

/** A string in quotes (RFC 5228 §2.4.2). Strings of the parser have no NUL and no bare LF. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function renderCommand(command: CommandNode, indent: string): string {
  const call = indent + renderCall(command);
  if (command.block === null) return `${call};\r\n`;
  const inner = command.block.map((child) => renderCommand(child, `${indent}  `)).join('');
  return `${call} {\r\n${inner}${indent}}\r\n`;
}

function renderCall({ name, arguments: given, tests, testList }: CallNode): string {
  const words = [name, ...given.map(renderArgument)];
  if (testList) words.push(`(${tests.map(renderCall).join(', ')})`);
  else words.push(...tests.map(renderCall));
  return words.join(' ');
}

function renderArgument(argument: ArgumentNode): string {
  switch (argument.kind) {
    case 'string':
      return quote(argument.value);
    case 'list':
      return `[${argument.items.map((item) => quote(item.value)).join(', ')}]`;
    case 'number':
      return String(argument.value);
    case 'tag':
      return `:${argument.name}`;
  }
}
