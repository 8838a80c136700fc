import type { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import type { HttpServerComponents } from '../../src/http/server.ts';
import type { BootMetrics } from '../../src/metrics.ts';

const unused = (): never => {
  throw new Error('this test asks for files only');
};

/** Routes for a test that asks for published files only. */
export function unusedRoutes(
  log: MemoryLogger,
  metrics: BootMetrics,
): Pick<HttpServerComponents, 'images' | 'script' | 'files' | 'config' | 'certs' | 'used' | 'agent'> {
  const gate = { admitScript: unused, admitConfig: unused };
  const nonces = {
    issue: unused,
    check: unused,
    consume: unused,
    isUsed: unused,
    fingerprint: unused,
    consumeFingerprint: unused,
  };
  const seals = { seal: unused, open: unused };
  return {
    images: undefined,
    script: { log, metrics, issuer: { issue: unused, fileOf: unused }, basesOf: () => ['http://boot'] },
    files: {
      clock: new MockClock(),
      log,
      metrics,
      artifacts: { get: unused, heldBytes: 0, close: unused },
      fileUrls: { open: unused },
      published: { open: () => Promise.resolve(undefined) },
      macOf: () => undefined,
      uuidOf: () => undefined,
    },
    config: {
      log,
      metrics,
      gate,
      nonces,
      peers: { announce: unused },
      api: { dhcp: unused, boot: unused, machineToken: unused, close: unused },
      seals,
      baseFor: unused,
      machine: unused,
      network: () => ({ ntpServers: [], dnsServers: [] }),
      inUse: new Set(),
    },
    certs: undefined,
    used: { log, metrics, seals, nonces },
    agent: { log, metrics, gate, seals, nonces, debugKeys: { pinHost: unused } },
  };
}
