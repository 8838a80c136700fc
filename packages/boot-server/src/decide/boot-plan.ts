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
  /** Id of the subnet that it asks from, `10.0.1.0/24`. */
  readonly subnet: string | undefined;
}

/** What a machine shall boot. Every plan but `ignore` is offered over DHCP, and carried out by a script. */
export type BootPlan =
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
  readonly cmdline: string;
  /** Printed on the machine's console before anything is loaded; empty for none. */
  readonly message: string;
  /** Whether the command line gets the one-time URL of the machine's configuration. */
  readonly wantsConfig: boolean;
}

export interface BootMenu {
  readonly title: string;
  /** Chosen when nobody presses a key for `timeoutSeconds`; one of the entries' names. */
  readonly defaultEntry: string;
  readonly timeoutSeconds: number;
  readonly entries: readonly { readonly name: string; readonly label: string; readonly plan: BootPlan }[];
}

/** One link of the chain that decides: profiles in files, pixiecore's HTTP API, or the API over gRPC. */
export interface BootSource {
  /** For logs: `profiles`, `http`, `api`. */
  readonly name: string;
  /**
   * Undefined: this source does not know the machine, ask the next one. Rejects with BootServerError API_AWAY when the
   * source cannot be asked now, API_REFUSED when it says no.
   */
  plan(subject: BootSubject, signal: AbortSignal): Promise<BootPlan | undefined>;
}
