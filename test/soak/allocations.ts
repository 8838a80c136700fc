// node test/soak/allocations.ts [ALLOCATIONS]: two API servers on one PostgreSQL, 1,000 clients by default that ask for a
// machine at once, one server killed with SIGKILL after a third of the answers. Ends with 1 when an allocation is lost or
// doubled, or a reservation broken.
import { allocationStorm } from '../../packages/api-server/test/allocation/storm.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const asks = Number(process.argv[2] ?? 1_000);
// Each project has a child network of 2,046 addresses.
if (!Number.isSafeInteger(asks) || asks < 10 || asks > 5_000 || asks % 10 !== 0) {
  process.stderr.write(
    'usage: node test/soak/allocations.ts [ALLOCATIONS]\nALLOCATIONS: a multiple of ten, 10 to 5,000\n',
  );
  process.exit(2);
}
leaveNothingBehind();
const { allocated, refused, cutOff, storedUntold, seconds } = await allocationStorm(asks, Math.floor(asks / 3));
process.stdout.write(
  `${allocated} allocations, ${refused} refused as promised to others, ${cutOff} calls cut off by the kill ` +
    `(${storedUntold} stored already), none lost, none doubled, ${seconds.toFixed(1)} s\n`,
);
