import type { Logger, Reloaded } from '@ingot/daemon';
import type { ArtifactStore } from '../artifacts/store.ts';
import type { BootServerConfig } from '../config.ts';
import { createPolicy, type PolicyStores } from '../policy.ts';
import type { ImageCache } from '../image-cache/image-cache.ts';
import type { DhcpService } from '../services/dhcp.ts';
import type { HttpService } from '../services/http.ts';
import { warnOfMissingBinaries } from '../services/missing-binaries.ts';
import type { CurrentPolicy } from './current-policy.ts';
import { withFixedSettings } from './fixed-settings.ts';

export interface ReloadComponents {
  readonly policy: CurrentPolicy;
  readonly stores: PolicyStores;
  readonly dhcp: DhcpService;
  readonly http: HttpService;
  readonly artifacts: ArtifactStore;
  readonly imageCache: ImageCache | undefined;
  readonly log: Logger;
}

/** Makes the function that goes on with another configuration, or leaves all as it was and rejects. */
export function createReload(components: ReloadComponents): (next: BootServerConfig) => Promise<Reloaded> {
  const { policy, stores, dhcp, http, artifacts, imageCache, log } = components;
  return async (next) => {
    const before = policy.now;
    const { config, reloaded } = withFixedSettings(before.config, next);
    const after = await createPolicy(stores, config, before);
    policy.now = after;
    try {
      await dhcp.follow(before);
    } catch (error) {
      policy.now = before;
      after.decisions.stop();
      await dhcp.follow(after);
      throw error;
    }
    before.decisions.stop();
    await warnOfMissingBinaries({ ...after, log, get: (uri, expected) => artifacts.get(uri, expected) });
    log.info({ event: 'reloaded', subnets: after.plan.subnets.map(({ id, mode }) => `${id} ${mode}`) }, 'reloaded');
    await http.follow();
    if (JSON.stringify(config.imageCache) !== JSON.stringify(before.config.imageCache)) imageCache?.refresh();
    return reloaded;
  };
}
