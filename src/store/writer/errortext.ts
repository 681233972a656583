/** The sentence of any thrown value, for log lines and reasons. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
