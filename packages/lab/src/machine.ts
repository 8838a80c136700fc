import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  ftruncateSync,
  createWriteStream,
  rmSync,
} from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '@ingot/net';
import type { Accelerator } from './accelerator.ts';
import { setUpFirmware } from './firmware.ts';
import type { Firmware, FirmwareSetup } from './firmware.ts';
import type { MachineIdentity } from './identity.ts';
import { lineReader } from './lines.ts';
import type { PartSpec } from './part.ts';
import { qmp } from './qmp.ts';
import { openTap } from './tap.ts';

export interface MachineOptions {
  readonly firmware: Firmware;
  readonly memoryMib: number;
  readonly cpus: number;
  readonly accelerator: Accelerator;
  /** QEMU's names of the network cards, in their order. Default: `virtio-net-pci` for each. */
  readonly nicModels?: readonly string[];
  /** What one machine has besides, or instead: asked for at each of its power-ons. */
  readonly more?: (machine: MachineSetting['identity']) => MoreOfQemu;
}

/** For whoever needs a machine that the rack itself has no words for. */
export interface MoreOfQemu {
  /** The end of the command line, so that it wins over what is said before. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A network card and the tap that it is plugged into. */
export interface Cabling {
  readonly mac: string;
  readonly namespace: string;
  readonly tap: string;
}

export interface MachineSetting {
  readonly identity: Pick<MachineIdentity, 'name' | 'uuid' | 'systemSerial' | 'boardSerial' | 'disks'>;
  readonly nics: readonly Cabling[];
  readonly options: MachineOptions;
  /** Network namespace that QEMU runs in: the one where its BMC listens. */
  readonly namespace: string;
  /** Disks and NVRAM. */
  readonly workDirectory: string;
  /** Console and monitor sockets. */
  readonly socketDirectory: string;
  readonly bmcArgs: readonly string[];
  readonly clock: Clock;
  readonly onConsoleLine: (line: string) => void;
}

/** The emulated server apart from its process: its disks, its console, its monitor. */
export interface MachineHardware {
  readonly part: PartSpec;
  readonly consoleLog: string;
  /** Resets it as the front panel's button does. */
  reset(): Promise<void>;
  /** Types a magic SysRq key on the serial console: a break, then `key`. */
  sysrq(key: string): Promise<void>;
  /** Types on the serial console. */
  types(text: string): void;
  close(): Promise<void>;
}

export async function buildMachine(setting: MachineSetting): Promise<MachineHardware> {
  const { identity, workDirectory, socketDirectory } = setting;
  mkdirSync(workDirectory, { recursive: true });
  mkdirSync(socketDirectory, { recursive: true });
  for (const [index, disk] of identity.disks.entries())
    createDisk(join(workDirectory, `nvme${index}.img`), disk.sizeBytes);
  const variables = join(workDirectory, 'uefi-variables.fd');
  const firmware = setUpFirmware(setting.options.firmware, setting.options.accelerator, variables);
  // Kept over power cycles: a changed set of boot entries would make OVMF lose its way.
  if (firmware.variables !== undefined && !existsSync(variables)) copyFileSync(firmware.variables, variables);

  const consoleLog = join(workDirectory, 'console.log');
  const serial = await listenForConsole(join(socketDirectory, 'console'), consoleLog, setting);
  const monitor = join(socketDirectory, 'monitor');
  const more = (): MoreOfQemu => setting.options.more?.(identity) ?? { args: [] };
  return {
    consoleLog,
    part: {
      name: identity.name,
      namespace: setting.namespace,
      get argv() {
        return [...qemuArguments(setting, firmware, serial.path, monitor), ...more().args];
      },
      get env() {
        return more().env ?? {};
      },
      openDescriptors: () => setting.nics.map((nic) => openTap(nic.namespace, nic.tap)),
      restart: false,
    },
    reset: async () => void (await qmp(monitor, 'system_reset')),
    async sysrq(key) {
      await qmp(monitor, 'chardev-send-break', { id: 'console' });
      serial.write(key);
    },
    types: (text) => serial.write(text),
    close: () => serial.close(),
  };
}

/** Sparse: it takes only the space that is written. */
function createDisk(path: string, sizeBytes: number): void {
  if (existsSync(path)) return;
  const fd = openSync(path, 'w', 0o600);
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
}

interface Console {
  readonly path: string;
  write(text: string): void;
  close(): Promise<void>;
}

/** QEMU connects to us, so that no line of the firmware is lost, however early. */
async function listenForConsole(path: string, logFile: string, setting: MachineSetting): Promise<Console> {
  rmSync(path, { force: true });
  const log = createWriteStream(logFile, { flags: 'a' });
  let current: Socket | undefined;
  const server: Server = createServer((socket) => {
    current = socket;
    socket.on('error', () => socket.destroy());
    socket.on(
      'data',
      lineReader((line) => {
        log.write(`${new Date(setting.clock.now()).toISOString()} ${line}\n`);
        setting.onConsoleLine(line);
      }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    path,
    write: (text) => void current?.write(text),
    async close() {
      current?.destroy();
      await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => log.end(resolve));
    },
  };
}

function qemuArguments(
  setting: MachineSetting,
  firmware: FirmwareSetup,
  consolePath: string,
  monitor: string,
): readonly string[] {
  const { identity, options } = setting;
  const firstDescriptor = 3;
  return [
    [firmware.program, '-name', identity.name, '-nodefaults', '-no-user-config', '-display', 'none'],
    firmware.args,
    ['-smp', String(options.cpus), '-m', String(options.memoryMib)],
    ['-uuid', identity.uuid],
    ['-smbios', `type=1,manufacturer=QEMU,product=Ingot Lab Machine,serial=${identity.systemSerial}`],
    ['-smbios', `type=2,manufacturer=QEMU,product=Ingot Lab Board,serial=${identity.boardSerial}`],
    ['-chardev', `socket,id=console,path=${consolePath}`, '-serial', 'chardev:console'],
    ['-qmp', `unix:${monitor},server=on,wait=off`],
    ['-boot', 'menu=off,strict=on'],
    ...setting.nics.map((nic, index) => [
      '-netdev',
      `tap,id=net${index},fd=${firstDescriptor + index}`,
      '-device',
      `${options.nicModels?.[index] ?? 'virtio-net-pci'},netdev=net${index},mac=${nic.mac},bootindex=${index + 1}${firmware.nicSuffix}`,
    ]),
    ...identity.disks.map((disk, index) => [
      '-drive',
      `file=${join(setting.workDirectory, `nvme${index}.img`)},if=none,format=raw,id=disk${index},discard=unmap`,
      '-device',
      `nvme,drive=disk${index},serial=${disk.serial}`,
    ]),
    setting.bmcArgs,
  ].flat();
}
