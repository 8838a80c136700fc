import { printable } from '../printable.ts';
import type { PortStatus, SwitchStatus } from './status.ts';

/** The status as one screen of text: what is wrong first, then the ports as a table. */
export function printStatus(status: SwitchStatus): string {
  const ago = (atMs: number | undefined, never: string): string =>
    atMs === undefined ? never : `${duration(status.atMs - atMs)} ago`;
  const { cycle, heartbeat } = status;
  const compared =
    cycle === undefined
      ? 'not yet, or not at all (see reconfigure)'
      : `${cycle.result} ${ago(cycle.endedAtMs, '')} in ${(cycle.durationMs / 1000).toFixed(2)} s, ` +
        `${cycle.drift} rows differed` +
        (cycle.result === 'failed' ? `, last success ${ago(cycle.succeededAtMs, 'never')}` : '');
  const facts = [
    ['switch', `${status.id}, ${status.agentVersion}, runs for ${duration(status.atMs - status.startedAtMs)}`],
    ['registered', ago(status.registeredAtMs, 'no')],
    ['heartbeat', `${ago(heartbeat.deliveredAtMs, 'none was delivered')}, every ${duration(heartbeat.periodMs)}`],
    ['compared', compared],
    ...(status.tokenExpiresAtMs === undefined
      ? []
      : [['token', `ends ${new Date(status.tokenExpiresAtMs).toISOString()}`]]),
    ['problems', status.problems.length === 0 ? 'none' : String(status.problems.length)],
  ];
  const lines = facts.map(([name = '', text = '']) => `${name.padEnd(11)} ${printable(text)}`);
  for (const { topic, reason } of status.problems) lines.push(`  ${printable(`${topic}: ${reason}`)}`);
  const rows = status.ports.map((port) => [
    port.port,
    port.link,
    `${port.admin ?? '-'}${port.wanted === undefined || port.wanted === port.admin ? '' : ` (wanted ${port.wanted})`}`,
    port.vrf ?? '-',
    port.bgp === undefined ? '-' : `${port.bgp.state} ${port.bgp.neighbor}`,
    cableText(port),
  ]);
  return `${[...lines, '', ...table([['PORT', 'LINK', 'ADMIN', 'VRF', 'BGP', 'NEIGHBOUR'], ...rows])].join('\n')}\n`;
}

/** Whether an operator has to look: exit status 1. */
export function needsAttention({ problems, ports, cycle }: SwitchStatus): boolean {
  return problems.length > 0 || cycle?.result === 'failed' || ports.some(({ cable }) => cable?.state === 'wrong');
}

function cableText({ cable, lldp }: PortStatus): string {
  const seen = lldp.map(({ systemName, portId }) => `${systemName === '' ? '?' : systemName} ${portId}`.trim());
  const there = seen.length === 0 ? '-' : seen.join(', ');
  if (cable === undefined || cable.state === 'right') return there;
  if (cable.state === 'new') return `${there} (the API has no machine here)`;
  const elsewhere = cable.insteadOn.length === 0 ? '' : `, which is on ${cable.insteadOn.join(', ')}`;
  return `${there} (${cable.state}: the API has ${cable.wanted ?? ''} here${elsewhere})`;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const clean = rows.map((row) => row.map((cell) => printable(cell)));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0)));
  return clean.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
}
