/** Answers kept by the ids of their changes: asked again, a change is answered and not done twice (DESIGN rule 10). */

/** So many are kept, for askers that lost their connection. */
export const REMEMBERED = 20_000;

export class Results {
  private readonly kept = new Map<string, unknown>();

  /** The result of a change, undefined where none of that id was logged. */
  get(id: string): unknown {
    return this.kept.get(id);
  }

  clear(): void {
    this.kept.clear();
  }

  remember(id: string, result: unknown): void {
    this.kept.set(id, result);
    if (this.kept.size <= REMEMBERED) return;
    for (const oldest of this.kept.keys()) {
      this.kept.delete(oldest);
      return;
    }
  }
}
