/**
 * Who is there, where there are ten thousand: an array in no order in which everybody knows their place. A set takes six
 * times the memory, and looks for a place with every growth.
 */

/** A list whose items keep their place in it in a property of theirs; it is theirs to begin with -1. */
export class Roster<Key extends string, Item extends Record<Key, number>> implements Iterable<Item> {
  readonly #key: Key;
  readonly #items: Item[] = [];

  constructor(key: Key) {
    this.#key = key;
  }

  get size(): number {
    return this.#items.length;
  }

  has(item: Item): boolean {
    return this.#items[item[this.#key]] === item;
  }

  /** Adds an item that is not there. */
  add(item: Item): void {
    this.#put(item, this.#items.length);
  }

  /** False if it was not there. */
  delete(item: Item): boolean {
    if (!this.has(item)) return false;
    const at = item[this.#key];
    const last = this.#items.pop() as Item;
    if (last !== item) this.#put(last, at);
    this.#set(item, -1);
    return true;
  }

  /** All that are there and stay; those that come meanwhile are left out. Any may be deleted, some then come twice. */
  *[Symbol.iterator](): IterableIterator<Item> {
    // Backwards: what takes the place of one that is deleted was there before.
    for (let at = this.#items.length - 1; at >= 0; at--) {
      const item = this.#items[at];
      if (item !== undefined) yield item;
    }
  }

  #put(item: Item, at: number): void {
    this.#items[at] = item;
    this.#set(item, at);
  }

  #set(item: Item, at: number): void {
    (item as Record<Key, number>)[this.#key] = at;
  }
}
