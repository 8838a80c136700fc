/** Something wrong with a configuration. */
export interface Problem {
  /** `boot-server.yaml:12:7`, `INGOT_BOOT_SERVER_DHCP_LISTEN`, `--dhcp-listen`. */
  readonly where: string;
  /** `dhcp.listen[0]`; empty for the whole. */
  readonly path: string;
  /** What was found, and what to write instead. */
  readonly words: string;
}

/** A line for the operator. */
export function problemLine({ where, path, words }: Problem): string {
  return path === '' ? `${where}: ${words}` : `${where}: ${path}: ${words}`;
}

/** `dhcp.listen[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
