/** Relations of RFC 5231 §3, the string behind `:value` and `:count`. */

/** What a comparison must have given, by the names scripts use. */
const RELATIONS: Readonly<Record<string, (order: number) => boolean>> = {
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
};

/** The relation of this name in lower or upper case, or null. */
export function relationNamed(name: string | null): ((order: number) => boolean) | null {
  const key = name?.toLowerCase() ?? '';
  return Object.hasOwn(RELATIONS, key) ? RELATIONS[key] ?? null : null;
}

/** Their names, for messages. */
export const RELATION_NAMES = Object.keys(RELATIONS).map((name) => `"${name}"`).join(', ');
