/** The figures as a table: one row per figure, one column per server, and how mailstore stands to the best other. */

import { type Figure, type FigureName, FIGURES, type Measured, median } from './figures.ts';

export interface ServerResult {
  readonly name: string;
  readonly version: string;
  readonly measured: Measured;
}

/** Name of the column the ratio is about. */
const OURS = 'mailstore';

export function renderTable(results: readonly ServerResult[]): string {
  const rows: string[][] = [[
    '',
    'unit',
    ...results.map((result) => `${result.name} ${result.version}`),
    'ratio',
  ]];
  for (const [name, figure] of Object.entries(FIGURES) as [FigureName, Figure][]) {
    const values = results.map((result) => {
      const measured = result.measured[name];
      return measured === undefined ? undefined : median(measured);
    });
    if (values.every((value) => value === undefined)) continue;
    rows.push([figure.title, figure.unit, ...values.map(shown), shownRatio(ratio(results, values, figure))]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
    )
      .join('  ').trimEnd();
  return [
    ...rows.map(line),
    '',
    `Medians. ratio: ${OURS} against the best other server, above 1 is better than it.`,
  ].join('\n');
}

/** How many times better ours is than the best other; undefined unless both were measured. */
function ratio(
  results: readonly ServerResult[],
  values: readonly (number | undefined)[],
  figure: Figure,
): number | undefined {
  const ours = values[results.findIndex((result) => result.name === OURS)];
  const others = values.filter((value, index): value is number =>
    value !== undefined && results[index]?.name !== OURS
  );
  if (ours === undefined || others.length === 0) return undefined;
  return figure.better === 'more' ? ours / Math.max(...others) : Math.min(...others) / ours;
}

function shown(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(value >= 10 ? 3 : 2);
}

function shownRatio(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(2);
}
