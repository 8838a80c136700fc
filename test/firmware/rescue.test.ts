import { dirname } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createQuickRack } from '../e2e/quick-rack.ts';
import { leftovers } from '../e2e/rack-under-test.ts';
import { image } from '../support/image.ts';

const rackName = 'rescue';

afterAll(() => expect(leftovers(rackName)).toEqual([]));

test('ingot boot rescue: a SeaBIOS machine comes up with a shell on its console that runs what is typed, and with a network', async () => {
  await using rack = await createQuickRack(rackName, 'bios', ['rescue', '--image', dirname(image.kernel)]);
  const { machine, mac, printed } = rack;
  await machine.on();
  await machine.says(/INGOT rescue: a shell on this console/, 240_000);
  machine.types('echo "I am $(id -un) on $(uname -m), $((40 + 2)), $(cat /sys/class/net/eth0/address)"\n');
  await machine.says(new RegExp(`^I am root on x86_64, 42, ${mac}$`), 20_000);
  await machine.says(/network eth0 10\.0\.0\.1\d\d\/24/, 60_000);
  machine.types(
    'wget -q -O /tmp/kernel http://10.0.0.1:8080/boot/undionly.kpxe && echo "got $(($(wc -c </tmp/kernel) > 50000))"\n',
  );
  await machine.says(/^got 1$/, 20_000);
  expect(printed.filter((line) => line.includes(mac))).toContainEqual(expect.stringMatching(/starts its kernel$/));
});
