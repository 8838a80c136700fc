import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Entropy } from '@ingot/net';
import { LabError } from './errors.ts';
import type { Firmware } from './firmware.ts';
import { drawSerial, drawUuid } from './identity.ts';
import { buildMachine } from './machine.ts';
import type { Cabling, MachineHardware } from './machine.ts';
import { createNamespace, deleteNamespace } from './namespace.ts';
import type { Namespace } from './namespace.ts';
import { createPart } from './part.ts';
import type { Part, PartSpec } from './part.ts';
import { claimRack } from './state.ts';
import type { RackState } from './state.ts';

/** A bare machine: nothing in it but network cards. */
export interface BenchMachineSpec {
  readonly name: string;
  readonly firmware: Firmware;
  /** In the order in which the firmware boots from them. */
  readonly nics: readonly Cabling[];
}

export interface BenchMachine {
  readonly uuid: string;
  readonly part: Part;
  /** What its serial console said since it was last switched on, line by line. */
  readonly console: readonly string[];
  on(): Promise<void>;
  off(): Promise<void>;
  /**
   * The first console line since power-on that matches. Rejects with the end of the console's text: LAB_TIMEOUT after
   * `timeoutMs`, LAB_MACHINE_FAILED when the machine goes off before.
   */
  says(pattern: RegExp, timeoutMs: number): Promise<string>;
  /** Types on its serial console; lost while it is off. */
  types(text: string): void;
}

/**
 * A network that its user draws: namespaces, processes in them, and machines. Disposing of it takes everything down;
 * what a killed user leaves goes when the next bench of the same name is made.
 */
export interface Bench extends AsyncDisposable {
  /** For sockets and generated files; short enough for unix sockets, gone with the bench. */
  readonly directory: string;
  createNamespace(suffix: string): Promise<Namespace>;
  start(spec: PartSpec): Promise<Part>;
  createMachine(spec: BenchMachineSpec): Promise<BenchMachine>;
}

/** Enough for firmware, a kernel and a small initrd. */
const memoryMib = 512;
/** Lines of the console that an error quotes. */
const quotedLines = 25;
const pollMs = 50;
/** What QEMU wrote last may still be on its way here. */
const lastWordsMs = 200;

export async function createBench(
  name: string,
  components: { readonly clock: Clock; readonly entropy: Entropy },
): Promise<Bench> {
  if (process.getuid?.() !== 0) throw new LabError('LAB_NEEDS_ROOT', 'network namespaces need root; run it with sudo');
  const state = await claimRack(name);
  const workDirectory = mkdtempSync(join(tmpdir(), `ingot-${name}-`));
  state.setWorkDirectory(workDirectory);
  mkdirSync(join(workDirectory, 'log'));
  return new NamedBench(name, components, state, workDirectory);
}

class NamedBench implements Bench {
  readonly directory: string;
  private readonly name: string;
  private readonly clock: Clock;
  private readonly entropy: Entropy;
  private readonly state: RackState;
  private readonly workDirectory: string;
  private readonly namespaces: string[] = [];
  private readonly parts: Part[] = [];
  private readonly hardware: MachineHardware[] = [];

  constructor(
    name: string,
    { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
    state: RackState,
    workDirectory: string,
  ) {
    this.name = name;
    this.clock = clock;
    this.entropy = entropy;
    this.state = state;
    this.directory = state.directory;
    this.workDirectory = workDirectory;
  }

  createNamespace(suffix: string): Promise<Namespace> {
    const name = `ingot-${this.name}-${suffix}`;
    this.namespaces.push(name);
    this.state.addNamespace(name);
    return createNamespace(name);
  }

  async start(spec: PartSpec): Promise<Part> {
    const part = this.makePart(spec);
    await part.start();
    return part;
  }

  async createMachine({ name, firmware, nics }: BenchMachineSpec): Promise<BenchMachine> {
    const console: string[] = [];
    const [first] = nics;
    if (first === undefined) throw new LabError('LAB_OPTION', `machine ${name} has no network card`);
    const uuid = drawUuid(this.entropy);
    const hardware = await buildMachine({
      identity: {
        name,
        uuid,
        systemSerial: drawSerial(this.entropy, 'SYS'),
        boardSerial: drawSerial(this.entropy, 'BRD'),
        disks: [],
      },
      nics,
      options: { firmware, memoryMib, cpus: 1, accelerator: 'tcg' },
      namespace: first.namespace,
      workDirectory: join(this.workDirectory, name),
      socketDirectory: join(this.directory, name),
      bmcArgs: [],
      clock: this.clock,
      onConsoleLine: (line) => void console.push(line),
    });
    this.hardware.push(hardware);
    const part = this.makePart(hardware.part);
    return {
      uuid,
      part,
      console,
      on: async () => {
        console.length = 0;
        await part.start();
      },
      off: () => part.stop(0),
      says: (pattern, timeoutMs) => this.untilLine({ name, part, console }, pattern, timeoutMs),
      types: (text) => hardware.types(text),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Machines were made last and hold taps and sockets of what comes after them.
    await Promise.all(this.parts.toReversed().map((part) => part.stop(1000)));
    await Promise.all(this.hardware.map((hardware) => hardware.close()));
    for (const namespace of this.namespaces.toReversed()) await deleteNamespace(namespace);
    rmSync(this.workDirectory, { recursive: true, force: true });
    this.state.clear();
  }

  private makePart(spec: PartSpec): Part {
    const part = createPart(spec, join(this.workDirectory, 'log', `${spec.name}.log`), {
      clock: this.clock,
      onChange: () => this.state.setProcesses(this.parts.map(({ pid }) => pid).filter((pid) => pid !== undefined)),
      onDeath: () => undefined,
    });
    this.parts.push(part);
    return part;
  }

  private async untilLine(
    { name, part, console }: { readonly name: string; readonly part: Part; readonly console: readonly string[] },
    pattern: RegExp,
    timeoutMs: number,
  ): Promise<string> {
    const startedMs = this.clock.monotonic();
    const fail = (code: 'LAB_TIMEOUT' | 'LAB_MACHINE_FAILED', how: string): never => {
      const quoted = console.slice(-quotedLines).join('\n');
      throw new LabError(code, `${name} ${how} without ${String(pattern)}:\n${quoted}`);
    };
    for (let offSinceMs = Infinity; ;) {
      const said = console.find((line) => pattern.test(line));
      if (said !== undefined) return said;
      const nowMs = this.clock.monotonic();
      if (part.pid === undefined) offSinceMs = Math.min(offSinceMs, nowMs);
      if (nowMs - offSinceMs > lastWordsMs) fail('LAB_MACHINE_FAILED', 'went off');
      if (nowMs - startedMs > timeoutMs) fail('LAB_TIMEOUT', `ran for ${timeoutMs / 1000} s`);
      await this.clock.sleep(pollMs);
    }
  }
}
