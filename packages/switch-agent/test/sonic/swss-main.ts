/**
 * The stand-in for swss in a process of its own, for whoever measures the agent beside it. Says `ready` once it follows
 * CONFIG_DB, and ends with its standard input.
 *
 *     node swss-main.ts '{"socketPath": …, "ports": […], "longestDelayMs": 2}'
 */
import { once } from 'node:events';
import { Swss } from './swss.ts';

interface Orders {
  readonly socketPath: string;
  readonly ports: readonly string[];
  readonly longestDelayMs: number;
}

const orders: Orders = JSON.parse(process.argv[2] ?? '{}');
await using swss = await Swss.start({ ...orders, random: Math.random });
process.stdout.write('ready\n');
process.stdin.resume();
await once(process.stdin, 'end');
if (swss.crash !== undefined) {
  process.stderr.write(`${swss.crash}\n`);
  process.exitCode = 1;
}
