import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { apiV2 } from '@ingot/api';
import { startRack } from '@ingot/lab';
import type { MachineOptions, Phase, Rack, RackMachine, RackOptions } from '@ingot/lab';
import { systemClock, systemEntropy } from '@ingot/net';
import { image, root } from '../support/image.ts';

/** A rack together with what it said. */
export interface RackUnderTest extends AsyncDisposable {
  readonly rack: Rack;
  readonly notes: readonly string[];
  /** Resolves when `machine` has reached `phase` in its present boot. */
  reached(machine: RackMachine, phase: Phase): Promise<void>;
}

export interface RackChange {
  /** The firmware, and whatever is not as with every other machine. */
  readonly machine: Pick<MachineOptions, 'firmware'> & Partial<MachineOptions>;
  readonly image?: RackOptions['image'];
  readonly bootServer?: RackOptions['bootServer'];
}

/** A rack with one machine. */
export async function createRack(name: string, change: RackChange): Promise<RackUnderTest> {
  const notes: string[] = [];
  const waiters = new Map<string, () => void>();
  const key = (machine: RackMachine, phase: Phase): string => `${machine.identity.name} ${phase}`;
  const rack = await startRack(
    {
      name,
      machines: 1,
      machine: { memoryMib: 1024, cpus: 2, accelerator: 'tcg', ...change.machine },
      image: change.image ?? image,
      bootServer: change.bootServer ?? {},
      ingot: [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'packages/cli/src/main.ts')],
      env: { NODE_COMPILE_CACHE: join(root, '.cache/compile') },
      apiPort: 0,
    },
    { clock: systemClock, entropy: systemEntropy },
    {
      onPhase(machine, phase, atMs) {
        console.log(`${(atMs / 1000).toFixed(1).padStart(6)} s  ${name}  ${phase}`);
        waiters.get(key(machine, phase))?.();
        waiters.delete(key(machine, phase));
      },
      onNote(text) {
        console.log(`          ${name}  ${text}`);
        notes.push(text);
      },
    },
  );
  return {
    rack,
    notes,
    reached: (machine, phase) =>
      machine.timeline.reachedMs.has(phase)
        ? Promise.resolve()
        : new Promise((resolve) => waiters.set(key(machine, phase), resolve)),
    [Symbol.asyncDispose]: () => rack[Symbol.asyncDispose](),
  };
}

/** The rack's only machine. */
export function onlyMachine({ rack }: RackUnderTest): RackMachine {
  const [machine] = rack.machines;
  if (machine === undefined) throw new Error('the rack has no machine');
  return machine;
}

export async function machineInApi({ rack }: RackUnderTest, uuid: string): Promise<apiV2.Machine> {
  const machine = (await rack.api.machines()).find((known) => known.uuid === uuid);
  if (machine === undefined) throw new Error(`the API does not know machine ${uuid}`);
  return machine;
}

/** Everything of a rack called `name` that could be left on the host: namespaces, processes, directories. */
export function leftovers(name: string): readonly string[] {
  const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith(`ingot-${name}-`));
  const processes = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(`/run/ingot-lab/${name}/`) ? [`${pid} ${command.replaceAll('\0', ' ')}`] : [];
      } catch {
        return []; // it ended meanwhile
      }
    });
  const directories = [`/run/ingot-lab/${name}`].filter((path) => existsSync(path));
  return [...namespaces, ...processes, ...directories];
}
