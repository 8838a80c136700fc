/**
 * From the kernel's start to Register: the discovery image against the floor, an initrd that sends one HTTP request, on
 * the same kernel, firmware, machine and rack, in turns.
 *
 *     sudo node test/bench/boot.bench.ts [--rounds 3] [--firmware bios|uefi] [--quick]
 *
 * "wall" is the clock on the wall, "cpu" what QEMU used of the host's processors meanwhile: on a host with other work to
 * do only the latter says something. What passes while the agent listens for LLDP is printed, and not counted.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startRack } from '@ingot/lab';
import { systemClock, systemEntropy } from '@ingot/net';
import { buildFloorInitrd } from './support/floor-initrd.ts';
import { readCpuSeconds } from '../support/process-stat.ts';
import { buildImage } from '../../images/build.ts';
import { atEnd } from '../support/at-end.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    firmware: { type: 'string', default: 'bios' },
    quick: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const firmware = values.firmware === 'uefi' ? 'uefi' : 'bios';
const root = join(import.meta.dirname, '../..');
const timeoutMs = 600_000;
const pollMs = 20;

/** What is waited for on the console, in order, and what has passed by then. */
const marks = [
  // The last file that iPXE fetches; of its words after that the kernel may swallow the end.
  { name: 'start', pattern: /\/_\/file\.\.\. ok/, title: '' },
  { name: 'init', pattern: /INGOT \S+ init /, title: 'kernel and initrd unpack, init runs' },
  { name: 'agent', pattern: /^INGOT \S+ agent discovery/, title: 'Node runs the agent' },
  { name: 'network', pattern: /^INGOT \S+ network /, title: 'first address by DHCP' },
  { name: 'config', pattern: /^INGOT \S+ config (?:partition|answered)/, title: 'configuration fetched' },
  { name: 'lldp', pattern: /^INGOT \S+ lldp listening/, title: 'inventory taken' },
  { name: 'heard', pattern: /^INGOT \S+ (?:bmc|register) /, title: '(LLDP heard, BMC asked)' },
  { name: 'register', pattern: /^INGOT \S+ register as/, title: 'Register called' },
] as const;
type MarkName = (typeof marks)[number]['name'];

/** Seconds since the firmware handed over to the kernel. */
interface Mark {
  readonly wall: number;
  readonly cpu: number;
}
type Boot = ReadonlyMap<MarkName, Mark>;

interface Contender {
  readonly name: string;
  readonly initrd: string;
  readonly last: MarkName;
  readonly boots: Boot[];
}

async function boot({ initrd, last }: Contender, kernel: string): Promise<Boot> {
  await using rack = await startRack(
    {
      name: 'bootb',
      machines: 1,
      machine: { firmware, memoryMib: 1024, cpus: 2, accelerator: 'tcg' },
      image: { kernel, initrd },
      ingot: [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'packages/cli/src/main.ts')],
      env: { NODE_COMPILE_CACHE: join(root, '.cache/compile') },
      apiPort: 0,
    },
    { clock: systemClock, entropy: systemEntropy },
    { onPhase: () => undefined, onNote: (text) => console.error(`  ${text}`) },
  );
  atEnd(() => rack[Symbol.asyncDispose]());
  const [machine] = rack.machines;
  if (machine === undefined) throw new Error('the rack has no machine');
  await machine.power.on();
  const startedMs = performance.now();
  const seen = new Map<MarkName, Mark>();
  while (!seen.has(last)) {
    if (performance.now() - startedMs > timeoutMs) throw new Error(`${initrd} did not get to "${last}"`);
    await pause(pollMs);
    // `<time> <line>`; a line without its end is still being written.
    const lines = readFileSync(machine.consoleLog, 'utf8').split('\n').slice(0, -1);
    for (const { name, pattern } of marks) {
      if (seen.has(name) && name !== 'start') continue;
      const isMark = (text: string): boolean => pattern.test(text.slice(text.indexOf(' ') + 1));
      const line = name === 'start' ? lines.findLast(isMark) : lines.find(isMark);
      if (line === undefined) continue;
      const wall = Date.parse(line.slice(0, line.indexOf(' '))) / 1000;
      if (seen.get(name)?.wall !== wall) seen.set(name, { wall, cpu: readCpuSeconds(machine.part.pid ?? 0) });
    }
  }
  const start = seen.get('start') ?? { wall: NaN, cpu: NaN };
  return new Map([...seen].map(([name, { wall, cpu }]) => [name, { wall: wall - start.wall, cpu: cpu - start.cpu }]));
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function at(contender: Contender, name: MarkName, key: keyof Mark): number {
  return median(contender.boots.map((seen) => seen.get(name)?.[key] ?? NaN));
}

/** Without the time between the start of listening for LLDP and what follows on it. */
function total(contender: Contender, key: keyof Mark): number {
  const waits = contender.boots.map((seen) => (seen.get('heard')?.[key] ?? 0) - (seen.get('lldp')?.[key] ?? 0));
  return median(contender.boots.map((seen, index) => (seen.get(contender.last)?.[key] ?? NaN) - (waits[index] ?? 0)));
}

leaveNothingBehind();
const work = mkdtempSync(join(tmpdir(), 'ingot-boot-bench-'));
try {
  const manifest = await buildImage({ out: work, say: (line) => console.error(line) });
  const kernel = join(work, 'vmlinuz');
  const image: Contender = { name: 'image', initrd: join(work, 'initrd'), last: 'register', boots: [] };
  const floor: Contender = { name: 'floor', initrd: buildFloorInitrd(root, work), last: 'config', boots: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of [image, floor]) {
      contender.boots.push(await boot(contender, kernel));
      console.error(
        `round ${round} ${contender.name}: ${total(contender, 'wall').toFixed(1)} s, cpu ${total(contender, 'cpu').toFixed(1)} s`,
      );
    }
  }
  console.log(
    `\nkernel ${manifest.kernelVersion}, initrd ${(manifest.initrd.bytes / 1e6).toFixed(1)} MB, ${firmware}, 2 processors, 1 GiB, software emulation; medians of ${rounds}\n`,
  );
  const cell = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(1)).padStart(8);
  const row = (title: string, value: (contender: Contender, key: keyof Mark) => number): void => {
    const cells = [image, floor].flatMap((contender) => [value(contender, 'wall'), value(contender, 'cpu')]);
    console.log(`${title.padEnd(38)}${cells.map(cell).join('')}`);
  };
  console.log(`${'seconds since the kernel was entered'.padEnd(38)}   image     cpu   floor     cpu`);
  for (const { name, title } of marks.slice(1)) row(title, (contender, key) => at(contender, name, key));
  row('total without LLDP', total);
  console.log(
    `\nthe image takes ${(total(image, 'wall') / total(floor, 'wall')).toFixed(2)} times the floor's time, ${(total(image, 'cpu') / total(floor, 'cpu')).toFixed(2)} times its processor time`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
