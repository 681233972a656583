/**
 * Nodes with parents, among which no loop can arise, however links are made and broken. Whether a link would close a loop
 * is whether the child is the root of its parent's tree; a link-cut tree (Sleator, Tarjan) knows that in O(log n)
 * amortized, where walking up would cost the depth, and threads of 100,000 references are cheap to send.
 *
 * Invariants
 * 1. `#parent` is the tree as it is; `#over`, `#left`, `#right` are splay trees, one for each preferred path, ordered by depth;
 *    `#over` of the root of a splay tree is the parent of the path's top in the tree, or NONE.
 * 2. Every node in a tree of more than one has its links in both.
 */

export const NONE = -1;

export class Forest {
  readonly #parent: number[] = [];
  readonly #children: number[] = [];
  readonly #over: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];

  get size(): number {
    return this.#parent.length;
  }

  /** A new node without parent. Nodes count from 0. */
  add(): number {
    this.#children.push(0);
    this.#over.push(NONE);
    this.#left.push(NONE);
    this.#right.push(NONE);
    return this.#parent.push(NONE) - 1;
  }

  /** The parent, or NONE. */
  parentOf(node: number): number {
    return this.#parent[node] as number;
  }

  /** Makes a node that has no parent a child; false, and nothing done, if that would close a loop. */
  adopt(child: number, parent: number): boolean {
    if (child === parent) return false;
    // Who has no children is nobody's ancestor.
    if (this.#children[child] !== 0) {
      if (this.#rootOf(parent) === child) return false;
      this.#access(parent);
      this.#access(child);
    }
    this.#over[child] = parent;
    this.#parent[child] = parent;
    this.#children[parent] = (this.#children[parent] as number) + 1;
    return true;
  }

  /** Takes a node with its children from its parent. */
  release(child: number): void {
    const parent = this.#parent[child] as number;
    if (parent === NONE) return;
    this.#access(child);
    const above = this.#left[child] as number;
    this.#over[above] = NONE;
    this.#left[child] = NONE;
    this.#parent[child] = NONE;
    this.#children[parent] = (this.#children[parent] as number) - 1;
  }

  #rootOf(node: number): number {
    this.#access(node);
    let root = node;
    while (this.#left[root] !== NONE) root = this.#left[root] as number;
    this.#splay(root);
    return root;
  }

  /** Makes the path from the root to `node` preferred, and `node` the root of its splay tree. */
  #access(node: number): void {
    let below = NONE;
    for (let at = node; at !== NONE; at = this.#over[at] as number) {
      this.#splay(at);
      this.#right[at] = below;
      below = at;
    }
    this.#splay(node);
  }

  #isSplayRoot(node: number): boolean {
    const over = this.#over[node] as number;
    return over === NONE || (this.#left[over] !== node && this.#right[over] !== node);
  }

  #splay(node: number): void {
    while (!this.#isSplayRoot(node)) {
      const over = this.#over[node] as number;
      if (!this.#isSplayRoot(over)) {
        const top = this.#over[over] as number;
        const straight = (this.#left[over] === node) === (this.#left[top] === over);
        this.#rotate(straight ? over : node);
      }
      this.#rotate(node);
    }
  }

  #rotate(node: number): void {
    const over = this.#over[node] as number;
    const top = this.#over[over] as number;
    if (!this.#isSplayRoot(over)) {
      if (this.#left[top] === over) this.#left[top] = node;
      else this.#right[top] = node;
    }
    const [near, far] = this.#left[over] === node ? [this.#left, this.#right] : [this.#right, this.#left];
    const inner = far[node] as number;
    near[over] = inner;
    if (inner !== NONE) this.#over[inner] = over;
    far[node] = over;
    this.#over[over] = node;
    this.#over[node] = top;
  }
}
