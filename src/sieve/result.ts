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
  readonly content: Content;
}

export interface KeepAction {
  readonly kind: 'keep';
  /** True for the implicit keep. */
  readonly implicit: boolean;
  readonly placement: Placement;
}

export interface FileintoAction {
  readonly kind: 'fileinto';
  readonly placement: Placement;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  /** An addr-spec. */
  readonly address: string;
  readonly content: Content;
}

/** The message is not kept implicitly; nothing is left to do for it. */
export interface DiscardAction {
  readonly kind: 'discard';
}

export type Action = KeepAction | FileintoAction | RedirectAction | DiscardAction;

/** Collects what one run decides. */
export class Result {
  readonly actions: Action[] = [];
  /** False once an action took the message away from the default mailbox, or kept it explicitly. */
  implicitKeep = true;
  /** The internal variable of RFC 5232 §3: flags of what is kept or filed without flags of its own. */
  flags: readonly string[] = [];
  /** What is kept implicitly: set when a script has ended. */
  content: Content = null;

  /** True if there is an action of this kind. */
  has(kind: Action['kind']): boolean {
    return this.actions.some((action) => action.kind === kind);
  }

  /** The actions, and the implicit keep behind them where it is still in effect. */
  decided(): readonly Action[] {
    if (!this.implicitKeep) return this.actions;
    return [...this.actions, {
      kind: 'keep',
      implicit: true,
      placement: { mailbox: null, flags: this.flags, content: this.content },
    }];
  }
}
