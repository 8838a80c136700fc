/** What a machine boots, as the API answered. */
export interface BootAnswer {
  readonly kernel: string;
  readonly initRamDisks: readonly string[];
  readonly cmdline: string;
}

/**
 * What the boot server asks of the API. Every call has a deadline of its own. Rejects with BootServerError: API_AWAY
 * when asking again later may help, API_REFUSED when the API said no.
 */
export interface BootApi {
  /** Tells that the machine asked for a boot. */
  dhcp(uuid: string): Promise<void>;
  /** What the machine with this NIC boots. */
  boot(mac: string): Promise<BootAnswer>;
  /** A token that lets the machine edit itself, and nothing else. */
  machineToken(uuid: string): Promise<string>;
  close(): Promise<void>;
}
