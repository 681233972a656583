/** What a recording consists of: changes of files and folders, syncs, and bytes that went out to a client. */

/** A file or folder, whatever its names are. The root has number 0. */
export type NodeId = number;
export const ROOT: NodeId = 0;

/** A name in a folder now means this node, or nothing. */
export interface NameChange {
  readonly folder: NodeId;
  readonly name: string;
  readonly node: NodeId | null;
}

export type Change =
  | { readonly kind: 'make'; readonly node: NodeId; readonly folder: boolean; readonly path: string }
  /** One call's names change together: file systems with a journal do a rename wholly or not at all. */
  | { readonly kind: 'names'; readonly names: readonly NameChange[] }
  | { readonly kind: 'data'; readonly node: NodeId; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'size'; readonly node: NodeId; readonly size: number }
  | { readonly kind: 'sync'; readonly node: NodeId; readonly site: string }
  /** syncfs, sync: everything below a folder. */
  | { readonly kind: 'syncall'; readonly node: NodeId; readonly site: string };

export interface Operation {
  readonly change: Change;
  /** Moments (lines of the trace) when it was asked for and when it was done; Infinity where its process died in it. */
  readonly begun: number;
  readonly ended: number;
}

/** Bytes that left for a client or, with caller 0, a line of the recorded program's own report. */
export interface Sent {
  readonly at: number;
  /** The client's connection (caller.ts). */
  readonly caller: number;
  readonly bytes: number;
  readonly text: string;
}

export interface Recording {
  readonly operations: readonly Operation[];
  readonly sent: readonly Sent[];
  /** The last moment. */
  readonly end: number;
}
