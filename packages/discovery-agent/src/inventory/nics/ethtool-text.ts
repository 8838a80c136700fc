import { printable } from '../printable.ts';

/** `ethtool -P`; `undefined` where the driver knows none: it then prints zeros, or `not set`. */
export function parsePermanentMac(text: string): string | undefined {
  const mac = /^Permanent address: (([0-9a-f]{2}:){5}[0-9a-f]{2})\s*$/im.exec(text)?.[1]?.toLowerCase();
  return mac === undefined || !isStationAddress(mac) ? undefined : mac;
}

/** Not all zeros, and not a group's: the lowest bit of the first byte (IEEE 802-2014 8.2.2). */
export function isStationAddress(mac: string): boolean {
  return (
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) &&
    mac !== '00:00:00:00:00:00' &&
    (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0
  );
}

/** The firmware in `ethtool -i`; empty where the driver tells none. */
export function parseFirmwareVersion(text: string): string {
  const version = printable(/^firmware-version:(.*)$/m.exec(text)?.[1] ?? '', 128);
  return /^(n\/a|unknown|not available)$/i.test(version) ? '' : version;
}
