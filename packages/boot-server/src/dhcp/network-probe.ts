import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { ipv4OfNumber } from '@ingot/wire';
import type { Clock, EchoSocket, Timer, UdpSocket } from '@ingot/net';
import { numberOfIpv4 } from '../ipv4.ts';
import type { AddressProbe, ProbeResult } from './address-probe.ts';

export interface NetworkProbeComponents {
  readonly clock: Clock;
  /** Undefined: only ARP answers, on the own links. */
  readonly echo: EchoSocket | undefined;
  /** Where there is no echo socket, a datagram to nobody's port makes the kernel ask by ARP. */
  readonly udp: Pick<UdpSocket, 'send'>;
  readonly timeoutMs: number;
  /** Text of /proc/net/arp; a test has its own. */
  readonly arpTable?: () => string;
  /** Whether an address is on an own link. */
  readonly isOnLink?: (address: number) => boolean;
}

interface Pending {
  /** It was in the table before we asked: that may be from a host that is gone. */
  readonly wasInTable: boolean;
  readonly until: number;
  readonly resolve: (result: ProbeResult) => void;
}

const DISCARD_PORT = 9;
/** How late an answer may be seen; a free address waits for the whole timeout anyhow. */
const LOOK_EVERY_MS = 20;

/**
 * Asks for an address by ICMP echo, which reaches relayed networks too, and sees by the kernel's ARP table hosts of the
 * own links that answer no echo. Takes no privilege beyond the echo socket's.
 */
export function networkProbe(components: NetworkProbeComponents): AddressProbe {
  const { clock, echo, udp, timeoutMs, arpTable = readArpTable, isOnLink = isOnOwnLink } = components;
  const pending = new Map<string, Pending>();
  let timer: Timer | undefined;

  const finish = (address: string, result: ProbeResult): void => {
    const waiting = pending.get(address);
    pending.delete(address);
    waiting?.resolve(result);
    if (pending.size > 0) return;
    timer?.cancel();
    timer = undefined;
  };
  const look = (): void => {
    for (const address of echo?.receive() ?? []) finish(address, 'in-use');
    const table = parseArpTable(arpTable());
    const now = clock.monotonic();
    for (const [address, { wasInTable, until }] of pending) {
      if (!wasInTable && isHost(table, address)) finish(address, 'in-use');
      else if (until <= now) finish(address, 'free');
    }
  };

  return {
    probe: (address) => {
      const text = ipv4OfNumber(address);
      const wasInTable = parseArpTable(arpTable()).has(text);
      if (echo === undefined && (wasInTable || !isOnLink(address))) return Promise.resolve('unknown');
      // Whatever waits there answers nobody any more.
      if (pending.size === 0) echo?.receive();
      if (echo === undefined) void udp.send(new Uint8Array(1), { address: text, port: DISCARD_PORT });
      else if (!echo.send(text)) return Promise.resolve('unknown');
      return new Promise((resolve) => {
        pending.set(text, { wasInTable, until: clock.monotonic() + timeoutMs, resolve });
        timer ??= clock.setInterval(look, LOOK_EVERY_MS);
      });
    },
    stop: () => {
      for (const address of pending.keys()) finish(address, 'unknown');
      echo?.close();
    },
  };
}

/** A router that answers ARP for others (RFC 1027) has them all at one hardware address: that says nothing of a host. */
function isHost(table: ReadonlyMap<string, string>, address: string): boolean {
  const mac = table.get(address);
  return mac !== undefined && [...table.values()].filter((other) => other === mac).length === 1;
}

const COMPLETE = 0x2;

/** Address → hardware address, of the complete entries of /proc/net/arp. */
function parseArpTable(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n').slice(1)) {
    const [address, , flags, mac] = line.split(/\s+/);
    if (address === undefined || mac === undefined) continue;
    if ((Number(flags) & COMPLETE) !== 0) found.set(address, mac);
  }
  return found;
}

function readArpTable(): string {
  try {
    return readFileSync('/proc/net/arp', 'latin1');
  } catch {
    // Not Linux: echo alone answers.
    return '';
  }
}

function isOnOwnLink(address: number): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some((own) => {
      const mask = numberOfIpv4(own.netmask);
      const same = numberOfIpv4(own.address);
      return mask !== undefined && same !== undefined && ((same ^ address) & mask) === 0;
    }),
  );
}
