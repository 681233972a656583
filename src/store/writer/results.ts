/** Answers kept by the ids of their changes: asked again, a change is answered and not done twice (DESIGN rule 10). */

/** So many are kept, for askers that lost their connection. */
export const REMEMBERED = 20_000;

export class Results {
  private kept = new Map<string, unknown>();
  private older: (() => void) | null = null;

  /** The result of a change, undefined where none of that id was logged. Throws where older ones cannot be read. */
  get(id: string): unknown {
    const known = this.kept.get(id);
    if (known !== undefined || this.older === null) return known;
    this.load();
    return this.kept.get(id);
  }

  clear(): void {
    this.kept.clear();
    this.older = null;
  }

  remember(id: string, result: unknown): void {
    this.kept.set(id, result);
    if (this.kept.size <= REMEMBERED) return;
    for (const oldest of this.kept.keys()) {
      this.kept.delete(oldest);
      return;
    }
  }

  /** There are older ones than those that are here: `read` remembers them, and is called when somebody asks. */
  later(read: () => void): void {
    this.older = read;
  }

  /** Has older ones read now. Throws where they cannot be read; they are still to be read then. */
  load(): void {
    const { older, kept } = this;
    if (older === null) return;
    this.kept = new Map();
    try {
      older();
      this.older = null;
    } finally {
      for (const [id, result] of kept) this.remember(id, result);
    }
  }
}
