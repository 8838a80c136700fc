import { adminV2, ApiError, apiV2, bindService, Code, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.admin.v2.ComponentService`: agents that have pinged within the last day. */
export function adminComponentService({ stores }: ServiceDependencies): BoundService<Caller> {
  const byUuid = async (uuid: string): Promise<apiV2.Component> => {
    const component = (await stores.components.list()).find((one) => one.uuid === uuid);
    if (component === undefined) throw new ApiError(Code.NotFound, `there is no component ${uuid}`);
    return component;
  };
  return bindService<typeof adminV2.ComponentService, Caller>(adminV2.ComponentService, {
    get: async ({ uuid }) => ({ component: await byUuid(uuid) }),
    // One that still runs is back with its next ping.
    async delete({ uuid }) {
      const component = await byUuid(uuid);
      await stores.components.delete(uuid);
      return { component };
    },
    list: async ({ query }) => ({
      components: (await stores.components.list()).filter(
        (component) =>
          (query?.uuid === undefined || component.uuid === query.uuid) &&
          (query?.type === undefined || component.type === query.type) &&
          (query?.identifier === undefined || component.identifier === query.identifier),
      ),
    }),
  });
}
