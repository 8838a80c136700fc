import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeFru } from './fru.ts';
import type { MachineIdentity } from './identity.ts';

/** What a BMC does to its machine. */
export interface PowerControl {
  isOn(): boolean;
  on(): Promise<void>;
  off(): Promise<void>;
  reset(): Promise<void>;
}

export interface BmcCredentials {
  readonly user: string;
  readonly password: string;
}

/** An ipmi_sim instance: RMCP+ on the management network, KCS inside the machine. */
export interface Bmc {
  readonly argv: readonly string[];
  /** Connects the emulated KCS interface to it. */
  readonly qemuArgs: readonly string[];
  /** Carries out what arrived since the last call, and tells the BMC whether the machine is on. */
  poll(power: PowerControl): Promise<void>;
}

/** KCS link between ipmi_sim and QEMU, on the loopback of the BMC's own namespace. */
const kcsPort = 9002;

/**
 * OpenIPMI's chassis_control and lan_config programs: each is called with the BMC's address first, then `get NAME…` or
 * `set NAME VALUE…`, and answers `NAME:VALUE` lines. Commands are left in a file for the rack to carry out.
 */
const chassisProgram = (directory: string): string => `#!/bin/sh
cd ${directory}/chassis || exit 1
shift
case "$1 $2" in
"get power"|"get boot") read -r value < "$2"; echo "$2:$value" ;;
"get "*) exit 1 ;;
"set boot") echo "$3" > boot ;;
"set power")
  echo "power $3" >> commands
  tries=0
  while read -r value < power && [ "$value" != "$3" ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done ;;
"set "*) echo "$2 $3" >> commands ;;
esac
exit 0
`;
const lanProgram = (directory: string): string => `#!/bin/sh
cd ${directory}/lan || exit 1
operation=$2
shift 2
case $operation in
get) for name in "$@"; do [ -e "$name" ] && read -r value < "$name" && echo "$name:$value"; done ;;
set) while [ $# -gt 1 ]; do echo "$2" > "$1"; shift 2; done ;;
esac
exit 0
`;

export function createBmc(directory: string, machine: MachineIdentity, credentials: BmcCredentials): Bmc {
  const chassis = join(directory, 'chassis');
  for (const part of ['chassis', 'lan', 'state']) mkdirSync(join(directory, part), { recursive: true });
  const lan: Readonly<Record<string, string>> = {
    ip_addr: machine.bmc.address,
    ip_addr_src: 'static',
    mac_addr: machine.bmc.mac,
    subnet_mask: '255.255.255.0',
    default_gw_ip_addr: '10.0.0.1',
    default_gw_mac_addr: '00:00:00:00:00:00',
    backup_gw_ip_addr: '0.0.0.0',
    backup_gw_mac_addr: '00:00:00:00:00:00',
  };
  for (const [name, value] of Object.entries(lan)) writeFileSync(join(directory, 'lan', name), `${value}\n`);
  writeFileSync(join(chassis, 'power'), '0\n');
  writeFileSync(join(chassis, 'boot'), 'none\n');
  writeFileSync(join(chassis, 'commands'), '');
  const programs = { chassis: chassisProgram(directory), lan: lanProgram(directory) };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(directory, `${name}.sh`), text);
    chmodSync(join(directory, `${name}.sh`), 0o755);
  }
  writeFileSync(
    join(directory, 'fru.bin'),
    encodeFru({
      board: { manufacturer: 'Ingot', product: 'Lab Board', serial: machine.boardSerial, part: 'LAB-BRD-1' },
      product: {
        manufacturer: 'Ingot',
        name: 'Lab Machine',
        part: 'LAB-SYS-1',
        version: '1',
        serial: machine.systemSerial,
      },
    }),
  );
  writeFileSync(join(directory, 'lan.conf'), lanConfiguration(directory, machine, credentials), { mode: 0o600 });
  writeFileSync(join(directory, 'emulation'), emulation(directory));

  let handled = 0;
  return {
    argv: [
      'ipmi_sim',
      '-c',
      join(directory, 'lan.conf'),
      '-f',
      join(directory, 'emulation'),
      '-s',
      join(directory, 'state'),
      '-n',
    ],
    qemuArgs: [
      '-chardev',
      `socket,id=ipmi0,host=127.0.0.1,port=${kcsPort},reconnect=1`,
      '-device',
      'ipmi-bmc-extern,id=bmc0,chardev=ipmi0',
      '-device',
      'isa-ipmi-kcs,bmc=bmc0',
    ],
    async poll(power) {
      const commands = readFileSync(join(chassis, 'commands'), 'utf8').split('\n').slice(0, -1);
      const fresh = commands.slice(handled);
      handled = commands.length;
      for (const command of fresh) await carryOut(command, power);
      const state = power.isOn() ? '1\n' : '0\n';
      if (readFileSync(join(chassis, 'power'), 'utf8') !== state) writeFileSync(join(chassis, 'power'), state);
    },
  };
}

async function carryOut(command: string, power: PowerControl): Promise<void> {
  switch (command) {
    case 'power 1':
      return power.on();
    case 'power 0':
      return power.off();
    case 'reset 1':
      return power.isOn() ? power.reset() : undefined;
    default:
      return undefined; // identify, soft shutdown: nothing to act on in a machine without an OS
  }
}

function lanConfiguration(directory: string, machine: MachineIdentity, credentials: BmcCredentials): string {
  const methods = 'none md2 md5 straight';
  return [
    `name "${machine.name}"`,
    'set_working_mc 0x20',
    '  startlan 1',
    `    addr ${machine.bmc.address} 623`,
    '    priv_limit admin',
    ...['callback', 'user', 'operator', 'admin'].map((level) => `    allowed_auths_${level} ${methods}`),
    `    guid ${machine.uuid.replaceAll('-', '')}`,
    `    lan_config_program "${directory}/lan.sh eth0"`,
    '  endlan',
    `  chassis_control "${directory}/chassis.sh 0x20"`,
    `  serial 15 127.0.0.1 ${kcsPort} codec VM`,
    '  startnow false',
    `  user 1 true "" "" user 1 ${methods}`,
    `  user 2 true "${credentials.user}" "${credentials.password}" admin 10 ${methods}`,
    '',
  ].join('\n');
}

/** The management controller itself: device 0x20, firmware 1.74, and its FRU. */
function emulation(directory: string): string {
  const fruLength = readFileSync(join(directory, 'fru.bin')).length;
  return [
    'mc_setbmc 0x20',
    'mc_add 0x20 0x20 has-device-sdrs 1 1 0x74 0x9f 0x2a7c 0x0b21',
    'sel_enable 0x20 1000 0x0a',
    `mc_add_fru_data 0x20 0 ${fruLength} file 0 "${directory}/fru.bin"`,
    'mc_enable 0x20',
    '',
  ].join('\n');
}
