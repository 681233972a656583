/** Tables for people: columns of text, aligned. */

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
}

/** What a terminal would act on, or what would hide or reorder text. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/**
 * Text for a terminal: characters that would move the cursor or reverse the line are written as escapes, as names come
 * from users.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The table with its head; every line ends in a newline. Empty without rows. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const cells = [columns.map((column) => column.title), ...rows.map((row) => row.map(printable))];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => widthOf(row[at] ?? ''))));
  return cells.map((row) => {
    const padded = columns.map((column, at) => {
      const text = row[at] ?? '';
      const space = ' '.repeat((widths[at] ?? 0) - widthOf(text));
      return column.right ? space + text : text + space;
    });
    return `${padded.join('  ').trimEnd()}\n`;
  }).join('');
}

/** Columns a text takes on a terminal. */
function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

/** A time as people and programs read it, in UTC to the second. */
export function formatTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().replace('.000Z', 'Z');
}
