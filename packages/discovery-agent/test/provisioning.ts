import { apiV2 } from '@ingot/api';

type Name = keyof typeof apiV2.MachineProvisioningEventType;

const working: readonly Name[] = [
  'PXE_BOOTING',
  'PREPARING',
  'REGISTERING',
  'WAITING',
  'INSTALLING',
  'BOOTING_NEW_KERNEL',
];
const every: readonly Name[] = [...working, 'CRASHED', 'PHONED_HOME', 'PLANNED_REBOOT', 'MACHINE_RECLAIM'];

/** metal-stack's provisioning state machine: each event, and after which it may come. Alive leaves the state as it is. */
const legalAfter: Readonly<Partial<Record<Name, readonly Name[]>>> = {
  PXE_BOOTING: ['PLANNED_REBOOT', 'MACHINE_RECLAIM', 'CRASHED', 'PXE_BOOTING'],
  PREPARING: ['PXE_BOOTING', 'PLANNED_REBOOT', 'MACHINE_RECLAIM', 'CRASHED'],
  REGISTERING: ['PREPARING'],
  WAITING: ['REGISTERING'],
  INSTALLING: ['REGISTERING', 'WAITING'],
  BOOTING_NEW_KERNEL: ['INSTALLING'],
  PHONED_HOME: ['BOOTING_NEW_KERNEL', 'MACHINE_RECLAIM'],
  ALIVE: working,
  CRASHED: working,
  PLANNED_REBOOT: every,
  MACHINE_RECLAIM: every,
};

/** The events of a machine that do not fit together, in words; none when all do. */
export function unexpected(events: readonly string[], start: Name = 'PXE_BOOTING'): string[] {
  const found: string[] = [];
  let state: string = start;
  for (const event of events) {
    const [name = ''] = event.split(':');
    const after = Object.entries(legalAfter).find(([each]) => each === name)?.[1];
    if (after?.some((each) => each === state) !== true) found.push(`${event} after ${state}`);
    if (name !== 'ALIVE') state = name;
  }
  return found;
}
