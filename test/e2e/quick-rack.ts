import { join } from 'node:path';
import { createBench } from '@ingot/lab';
import type { Bench, BenchMachine, Firmware } from '@ingot/lab';
import { systemClock, systemEntropy } from '@ingot/net';
import { expect, vi } from 'vitest';
import { root } from '../support/image.ts';

/** One link with nothing on it but `ingot boot …` at 10.0.0.1 and a machine: no configuration, no API. */
export interface QuickRack extends AsyncDisposable {
  readonly bench: Bench;
  readonly machine: BenchMachine;
  readonly mac: string;
  /** What the command has printed so far. */
  readonly printed: readonly string[];
}

const mac = '52:54:00:00:00:01';
const startTimeoutMs = 90_000;

/** Runs `ingot boot <words>` until the rack is disposed of; rejects with its words when it does not get to serve. */
export async function createQuickRack(name: string, firmware: Firmware, words: readonly string[]): Promise<QuickRack> {
  const bench = await createBench(name, { clock: systemClock, entropy: systemEntropy });
  try {
    const namespace = await bench.createNamespace('quick');
    await namespace.ip('link add br0 type bridge');
    await namespace.ip('addr add 10.0.0.1/24 dev br0');
    await namespace.ip('tuntap add tap1 mode tap');
    await namespace.ip('link set tap1 master br0 up');
    // A bridge has a link while one of its ports does: that of the machine has one only while it is on.
    await namespace.ip('link add up0 type veth peer name up1');
    await namespace.ip('link set up0 master br0 up');
    await namespace.ip('link set up1 up');
    await namespace.ip('link set br0 up');
    await vi.waitFor(
      async () => expect(await namespace.exec('ip', '-br', 'link', 'show', 'br0')).toContain(' UP '),
      20_000,
    );
    const printed: string[] = [];
    const { promise: serves, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => reject(new Error(`it does not serve:\n${printed.join('\n')}`)), startTimeoutMs);
    const ingot = join(root, 'packages/cli/src/main.ts');
    await bench.start({
      name: 'ingot-boot',
      namespace: namespace.name,
      argv: [
        [process.execPath, '--disable-warning=ExperimentalWarning', ingot, 'boot', ...words],
        ['--interface', 'br0', '--pool', '10.0.0.100-10.0.0.199'],
      ].flat(),
      // The rack stops it without much patience, and takes its folder along.
      env: { NODE_COMPILE_CACHE: join(root, '.cache/compile'), TMPDIR: bench.directory },
      restart: false,
      onLine(line) {
        printed.push(line);
        if (line.includes('stop with Ctrl-C')) resolve(undefined);
      },
    });
    await serves.finally(() => clearTimeout(timer));
    const machine = await bench.createMachine({
      name: 'machine',
      firmware,
      nics: [{ mac, namespace: namespace.name, tap: 'tap1' }],
    });
    return { bench, machine, mac, printed, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
  } catch (error) {
    await bench[Symbol.asyncDispose]();
    throw error;
  }
}
