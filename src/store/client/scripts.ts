/** The Sieve scripts of one owner, as one session sees them. */
import type { Identity, ScriptInfo, Scripts } from '../border.ts';
import type { OwnerReader } from '../index/reader.ts';
import type { Change } from '../writer/requests.ts';
import type { StoreParts } from './parts.ts';

export class OwnerScripts implements Scripts {
  constructor(
    private readonly parts: StoreParts,
    private readonly by: Identity,
    private readonly origin: number,
    private readonly owner: string,
  ) {}

  private change(change: Change, blobs: readonly Uint8Array[] = []): Promise<unknown> {
    return this.parts.change(change, this.origin, blobs);
  }

  private get reader(): OwnerReader | null {
    const owner = this.parts.owner(this.owner);
    return owner === null ? null : this.parts.readers.of(owner);
  }

  list(): ScriptInfo[] {
    const rows = this.reader?.scripts() ?? [];
    return rows.map(({ name, content, active, changed }) => ({
      name,
      size: content.length,
      active,
      changed,
    }));
  }

  get(name: string): Uint8Array | null {
    return this.reader?.script(name)?.content ?? null;
  }

  async put(name: string, content: Uint8Array, { maxScripts }: { maxScripts: number }): Promise<void> {
    await this.change({ op: 'putscript', by: this.by, owner: this.owner, name, maxScripts }, [content]);
  }

  async setActive(name: string | null): Promise<void> {
    await this.change({ op: 'activatescript', by: this.by, owner: this.owner, name });
  }

  async delete(name: string): Promise<void> {
    await this.change({ op: 'deletescript', by: this.by, owner: this.owner, name });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.change({ op: 'renamescript', by: this.by, owner: this.owner, name: from, to });
  }
}
