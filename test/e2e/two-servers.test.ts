import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mockEntropy, systemEntropy } from '@ingot/net';
import { leftovers } from './rack-under-test.ts';
import { createTwoServers, describeMoment, drawMoment } from './two-servers.ts';
import type { TwoServers } from './two-servers.ts';

const rackName = 'twins';

describe('two boot servers with a pool each', () => {
  // The same moments again: INGOT_SEED=<what was printed>
  const seed = Number(process.env['INGOT_SEED'] ?? systemEntropy.int(2 ** 32));
  const entropy = mockEntropy(seed);
  let twins: TwoServers;
  beforeAll(async () => {
    console.log(`seed ${seed}`);
    twins = await createTwoServers(rackName);
  });
  afterAll(async () => {
    await twins[Symbol.asyncDispose]();
    expect(leftovers(rackName)).toEqual([]);
  });

  test.each(['bios', 'uefi'] as const)(
    'boot a %s machine although the one that serves it is killed at a random moment',
    async (firmware) => {
      const moment = drawMoment(entropy, firmware);
      console.log(`kill ${describeMoment(moment)}`);
      const outcome = await twins.bootWithKill(firmware, moment);
      console.log(`${outcome.killed} was killed; ${outcome.story}`);
    },
  );
});
