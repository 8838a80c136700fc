/** What is known of a machine that asks to boot. Texts are as the machine sent them: trust none of them. */
export interface BootSubject {
  /** Lower case with colons. */
  readonly mac: string;
  /** Option 97, or what iPXE says; text form. */
  readonly uuid: string | undefined;
  /** SMBIOS serial number; only iPXE can tell it. */
  readonly serial: string | undefined;
  /** Sub-options 1 and 2 of option 82: the port of the leaf that the machine is plugged into. */
  readonly circuitId: string | undefined;
  readonly remoteId: string | undefined;
  /** Option 93, in the client's order. */
  readonly architectures: readonly number[];
  /** The name of its reservation, else what it called itself the last time that it asked for a boot; lower case. */
  readonly hostname: string | undefined;
  /** Id of the subnet that it asks from, `10.0.1.0/24`. */
  readonly subnet: string | undefined;
}

/** What a machine shall boot. Every plan but `ignore` is offered over DHCP, and carried out by a script. */
export type BootPlan = PlanKind & {
  /**
   * What firmware loads instead of the iPXE binary of its architecture: the name of a published file, or a URL for
   * UEFI HTTP boot.
   */
  readonly loader?: string | undefined;
  /** Who decided it and where that stands, for logs: `profiles: rack.yaml:12 "installer"`. */
  readonly origin?: string | undefined;
};

export type PlanKind =
  | KernelPlan
  /** An iPXE script, served as it is. */
  | { readonly kind: 'script'; readonly script: string }
  /** The next device of the firmware's boot order. */
  | { readonly kind: 'local'; readonly message: string }
  /** Nothing, until the answer changes: the machine shows the message and asks again. */
  | { readonly kind: 'hold'; readonly message: string }
  | { readonly kind: 'menu'; readonly menu: BootMenu }
  /** No boot offer at all; the machine may still get an address. */
  | { readonly kind: 'ignore'; readonly message: string };

export interface KernelPlan {
  readonly kind: 'kernel';
  /** `file:`, `http:` or `https:` URI, opened by the boot server. */
  readonly kernel: string;
  readonly initRamDisks: readonly string[];
  /** Files named in the command line that machines load through this server: where `fileMark(uri)` stands, its URL goes. */
  readonly cmdline: string;
  /** Printed on the machine's console before anything is loaded; empty for none. */
  readonly message: string;
  /** Whether the command line gets the one-time URL of the machine's configuration. */
  readonly wantsConfig: boolean;
  /** SHA-256, 64 hex digits, of URIs above that must have it; a file with another one is not served. */
  readonly sha256?: Readonly<Record<string, string>> | undefined;
}

export interface BootMenu {
  readonly title: string;
  /** Chosen when nobody presses a key for `timeoutSeconds`; one of the entries' names. */
  readonly defaultEntry: string;
  readonly timeoutSeconds: number;
  readonly entries: readonly { readonly name: string; readonly label: string; readonly plan: BootPlan }[];
}

/** What one source says of a machine. Undefined: it does not know the machine, ask the next one. */
export type SourceAnswer =
  | BootPlan
  /** Only the loader; the plan is the next source's. */
  | { readonly kind: 'next'; readonly loader: string }
  | undefined;

export type MaybePromise<T> = T | Promise<T>;

/** One link of the chain that decides: profiles in files, pixiecore's HTTP API, or the API over gRPC. */
export interface BootSource {
  readonly name: 'profiles' | 'http' | 'api';
  /**
   * `fresh`: for a script, from the source itself if it answers in time. `cached`: for DHCP, at once if possible.
   * Throws or rejects with BootServerError API_AWAY when the source cannot be asked now, API_REFUSED when it says no.
   */
  plan(subject: BootSubject, freshness: Freshness): MaybePromise<SourceAnswer>;
  /** Whether it wants the machine to boot: asked for a DHCP answer in place of `plan`, where that is cheaper. */
  readonly offers?: (subject: BootSubject) => MaybePromise<boolean>;
  /** Whether a serial number could change its answer: iPXE is then asked for it. */
  readonly wantsSerial?: boolean;
}

export type Freshness = 'fresh' | 'cached';

/** Stands in a command line for the URL under which this server serves `uri`. U+0000 cannot come from outside. */
export function fileMark(uri: string): string {
  return `\u0000${uri}\u0000`;
}

/** Replaces every `fileMark` of `cmdline`. */
export function replaceFileMarks(cmdline: string, urlOf: (uri: string) => string): string {
  // oxlint-disable-next-line no-control-regex -- the mark is one
  return cmdline.replaceAll(/\u0000([^\u0000]*)\u0000/g, (_mark, uri: string) => urlOf(uri));
}
