/**
 * One agent in a process of its own: reconciles until it is told to stop or until it has carried out as many actions as
 * it may; then it kills itself the hard way, in the middle of a cycle. Says `converged` once nothing is left to do.
 *
 *     node agent-main.ts '{"socketPath": …, "desired": …, "dieAt": 3}'
 */
import { StandInFrr } from './frr.ts';
import { executorOf, LEAF, openDatabases } from './leaf.ts';
import { cycleOnce } from './transitions.ts';
import type { DesiredSwitch } from '../../src/api.ts';
import { databasesAt } from '../redis-server.ts';

interface Orders {
  readonly socketPath: string;
  readonly desired: DesiredSwitch;
  /** Ends before the action of this number; never, when absent. */
  readonly dieAt?: number;
}

const orders: Orders = JSON.parse(process.argv[2] ?? '{}');
const databases = openDatabases(databasesAt(orders.socketPath));
const frr = new StandInFrr(orders.socketPath);
let actions = 0;
const executor = {
  ...executorOf(databases, frr),
  onAction: () => {
    if (actions === orders.dieAt) process.kill(process.pid, 'SIGKILL');
    actions += 1;
  },
};
for (let cycle = 0; cycle < 20; cycle += 1) {
  try {
    const { plan, outcome } = await cycleOnce(executor, LEAF, orders.desired);
    const rows = plan.actions.reduce((sum, { changes }) => sum + changes.length, 0);
    if (rows === 0 && outcome.problems.length === 0) {
      process.stdout.write('converged\n');
      break;
    }
  } catch (error) {
    process.stdout.write(`${String(error)}\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
databases[Symbol.dispose]();
frr.close();
