/**
 * How far a machine has come, by the last thing that it got: `kernel` has its kernel and loads what comes next.
 * In the order of a boot.
 */
export const BOOT_STAGES = [
  /** Asked and got no answer, or only asks for an address. */
  'seen',
  /** Knows what to load, and from where. */
  'offered',
  /** Loads a boot loader. */
  'tftp',
  /** Has an iPXE, from us or in its firmware. */
  'ipxe',
  'script',
  'kernel',
  'initrd',
  /** Has everything and starts its kernel; its agent has not asked for its configuration yet. */
  'config',
  /** The agent has its configuration and its token, and has not said that it runs: upstream's never does. */
  'agent',
  /** The agent has said that it runs. The API knows the rest. */
  'up',
  /** Has everything and starts its kernel, which needs nothing more from here. */
  'booted',
  /** Was sent on to its next boot device. */
  'local',
  /** Waits, as it was told to, or for a person at its console. */
  'held',
] as const;
export type BootStage = (typeof BOOT_STAGES)[number];

/**
 * How long each stage lasts as a rule, milliseconds; beyond that the machine is stuck. Generous: three times what the
 * slowest firmware needs that we saw, for a false alarm costs more than a late one. Stages without a time are ends.
 */
export const USUAL_STAGE_MS: Readonly<Record<BootStage, number | undefined>> = {
  seen: undefined,
  // EDK2 asks again for up to 60 s; a BIOS ROM for 60 s, too.
  offered: 90_000,
  // 1 MB at the pace of a BMC's virtual NIC.
  tftp: 120_000,
  // Its start, and up to 16 s of waiting for IPv6 routers on each of its NICs.
  ipxe: 90_000,
  script: 60_000,
  // 500 MB of initrd on a link of 100 Mbit/s.
  kernel: 180_000,
  initrd: 30_000,
  // Kernel, unpacking and drivers of a server with many disks.
  config: 300_000,
  agent: undefined,
  up: undefined,
  booted: undefined,
  local: undefined,
  held: undefined,
};

const ORDER: ReadonlyMap<BootStage, number> = new Map(BOOT_STAGES.map((stage, index) => [stage, index]));

/** Whether `stage` comes later in a boot than `other`. */
export function isBeyond(stage: BootStage, other: BootStage): boolean {
  return (ORDER.get(stage) ?? 0) > (ORDER.get(other) ?? 0);
}
