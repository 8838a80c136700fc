import type { BootServerConfig } from '../config.ts';

/**
 * What of `next` can be had without a restart: settings that sockets, threads and memory were made after keep the
 * value that they have. `changed` names those that would be another, as `http.listen`.
 */
export function withFixedSettings(
  running: BootServerConfig,
  next: BootServerConfig,
): { readonly config: BootServerConfig; readonly changed: readonly string[] } {
  const { listen, interfaces, whenUndecided, conflictDetectionMs, unicast, capture } = running.dhcp;
  const config: BootServerConfig = {
    ...next,
    partition: running.partition,
    dataDir: running.dataDir,
    runAs: running.runAs,
    dhcp: {
      ...next.dhcp,
      listen,
      ...(interfaces === undefined ? {} : { interfaces }),
      whenUndecided,
      ...(conflictDetectionMs === undefined ? {} : { conflictDetectionMs }),
      ...(unicast === undefined ? {} : { unicast }),
      ...(capture === undefined ? {} : { capture }),
    },
    dhcp6: running.dhcp6,
    pxe: running.pxe,
    tftp: { ...next.tftp, listen: running.tftp.listen, singlePort: running.tftp.singlePort },
    http: { ...running.http, url: next.http.url, signing: next.http.signing },
    artifacts: { ...next.artifacts, maxBytes: running.artifacts.maxBytes },
    imageCache: running.imageCache,
    api: running.api,
    admin: running.admin,
    metrics: running.metrics,
    logLevel: running.logLevel,
  };
  // The daemon itself tells of the last two.
  return { config, changed: differences(next, config).filter((name) => name !== 'metrics' && name !== 'logLevel') };
}

/** Paths of the settings that differ. */
function differences(a: unknown, b: unknown, path = ''): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  if (!isMapping(a) || !isMapping(b)) return [path];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
