import { exceptions, type SerialConsole } from '../decide/serial-console.ts';
import {
  filePath,
  type BootSteps,
  type KernelSteps,
  type MenuSteps,
  type ScriptSetting,
} from '../decide/boot-steps.ts';

/** Tries of one download, with `RETRY_SECONDS` between them. */
const TRIES = 5;
const RETRY_SECONDS = 2;
/** Long enough to read why, short enough to come back by itself when the server does. */
const REBOOT_SECONDS = 10;
/** How often a machine on hold asks for news: soon enough for a person who waits, and a row of them is a few a second. */
const HOLD_SECONDS = 30;
/** A server that died in mid-transfer is left after that long without a byte, where there is another. */
const STALL_MS = 15_000;

/**
 * The console has to be chosen on the machine: only it knows its manufacturer. A console set earlier wins.
 * `A && B ||` is iPXE for "if A then B": without the last part a false A ends the script. The operators have one
 * precedence and a skipped command keeps the last result, so `A || B && C` would run C after a true A. `${sp}` is the
 * blank, which an iPXE word cannot hold.
 */
function chooseConsole(console: SerialConsole): string[] {
  return [
    'set sp:hex 20',
    ...[...exceptions(console)].flatMap(([port, manufacturers]) =>
      manufacturers.map(
        (name) => `iseq \${manufacturer} ${name.replaceAll(' ', '${sp:string}')} && set uart ${port} ||`,
      ),
    ),
    `isset \${uart} || set uart ${console.port}`,
    'isset ${console} || set console ${uart}',
  ];
}

/** Renders a machine's script. Everything in `steps` that comes from outside was checked by `refusePlan`. */
export function renderIpxeScript(steps: BootSteps, setting: ScriptSetting): string {
  switch (steps.kind) {
    case 'script':
      return steps.script;
    case 'kernel':
      return lines(['#!ipxe', ...startKernel(steps, setting)]);
    case 'local':
      return lines(['#!ipxe', ...echo(steps.message), ...LOCAL_BOOT]);
    case 'hold':
      return lines([
        '#!ipxe',
        ':hold',
        ...echo(steps.message),
        `sleep ${HOLD_SECONDS}`,
        ...setting.bases.map((base) => `chain --replace ${base}${steps.askAgain} ||`),
        'goto hold',
      ]);
    case 'menu':
      return lines(['#!ipxe', ...offerMenu(steps, setting)]);
    default:
      return steps satisfies never;
  }
}

/**
 * The firmware's next device. UEFI goes on to it when a boot option fails, and shows its own menu when one succeeds
 * (EDK2, BdsDxe); a BIOS may have taken the network for its last device, so the first disk is started directly.
 */
const LOCAL_BOOT = ['iseq ${platform} efi && exit 1 ||', 'sanboot --no-describe --drive 0x80 || exit 1'];

/**
 * Uses the network as it finds it: a second `dhcp` would cost stock iPXE up to 16 s of IPv6 router solicitation. Images
 * are named, and named again as `initrd=`: under EFI the kernel asks for its initrd by that name.
 */
function startKernel(steps: KernelSteps, setting: ScriptSetting): string[] {
  const { mac, bases } = setting;
  const server = servers(bases);
  const initrds = steps.initRamDisks.map((name, index) => ({
    path: filePath(name, 'initrd', mac),
    name: `initrd${index}`,
  }));
  const named = initrds.map(({ name }) => `initrd=${name} `).join('');
  const serialConsole = steps.console === undefined ? '' : `console=\${console},${steps.console.speed} `;
  return [
    ...echo(steps.message),
    ...(steps.console === undefined ? [] : chooseConsole(steps.console)),
    ...server.choose,
    ...download(
      'kernel',
      `kernel ${server.option}--name kernel ${server.base}${filePath(steps.kernel, 'kernel', mac)}`,
      server,
    ),
    ...initrds.flatMap(({ path, name }) =>
      download(name, `initrd ${server.option}--name ${name} ${server.base}${path}`, server),
    ),
    `imgfetch --name ready ${server.base}/_/booting?mac=${mac} ||`,
    'imgfree ready ||',
    `boot kernel ${named}${serialConsole}${steps.cmdline} || goto failed`,
    ':failed',
    `echo Boot failed: the files above could not be loaded or started. Trying again from the start in ${REBOOT_SECONDS} s.`,
    `sleep ${REBOOT_SECONDS}`,
    'reboot',
  ];
}

function offerMenu({ title, defaultEntry, timeoutSeconds, entries }: MenuSteps, { bases }: ScriptSetting): string[] {
  const ask = entries.flatMap(({ name, askFor }) => [
    `:entry_${name}`,
    ...bases.map((base) => `chain --replace ${base}${askFor} ||`),
    `echo Trying again in ${RETRY_SECONDS} s`,
    `sleep ${RETRY_SECONDS}`,
    'goto menu',
  ]);
  const timeout = timeoutSeconds === 0 ? '' : `--timeout ${timeoutSeconds * 1_000} `;
  return [
    ':menu',
    // A build without menus takes what it would take without a keyboard.
    `menu ${title} || goto entry_${defaultEntry}`,
    ...entries.map(({ name, label }) => `item ${name} ${label}`),
    `choose --default ${defaultEntry} ${timeout}chosen || goto menu`,
    'goto entry_${chosen}',
    ...ask,
  ];
}

/** Where a script takes its files from: this server, or after each failure the next one of a ring. */
interface Servers {
  readonly base: string;
  readonly option: string;
  readonly choose: readonly string[];
  readonly next: readonly string[];
}

function servers(bases: ScriptSetting['bases']): Servers {
  const [own] = bases;
  if (bases.length === 1) return { base: own, option: '', choose: [], next: [] };
  return {
    base: '${base}',
    option: `--timeout ${STALL_MS} `,
    choose: [...bases.map((base, index) => `set base${index} ${base}`), 'set server:int32 0', 'set base ${base0}'],
    next: ['inc server', `iseq \${server} ${bases.length} && set server:int32 0 ||`, 'set base ${base${server}}'],
  };
}

function echo(message: string): string[] {
  return message === '' ? [] : message.split('\n').map((line) => `echo ${line}`.trimEnd());
}

/** A script that only asks again, now with what the machine's SMBIOS says. */
export function renderAskScript(url: string, wantsSerial: boolean): string {
  const serial = wantsSerial ? '&serial=${serial:uristring}' : '';
  return lines(['#!ipxe', `chain --replace ${url}&uuid=\${uuid}${serial}`]);
}

/**
 * What newer iPXE builds look for beside their own file. Taking the address from DHCPv4 alone saves the wait for an
 * IPv6 router that a plain `dhcp` includes. Where the server is reached over IPv6, nothing is
 * asked over IPv4.
 */
export function renderAutoexecScript(httpUrl: string): string {
  const isOverIpv6 = httpUrl.includes('//[');
  return lines([
    '#!ipxe',
    isOverIpv6
      ? 'isset ${netX/ip6} || ifconf --configurator ipv6 || dhcp'
      : 'isset ${netX/ip} || ifconf --configurator dhcp || dhcp',
    `chain --replace ${httpUrl}/_/ipxe?arch=\${buildarch}&mac=\${netX/mac}&uuid=\${uuid}`,
  ]);
}

function download(name: string, command: string, { next }: Servers): string[] {
  return [
    'set tries:int32 0',
    `:${name}`,
    `${command} && goto ${name}_loaded ||`,
    'inc tries',
    `iseq \${tries} ${TRIES} && goto failed ||`,
    ...next,
    `echo Trying again in ${RETRY_SECONDS} s`,
    `sleep ${RETRY_SECONDS}`,
    `goto ${name}`,
    `:${name}_loaded`,
  ];
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
