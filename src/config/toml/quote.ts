/** A string as a TOML basic string (TOML 1.0, "String"). */
export function tomlString(text: string): string {
  // JSON's escapes are a subset of TOML's; only DEL must be escaped in TOML and is not in JSON.
  return JSON.stringify(text).replaceAll('\x7f', '\\u007F');
}

/** A key as TOML writes it: bare where it can be, quoted otherwise. */
export function tomlKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : tomlString(name);
}
