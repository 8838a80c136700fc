import type { ConfigDb } from '../config-db/config-db.ts';
import type { Finding } from '../yang/finding.ts';
import { rowsOf, textOf } from './rows.ts';

/** That no two ports have a lane in common, which the ASIC refuses, or an alias, which LLDP announces. */
export function checkPortIdentity(configDb: ConfigDb): readonly Finding[] {
  const findings: Finding[] = [];
  const ofLane = new Map<string, string>();
  const ofAlias = new Map<string, string>();
  for (const [port, row] of rowsOf(configDb, 'PORT')) {
    const report = (field: string, message: string): void => {
      findings.push({ severity: 'error', table: 'PORT', key: port, field, message });
    };
    const lanes = (textOf(row, 'lanes') ?? '').split(',').map((lane) => lane.trim());
    for (const lane of new Set(lanes)) {
      const other = ofLane.get(lane);
      if (lane === '') continue;
      if (other === undefined) ofLane.set(lane, port);
      else report('lanes', `lane ${lane} is one of ${other} already`);
    }
    const alias = textOf(row, 'alias');
    if (alias === undefined) continue;
    const other = ofAlias.get(alias);
    if (other === undefined) ofAlias.set(alias, port);
    else report('alias', `${alias} is that of ${other} already; machines would be wired to the wrong port`);
  }
  return findings;
}
