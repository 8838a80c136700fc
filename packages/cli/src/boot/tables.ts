import type { LeaseWire, MachineWire } from '@ingot/boot-server/admin';
import { Tone } from '../style.ts';
import type { Column } from '../table.ts';
import { durationText } from '../time-text.ts';

/** The columns of `ingot boot machines`. */
export function bootMachineColumns(nowMs: number): readonly Column<MachineWire>[] {
  const ago = (time: string): string => durationText(nowMs - Date.parse(time));
  return [
    { title: 'MAC', cell: ({ macs }) => macs[0] ?? '' },
    { title: 'OTHER NICS', cell: ({ macs }) => macs.slice(1).join(','), wide: true },
    { title: 'UUID', cell: ({ uuid }) => uuid ?? '' },
    { title: 'ADDRESS', cell: ({ address }) => address ?? '' },
    { title: 'STAGE', cell: ({ stage }) => stage },
    { title: 'FOR', cell: ({ since }) => ago(since), passing: true },
    { title: 'STUCK', cell: ({ stuck }) => (stuck ? 'yes' : ''), tone: ({ stuck }) => (stuck ? Tone.Bad : undefined) },
    {
      title: 'USUALLY',
      cell: ({ usualSeconds }) => (usualSeconds === null ? '' : `< ${durationText(usualSeconds * 1000)}`),
      wide: true,
    },
    { title: 'BOOTS', cell: ({ boots }) => String(boots), wide: true },
    { title: 'LAST SEEN', cell: ({ lastSeen }) => ago(lastSeen), wide: true, passing: true },
    {
      title: 'PROBLEM',
      cell: ({ problem }) => (problem === null ? '' : (problem.reason ?? problem.event)),
    },
    { title: 'IN WORDS', cell: ({ problem }) => problem?.message ?? '', wide: true },
  ];
}

/** The columns of `ingot boot leases`. */
export function leaseColumns(nowMs: number): readonly Column<LeaseWire>[] {
  return [
    { title: 'ADDRESS', cell: ({ address }) => address },
    { title: 'MAC', cell: ({ mac }) => mac },
    { title: 'STATE', cell: ({ state }) => state },
    {
      title: 'EXPIRES IN',
      cell: ({ expires, state }) => (state === 'bound' || state === 'declined' ? left(expires, nowMs) : ''),
      passing: true,
    },
    { title: 'SUBNET', cell: ({ subnet }) => subnet ?? '' },
    { title: 'UUID', cell: ({ uuid }) => uuid ?? '', wide: true },
    { title: 'EXPIRES', cell: ({ expires }) => expires, wide: true },
  ];
}

function left(expires: string, nowMs: number): string {
  return durationText(Date.parse(expires) - nowMs);
}
