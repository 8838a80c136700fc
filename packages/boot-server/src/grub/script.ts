import { exceptions, type SerialConsole } from '../decide/serial-console.ts';
import type { BootSteps, KernelSteps, MenuSteps } from '../decide/boot-steps.ts';

/** Whose script it is, and which servers have its files. */
export interface GrubSetting {
  readonly mac: string;
  /** Bases of URLs, `http://10.0.0.1:8080`: this server's own first. */
  readonly bases: readonly [string, ...string[]];
  /** Own address of the TFTP server, which has the same files. */
  readonly tftpServer: string;
}

/** Long enough to read why, short enough to come back by itself when the server does. */
const REBOOT_SECONDS = 10;
/** GRUB keeps every configuration that it has read, so a machine on hold starts anew instead of asking for ever. */
const HOLD_SECONDS = 300;

/** Path under which GRUB finds what a machine, or an entry of its menu, boots; below TFTP's and HTTP's root. */
function grubConfigPath(mac: string, entry?: string): string {
  const own = `grub/grub.cfg-01-${mac.replaceAll(':', '-')}`;
  return entry === undefined ? own : `${own}/${entry}`;
}

/** Path of a file of a plan, below both roots: GRUB's paths have no query over TFTP. */
function plainFilePath(name: string, type: 'kernel' | 'initrd', mac: string): string {
  return `_/file/${mac.replaceAll(':', '-')}/${type}/${name}`;
}

/** Renders the grub.cfg of a machine. Everything in `steps` that comes from outside was checked by `refusePlan`. */
export function renderGrubConfig(steps: BootSteps, setting: GrubSetting): string {
  switch (steps.kind) {
    case 'kernel':
      return lines(startKernel(steps, setting));
    case 'local':
      // Any failure sends UEFI to its next boot option.
      return lines([...echo(steps.message), 'exit 1']);
    case 'hold':
      return lines([...echo(steps.message), `sleep ${HOLD_SECONDS}`, 'reboot']);
    case 'menu':
      return lines(offerMenu(steps, setting));
    case 'script':
      return renderGrubRefusal('What this machine boots is an iPXE script, which GRUB cannot run.');
    default:
      return steps satisfies never;
  }
}

/** Says why there is nothing to boot, and gives the machine back to its firmware. */
export function renderGrubRefusal(message: string): string {
  return lines([...echo(message), `sleep ${REBOOT_SECONDS}`, 'exit 1']);
}

/** For a machine whose name is not in the path, and its address another server's: it knows its own. */
export function renderGrubRedirect(): string {
  return lines(['configfile $prefix/grub.cfg-01-$net_default_mac', `sleep ${REBOOT_SECONDS}`, 'exit 1']);
}

/**
 * The console is chosen on the machine as iPXE's script does. An ARM server has one UART, and its name is another.
 * `smbios` is a module that signed builds have; without it the choice stays as it begins.
 */
function chooseConsole(console: SerialConsole): string[] {
  return [
    `set uart=${console.port}`,
    'smbios --type 1 --get-string 4 --set manufacturer',
    ...[...exceptions(console)].map(
      ([port, manufacturers]) =>
        `if [ ${manufacturers.map((name) => `"$manufacturer" = "${name}"`).join(' -o ')} ]; then set uart=${port}; fi`,
    ),
    'if [ "$grub_cpu" = "arm64" ]; then set uart=ttyAMA0; fi',
  ];
}

function startKernel(steps: KernelSteps, setting: GrubSetting): string[] {
  const { mac } = setting;
  const words = [
    ...(steps.console === undefined ? [] : [`console=$uart,${steps.console.speed}`]),
    ...kernelWords(steps.cmdline).map(quote),
  ];
  const kernel = plainFilePath(steps.kernel, 'kernel', mac);
  const initrds = steps.initRamDisks.map((name) => plainFilePath(name, 'initrd', mac));
  return [
    ...echo(steps.message),
    ...(steps.console === undefined ? [] : chooseConsole(steps.console)),
    ...firstThatLoads(setting, (root) => `linux ${root}/${kernel} ${words.join(' ')}`.trimEnd()),
    ...(initrds.length === 0
      ? []
      : firstThatLoads(setting, (root) => `initrd ${initrds.map((path) => `${root}/${path}`).join(' ')}`)),
    // Its text is a comment: only that it was asked for counts. By the way that the files came: another may not work.
    `source $from/_/booting/${mac.replaceAll(':', '-')}`,
    'boot',
    ...echo(
      `Boot failed: the files above could not be loaded or started. Trying again from the start in ${REBOOT_SECONDS} s.`,
    ),
    `sleep ${REBOOT_SECONDS}`,
    'reboot',
  ];
}

/**
 * GRUB's TFTP waits for an answer to each kilobyte, which its HTTP does not; TFTP goes where its HTTP does not. `$from` is
 * what worked.
 */
function firstThatLoads(setting: GrubSetting, load: (root: string) => string): string[] {
  const roots = [...setting.bases.map(deviceOf), `(tftp,${setting.tftpServer})`];
  return [
    ...roots.map((root, index) => `${index === 0 ? 'if' : 'elif'} ${load(root)}; then set from=${root}`),
    `else ${quoted('echo', 'No server has the file above.')}; sleep ${REBOOT_SECONDS}; reboot; fi`,
  ];
}

/** `(http,10.0.0.1:8080)`. */
function deviceOf(base: string): string {
  return `(http,${new URL(base).host})`;
}

function offerMenu({ title, defaultEntry, timeoutSeconds, entries }: MenuSteps, { mac }: GrubSetting): string[] {
  return [
    ...echo(title),
    `set timeout=${timeoutSeconds === 0 ? -1 : timeoutSeconds}`,
    `set default=${defaultEntry}`,
    ...entries.map(
      ({ name, label }) =>
        `menuentry ${quote(label)} --id ${name} { configfile $prefix/${grubConfigPath(mac, name).replace(/^grub\//, '')} }`,
    ),
  ];
}

/**
 * Words of a command line as the kernel takes them apart: a blank within double quotes belongs to its word. GRUB puts
 * such words into quotes again when it hands them over, so the quotes themselves go.
 */
export function kernelWords(cmdline: string): string[] {
  return [...cmdline.matchAll(/(?:"[^"]*"|[^\s"])+/g)].map(([word]) => word.replaceAll('"', ''));
}

/** Nothing within single quotes means anything to GRUB. */
function quote(text: string): string {
  return /^[\w.:/@+,=?&%-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function quoted(command: string, text: string): string {
  return `${command} ${quote(text)}`;
}

function echo(message: string): string[] {
  return message === '' ? [] : message.split('\n').map((line) => quoted('echo', line));
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
