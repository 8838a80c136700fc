// What goes over the admin socket. Times are ISO 8601. A field that a later version adds is no error for this one.
import { z } from 'zod';
import { LOG_LEVELS, type LogLevel } from '@ingot/daemon';
import { BOOT_STAGES, type BootStage } from '../timeline/stages.ts';

export type AdminJson = null | boolean | number | string | AdminJson[] | { [key: string]: AdminJson };

export interface MachineWire {
  uuid: string | null;
  /** The NIC that boots comes first. */
  macs: string[];
  address: string | null;
  stage: BootStage;
  since: string;
  stuck: boolean;
  /** How long the stage lasts as a rule; null where it is an end. */
  usualSeconds: number | null;
  boots: number;
  /** What went wrong last, if nothing has gone right since. */
  problem: { time: string; event: string; reason: string | null; message: string } | null;
  lastSeen: string;
}

export interface EntryWire {
  /** Grows with each entry of the whole server. */
  seq: number;
  time: string;
  mac: string;
  level: LogLevel;
  event: string;
  message: string;
  fields: { [key: string]: AdminJson };
  /** How often the same came again, and when it did last. */
  repeats: number;
  repeatedAt: string;
}

export interface TimelineWire {
  machine: MachineWire;
  /** When the first entry was that is still kept. */
  first: string;
  entries: EntryWire[];
}

export interface LeaseWire {
  address: string;
  mac: string;
  uuid: string | null;
  state: string;
  expires: string;
  /** Null for an address of a network that is no longer configured. */
  subnet: string | null;
}

export interface DebugKeyWire {
  /** The NIC that the machine booted through. */
  mac: string;
  address: string | null;
  /** Files on the boot server's host, for its user and root: the private key, and ssh's `known_hosts`. */
  keyFile: string;
  hostsFile: string;
  /** Whether the agent has told the machine's host key. */
  hostKnown: boolean;
  expires: string;
}

export interface ReloadWire {
  /** Settings that changed and count from now on. */
  taken: string[];
  /** Settings that changed and count only after a restart. */
  needsRestart: string[];
}

const time = z.iso.datetime();

const machine: z.ZodType<MachineWire> = z.object({
  uuid: z.string().nullable(),
  macs: z.array(z.string()),
  address: z.string().nullable(),
  stage: z.enum(BOOT_STAGES),
  since: time,
  stuck: z.boolean(),
  usualSeconds: z.number().nullable(),
  boots: z.int(),
  problem: z.object({ time, event: z.string(), reason: z.string().nullable(), message: z.string() }).nullable(),
  lastSeen: time,
});

const entry: z.ZodType<EntryWire> = z.object({
  seq: z.int(),
  time,
  mac: z.string(),
  level: z.enum(LOG_LEVELS),
  event: z.string(),
  message: z.string(),
  fields: z.record(z.string(), z.json()),
  repeats: z.int(),
  repeatedAt: time,
});

export const machinesWire: z.ZodType<{ machines: MachineWire[] }> = z.object({ machines: z.array(machine) });
export const timelineWire: z.ZodType<TimelineWire> = z.object({ machine, first: time, entries: z.array(entry) });
export const leasesWire: z.ZodType<{ leases: LeaseWire[] }> = z.object({
  leases: z.array(
    z.object({
      address: z.string(),
      mac: z.string(),
      uuid: z.string().nullable(),
      state: z.string(),
      expires: time,
      subnet: z.string().nullable(),
    }),
  ),
});
export const debugKeyWire: z.ZodType<DebugKeyWire> = z.object({
  mac: z.string(),
  address: z.string().nullable(),
  keyFile: z.string(),
  hostsFile: z.string(),
  hostKnown: z.boolean(),
  expires: time,
});
export const reloadWire: z.ZodType<ReloadWire> = z.object({
  // An older server does not tell.
  taken: z.array(z.string()).default([]),
  needsRestart: z.array(z.string()),
});
export const errorWire: z.ZodType<{ code: string; message: string }> = z.object({
  code: z.string(),
  message: z.string(),
});
