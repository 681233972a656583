/**
 * A store that is still being opened: a worker can greet its clients while the writer recovers. Whatever needs data waits
 * for it; nothing of any owner is read before (DESIGN rule 2).
 */
import { serverError } from '../errors.ts';
import type {
  Delivery,
  DeliveryRequest,
  DeliveryResult,
  DeliveryTarget,
  Identity,
  Mark,
  Secrets,
  Stage,
  Store,
  StoreAdmin,
  StoreSession,
} from './border.ts';

export class DeferredStore implements Store {
  private store: Store | null = null;
  /** Resolves when the store can be used; rejects when it never will. */
  readonly opened: Promise<Store>;
  readonly secrets: Secrets;

  constructor(opening: Promise<Store>) {
    this.opened = opening.then((store) => this.store = store);
    this.opened.catch(() => {}); // whoever uses the store hears of it
    this.secrets = {
      get: (userid) => this.now.secrets.get(userid),
      list: () => this.now.secrets.list(),
      page: (after, count) => this.now.secrets.page(after, count),
      set: async (userid, secret) => (await this.opened).secrets.set(userid, secret),
      replace: async (userid, before, secret) => (await this.opened).secrets.replace(userid, before, secret),
      remove: async (userid) => (await this.opened).secrets.remove(userid),
    };
  }

  /** The opened store. Callers that cannot wait come after something that did: a login, a recipient. */
  private get now(): Store {
    if (this.store === null) throw serverError('the store is not open yet');
    return this.store;
  }

  session(identity: Identity): StoreSession {
    return this.now.session(identity);
  }

  async recipient(request: DeliveryRequest): Promise<DeliveryTarget> {
    return await (await this.opened).recipient(request);
  }

  stage(limit: number): Stage {
    return this.now.stage(limit);
  }

  async deliver(
    deliveries: readonly Delivery[],
    options: { ignoreQuota: boolean },
  ): Promise<DeliveryResult[]> {
    return await (await this.opened).deliver(deliveries, options);
  }

  marked(userid: string, kind: string, key: string): boolean {
    return this.now.marked(userid, kind, key);
  }

  async mark(userid: string, marks: readonly Mark[]): Promise<void> {
    return await (await this.opened).mark(userid, marks);
  }

  scriptByHash(userid: string, hash: string): Uint8Array | null {
    return this.now.scriptByHash(userid, hash);
  }

  scriptNamed(userid: string, name: string): Uint8Array | null {
    return this.now.scriptNamed(userid, name);
  }

  activeScript(userid: string): { name: string; hash: string; content: Uint8Array } | null {
    return this.now.activeScript(userid);
  }

  get admin(): StoreAdmin {
    return this.now.admin;
  }

  async close(): Promise<void> {
    await this.store?.close();
  }
}
