/** What the model of the store is made of. */

/** Who asks: an administrator or an ordinary user. */
export interface Who {
  readonly userid: string;
  readonly admin: boolean;
}

export interface Name {
  readonly owner: string;
  readonly path: string;
}

/** A refusal by its code. */
export class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

export interface ModelMessage {
  readonly text: string;
  readonly size: number;
  readonly internaldate: number | null;
  /** The owner's flags; keywords in lower case. */
  flags: Set<string>;
  touched: number;
}

export interface ModelBox {
  readonly order: number;
  path: string;
  uidnext: number;
  readonly messages: Map<number, ModelMessage>;
  /** Expunged and not purged: UID to the step. */
  readonly expunged: Map<number, number>;
  /** \Seen of others. */
  readonly seen: Map<string, Set<number>>;
  readonly keywords: Set<string>;
  acl: Map<string, string>;
  readonly delivered: Set<string>;
  deleted: boolean;
  /** Step of the last change that has a modseq. */
  changed: number;
}

export interface ModelOwner {
  boxes: ModelBox[];
  readonly quotas: Map<string, { storage: number | null; messages: number | null }>;
  readonly subscriptions: Set<string>;
}

export interface ModelMessageId {
  readonly text: string;
  readonly id: string;
}
