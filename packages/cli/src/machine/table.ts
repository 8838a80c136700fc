import { apiV2, enumText, timestampMs } from '@ingot/api';
import { Tone } from '../style.ts';
import type { Column } from '../table.ts';
import { ageText } from '../time-text.ts';

const { MachineLiveliness, MachineProvisioningEventState, MachineState } = apiV2;

/** The newest event that the API still has, whatever order it keeps them in. */
function lastEvent(machine: apiV2.Machine): apiV2.MachineProvisioningEvent | undefined {
  return [...(machine.recentProvisioningEvents?.events ?? [])].sort(
    (a, b) => (b.time === undefined ? 0 : timestampMs(b.time)) - (a.time === undefined ? 0 : timestampMs(a.time)),
  )[0];
}

/** The columns of `ingot machine ls`, in metalctl's order and words. */
export function machineColumns(nowMs: number): readonly Column<apiV2.Machine>[] {
  return [
    { title: 'ID', cell: (machine) => machine.uuid },
    { title: '', cell: marks },
    { title: 'LAST EVENT', cell: eventText, tone: eventTone },
    {
      title: 'WHEN',
      cell: (machine) => ageText(machine.recentProvisioningEvents?.lastEventTime ?? lastEvent(machine)?.time, nowMs),
      passing: true,
    },
    { title: 'AGE', cell: (machine) => ageText(machine.allocation?.meta?.createdAt, nowMs), passing: true },
    { title: 'NAME', cell: (machine) => machine.allocation?.name ?? '', wide: true },
    { title: 'HOSTNAME', cell: (machine) => machine.allocation?.hostname ?? '' },
    { title: 'PROJECT', cell: (machine) => machine.allocation?.project ?? '' },
    { title: 'IPS', cell: (machine) => ips(machine).join(','), wide: true },
    { title: 'SIZE', cell: (machine) => machine.size?.id ?? '' },
    { title: 'IMAGE', cell: (machine) => machine.allocation?.image?.name ?? machine.allocation?.image?.id ?? '' },
    { title: 'PARTITION', cell: (machine) => machine.partition?.id ?? '' },
    { title: 'RACK', cell: (machine) => machine.rack },
    { title: 'ROOM', cell: (machine) => machine.room, wide: true },
    {
      title: 'LIVELINESS',
      cell: (machine) => enumText(apiV2.MachineLivelinessSchema, livelinessOf(machine)),
      tone: (machine) => LIVELINESS_TONES[livelinessOf(machine)],
      wide: true,
    },
    { title: 'LOCK/RESERVE', cell: (machine) => machine.status?.condition?.description ?? '', wide: true },
    { title: 'AGENT', cell: (machine) => machine.status?.metalHammerVersion ?? '', wide: true },
  ];
}

const LIVELINESS_TONES: Readonly<Partial<Record<apiV2.MachineLiveliness, Tone>>> = {
  [MachineLiveliness.ALIVE]: Tone.Good,
  [MachineLiveliness.DEAD]: Tone.Bad,
  [MachineLiveliness.UNKNOWN]: Tone.Warn,
};

function eventTone(machine: apiV2.Machine): Tone | undefined {
  const state = machine.recentProvisioningEvents?.state;
  if (state === MachineProvisioningEventState.CRASHLOOP) return Tone.Bad;
  if (state === MachineProvisioningEventState.FAILED_RECLAIM) return Tone.Warn;
  return lastEvent(machine)?.event === apiV2.MachineProvisioningEventType.CRASHED ? Tone.Bad : undefined;
}

function livelinessOf(machine: apiV2.Machine): apiV2.MachineLiveliness {
  return machine.status?.liveliness ?? MachineLiveliness.UNKNOWN;
}

function ips(machine: apiV2.Machine): readonly string[] {
  return machine.allocation?.networks.flatMap((network) => network.ips) ?? [];
}

function eventText(machine: apiV2.Machine): string {
  const event = lastEvent(machine);
  return event === undefined ? '' : enumText(apiV2.MachineProvisioningEventTypeSchema, event.event);
}

/** What an operator must not overlook, in metalctl's signs. */
function marks(machine: apiV2.Machine): string {
  const state = machine.status?.condition?.state;
  const provisioning = machine.recentProvisioningEvents?.state;
  const liveliness = machine.status?.liveliness;
  return [
    ...(state === MachineState.LOCKED ? ['\u{1F512}'] : []),
    ...(state === MachineState.TAINTED ? ['\u{1F6A7}'] : []),
    ...(liveliness === MachineLiveliness.DEAD ? ['\u{1F480}'] : []),
    ...(liveliness === MachineLiveliness.UNKNOWN ? ['\u2753'] : []),
    ...(provisioning === MachineProvisioningEventState.CRASHLOOP ? ['\u2B55'] : []),
    ...(provisioning === MachineProvisioningEventState.FAILED_RECLAIM ? ['\u{1F691}'] : []),
    ...(machine.allocation?.vpn?.connected === true ? ['\u{1F6E1}\uFE0F'] : []),
  ].join('');
}
