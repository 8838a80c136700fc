import { describe, expect, it } from 'vitest';
import { renderAutoexecScript, renderBootScript, renderUuidScript } from '../src/ipxe/script.ts';

const script = renderBootScript({
  kernelUrl: 'http://10.0.0.1:8080/_/file?name=k&type=kernel',
  initrdUrls: ['http://10.0.0.1:8080/_/file?name=a&type=initrd', 'http://10.0.0.1:8080/_/file?name=b&type=initrd'],
  bootingUrl: 'http://10.0.0.1:8080/_/booting?mac=m',
  cmdline: 'quiet BOOTIF=01-m',
  message: 'hello',
});

describe('the boot script', () => {
  it('begins as iPXE wants it and ends every line', () => {
    expect(script.startsWith('#!ipxe\n')).toBe(true);
    expect(script.endsWith('\n')).toBe(true);
    expect(script).not.toContain('\r');
  });

  it('names the images and hands every initrd to the kernel by its name, which EFI needs', () => {
    expect(script).toContain('kernel --name kernel http://10.0.0.1:8080/_/file?name=k&type=kernel ');
    expect(script).toContain('initrd --name initrd0 http://10.0.0.1:8080/_/file?name=a&type=initrd ');
    expect(script).toContain('initrd --name initrd1 http://10.0.0.1:8080/_/file?name=b&type=initrd ');
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
  it('asks once more with the UUID', () => {
    expect(renderUuidScript('http://b/_/ipxe?mac=m')).toBe(
      '#!ipxe\nchain --replace http://b/_/ipxe?mac=m&uuid=${uuid}\n',
    );
  });

  it('autoexec takes an address from DHCPv4 alone unless there is one', () => {
    expect(renderAutoexecScript('http://b')).toBe(
      '#!ipxe\nisset ${netX/ip} || ifconf --configurator dhcp || dhcp\nchain --replace http://b/_/ipxe?arch=${buildarch}&mac=${netX/mac}&uuid=${uuid}\n',
    );
  });
});
