import type { SerialConsole } from './serial-console.ts';

/** What a machine does next, with everything filled in that is its own; a script for its boot loader is made of it. */
export type BootSteps =
  | KernelSteps
  | { readonly kind: 'script'; readonly script: string }
  | { readonly kind: 'local'; readonly message: string }
  | { readonly kind: 'hold'; readonly message: string; readonly askAgain: string }
  | MenuSteps;

export interface KernelSteps {
  readonly kind: 'kernel';
  /** Names for `filePath`. */
  readonly kernel: string;
  readonly initRamDisks: readonly string[];
  /** Whole but for the console. */
  readonly cmdline: string;
  /** The serial console that the boot loader adds; undefined: none. */
  readonly console: SerialConsole | undefined;
  /** Printed on the machine's console before anything is loaded; lines. */
  readonly message: string;
}

export interface MenuSteps {
  readonly kind: 'menu';
  readonly title: string;
  readonly defaultEntry: string;
  readonly timeoutSeconds: number;
  /** `askFor`: path and query of the script for that entry. */
  readonly entries: readonly { readonly name: string; readonly label: string; readonly askFor: string }[];
}

/** Whose script it is, and by which servers. */
export interface ScriptSetting {
  readonly mac: string;
  /** Bases of URLs without a slash at the end: this server's own first, then those that take over. */
  readonly bases: readonly [string, ...string[]];
}

/** Path and query of a file of a plan. */
export function filePath(name: string, type: 'kernel' | 'initrd' | 'file', mac: string): string {
  return `/_/file?name=${name}&type=${type}&mac=${mac}`;
}

/** Path and query of a machine's script. */
export function scriptPath(who: {
  arch: string;
  mac: string;
  uuid: string | undefined;
  serial?: string | undefined;
  entry?: string | undefined;
}): string {
  const { arch, mac, uuid, serial, entry } = who;
  const rest = [
    ...(uuid === undefined ? [] : [`&uuid=${uuid}`]),
    ...(serial === undefined ? [] : [`&serial=${encodeURIComponent(serial)}`]),
    ...(entry === undefined ? [] : [`&entry=${encodeURIComponent(entry)}`]),
  ];
  return `/_/ipxe?arch=${encodeURIComponent(arch)}&mac=${mac}${rest.join('')}`;
}
