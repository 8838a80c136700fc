/** What the boot script of one machine is made of. */
export interface BootScript {
  readonly kernelUrl: string;
  readonly initrdUrls: readonly string[];
  /** Fetched when everything is loaded; tells the server that the machine leaves it. */
  readonly bootingUrl: string;
  /** Everything after the console part. */
  readonly cmdline: string;
  /** Printed on the machine's console before anything is loaded. */
  readonly message: string;
}

/** Tries of one download, with `RETRY_SECONDS` between them. */
const TRIES = 5;
const RETRY_SECONDS = 2;
/** Long enough to read why, short enough to come back by itself when the server does. */
const REBOOT_SECONDS = 10;

/**
 * Manufacturers (SMBIOS type 1) whose serial-over-LAN is the first UART; all others use the second.
 * `${sp}` is the blank, which an iPXE word cannot hold.
 */
const FIRST_UART_MANUFACTURERS = ['QEMU', 'Dell${sp:string}Inc.', 'Giga${sp:string}Computing', 'FUJITSU'];

/**
 * The console has to be chosen on the machine: only it knows its manufacturer. A console set earlier wins.
 * `A && B ||` is iPXE for "if A then B": without the last part a false A ends the script. The operators have one
 * precedence and a skipped command keeps the last result, so `A || B && C` would run C after a true A.
 */
const CHOOSE_CONSOLE = [
  'set sp:hex 20',
  ...FIRST_UART_MANUFACTURERS.map((name) => `iseq \${manufacturer} ${name} && set uart ttyS0 ||`),
  'isset ${uart} || set uart ttyS1',
  'isset ${console} || set console ${uart}',
];

/**
 * Renders the iPXE script that boots a machine. It uses the network as it finds it: a second `dhcp` would cost stock
 * iPXE up to 16 s of IPv6 router solicitation. Images are named, and named again as `initrd=`: under EFI the kernel
 * asks for its initrd by that name.
 */
export function renderBootScript(script: BootScript): string {
  const initrds = script.initrdUrls.map((url, index) => ({ url, name: `initrd${index}` }));
  return lines([
    '#!ipxe',
    `echo ${script.message}`,
    ...CHOOSE_CONSOLE,
    ...download('kernel', `kernel --name kernel ${script.kernelUrl}`),
    ...initrds.flatMap(({ url, name }) => download(name, `initrd --name ${name} ${url}`)),
    `imgfetch --name ready ${script.bootingUrl} ||`,
    'imgfree ready ||',
    `boot kernel ${initrds.map(({ name }) => `initrd=${name} `).join('')}console=\${console},115200n8 ${script.cmdline} || goto failed`,
    ':failed',
    `echo Boot failed: the files above could not be loaded or started. Trying again from the start in ${REBOOT_SECONDS} s.`,
    `sleep ${REBOOT_SECONDS}`,
    'reboot',
  ]);
}

/** A script that only asks again, now with the UUID that the machine's firmware knows. */
export function renderUuidScript(url: string): string {
  return lines(['#!ipxe', `chain --replace ${url}&uuid=\${uuid}`]);
}

/**
 * What newer iPXE builds look for beside their own file. Taking the address from DHCPv4 alone saves the wait for an
 * IPv6 router that a plain `dhcp` includes.
 */
export function renderAutoexecScript(httpUrl: string): string {
  return lines([
    '#!ipxe',
    'isset ${netX/ip} || ifconf --configurator dhcp || dhcp',
    `chain --replace ${httpUrl}/_/ipxe?arch=\${buildarch}&mac=\${netX/mac}&uuid=\${uuid}`,
  ]);
}

function download(name: string, command: string): string[] {
  return [
    'set tries:int32 0',
    `:${name}`,
    `${command} && goto ${name}_loaded ||`,
    'inc tries',
    `iseq \${tries} ${TRIES} && goto failed ||`,
    `echo Trying again in ${RETRY_SECONDS} s`,
    `sleep ${RETRY_SECONDS}`,
    `goto ${name}`,
    `:${name}_loaded`,
  ];
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
