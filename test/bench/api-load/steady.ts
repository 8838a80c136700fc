import { apiV2, create, durationFromMs, infraV2, methodPath, timestampFromMs, toBinary } from '@ingot/api';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from './grpc-calls.ts';
import { heartbeat } from './hall.ts';
import type { Latencies } from './latencies.ts';
import { timed, type Rig } from './rig.ts';
import { eventOf, SEND } from './storm.ts';

const { method: switches } = infraV2.SwitchService;
const PING = methodPath(infraV2.ComponentService.method.ping);

const EVENT_EVERY_MS = 60_000;
const BEAT_EVERY_MS = 10_000;
const PING_EVERY_MS = 60_000;

/** A call that is due at a time, milliseconds from the beginning. */
interface Due {
  readonly atMs: number;
  readonly kind: string;
  readonly call: () => Promise<unknown>;
}

export interface SteadyOptions {
  readonly seconds: number;
  readonly machineTokens: readonly string[];
  readonly switchTokens: readonly string[];
  /** One of each switch. */
  readonly switchConnections: readonly Connection[];
  /** 0 to 1. */
  readonly random: () => number;
}

/**
 * What a hall says when nothing happens: each machine every minute that it is alive, each switch every ten seconds the
 * state of its ports, and asks what is wanted of it, and every minute that it is there. Everybody in a rhythm of its own.
 * Calls are made when they are due, however long the others take. Answers how late the generator was, milliseconds.
 */
export async function steadyState(rig: Rig, latencies: Latencies, options: SteadyOptions): Promise<number[]> {
  const timetable = timetableOf(rig, options).toSorted((a, b) => a.atMs - b.atMs);
  const startedAt = performance.now();
  const late: number[] = [];
  const running: Promise<unknown>[] = [];
  for (const { atMs, kind, call } of timetable) {
    const waitMs = startedAt + atMs - performance.now();
    if (waitMs > 1) await pause(waitMs);
    const dueAt = startedAt + atMs;
    late.push(Math.max(0, performance.now() - dueAt));
    running.push(timed(latencies, kind, call, dueAt));
  }
  await Promise.all(running);
  return late;
}

function timetableOf(rig: Rig, options: SteadyOptions): Due[] {
  const { hall } = rig;
  const { seconds, machineTokens, switchTokens, switchConnections, random } = options;
  const every = (periodMs: number, kind: string, call: () => Promise<unknown>): Due[] => {
    const times: Due[] = [];
    for (let atMs = random() * periodMs; atMs < seconds * 1000; atMs += periodMs) times.push({ atMs, kind, call });
    return times;
  };
  const events = hall.machines.flatMap(({ uuid }, index) => {
    const message = eventOf(uuid, apiV2.MachineProvisioningEventType.ALIVE, 'waiting for an allocation, up 2 h');
    return every(EVENT_EVERY_MS, 'Event.Send', () => rig.shared(index).call(SEND, machineTokens[index] ?? '', message));
  });
  const used = hall.machines.length / Math.max(1, hall.switches.length / 2);
  const beats = hall.switches.flatMap((one, index) => {
    const connection = switchConnections[index];
    const token = switchTokens[index] ?? '';
    if (connection === undefined) return [];
    const beat = toBinary(infraV2.SwitchServiceHeartbeatRequestSchema, heartbeat(one, Math.ceil(used), Date.now()));
    const ask = toBinary(
      infraV2.SwitchServiceGetRequestSchema,
      create(infraV2.SwitchServiceGetRequestSchema, { id: one.id }),
    );
    const ping = toBinary(
      infraV2.ComponentServicePingRequestSchema,
      create(infraV2.ComponentServicePingRequestSchema, {
        type: apiV2.ComponentType.METAL_CORE,
        identifier: one.id,
        startedAt: timestampFromMs(Date.now() - 3_600_000),
        interval: durationFromMs(PING_EVERY_MS),
        version: { version: '0.1.0' },
      }),
    );
    return [
      ...every(BEAT_EVERY_MS, 'Switch.Heartbeat', () => connection.call(methodPath(switches.heartbeat), token, beat)),
      ...every(BEAT_EVERY_MS, 'Switch.Get', () => connection.call(methodPath(switches.get), token, ask)),
      ...every(PING_EVERY_MS, 'Component.Ping', () => connection.call(PING, token, ping)),
    ];
  });
  return [...events, ...beats];
}
