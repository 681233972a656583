/** The figures as tables: one row per figure, one column per server, how mailstore stands and whether that is the goal. */

import {
  type Figure,
  type FigureName,
  FIGURES,
  type Goal,
  type Measured,
  median,
  type Synced,
} from './figures.ts';

export interface ServerResult {
  readonly name: string;
  readonly version: string;
  readonly measured: Measured;
  readonly synced: Readonly<Record<string, Synced>>;
}

/** Name of the column the ratio is about. */
const OURS = 'mailstore';
/** A client that took more of one processor than this may have been what was measured. */
const CLIENT_BOUND = 0.7;

interface Row {
  readonly name: FigureName;
  readonly figure: Figure;
  readonly values: readonly (number | undefined)[];
}

export function renderTable(results: readonly ServerResult[]): string {
  const rows = rowsOf(results);
  const titles = results.map((result) => `${result.name} ${result.version}`);
  const figures = rows.map(({ figure, values }) => {
    const reached = ratio(results, values, figure, figure.goal?.peer);
    return [
      figure.title,
      figure.unit,
      ...values.map(shown),
      reached === undefined ? '' : reached.toFixed(2),
      goalText(figure.goal),
      verdict(results, values, figure, reached),
    ];
  });
  return [
    ...lined([['', 'unit', ...titles, 'ratio', 'goal', ''], ...figures]),
    '',
    `Medians. ratio: ${OURS} against the best other server, or the one the goal names; above 1 is better than it.`,
    '',
    ...costs(results, rows, titles),
    ...syncs(results, titles),
  ].join('\n');
}

function rowsOf(results: readonly ServerResult[]): Row[] {
  const rows: Row[] = [];
  for (const [name, figure] of Object.entries(FIGURES) as [FigureName, Figure][]) {
    const values = results.map((result) => {
      const measured = result.measured[name];
      return measured === undefined ? undefined : median(measured.values);
    });
    if (values.some((value) => value !== undefined)) rows.push({ name, figure, values });
  }
  return rows;
}

/** Processor time of the servers, and what share of one processor the client took beside the busiest of them. */
function costs(results: readonly ServerResult[], rows: readonly Row[], titles: readonly string[]): string[] {
  const table = rows.flatMap(({ name, figure }) => {
    const measured = results.map((result) => result.measured[name]);
    const cpu = measured.map((entry) => entry?.cpu.length ? median(entry.cpu) : undefined);
    if (cpu.every((value) => value === undefined)) return [];
    const client = measured.map((entry) => entry?.client.length ? median(entry.client) : 0);
    const bound = client.some((share) => share > CLIENT_BOUND) ? '  the client is busy' : '';
    return [[
      figure.title,
      ...cpu.map(shown),
      `${client.map((share) => share.toFixed(2)).join(' ')}${bound}`,
    ]];
  });
  return [
    ...lined([['processor time per operation, microseconds', ...titles, 'client'], ...table], 1),
    '',
    'Of the whole process tree; operations are messages, or the commands of a row that has ms. client: share of one',
    'processor that the client took, server by server.',
  ];
}

/** What each server made durable, and how much it wrote, for one operation. */
function syncs(results: readonly ServerResult[], titles: readonly string[]): string[] {
  const operations = [...new Set(results.flatMap(({ synced }) => Object.keys(synced ?? {})))];
  if (operations.length === 0) return [];
  const table = operations.map((operation) => [
    operation,
    ...results.map(({ synced }) => syncText(synced[operation])),
  ]);
  return ['', ...lined([['syncs and bytes written to files per operation', ...titles], ...table], 1)];
}

function syncText(synced: Synced | undefined): string {
  if (synced === undefined) return '-';
  const calls = Object.entries(synced.syncs).map(([name, calls]) => `${shown(calls)} ${name}`);
  return `${calls.join(' ') || 'none'}, ${shown(Math.round(synced.written))}`;
}

function lined(rows: readonly (readonly string[])[], left = 2): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, column) =>
      column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
    )
      .join('  ').trimEnd()
  );
}

/** How many times better ours is than the peer, or the best of them; undefined unless both were measured. */
function ratio(
  results: readonly ServerResult[],
  values: readonly (number | undefined)[],
  figure: Figure,
  peer: string | undefined,
): number | undefined {
  const ours = ownValue(results, values);
  const others = values.filter((value, index): value is number => {
    const name = results[index]?.name;
    return value !== undefined && name !== OURS && (peer === undefined || name === peer);
  });
  if (ours === undefined || others.length === 0) return undefined;
  return figure.better === 'more' ? ours / Math.max(...others) : Math.min(...others) / ours;
}

function ownValue(
  results: readonly ServerResult[],
  values: readonly (number | undefined)[],
): number | undefined {
  return values[results.findIndex((result) => result.name === OURS)];
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return '';
  if (goal.under !== undefined) return `under ${shown(goal.under)}`;
  return `${goal.ratio}x${goal.peer === undefined ? '' : ` of ${goal.peer}`}`;
}

function verdict(
  results: readonly ServerResult[],
  values: readonly (number | undefined)[],
  { goal }: Figure,
  reached: number | undefined,
): string {
  const ours = ownValue(results, values);
  if (goal?.under !== undefined) return ours === undefined ? '' : ours < goal.under ? 'reached' : 'missed';
  if (goal?.ratio === undefined || reached === undefined) return '';
  return reached >= goal.ratio ? 'reached' : 'missed';
}

function shown(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(value >= 10 ? 3 : 2);
}
