import type { Reloaded } from '@ingot/daemon';
import type { BootServerConfig } from '../config.ts';

/**
 * What of `next` can be had without a restart: settings that sockets, threads and memory were made after keep the
 * value that they have, and a section that such things stand for is neither added nor taken away.
 */
export function withFixedSettings(
  running: BootServerConfig,
  next: BootServerConfig,
): { readonly config: BootServerConfig; readonly reloaded: Reloaded } {
  const { tls } = running.http;
  const { listen, interfaces, whenUndecided, conflictDetectionMs, unicast, capture } = running.dhcp;
  const config: BootServerConfig = {
    ...next,
    partition: running.partition,
    dataDir: running.dataDir,
    runAs: running.runAs,
    dhcp: {
      ...next.dhcp,
      listen,
      interfaces,
      whenUndecided,
      conflictDetectionMs,
      unicast,
      capture,
    },
    dhcp6: running.dhcp6 && next.dhcp6 ? { ...next.dhcp6, listen: running.dhcp6.listen } : running.dhcp6,
    pxe: running.pxe,
    tftp: {
      ...next.tftp,
      listen: running.tftp.listen,
      engine: running.tftp.engine,
      singlePort: running.tftp.singlePort,
    },
    http: {
      ...next.http,
      listen: running.http.listen,
      engine: running.http.engine,
      tls:
        tls && next.http.tls
          ? { ...next.http.tls, listen: tls.listen, certFile: tls.certFile, keyFile: tls.keyFile }
          : tls,
    },
    artifacts: { ...next.artifacts, maxBytes: running.artifacts.maxBytes },
    imageCache:
      running.imageCache && next.imageCache
        ? { ...next.imageCache, directory: running.imageCache.directory }
        : running.imageCache,
    api: running.api && next.api ? next.api : running.api,
    admin: running.admin,
    metrics: running.metrics,
    logLevel: running.logLevel,
  };
  // The daemon itself tells of the last two.
  const needsRestart = differences(next, config).filter((name) => name !== 'metrics' && name !== 'logLevel');
  return { config, reloaded: { taken: differences(running, config), needsRestart } };
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
