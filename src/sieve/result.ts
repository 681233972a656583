/**
 * What a script decided: actions in order, and whether the message is still kept implicitly (RFC 5228 §2.10). The caller carries
 * them out. All text is Unicode.
 */

/**
 * The message as the script had changed it when the action was decided, its bytes in order (RFC 5293 §4: what changes later does
 * not count). Null is the message as it came.
 */
export type Content = readonly Uint8Array[] | null;

/** Where a copy of the message goes, and how. Extensions fill what is not of RFC 5228. */
export interface Placement {
  /** Name of the mailbox as the script has it; null is where mail is kept by default. */
  mailbox: string | null;
  /** IMAP flags it gets (RFC 5232 §5). Those the mailbox cannot hold are left out, which is no error. */
  flags: readonly string[];
  /** The message that goes there; null also where it is not the one that came, but one that the action makes. */
  readonly content: Content;
  /** Make the mailbox if it is not there (RFC 5490 §3.2). */
  create: boolean;
  /** The mailbox with this use comes first; where it is not there and `create` is given, what is made gets it (RFC 8579 §4). */
  specialUse: string | null;
  /** The mailbox with this object id comes first (RFC 9042 §4). */
  mailboxId: string | null;
}

export interface KeepAction {
  readonly kind: 'keep';
  /** True for the implicit keep. */
  readonly implicit: boolean;
  /** Changes when the same is decided again (RFC 5232 §3). */
  placement: Placement;
}

export interface FileintoAction {
  readonly kind: 'fileinto';
  placement: Placement;
}

/** The message sleeps (vnd.cyrus.snooze): from `until` on it stands where the placement says. */
export interface SnoozeAction {
  readonly kind: 'snooze';
  /** Unix time. */
  readonly until: number;
  readonly placement: Placement;
  /** Flags that change when it wakes; first those in `removeFlags` go. */
  readonly addFlags: readonly string[];
  readonly removeFlags: readonly string[];
}

/** RFC 3461 §4.1 */
export type ReportWord = 'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY';

/** What a redirect asks of whoever takes the message (RFC 6009). Null is what the message came with. */
export interface Dispatch {
  /** `NEVER`, or some of `SUCCESS`, `FAILURE`, `DELAY`. */
  readonly notify: readonly ReportWord[] | null;
  readonly ret: 'FULL' | 'HDRS' | null;
  /** Milliseconds since 1970 as the time, and what happens then. */
  readonly deliverBy: {
    readonly deadline: number;
    readonly mode: 'return' | 'notify';
    readonly trace: boolean;
  } | null;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  /** An addr-spec. */
  readonly address: string;
  readonly dispatch: Dispatch;
  readonly content: Content;
}

/** The message is not kept implicitly; nothing is left to do for it. */
export interface DiscardAction {
  readonly kind: 'discard';
}

/** The message is refused (RFC 5429). */
export interface RejectAction {
  readonly kind: 'reject';
  /** ereject: as early as can be, with a text for the protocol if the reason is none. */
  readonly early: boolean;
  readonly reason: string;
}

/** An address with the name before it, or null. */
export interface NamedAddress {
  readonly address: string;
  readonly name: string | null;
}

/** An answer to the sender, if it may have one and had none for some time (RFC 5230). */
export interface VacationAction {
  readonly kind: 'vacation';
  /** How long the same answer is not sent again; 0 is always sent (RFC 6131 §2), null is as long as the site says. */
  readonly seconds: number | null;
  readonly subject: string | null;
  readonly from: NamedAddress | null;
  /** Further addresses of the owner. */
  readonly addresses: readonly string[];
  /** The reason is a MIME entity. */
  readonly mime: boolean;
  /** Which answer it is, for remembering whom it was sent to. */
  readonly handle: string;
  readonly reason: string;
  /** Where a copy goes (RFC 8580), or null. */
  readonly fcc: Placement | null;
}

/** 1 is the most important. */
export type Importance = 1 | 2 | 3;

/** What a mailto URI says (RFC 6068), decoded. */
export interface MailtoUri {
  readonly to: readonly NamedAddress[];
  readonly cc: readonly NamedAddress[];
  readonly bcc: readonly NamedAddress[];
  readonly subject: string | null;
  readonly body: string | null;
  /** Other fields in order, those a notification must not take from a URI included (RFC 5436 §2.7). */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** How somebody is notified: by mail (RFC 5436), by another URI, or as Cyrus did it before there were URIs. */
export type NotifyMethod =
  | { readonly scheme: 'mailto'; readonly mailto: MailtoUri; readonly from: NamedAddress | null }
  | { readonly scheme: string; readonly uri: string; readonly from: string | null }
  | { readonly scheme: ''; readonly name: string; readonly id: string | null };

/** Somebody is told of the message (RFC 5435). */
export interface NotifyAction {
  readonly kind: 'notify';
  readonly method: NotifyMethod;
  readonly importance: Importance;
  /** `name=value` each. */
  readonly options: readonly string[];
  /** Null is whatever the method says by itself. */
  readonly message: string | null;
  /** Where a copy goes (RFC 8580), or null. */
  readonly fcc: Placement | null;
}

/** Somebody is told about the message (RFC 5965); it stays where it is. */
export interface ReportAction {
  readonly kind: 'report';
  /** A token such as `abuse`. */
  readonly feedback: string;
  readonly text: string;
  readonly address: string;
  /** The report holds the header alone. */
  readonly headersOnly: boolean;
}

/** The message goes to a program (vnd.dovecot.pipe). */
export interface PipeAction {
  readonly kind: 'pipe';
  readonly program: string;
  readonly args: readonly string[];
  /** If it fails the message is kept, and nothing else happens. */
  readonly attempt: boolean;
  readonly content: Content;
}

export type Action =
  | PipeAction
  | ReportAction
  | KeepAction
  | FileintoAction
  | SnoozeAction
  | RedirectAction
  | DiscardAction
  | RejectAction
  | VacationAction
  | NotifyAction;

/** Kinds of actions that cannot be decided together with some kinds (RFC 5228 §2.10.4, RFC 5429 §2.4, RFC 5230 §4.7). */
const CONFLICTS: ReadonlyMap<Action['kind'], readonly Action['kind'][]> = new Map([
  ['reject', ['reject', 'keep', 'fileinto', 'snooze', 'redirect', 'vacation', 'pipe']],
  ['vacation', ['vacation', 'reject']],
  ['keep', ['reject']],
  ['pipe', ['reject']],
  ['fileinto', ['reject']],
  ['snooze', ['reject']],
  ['redirect', ['reject']],
]);

/** A placement of which nothing but the mailbox is said. */
export function placement(mailbox: string | null, flags: readonly string[], content: Content): Placement {
  return { mailbox, flags, content, create: false, specialUse: null, mailboxId: null };
}

/** What `duplicate` (RFC 7352) remembers of a message, for `Host.seen`. */
export interface Remembered {
  readonly key: string;
  /** How long; null is as long as the site says. */
  readonly seconds: number | null;
}

/** True for two names of one mailbox: INBOX is so in any case (RFC 9051 §5.1). */
export function sameMailbox(left: string | null, right: string | null): boolean {
  return left === right ||
    left !== null && right !== null && left.toUpperCase() === 'INBOX' && right.toUpperCase() === 'INBOX';
}

/** Collects what one run decides. */
export class Result {
  readonly actions: Action[] = [];
  /** False once an action took the message away from the default mailbox, or kept it explicitly. */
  implicitKeep = true;
  /** The internal variable of RFC 5232 §3: flags of what is kept or filed without flags of its own. */
  flags: readonly string[] = [];
  /** What is kept implicitly: set when a script has ended. */
  content: Content = null;
  /** Where that goes instead of the default mailbox (vnd.cyrus.implicit_keep_target); null where nothing was said. */
  implicitTarget: Placement | null = null;

  /**
   * What is remembered from now on, once the script has ended without an error and its actions are carried out (RFC 7352 §3).
   */
  readonly remembered: Remembered[] = [];

  /** Notes what `duplicate` saw; the last that is said about a key counts. */
  remember(seen: Remembered): void {
    const before = this.remembered.findIndex(({ key }) => key === seen.key);
    if (before < 0) this.remembered.push(seen);
    else this.remembered[before] = seen;
  }

  /**
   * An action that puts the message where this placement does, to which another one adds no copy (RFC 5228 §2.10.3): its index, or
   * -1. `inbox` is the mailbox that a placement without one means, where that is known.
   */
  placed({ mailbox, specialUse, mailboxId }: Placement, inbox: string | null): number {
    return this.actions.findIndex((action) =>
      (action.kind === 'keep' || action.kind === 'fileinto') &&
      sameMailbox(action.placement.mailbox ?? inbox, mailbox ?? inbox) &&
      action.placement.specialUse === specialUse && action.placement.mailboxId === mailboxId
    );
  }

  /** Where the actions of the script begin that runs now: those of scripts before it are no conflict with its own. */
  #begin = 0;

  /** A script begins to add its actions. */
  begin(): void {
    this.#begin = this.actions.length;
  }

  /** True if a script before this one decided an action of this kind, of which there is only one per delivery. */
  decidedBefore(kind: Action['kind']): boolean {
    return CONFLICTS.get(kind)?.includes(kind) === true &&
      this.actions.slice(0, this.#begin).some((action) => action.kind === kind);
  }

  /** True if there is an action of this kind. */
  has(kind: Action['kind']): boolean {
    return this.actions.some((action) => action.kind === kind);
  }

  /** The kind of an action that the script decided before and that excludes one of this kind, or null. */
  conflict(kind: Action['kind']): Action['kind'] | null {
    const excluded = CONFLICTS.get(kind) ?? [];
    for (let i = this.#begin; i < this.actions.length; i++) {
      const { kind: before } = this.actions[i] as Action;
      if (excluded.includes(before)) return before;
    }
    return null;
  }

  /** The actions, and the implicit keep behind them where it is still in effect. */
  decided(): readonly Action[] {
    if (!this.implicitKeep) return this.actions;
    return [...this.actions, {
      kind: 'keep',
      implicit: true,
      placement: this.implicitTarget === null
        ? placement(null, this.flags, this.content)
        : { ...this.implicitTarget, flags: this.flags, content: this.content },
    }];
  }
}
