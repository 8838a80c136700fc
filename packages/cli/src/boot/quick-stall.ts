import type { BootServer } from '@ingot/boot-server';
import type { Clock } from '@ingot/net';
import { durationText } from '../time-text.ts';

type Machine = ReturnType<BootServer['watch']['machines']>[number];

const LOOK_EVERY_MS = 5_000;
/** A ROM that waits for a ProxyDHCP offer as well does so for 8 s (PXE 2.1, §2.2.1), and begins to load at once then. */
const OFFERED_MS = 20_000;

/** Says of each machine that does not get on, once for each time: what it lacks, as far as that shows from here. */
export function watchStalls(components: {
  readonly clock: Clock;
  readonly machines: () => readonly Machine[];
  /** Whether addresses are leased here, and not by another server. */
  readonly leases: boolean;
  readonly say: (mac: string, words: string) => void;
}): Disposable {
  const { clock, machines, leases, say } = components;
  /** Which of those that were stuck at the last look was told: no more than there are machines. */
  let told = new Set<string>();
  const look = (): void => {
    const stuck = new Set<string>();
    for (const machine of machines()) {
      const [mac = ''] = machine.macs;
      const words = stallWords(machine, clock.now() - machine.since, leases);
      if (words === undefined) continue;
      const stall = `${mac} ${machine.since}`;
      if (!told.has(stall)) say(mac, words);
      stuck.add(stall);
    }
    told = stuck;
    timer = clock.setTimeout(look, LOOK_EVERY_MS);
  };
  let timer = clock.setTimeout(look, LOOK_EVERY_MS);
  return { [Symbol.dispose]: () => timer.cancel() };
}

/** Undefined while it gets on. */
function stallWords({ stage, isStuck }: Machine, forMs: number, leases: boolean): string | undefined {
  const time = durationText(forMs);
  if (stage === 'offered' && forMs >= OFFERED_MS)
    return leases
      ? `! has loaded nothing for ${time}: does a firewall let UDP 69 and what TFTP sends through?`
      : `! has loaded nothing for ${time}: does another DHCP server lease it an address? (--pool FIRST-LAST does it here) Does a firewall let UDP 69 and 4011 through?`;
  if (!isStuck) return undefined;
  switch (stage) {
    case 'tftp':
      return `! still loads its boot loader after ${time}: does a firewall drop what TFTP sends?`;
    case 'ipxe':
      return `! has not asked for its script for ${time}: its console says why; Secure Boot does not start iPXE`;
    case 'script':
    case 'kernel':
    case 'initrd':
      return `! has not got on for ${time}: its console says why; is its memory large enough?`;
    default:
      return undefined;
  }
}
