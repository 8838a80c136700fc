import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Entropy } from '@ingot/net';
import { stringify } from 'yaml';
import { createApiView } from './api-view.ts';
import type { ApiView } from './api-view.ts';
import { createBmc } from './bmc.ts';
import type { BmcCredentials, PowerControl } from './bmc.ts';
import { LabError } from './errors.ts';
import { forwardToUnixSocket } from './forward.ts';
import type { Forward } from './forward.ts';
import { hasIpmi } from './firmware.ts';
import { drawMachine, drawPorts, drawSerial } from './identity.ts';
import type { MachineIdentity } from './identity.ts';
import { createLeaf, leafRoute } from './leaf.ts';
import type { Leaf } from './leaf.ts';
import { buildMachine } from './machine.ts';
import type { MachineHardware, MachineOptions } from './machine.ts';
import { createManagement, managementAddress, partition, waitForFile } from './management.ts';
import type { DiscoveryImage, Management } from './management.ts';
import { connect, createNamespace, deleteNamespace } from './namespace.ts';
import { createPart } from './part.ts';
import type { Part, PartSpec } from './part.ts';
import { claimRack } from './state.ts';
import type { RackState } from './state.ts';
import { untilWaiting } from './until-waiting.ts';
import { createTimeline, phaseOfBootServerLine, readConsoleLine } from './timeline.ts';
import type { Phase, Timeline } from './timeline.ts';

export interface RackOptions {
  /** Names the namespaces and the directory under /run/ingot-lab; two racks of different names run side by side. */
  readonly name: string;
  readonly machines: number;
  readonly machine: MachineOptions;
  readonly image: DiscoveryImage;
  /** The start of a command line that runs a part of Ingot. */
  readonly ingot: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Sections of the boot server's configuration, besides or instead of those that it has in every rack. */
  readonly bootServer?: Readonly<Record<string, unknown>>;
  /** Preferred port on the host's loopback for the API. */
  readonly apiPort: number;
}

export interface RackEvents {
  readonly onPhase: (machine: RackMachine, phase: Phase, atMs: number) => void;
  /** Something worth telling: a part that died and was started again, a crash that a machine reports. */
  readonly onNote: (text: string) => void;
}

export interface RackMachine {
  readonly identity: MachineIdentity;
  readonly timeline: Timeline;
  readonly part: Part;
  readonly consoleLog: string;
  readonly power: PowerControl;
  /** Types a magic SysRq key on its serial console. */
  sysrq(key: string): Promise<void>;
}

/** The virtual rack, running. Dispose of it to take everything down again. */
export interface Rack extends AsyncDisposable {
  readonly machines: readonly RackMachine[];
  /** Every process of the management server and the leaves, by name, such as `api-server` or `leaf1-redis`. */
  readonly parts: ReadonlyMap<string, Part>;
  readonly api: ApiView;
  /**
   * Resolves when the API shows `machine` as Waiting, or with the reason why it does not: it went off, or `timeoutMs`
   * since its power-on ran out. Resolves at once when `signal` is aborted.
   */
  untilWaiting(machine: RackMachine, timeoutMs: number, signal: AbortSignal): Promise<string | undefined>;
  /** For the operator's command line: the API on the host's loopback. */
  readonly apiUrl: string;
  readonly caFile: string;
  readonly adminTokenFile: string;
  readonly logDirectory: string;
  readonly bmc: BmcCredentials;
  /** Runs a program to its end in the management server's namespace. */
  inManagement(file: string, ...args: readonly string[]): Promise<string>;
  /** Takes the rack down but keeps its logs; answers where they are. */
  closeKeepingLogs(): Promise<string>;
}

const leafNames = ['leaf1', 'leaf2'] as const;
const bmcPollMs = 200;
const apiStartDeadlineMs = 30_000;

export async function startRack(
  options: RackOptions,
  components: { readonly clock: Clock; readonly entropy: Entropy },
  events: RackEvents,
): Promise<Rack> {
  if (process.getuid?.() !== 0)
    throw new LabError('LAB_NEEDS_ROOT', 'the virtual rack needs root for its network namespaces; run it with sudo');
  const state = await claimRack(options.name);
  const builder = new RackBuilder(options, components, events, state);
  try {
    return await builder.build();
  } catch (error) {
    await builder.takeDown();
    throw error;
  }
}

/** Holds what has been made so far, so that a failure half-way takes exactly that down. */
class RackBuilder {
  private readonly options: RackOptions;
  private readonly clock: Clock;
  private readonly entropy: Entropy;
  private readonly events: RackEvents;
  private readonly state: RackState;
  private readonly parts = new Map<string, Part>();
  private readonly machines: RackMachine[] = [];
  private readonly hardware: MachineHardware[] = [];
  private readonly namespaces: string[] = [];
  private readonly workDirectory: string;
  private readonly bmcCredentials: BmcCredentials;
  private forward: Forward | undefined;
  private api: ApiView | undefined;
  private closing = false;
  private timers: { cancel(): void }[] = [];

  constructor(
    options: RackOptions,
    { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
    events: RackEvents,
    state: RackState,
  ) {
    this.options = options;
    this.clock = clock;
    this.entropy = entropy;
    this.events = events;
    this.state = state;
    this.workDirectory = mkdtempSync(join(tmpdir(), `ingot-${options.name}-`));
    // Secrets in it have their own modes; lldpd and redis run as other users and must pass through.
    mkdirSync(join(this.workDirectory, 'log'));
    state.setWorkDirectory(this.workDirectory);
    // The factory's user; the discovery agent makes one of its own beside it.
    this.bmcCredentials = { user: 'ADMIN', password: drawSerial(entropy, '') };
  }

  async build(): Promise<Rack> {
    const management = await createManagement({
      namespaceName: this.claimNamespace('mgmt'),
      directory: join(this.state.directory, 'mgmt'),
      dataDirectory: this.workDirectory,
      ingot: this.options.ingot,
      env: this.options.env,
      image: this.options.image,
      leaves: leafNames.length,
      bootServer: this.options.bootServer ?? {},
      onBootServerLine: (line) => this.noteBootServerLine(line),
    });
    await this.startPart(management.apiServer);
    const ports = drawPorts(this.entropy);
    const [leaves] = await Promise.all([
      this.createLeaves(management, ports),
      waitForFile(
        management.api.adminTokenFile,
        this.clock,
        apiStartDeadlineMs,
        `the API server (log: ${this.logFile('api-server')})`,
      ),
      waitForFile(
        management.api.socket,
        this.clock,
        apiStartDeadlineMs,
        `the API server (log: ${this.logFile('api-server')})`,
      ),
    ]);
    this.forward = await forwardToUnixSocket(management.api.socket, this.options.apiPort);
    const apiUrl = `https://127.0.0.1:${this.forward.port}`;
    const api = createApiView({ url: apiUrl, caFile: management.api.caFile, tokenFile: management.api.adminTokenFile });
    this.api = api;
    await api.createToken('boot-server', management.bootServerTokenFile, { machines: true });
    await this.startPart(management.bootServer);
    for (const leaf of leaves) {
      await api.createToken(leaf.name, this.leafTokenFile(leaf.name), { machines: false });
      for (const part of leaf.parts) await this.startPart(part);
    }
    const free = [...ports];
    for (let index = 0; index < this.options.machines; index += 1) {
      await this.createMachine(drawMachine(this.entropy, index, leafNames, free), management, leaves);
    }
    this.writeCliConfig(apiUrl, management);
    return this.present(apiUrl, management);
  }

  private async createLeaves(management: Management, ports: ReturnType<typeof drawPorts>): Promise<readonly Leaf[]> {
    const leaves: Leaf[] = [];
    for (const [index, name] of leafNames.entries()) {
      leaves.push(
        await createLeaf({
          name,
          number: index + 1,
          namespaceName: this.claimNamespace(name),
          management: management.namespace,
          managementAddress,
          ports,
          directory: join(this.state.directory, name),
          ingot: this.options.ingot,
          env: this.options.env,
          partition,
          rack: 'rack1',
          api: { url: management.api.url, caFile: management.api.caFile, tokenFile: this.leafTokenFile(name) },
        }),
      );
    }
    return leaves;
  }

  private async createMachine(
    identity: MachineIdentity,
    management: Management,
    leaves: readonly Leaf[],
  ): Promise<void> {
    const { name } = identity;
    const namespace = await createNamespace(this.claimNamespace(`bmc-${name}`));
    const managementPort = `b-${name}`.slice(0, 15);
    await connect(management.namespace, managementPort, namespace, 'eth0');
    await management.namespace.ip(`link set ${managementPort} master br0`);
    await namespace.ip(`link set eth0 address ${identity.bmc.mac}`);
    await namespace.ip(`addr add ${identity.bmc.address}/24 dev eth0`);
    // Machines log in at their BMCs, to see that others can.
    for (const index of leafNames.keys()) await namespace.ip(`route add ${leafRoute(index + 1)}`);
    const bmc = createBmc(join(this.state.directory, `bmc-${name}`), identity, this.bmcCredentials);
    await this.startPart({ name: `bmc-${name}`, namespace: namespace.name, argv: bmc.argv, restart: true });

    const hardware = await buildMachine({
      identity,
      options: this.options.machine,
      namespace: namespace.name,
      nics: identity.nics.map((nic) => ({
        mac: nic.mac,
        namespace: leaves.find((leaf) => leaf.name === nic.leaf)?.namespace.name ?? nic.leaf,
        tap: nic.port.name,
      })),
      workDirectory: join(this.workDirectory, name),
      socketDirectory: join(this.state.directory, name),
      // QEMU's ARM server has no bus for a BMC's registers: its BMC is on the network only.
      bmcArgs: hasIpmi(this.options.machine.firmware) ? bmc.qemuArgs : [],
      clock: this.clock,
      onConsoleLine: (line) => this.noteConsoleLine(machine, line),
    });
    this.hardware.push(hardware);
    const part = this.makePart(hardware.part);
    const timeline = createTimeline(this.clock, (phase, atMs) => this.events.onPhase(machine, phase, atMs));
    const power: PowerControl = {
      isOn: () => part.pid !== undefined,
      async on() {
        if (part.pid !== undefined) return;
        timeline.restart();
        await part.start();
        timeline.reach('power');
      },
      off: () => part.stop(0),
      async reset() {
        await hardware.reset();
        timeline.restart();
        timeline.reach('power');
      },
    };
    const machine: RackMachine = {
      identity,
      timeline,
      part,
      consoleLog: hardware.consoleLog,
      power,
      sysrq: (key) => hardware.sysrq(key),
    };
    this.machines.push(machine);
    const timer = this.clock.setInterval(() => {
      if (this.closing) return;
      bmc.poll(power).catch((error: unknown) => this.events.onNote(`BMC of ${name}: ${String(error)}`));
    }, bmcPollMs);
    this.timers.push(timer);
  }

  private present(apiUrl: string, management: Management): Rack {
    const { api } = this;
    if (api === undefined) throw new LabError('LAB_PART_DIED', 'the API server is not there');
    return {
      machines: this.machines,
      parts: this.parts,
      api,
      untilWaiting: (machine, timeoutMs, signal) => untilWaiting(api, machine, timeoutMs, signal, this.clock),
      apiUrl,
      caFile: management.api.caFile,
      adminTokenFile: management.api.adminTokenFile,
      logDirectory: join(this.workDirectory, 'log'),
      bmc: this.bmcCredentials,
      inManagement: (file, ...args) => management.namespace.exec(file, ...args),
      closeKeepingLogs: async () => {
        await this.takeDown(true);
        return this.workDirectory;
      },
      [Symbol.asyncDispose]: () => this.takeDown(),
    };
  }

  /** Ends everything in the reverse order of its making. May be called twice. */
  async takeDown(keepLogs = false): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    for (const timer of this.timers) timer.cancel();
    this.api?.close();
    await Promise.all(this.machines.map((machine) => machine.part.stop(0)));
    await Promise.all(this.hardware.map((hardware) => hardware.close()));
    await Promise.all([...this.parts.values()].toReversed().map((part) => part.stop()));
    await this.forward?.close();
    for (const namespace of this.namespaces.toReversed()) await deleteNamespace(namespace);
    if (keepLogs) {
      for (const machine of this.machines) {
        for (const index of machine.identity.disks.keys())
          rmSync(join(this.workDirectory, machine.identity.name, `nvme${index}.img`), { force: true });
      }
    } else {
      rmSync(this.workDirectory, { recursive: true, force: true });
    }
    rmSync(this.cliConfigFile, { force: true });
    this.state.clear();
  }

  private claimNamespace(suffix: string): string {
    const name = `ingot-${this.options.name}-${suffix}`;
    this.namespaces.push(name);
    this.state.addNamespace(name);
    return name;
  }

  private leafTokenFile(leaf: string): string {
    return join(this.state.directory, `${leaf}.token`);
  }

  private logFile(part: string): string {
    return join(this.workDirectory, 'log', `${part}.log`);
  }

  private makePart(spec: PartSpec): Part {
    return createPart(spec, this.logFile(spec.name), {
      clock: this.clock,
      onChange: () => this.recordProcesses(),
      onDeath: (part, how) => {
        if (!this.closing)
          this.events.onNote(`${part.name} ${how}${spec.restart ? '; starting it again' : ''} (log: ${part.logFile})`);
      },
    });
  }

  private async startPart(spec: PartSpec): Promise<void> {
    const part = this.makePart(spec);
    this.parts.set(spec.name, part);
    await part.start();
  }

  private recordProcesses(): void {
    if (this.closing) return;
    const all = [...this.parts.values(), ...this.machines.map((machine) => machine.part)];
    this.state.setProcesses(all.map((part) => part.pid).filter((pid) => pid !== undefined));
  }

  private noteBootServerLine(line: string): void {
    const seen = phaseOfBootServerLine(line);
    if (seen === undefined) return;
    const machine = this.machines.find(({ identity }) => identity.nics.some((nic) => nic.mac === seen.mac));
    machine?.timeline.reach(seen.phase);
  }

  private noteConsoleLine(machine: RackMachine, line: string): void {
    const report = readConsoleLine(line);
    if (report?.phase !== undefined) machine.timeline.reach(report.phase);
    if (report?.crashed !== undefined)
      this.events.onNote(`${machine.identity.name} reports a crash: ${report.crashed}`);
  }

  /** The default rack is what the command line talks to unless told otherwise. */
  private get cliConfigFile(): string {
    return this.options.name === 'lab' ? '/run/ingot-lab/cli.yaml' : join(this.state.directory, 'cli.yaml');
  }

  private writeCliConfig(apiUrl: string, management: Management): void {
    const context = {
      name: this.options.name,
      apiUrl,
      apiCaFile: management.api.caFile,
      apiTokenFile: management.api.adminTokenFile,
    };
    writeFileSync(this.cliConfigFile, stringify({ currentContext: this.options.name, contexts: [context] }), {
      mode: 0o600,
    });
  }
}
