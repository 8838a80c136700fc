import type { Metrics } from '@ingot/daemon';

/** A gauge with 1 or 0 for each port of the last map that it was given; a port that is gone has none. */
export function perPort(
  metrics: Metrics,
  { name, help }: { readonly name: string; readonly help: string },
): (ports: ReadonlyMap<string, boolean>) => void {
  const gauge = metrics.gauge({ name, help, labels: ['port'] });
  let exposed: ReadonlyMap<string, boolean> = new Map();
  return (ports) => {
    for (const port of exposed.keys()) if (!ports.has(port)) gauge.remove({ port });
    for (const [port, isSo] of ports) gauge.set({ port }, isSo ? 1 : 0);
    exposed = new Map(ports);
  };
}
