import { describe, expect, it } from 'vitest';
import { serialConsole } from '../../src/decide/serial-console.ts';
import type { KernelSteps, ScriptSetting } from '../../src/decide/boot-steps.ts';
import { renderAskScript, renderAutoexecScript, renderIpxeScript } from '../../src/ipxe/script.ts';

const setting: ScriptSetting = { mac: 'm', bases: ['http://10.0.0.1:8080'] };
const kernel: KernelSteps = {
  kind: 'kernel',
  kernel: 'k',
  initRamDisks: ['a', 'b'],
  cmdline: 'quiet BOOTIF=01-m',
  console: serialConsole(),
  message: 'hello\nworld',
};
const script = renderIpxeScript(kernel, setting);

describe('the boot script', () => {
  it('begins as iPXE wants it and ends every line', () => {
    expect(script.startsWith('#!ipxe\n')).toBe(true);
    expect(script.endsWith('\n')).toBe(true);
    expect(script).not.toContain('\r');
  });

  it('names the images and hands every initrd to the kernel by its name, which EFI needs', () => {
    expect(script).toContain('kernel --name kernel http://10.0.0.1:8080/_/file?name=k&type=kernel&mac=m ');
    expect(script).toContain('initrd --name initrd0 http://10.0.0.1:8080/_/file?name=a&type=initrd&mac=m ');
    expect(script).toContain('initrd --name initrd1 http://10.0.0.1:8080/_/file?name=b&type=initrd&mac=m ');
    expect(script).toContain(
      '\nboot kernel initrd=initrd0 initrd=initrd1 console=${console},115200n8 quiet BOOTIF=01-m || goto failed\n',
    );
  });

  it('tries every download again before it gives up', () => {
    for (const name of ['kernel', 'initrd0', 'initrd1']) {
      expect(script).toMatch(
        new RegExp(
          `:${name}\n.*&& goto ${name}_loaded \\|\\|\ninc tries\niseq \\$\\{tries\\} 5 && goto failed \\|\\|\n(.*\n)?sleep 2\ngoto ${name}\n:${name}_loaded\n`,
        ),
      );
    }
  });

  it('prints the message line by line before anything is loaded', () => {
    expect(script).toMatch(/^#!ipxe\necho hello\necho world\n/);
  });

  it('has the port of each manufacturer as the operator says, and the known ones besides', () => {
    const console = serialConsole({
      speed: '9600',
      byManufacturer: { 'HPE Cray': 'ttyS2', QEMU: 'ttyS1', 'New, Inc.': 'ttyS0' },
    });
    const own = renderIpxeScript({ ...kernel, console }, setting);
    expect(own.match(/^iseq \$\{manufacturer\}.*$/gm)).toEqual([
      'iseq ${manufacturer} Dell${sp:string}Inc. && set uart ttyS0 ||',
      'iseq ${manufacturer} Giga${sp:string}Computing && set uart ttyS0 ||',
      'iseq ${manufacturer} FUJITSU && set uart ttyS0 ||',
      'iseq ${manufacturer} New,${sp:string}Inc. && set uart ttyS0 ||',
      'iseq ${manufacturer} HPE${sp:string}Cray && set uart ttyS2 ||',
    ]);
    expect(own).toContain('console=${console},9600 ');
    expect(renderIpxeScript({ ...kernel, console: serialConsole({ port: 'ttyS0' }) }, setting)).not.toContain(
      'iseq ${m',
    );
  });

  it('takes the next try from the other server, and leaves one that stalls', () => {
    const two = renderIpxeScript(kernel, { mac: 'm', bases: ['http://a', 'http://b'] });
    expect(two).toContain('set base0 http://a\nset base1 http://b\nset server:int32 0\nset base ${base0}\n');
    expect(two).toContain(
      [
        ':kernel',
        'kernel --timeout 15000 --name kernel ${base}/_/file?name=k&type=kernel&mac=m && goto kernel_loaded ||',
        'inc tries',
        'iseq ${tries} 5 && goto failed ||',
        'inc server',
        'iseq ${server} 2 && set server:int32 0 ||',
        'set base ${base${server}}',
        'echo Trying again in 2 s',
        '',
      ].join('\n'),
    );
    expect(two).toContain('imgfetch --name ready ${base}/_/booting?mac=m ||\n');
  });

  it('leaves the console alone where the command line names one', () => {
    const own = renderIpxeScript({ ...kernel, console: undefined, cmdline: 'console=tty0' }, setting);
    expect(own).toContain('\nboot kernel initrd=initrd0 initrd=initrd1 console=tty0 || goto failed\n');
    expect(own).not.toContain('uart');
  });

  it('does not touch the network configuration', () => {
    expect(script).not.toMatch(/^(dhcp|ifconf|ifopen|ifclose|autoboot)\b/m);
  });

  it('has a label for every goto', () => {
    const labels = new Set([...script.matchAll(/^:(\w+)$/gm)].map((match) => match[1]));
    for (const [, label] of script.matchAll(/goto (\w+)/g)) expect(labels).toContain(label);
  });

  it('chooses the first serial port for QEMU and the second by default', () => {
    expect(script).toContain('iseq ${manufacturer} QEMU && set uart ttyS0 ||\n');
    expect(script).toContain('isset ${uart} || set uart ttyS1\nisset ${console} || set console ${uart}\n');
  });
});

describe('the other scripts', () => {
  it('asks once more with the UUID, and with the serial number where one matters', () => {
    expect(renderAskScript('http://b/_/ipxe?mac=m', false)).toBe(
      '#!ipxe\nchain --replace http://b/_/ipxe?mac=m&uuid=${uuid}\n',
    );
    expect(renderAskScript('http://b/_/ipxe?mac=m', true)).toBe(
      '#!ipxe\nchain --replace http://b/_/ipxe?mac=m&uuid=${uuid}&serial=${serial:uristring}\n',
    );
  });

  it('a ready one is served as it is', () => {
    expect(renderIpxeScript({ kind: 'script', script: '#!ipxe\nshell\n' }, setting)).toBe('#!ipxe\nshell\n');
  });

  it('the local disk is the firmware’s next device under UEFI, and the first disk under BIOS', () => {
    expect(renderIpxeScript({ kind: 'local', message: 'Not today' }, setting)).toBe(
      '#!ipxe\necho Not today\niseq ${platform} efi && exit 1 ||\nsanboot --no-describe --drive 0x80 || exit 1\n',
    );
  });

  it('a machine on hold says why, and asks again of every server', () => {
    expect(
      renderIpxeScript(
        { kind: 'hold', message: 'RAM broken\nticket 7', askAgain: '/_/ipxe?mac=m' },
        { mac: 'm', bases: ['http://a', 'http://b'] },
      ),
    ).toBe(
      [
        '#!ipxe',
        ':hold',
        'echo RAM broken',
        'echo ticket 7',
        'sleep 30',
        'chain --replace http://a/_/ipxe?mac=m ||',
        'chain --replace http://b/_/ipxe?mac=m ||',
        'goto hold',
        '',
      ].join('\n'),
    );
  });

  it('a menu chooses by itself after its time, and where iPXE has no menus', () => {
    expect(
      renderIpxeScript(
        {
          kind: 'menu',
          title: 'Rack 1',
          defaultEntry: 'disk',
          timeoutSeconds: 5,
          entries: [
            { name: 'disk', label: 'Local disk', askFor: '/s?entry=disk' },
            { name: 'rescue', label: 'Rescue', askFor: '/s?entry=rescue' },
          ],
        },
        setting,
      ),
    ).toBe(
      [
        '#!ipxe',
        ':menu',
        'menu Rack 1 || goto entry_disk',
        'item disk Local disk',
        'item rescue Rescue',
        'choose --default disk --timeout 5000 chosen || goto menu',
        'goto entry_${chosen}',
        ':entry_disk',
        'chain --replace http://10.0.0.1:8080/s?entry=disk ||',
        'echo Trying again in 2 s',
        'sleep 2',
        'goto menu',
        ':entry_rescue',
        'chain --replace http://10.0.0.1:8080/s?entry=rescue ||',
        'echo Trying again in 2 s',
        'sleep 2',
        'goto menu',
        '',
      ].join('\n'),
    );
  });

  it('autoexec takes an address from DHCPv4 alone unless there is one', () => {
    expect(renderAutoexecScript('http://[2001:db8::1]:8080')).toContain(
      'isset ${netX/ip6} || ifconf --configurator ipv6 || dhcp\nchain --replace http://[2001:db8::1]:8080/_/ipxe?',
    );
    expect(renderAutoexecScript('http://b')).toBe(
      '#!ipxe\nisset ${netX/ip} || ifconf --configurator dhcp || dhcp\nchain --replace http://b/_/ipxe?arch=${buildarch}&mac=${netX/mac}&uuid=${uuid}\n',
    );
  });
});
