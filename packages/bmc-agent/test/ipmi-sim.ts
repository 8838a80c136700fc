import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ingot/net';
import { ipmitoolRunner } from '../src/ipmi/run-ipmitool.ts';

/** OpenIPMI's simulator of a BMC, on loopback, with a chassis that keeps its state in files. */
export interface IpmiSim extends AsyncDisposable {
  readonly address: string;
  readonly user: string;
  readonly password: string;
  /** `1` is on. */
  power(): string;
  setPower(state: '0' | '1'): void;
  /** What the BMC did to the chassis, in its order: `power 1`, `reset 1`, `boot pxe`, `identify …`. */
  done(): string[];
  /** What is done to the chassis is answered when it is let go again, or after a minute. */
  hold(isHeld: boolean): void;
  /** Throws while the chassis is at work. */
  quiet(): void;
}

const host = '127.0.0.1';
/** `get NAME…` answers `NAME:VALUE` lines; `set NAME VALUE` is noted. */
const chassisProgram = (directory: string): string => `#!/bin/sh
cd ${directory} || exit 1
shift
answer() { for _ in $(seq 600); do [ -e hold ] || break; : > busy; sleep 0.1; done; rm -f busy; }
case "$1 $2" in
"get power") read -r value < power; echo "power:$value" ;;
"get boot") echo "boot:none" ;;
"get "*) exit 1 ;;
"set power") echo "$3" > power; echo "power $3" >> done; answer ;;
"set "*) shift; echo "$*" >> done; answer ;;
esac
exit 0
`;

/** `contents` are commands of ipmi_sim_cmd(5): what the BMC has besides its chassis. */
export async function startIpmiSim(contents: readonly string[] = []): Promise<IpmiSim> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-bmc-'));
  const [user, password] = ['ADMIN', 'rack-secret-7'];
  const port = await freePort();
  const methods = 'none md2 md5 straight';
  const at = (name: string): string => join(directory, name);
  mkdirSync(at('state'));
  writeFileSync(at('chassis.sh'), chassisProgram(directory), { mode: 0o755 });
  writeFileSync(at('power'), '0\n');
  writeFileSync(at('done'), '');
  writeFileSync(
    at('lan.conf'),
    `name "sim"
set_working_mc 0x20
  startlan 1
    addr ${host} ${port}
    priv_limit admin
    allowed_auths_callback ${methods}
    allowed_auths_user ${methods}
    allowed_auths_operator ${methods}
    allowed_auths_admin ${methods}
    guid 4c4c454400423510805200b4c04f4e33
  endlan
  chassis_control "${at('chassis.sh')} 0x20"
  startnow false
  user 1 true "" "" user 1 ${methods}
  user 2 true "${user}" "${password}" admin 10 ${methods}
`,
  );
  writeFileSync(
    at('emulation'),
    [
      'mc_setbmc 0x20',
      'mc_add 0x20 0x20 has-device-sdrs 1 1 0x74 0x9f 0x2a7c 0x0b21',
      'sel_enable 0x20 100 0x0a',
      ...contents,
      'mc_enable 0x20',
      '',
    ].join('\n'),
  );
  const child = spawn('ipmi_sim', ['-c', at('lan.conf'), '-f', at('emulation'), '-s', at('state'), '-n'], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const sim: IpmiSim = {
    address: `${host}:${port}`,
    user,
    password,
    power: () => readFileSync(at('power'), 'utf8').trim(),
    setPower: (state) => writeFileSync(at('power'), `${state}\n`),
    done: () => readFileSync(at('done'), 'utf8').split('\n').slice(0, -1),
    hold(isHeld) {
      if (isHeld) writeFileSync(at('hold'), '');
      else rmSync(at('hold'), { force: true });
    },
    quiet() {
      if (existsSync(at('busy'))) throw new Error('the chassis is at work');
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
  const ask = [
    '-I',
    'lanplus',
    '-H',
    host,
    '-p',
    String(port),
    '-U',
    user,
    '-E',
    '-C',
    '3',
    '-N',
    '1',
    '-R',
    '1',
    'mc',
    'info',
  ];
  try {
    for (let tried = 1; ; tried += 1) {
      const { failure } = await ipmitoolRunner('ipmitool')(ask, password, AbortSignal.timeout(5000));
      if (failure === undefined) return sim;
      if (tried === 20 || child.exitCode !== null) throw new Error(`ipmi_sim does not answer: ipmitool ${failure}`);
      await systemClock.sleep(200);
    }
  } catch (error) {
    await sim[Symbol.asyncDispose]();
    throw error;
  }
}

/** A UDP port that is free now. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
