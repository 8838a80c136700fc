import { join } from 'node:path';
import { systemClock, systemEntropy } from '@ingot/net';
import { chooseAccelerator } from './accelerator.ts';
import { createPlainDisplay, createTerminalDisplay } from './display.ts';
import type { Display } from './display.ts';
import { LabError } from './errors.ts';
import { buildImage } from './image.ts';
import { parseOptions, usage } from './options.ts';
import type { LabOptions } from './options.ts';
import { startRack } from './rack.ts';
import type { Rack } from './rack.ts';
import { describeMachine, describeTimes } from './summary.ts';

/** Where the command finds the rest of Ingot. */
export interface LabHome {
  /** The repository's root: images/ and .cache/ are below it. */
  readonly root: string;
  /** The start of a command line that runs a part, such as ['node', 'packages/cli/src/main.ts']. */
  readonly ingot: readonly string[];
}

const apiPort = 9443;
/** 128 and SIGINT, as shells report it. */
const interruptedStatus = 130;

/**
 * `ingot lab up`: boots the virtual rack. Answers the exit status: 0 when every machine waited, 1 when one did not or the
 * rack could not be built, 2 for a wrong command line, 130 when interrupted in mid-boot.
 */
export async function labCommand(argv: readonly string[], home: LabHome): Promise<number> {
  try {
    const [verb, ...rest] = argv;
    if (verb !== 'up') throw new LabError('LAB_OPTION', usage());
    return await up(parseOptions(rest), home);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    process.stderr.write(`ingot lab: ${error.message}\n`);
    return error.code === 'LAB_OPTION' ? 2 : 1;
  }
}

async function up(options: LabOptions, home: LabHome): Promise<number> {
  if (options.help) {
    process.stdout.write(usage());
    return 0;
  }
  const interrupted = new AbortController();
  // Kept until the end: a second Ctrl-C, or the terminal that closes, must not leave half a rack behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort(signal));
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const display = process.stdout.isTTY ? createTerminalDisplay(write) : createPlainDisplay(write);
  const started = performance.now();
  const [image, accelerator] = await Promise.all([
    buildImage(home.root, (line) => display.step(line)).catch((error: unknown) => {
      // Ctrl-C reaches the build as well.
      if (interrupted.signal.aborted) return undefined;
      throw error;
    }),
    chooseAccelerator(options.accel),
  ]);
  if (image === undefined || interrupted.signal.aborted) return interruptedStatus;
  display.step(
    `rack: ${options.machines} machine${options.machines === 1 ? '' : 's'}, ${options.firmware === 'bios' ? 'SeaBIOS' : 'OVMF (UEFI)'}, ${accelerator === 'kvm' ? 'KVM' : 'software emulation'}`,
  );
  const rack = await startRack(
    {
      name: options.name,
      machines: options.machines,
      machine: { firmware: options.firmware, memoryMib: options.memory, cpus: options.cpus, accelerator },
      image,
      ingot: home.ingot,
      env: { NODE_COMPILE_CACHE: join(home.root, '.cache/compile') },
      apiPort,
    },
    { clock: systemClock, entropy: systemEntropy },
    {
      onPhase: (machine, phase, atMs) => display.phase(machine.identity.name, phase, atMs),
      onNote: (text) => display.note(text),
    },
  );
  display.step(`management server and both leaves run after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return bootAndReport(rack, options, display, interrupted.signal, write);
}

async function bootAndReport(
  rack: Rack,
  options: LabOptions,
  display: Display,
  interrupted: AbortSignal,
  write: (line: string) => void,
): Promise<number> {
  try {
    for (const machine of rack.machines) display.machine(machine.identity.name);
    await Promise.all(rack.machines.map((machine) => machine.power.on()));
    const failed = await waitForMachines(rack, options, interrupted);
    await display.end(failed);
    if (interrupted.aborted) {
      write('interrupted; taking the rack down');
      return interruptedStatus;
    }
    if (failed.size > 0) {
      const logs = await rack.closeKeepingLogs();
      for (const [name, reason] of failed) write(`${name} does not wait: ${reason}`);
      write(`logs: ${logs}/log/*.log, consoles: ${logs}/machine*/console.log`);
      return 1;
    }
    await report(rack, write);
    if (options.once) return 0;
    write('\nThe rack stays up until Ctrl-C.');
    await untilAborted(interrupted);
    write('taking the rack down');
    return 0;
  } finally {
    await rack[Symbol.asyncDispose]();
  }
}

/** Why each machine that does not wait does not; empty when all do. */
async function waitForMachines(
  rack: Rack,
  options: LabOptions,
  interrupted: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const timeoutMs = (options.timeout ?? 300 + 60 * (options.machines - 1)) * 1000;
  const failed = new Map<string, string>();
  await Promise.all(
    rack.machines.map(async (machine) => {
      const reason = await rack.untilWaiting(machine, timeoutMs, interrupted);
      if (reason !== undefined) failed.set(machine.identity.name, reason);
      else if (!machine.timeline.reachedMs.has('waiting')) failed.set(machine.identity.name, 'interrupted');
    }),
  );
  return failed;
}

async function report(rack: Rack, write: (line: string) => void): Promise<void> {
  const known = await rack.api.machines();
  for (const machine of rack.machines) {
    const entry = known.find(({ uuid }) => uuid === machine.identity.uuid);
    if (entry === undefined) throw new LabError('LAB_MACHINE_FAILED', `${machine.identity.name} is not in the API`);
    const bmc = await rack.api.bmc(machine.identity.uuid);
    write(
      `\n${describeMachine(machine.identity.name, entry)}\n  ${'BMC'.padEnd(10)} ${bmc?.address ?? '-'}\n  ${'seconds'.padEnd(10)} ${describeTimes(machine)}`,
    );
  }
  write(`\nAPI: ${rack.apiUrl} (gRPC, gRPC-Web and Connect; CA ${rack.caFile}, admin token ${rack.adminTokenFile})`);
  write('Try:  bin/ingot machine ls');
  write(`      bin/ingot machine describe ${rack.machines[0]?.identity.uuid ?? ''}`);
  write('      bin/ingot switch ls');
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
