// node test/soak/store-kills.ts [ROUNDS]: a writer on SQLite is killed with SIGKILL and started again, 200 times by default,
// four files side by side; no write that was promised may be gone. Ends with 1 if one is.
import { systemEntropy } from '@ingot/net';
import { killRounds } from '../../packages/api-server/test/store/kills.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const LANES = 4;
const rounds = Number(process.argv[2] ?? 200);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  process.stderr.write('usage: node test/soak/store-kills.ts [ROUNDS]\n');
  process.exit(2);
}
leaveNothingBehind();
const startedAt = performance.now();
const lanes = Array.from({ length: LANES }, (_, lane) => Math.floor((rounds + lane) / LANES));
const promises = await Promise.all(lanes.map((share) => killRounds(share, systemEntropy)));
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
const total = promises.reduce((sum, count) => sum + count, 0);
process.stdout.write(`${rounds} kills, ${total} promised writes, none lost, ${seconds} s\n`);
