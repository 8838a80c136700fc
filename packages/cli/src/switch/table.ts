import { apiV2, durationMs, enumText, timestampMs } from '@ingot/api';
import { Tone } from '../style.ts';
import type { Column } from '../table.ts';
import { ageText } from '../time-text.ts';

/** The columns of `ingot switch ls`, in metalctl's order and words. */
export function switchColumns(nowMs: number): readonly Column<apiV2.Switch>[] {
  return [
    { title: 'ID', cell: (found) => found.id },
    { title: 'PARTITION', cell: (found) => found.partition },
    { title: 'RACK', cell: (found) => found.rack ?? '' },
    { title: 'OS', cell: osText },
    { title: 'AGENT', cell: (found) => found.os?.metalCoreVersion ?? '', wide: true },
    { title: 'IP', cell: (found) => found.managementIp, wide: true },
    { title: 'MODE', cell: (found) => enumText(apiV2.SwitchReplaceModeSchema, found.replaceMode), wide: true },
    { title: 'PORTS UP', cell: portsUp },
    {
      title: 'MACHINES',
      cell: (found) => String(new Set(found.machineConnections.map(({ machineId }) => machineId)).size),
    },
    {
      title: 'STATUS',
      cell: (found) => switchStatus(found, nowMs),
      tone: (found) => TONES[switchStatus(found, nowMs)],
    },
    { title: 'LAST SYNC', cell: (found) => ageText(found.lastSync?.time, nowMs), passing: true },
    { title: 'SYNC DURATION', cell: syncDuration, wide: true, passing: true },
    { title: 'LAST ERROR', cell: lastError(nowMs), wide: true, passing: true },
  ];
}

// Six missed heartbeats of ten seconds.
const SILENT_MS = 60_000;

const TONES = { new: Tone.Faint, silent: Tone.Bad, error: Tone.Bad, ok: Tone.Good } as const;

/** `ok`, `error` when the last report was one, `silent` when none came for a minute, `new` when none ever came. */
function switchStatus({ lastSync, lastSyncError }: apiV2.Switch, nowMs: number): keyof typeof TONES {
  const okMs = lastSync?.time === undefined ? 0 : timestampMs(lastSync.time);
  const errorMs = lastSyncError?.time === undefined ? 0 : timestampMs(lastSyncError.time);
  const reportMs = Math.max(okMs, errorMs);
  if (reportMs === 0) return 'new';
  if (nowMs - reportMs > SILENT_MS) return 'silent';
  return errorMs > okMs ? 'error' : 'ok';
}

function osText({ os }: apiV2.Switch): string {
  return os === undefined ? '' : `${enumText(apiV2.SwitchOSVendorSchema, os.vendor)} (${os.version})`;
}

function portsUp({ nics }: apiV2.Switch): string {
  const up = nics.filter((nic) => nic.state?.actual === apiV2.SwitchPortStatus.UP).length;
  return `${up}/${nics.length}`;
}

function syncDuration({ lastSync }: apiV2.Switch): string {
  return lastSync?.duration === undefined ? '' : `${Math.round(durationMs(lastSync.duration))}ms`;
}

function lastError(nowMs: number): (found: apiV2.Switch) => string {
  return ({ lastSyncError }) =>
    lastSyncError === undefined ? '' : `${ageText(lastSyncError.time, nowMs)} ago: ${lastSyncError.error ?? ''}`;
}
