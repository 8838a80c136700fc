import { ApiError, apiV2, bindService, Code, enumText, infraV2, methodPath, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { findOrCreateMachine, machineIdOf } from '../machine/machine-records.ts';
import type { ServiceDependencies } from './context.ts';

const Type: typeof apiV2.MachineProvisioningEventType = apiV2.MachineProvisioningEventType;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

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

const KNOWN: ReadonlySet<number> = new Set(Object.values(Type).filter((type) => type !== Type.UNSPECIFIED));

const SEND = methodPath(infraV2.EventService.method.send);

// Enough for a stack trace; a machine has a hundred of them stored.
const MAX_MESSAGE = 8 * 1024;

/** `metalstack.infra.v2.EventService`: events count from when they come in, whatever time they carry. */
export function eventService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof infraV2.EventService, Caller>(infraV2.EventService, {
    async send({ events }, { caller }) {
      const fromMachine = caller.kind === 'token' && caller.token.adminRole === undefined && !isInfra(caller.token);
      return stores.transaction(async (inner) => {
        const failed: string[] = [];
        let accepted = 0n;
        for (const [uuid, { event, message }] of Object.entries(events)) {
          const id = machineIdOf(uuid);
          if (fromMachine && KNOWN.has(event) && !FROM_MACHINES.has(event)) {
            throw new ApiError(
              Code.PermissionDenied,
              `a machine may not send "${enumText(apiV2.MachineProvisioningEventTypeSchema, event)}" about itself`,
            );
          }
          if (!UUID.test(id) || !KNOWN.has(event)) {
            failed.push(uuid);
            continue;
          }
          if (!(await inner.machines.has(id))) {
            // An installed system that nobody was given is a tenant's invention, or was forgotten; see docs/decisions.md.
            if (event === Type.PHONED_HOME) {
              failed.push(uuid);
              continue;
            }
            await findOrCreateMachine(inner, id);
          }
          await inner.events.add(id, event, message.slice(0, MAX_MESSAGE).replaceAll('\0', '\u{fffd}'));
          accepted += 1n;
        }
        return { events: accepted, failed };
      });
    },
  });
}

function isInfra(token: apiV2.Token): boolean {
  const everywhere = token.permissions.filter(({ subject }) => subject === '' || subject === '*');
  return token.infraRole !== undefined || everywhere.some(({ methods }) => methods.includes(SEND));
}
