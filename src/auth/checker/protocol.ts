/** What a worker and a checker say to each other: one line of JSON each way, one job at a time. */

/** A check that blocks whoever does it. */
export type CheckJob =
  | { readonly kind: 'crypt'; readonly password: string; readonly hash: string }
  | { readonly kind: 'groups'; readonly user: string }
  | {
    readonly kind: 'pam';
    readonly service: string;
    /** A folder of service files instead of the system's, or ''. */
    readonly confdir: string;
    readonly user: string;
    readonly password: string;
    /** The peer, for PAM_RHOST; '' for none. */
    readonly rhost: string;
  };

/** `error`: it cannot be told, and why. */
export interface CheckAnswer {
  readonly verdict: 'yes' | 'no' | 'error';
  readonly text: string;
}
