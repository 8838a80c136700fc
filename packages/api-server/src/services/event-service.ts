import { ApiError, apiV2, bindService, Code, enumText, infraV2, methodPath, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { isKnownEvent, noteEvents } from '../machine/note-events.ts';
import type { ServiceDependencies } from './context.ts';

const Type: typeof apiV2.MachineProvisioningEventType = apiV2.MachineProvisioningEventType;

/** The others tell about a machine from outside; a machine that could send them could hide that it was replaced. */
const FROM_MACHINES: ReadonlySet<apiV2.MachineProvisioningEventType> = new Set([
  Type.ALIVE,
  Type.CRASHED,
  Type.PLANNED_REBOOT,
  Type.PREPARING,
  Type.REGISTERING,
  Type.WAITING,
  Type.INSTALLING,
  Type.BOOTING_NEW_KERNEL,
]);

const SEND = methodPath(infraV2.EventService.method.send);

/** `metalstack.infra.v2.EventService`: events count from when they come in, whatever time they carry. */
export function eventService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof infraV2.EventService, Caller>(infraV2.EventService, {
    async send({ events }, { caller }) {
      const fromMachine = caller.kind === 'token' && caller.token.adminRole === undefined && !isInfra(caller.token);
      const told = Object.entries(events).map(([uuid, { event, message }]) => {
        if (fromMachine && isKnownEvent(event) && !FROM_MACHINES.has(event)) {
          throw new ApiError(
            Code.PermissionDenied,
            `a machine may not send "${enumText(apiV2.MachineProvisioningEventTypeSchema, event)}" about itself`,
          );
        }
        return { uuid, event, message };
      });
      return noteEvents(stores, told);
    },
  });
}

function isInfra(token: apiV2.Token): boolean {
  const everywhere = token.permissions.filter(({ subject }) => subject === '' || subject === '*');
  return token.infraRole !== undefined || everywhere.some(({ methods }) => methods.includes(SEND));
}
