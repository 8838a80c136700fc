import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeNetwork, systemClock } from '@ingot/net';
import type { Network } from '@ingot/net';
import type { Ipmi, IpmiCommand } from '../src/bmc/ipmi.ts';

const run = promisify(execFile);

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** OpenIPMI's simulator of a BMC, on a loopback address and a port of its own. */
export interface IpmiSim extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly inBandPort: number;
  /** The factory's user, an administrator. */
  readonly factory: Login;
  /** Runs ipmitool as somebody who knows this login; rejects when it is not let in. */
  ipmitool(login: Login, ...words: readonly string[]): Promise<string>;
}

const host = '127.0.0.1';
const lanProgram = `#!/bin/sh
operation=$2
shift 2
[ "$operation" = get ] || exit 0
for name in "$@"; do
  case $name in
    ip_addr) echo ip_addr:10.7.7.7 ;;
    ip_addr_src) echo ip_addr_src:static ;;
    mac_addr) echo mac_addr:02:00:00:bb:00:65 ;;
    subnet_mask) echo subnet_mask:255.255.255.0 ;;
    *gw_ip_addr) echo "$name:0.0.0.0" ;;
    *gw_mac_addr) echo "$name:00:00:00:00:00:00" ;;
  esac
done
`;
const chassisProgram = `#!/bin/sh
shift
[ "$1 $2" = "get power" ] && echo power:1
exit 0
`;

export async function startIpmiSim(fru: Uint8Array): Promise<IpmiSim> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-ipmi-'));
  const factory = { user: 'ADMIN', password: 'factory-made' };
  const port = await freeUdpPort();
  const inBandPort = await freeTcpPort();
  const methods = 'none md2 md5 straight';
  mkdirSync(join(directory, 'state'));
  writeFileSync(join(directory, 'lan.sh'), lanProgram, { mode: 0o755 });
  writeFileSync(join(directory, 'chassis.sh'), chassisProgram, { mode: 0o755 });
  writeFileSync(join(directory, 'fru.bin'), fru);
  const configuration = `name "sim"
set_working_mc 0x20
  startlan 1
    addr ${host} ${port}
    priv_limit admin
    allowed_auths_callback ${methods}
    allowed_auths_user ${methods}
    allowed_auths_operator ${methods}
    allowed_auths_admin ${methods}
    guid 4c4c454400423510805200b4c04f4e33
    lan_config_program "${directory}/lan.sh eth0"
  endlan
  chassis_control "${directory}/chassis.sh 0x20"
  serial 15 ${host} ${inBandPort} codec VM
  startnow false
  user 1 true "" "" user 1 ${methods}
  user 2 true "${factory.user}" "${factory.password}" admin 10 ${methods}
`;
  writeFileSync(join(directory, 'lan.conf'), configuration);
  const emulation = `mc_setbmc 0x20
mc_add 0x20 0x20 has-device-sdrs 1 1 0x74 0x9f 0x2a7c 0x0b21
sel_enable 0x20 1000 0x0a
mc_add_fru_data 0x20 0 ${fru.length} file 0 "${directory}/fru.bin"
mc_enable 0x20
`;
  writeFileSync(join(directory, 'emulation'), emulation);
  const files = ['-c', 'lan.conf', '-f', 'emulation', '-s', 'state'].map((word) =>
    word.startsWith('-') ? word : join(directory, word),
  );
  const child = spawn('ipmi_sim', [...files, '-n'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  /** `seconds` are between two of three tries. */
  const asking = async (login: Login, seconds: number, words: readonly string[]): Promise<string> => {
    const args = ['-I', 'lanplus', '-C', '3', '-N', String(seconds), '-R', '2', '-U', login.user, '-E', '-H', host];
    const env = { ...process.env, LC_ALL: 'C', IPMI_PASSWORD: login.password };
    return (
      await run('ipmitool', [...args, '-p', String(port), '-L', 'ADMINISTRATOR', ...words], { env, timeout: 30_000 })
    ).stdout;
  };
  const sim: IpmiSim = {
    host,
    port,
    inBandPort,
    factory,
    ipmitool: (login, ...words) => asking(login, 5, words),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
  for (let tried = 1; ; tried++) {
    try {
      await asking(factory, 1, ['mc', 'info']);
      return sim;
    } catch (error) {
      if (tried === 20 || child.exitCode !== null) {
        await sim[Symbol.asyncDispose]();
        throw error;
      }
      await systemClock.sleep(200);
    }
  }
}

const Mark = { Message: 0xa0, Command: 0xa1, Escape: 0xaa } as const;
const escapeBit = 0x10;

/**
 * The simulator's system interface, which a machine sees as KCS: OpenIPMI's protocol for virtual machines, as QEMU's
 * ipmi-bmc-extern speaks it. A message has a sequence number in front and a checksum behind it.
 */
export async function openInBand(sim: IpmiSim): Promise<Ipmi> {
  const socket = connect(sim.inBandPort, host);
  await once(socket, 'connect');
  const answers = new EventEmitter();
  let pending: number[] = [];
  let isEscaped = false;
  let sequence = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    for (const byte of Buffer.from(chunk)) {
      if (byte === Mark.Message) answers.emit(String(pending[0]), Uint8Array.from(pending.slice(3, -1)));
      if (byte === Mark.Message || byte === Mark.Command) pending = [];
      else if (byte === Mark.Escape) isEscaped = true;
      else {
        pending.push(isEscaped ? byte & ~escapeBit : byte);
        isEscaped = false;
      }
    }
  });
  const write = (mark: number, ...bytes: readonly number[]): void => {
    const escaped = bytes.flatMap((byte) =>
      byte === Mark.Message || byte === Mark.Command || byte === Mark.Escape ? [Mark.Escape, byte | escapeBit] : [byte],
    );
    socket.write(Uint8Array.of(...escaped, mark));
  };
  const version = [0xff, 1];
  write(Mark.Command, ...version);
  return {
    name: 'ipmi_sim',
    async send({ netFn, command }: IpmiCommand, data: Uint8Array, signal: AbortSignal) {
      sequence = (sequence + 1) & 0xff;
      const message = [sequence, netFn << 2, command, ...data];
      const answer = once(answers, String(sequence), { signal });
      write(Mark.Message, ...message, -message.reduce((sum, byte) => sum + byte, 0) & 0xff);
      const [response]: unknown[] = await answer;
      if (!(response instanceof Uint8Array)) throw new Error('no message');
      return response;
    },
    close: () => socket.destroy(),
  };
}

/** A network on which `address:623` is the simulator's LAN. */
export function networkOf(sim: IpmiSim, address: string): Network {
  const outside = { address, port: 623 };
  const inside = { address: sim.host, port: sim.port };
  return {
    interfaceAddresses: () => [],
    async bindUdp(options) {
      const socket = await nodeNetwork({ native: false }).bindUdp({ ...options, address: host });
      return {
        address: socket.address,
        onDatagram: (handler) => socket.onDatagram(({ data }) => handler({ data, source: outside })),
        onBatch: (handler) => socket.onBatch(handler),
        onError: (handler) => socket.onError(handler),
        send: (data) => socket.send(data, inside),
        sendBatch: (datagrams, onFailure) => socket.sendBatch(datagrams, onFailure),
        close: () => socket.close(),
        [Symbol.asyncDispose]: () => socket.close(),
      };
    },
  };
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
