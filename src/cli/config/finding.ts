/** What asking a source came to. */

export interface LiveFinding {
  readonly source: string;
  readonly ok: boolean;
  /** What was found; where it is not right, with what to do about it. */
  readonly text: string;
}

export function passed(source: string, text: string): LiveFinding {
  return { source, ok: true, text };
}

export function failed(source: string, text: string): LiveFinding {
  return { source, ok: false, text };
}
