import { createHash } from 'node:crypto';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootAnswer, BootStore } from '../store/boots.ts';
import type { BootApi } from './boot-api.ts';

/** What to boot, also while the API is away; and the names under which its files are served. */
export interface BootResolver {
  /** Asks the API; when that is away, its last answer for this NIC, else for the partition. Throws what `BootApi` does. */
  resolve(mac: string): Promise<BootAnswer>;
  /** The opaque name of a URI in file URLs: the same after a restart, and on every server that got the same answer. */
  nameOf(uri: string): string;
  /** The URI that was in an answer of the API; only these are served. */
  uriOf(name: string): string | undefined;
}

export function createBootResolver(components: { api: BootApi; store: BootStore; log: Logger }): BootResolver {
  const { api, store, log } = components;
  const names = new Map<string, string>();
  const nameOf = (uri: string): string => createHash('sha256').update(uri).digest('hex').slice(0, 32);
  const learn = (uris: Iterable<string>): void => {
    for (const uri of uris) names.set(nameOf(uri), uri);
  };
  learn(store.uris());
  return {
    resolve: async (mac) => {
      try {
        const answer = await api.boot(mac);
        store.remember(mac, answer);
        learn([answer.kernel, ...answer.initRamDisks]);
        return answer;
      } catch (error) {
        if (!(error instanceof BootServerError) || error.code !== BootServerErrorCode.ApiAway) throw error;
        const last = store.recall(mac);
        if (last === undefined) throw error;
        log.warn(
          { event: 'api.away', mac, from: last.from, err: error },
          `the API is away: ${mac} boots what the ${last.from} booted last`,
        );
        return last.answer;
      }
    },
    nameOf,
    uriOf: (name) => names.get(name),
  };
}
