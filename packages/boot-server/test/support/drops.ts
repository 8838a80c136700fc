import type { Metrics } from '@ingot/daemon';

/** How often a service has dropped something for this reason so far. */
export async function dropsOf(metrics: Metrics, service: string, reason: string): Promise<number> {
  const line = new RegExp(`drops_total\\{service="${service}",reason="${reason}"\\} (\\d+)`);
  return Number(line.exec(await metrics.text())?.[1] ?? 0);
}
