/** The element with a number from 1 as a list of one, or of none; all without a number. */
export function at<Item>(items: readonly Item[], index: number | null): readonly Item[] {
  return index === null ? items : items.slice(index - 1, index);
}
