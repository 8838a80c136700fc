import { within } from './bmc.ts';
import { setBootOrder } from './boot-order.ts';
import type { BootOrder } from './boot-order.ts';
import { readController } from './controller.ts';
import { withBmc } from './device.ts';
import type { BmcDeviceParts, NoBmc } from './device.ts';
import { openIpmiSession } from './ipmi.ts';
import { vendorOf } from './vendors.ts';

/** Somebody's machine is waiting to start. */
const orderLimitMs = 30_000;

/** Sets the boot flags and nothing else. A BMC without a network will do; one that hangs is not waited for long. */
export function orderBoot(parts: BmcDeviceParts, order: BootOrder): Promise<{ readonly kind: 'done' } | NoBmc> {
  const boardVendor = parts.sysfs.text('/sys/class/dmi/id/board_vendor') ?? '';
  return withBmc(parts, { patient: false, required: false }, (ipmi) =>
    within(orderLimitMs, parts, async (signal) => {
      const session = openIpmiSession({ ipmi, clock: parts.clock, signal });
      await setBootOrder(session, order, vendorOf(await readController(session), boardVendor));
      return { kind: 'done' } as const;
    }),
  );
}
