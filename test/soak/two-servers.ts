// Boots machines again and again while the boot server that serves them is killed at a random moment, and prints what
// became of each. As root:
//
//     node test/soak/two-servers.ts [--kills 20] [--seed N]
//
// Ends with status 1 when a boot was lost.
import { parseArgs } from 'node:util';
import { mockEntropy, systemEntropy } from '@ingot/net';
import prepareImage from '../support/image.ts';
import { createTwoServers, describeMoment, drawMoment } from '../e2e/two-servers.ts';
import { atEnd } from '../support/at-end.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' }, seed: { type: 'string' } } });
const kills = Number(values.kills);
const seed = Number(values.seed ?? systemEntropy.int(2 ** 32));
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed))
  throw new Error('usage: node test/soak/two-servers.ts [--kills 20] [--seed N]');

leaveNothingBehind();
prepareImage();
const entropy = mockEntropy(seed);
const rows: string[] = [];
let lost = 0;
{
  await using twins = await createTwoServers('soak');
  atEnd(() => twins[Symbol.asyncDispose]());
  for (let round = 1; round <= kills; round += 1) {
    const firmware = entropy.int(2) === 0 ? 'bios' : 'uefi';
    const moment = drawMoment(entropy, firmware);
    const row = `${String(round).padStart(4)}  ${firmware}  ${describeMoment(moment).padEnd(36)}`;
    try {
      const { killed, lastWord, bootMs } = await twins.bootWithKill(firmware, moment);
      rows.push(`${row} ${killed.padEnd(14)} ${lastWord.padEnd(17)} ${(bootMs / 1000).toFixed(1).padStart(6)} s`);
    } catch (error) {
      lost += 1;
      rows.push(`${row} LOST: ${String(error)}`);
    }
    console.log(rows.at(-1));
  }
}
console.log(`\nseed ${seed}\n   #  type  kill                                 killed         its last event     boot`);
for (const row of rows) console.log(row);
console.log(`${kills - lost} of ${kills} boots reached the initrd, ${lost} lost`);
process.exitCode = lost === 0 ? 0 : 1;
