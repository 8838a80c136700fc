/** Which serial port of a machine its console is on. Only the boot loader knows the manufacturer (SMBIOS type 1). */
export interface SerialConsole {
  /** Of manufacturers that are not listed. */
  readonly port: string;
  /** Baud rate, parity and bits, as the kernel's `console=` has them. */
  readonly speed: string;
  readonly byManufacturer: Readonly<Record<string, string>>;
}

/** Manufacturers whose serial-over-LAN is the first port; those of most others use the second. */
const KNOWN: Readonly<Record<string, string>> = {
  QEMU: 'ttyS0',
  'Dell Inc.': 'ttyS0',
  'Giga Computing': 'ttyS0',
  FUJITSU: 'ttyS0',
};

/** What an operator says of it. */
export interface SerialConsoleConfig {
  readonly port?: string | undefined;
  readonly speed?: string | undefined;
  readonly byManufacturer?: Readonly<Record<string, string>> | undefined;
}

/** What is left out is as machines of many halls have it; a manufacturer that is given takes the place of a known one. */
export function serialConsole(given: SerialConsoleConfig = {}): SerialConsole {
  const { port = 'ttyS1', speed = '115200n8', byManufacturer = {} } = given;
  return { port, speed, byManufacturer: { ...KNOWN, ...byManufacturer } };
}

/** Ports other than the common one, with their manufacturers. */
export function exceptions({ port, byManufacturer }: SerialConsole): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [manufacturer, own] of Object.entries(byManufacturer)) {
    if (own === port) continue;
    found.set(own, [...(found.get(own) ?? []), manufacturer]);
  }
  return found;
}
