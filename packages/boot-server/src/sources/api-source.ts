import type { BootApi } from '../api/boot-api.ts';
import type { BootSource } from '../decide/boot-plan.ts';

/** The API over gRPC as a source: it knows every machine of its partition, and is told of boots by events instead. */
export function apiSource(api: BootApi): BootSource {
  return {
    name: 'api',
    offers: () => true,
    plan: async ({ mac }) => {
      const { kernel, initRamDisks, cmdline } = await api.boot(mac);
      return { kind: 'kernel', kernel, initRamDisks, cmdline, message: '', wantsConfig: true, origin: 'api' };
    },
  };
}
