/** One bound. `name` repeats the key so that a message or a metric can name the row it met. */
export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly unit: 'bytes' | 'count' | 'levels' | 'seconds';
  /** Why this bound exists and why it has this value. */
  readonly reason: string;
  /** What the program does with input beyond it. */
  readonly onExcess: string;
}

type Row = Omit<Limit, 'name'>;

/** Rows of the table, by their names. */
export function rows<const Names extends string>(given: Record<Names, Row>): Readonly<Record<Names, Limit>> {
  const named: Partial<Record<Names, Limit>> = {};
  for (const name in given) named[name] = Object.freeze({ name, ...given[name] });
  return Object.freeze(named as Record<Names, Limit>);
}
