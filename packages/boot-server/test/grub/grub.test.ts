import { describe, expect, it } from 'vitest';
import { serialConsole } from '../../src/decide/serial-console.ts';
import type { KernelSteps } from '../../src/decide/boot-steps.ts';
import { parseOwnFilePath, renderPxelinuxConfig } from '../../src/grub/pxelinux.ts';
import { kernelWords, renderGrubConfig, type GrubSetting } from '../../src/grub/script.ts';
import { MAC_1 } from '../support/dhcp-messages.ts';

const setting: GrubSetting = { mac: MAC_1, bases: ['http://10.0.0.1:8080'], tftpServer: '10.0.0.1' };
const kernel: KernelSteps = {
  kind: 'kernel',
  kernel: 'k1',
  initRamDisks: ['i1', 'i2'],
  cmdline: 'quiet dyndbg="file a.c +p" x=$y it\'s PIXIE_API_URL=http://10.0.0.1:8080/config/u?nonce=n',
  console: serialConsole(),
  message: "It's me",
};

describe('grub.cfg', () => {
  it('of a kernel loads by HTTP, else by TFTP, on the console of the machine’s kind', () => {
    expect(renderGrubConfig(kernel, setting)).toBe(
      [
        String.raw`echo 'It'\''s me'`,
        'set uart=ttyS1',
        'smbios --type 1 --get-string 4 --set manufacturer',
        'if [ "$manufacturer" = "QEMU" -o "$manufacturer" = "Dell Inc." -o "$manufacturer" = "Giga Computing" -o "$manufacturer" = "FUJITSU" ]; then set uart=ttyS0; fi',
        'if [ "$grub_cpu" = "arm64" ]; then set uart=ttyAMA0; fi',
        String.raw`if linux (http,10.0.0.1:8080)/_/file/52-54-00-00-01-01/kernel/k1 console=$uart,115200n8 quiet 'dyndbg=file a.c +p' 'x=$y' 'it'\''s' PIXIE_API_URL=http://10.0.0.1:8080/config/u?nonce=n; then set from=(http,10.0.0.1:8080)`,
        String.raw`elif linux (tftp,10.0.0.1)/_/file/52-54-00-00-01-01/kernel/k1 console=$uart,115200n8 quiet 'dyndbg=file a.c +p' 'x=$y' 'it'\''s' PIXIE_API_URL=http://10.0.0.1:8080/config/u?nonce=n; then set from=(tftp,10.0.0.1)`,
        "else echo 'No server has the file above.'; sleep 10; reboot; fi",
        'if initrd (http,10.0.0.1:8080)/_/file/52-54-00-00-01-01/initrd/i1 (http,10.0.0.1:8080)/_/file/52-54-00-00-01-01/initrd/i2; then set from=(http,10.0.0.1:8080)',
        'elif initrd (tftp,10.0.0.1)/_/file/52-54-00-00-01-01/initrd/i1 (tftp,10.0.0.1)/_/file/52-54-00-00-01-01/initrd/i2; then set from=(tftp,10.0.0.1)',
        "else echo 'No server has the file above.'; sleep 10; reboot; fi",
        'source $from/_/booting/52-54-00-00-01-01',
        'boot',
        "echo 'Boot failed: the files above could not be loaded or started. Trying again from the start in 10 s.'",
        'sleep 10',
        'reboot',
        '',
      ].join('\n'),
    );
  });

  it('has the port of each manufacturer as the operator says', () => {
    const console = serialConsole({ port: 'ttyS0', speed: '9600n8', byManufacturer: { 'HPE Cray': 'ttyS2' } });
    const own = renderGrubConfig({ ...kernel, console }, setting);
    expect(own).toContain('set uart=ttyS0\n');
    expect(own.match(/^if \[ "\$manufacturer.*$/gm)).toEqual([
      'if [ "$manufacturer" = "HPE Cray" ]; then set uart=ttyS2; fi',
    ]);
    expect(own).toContain('console=$uart,9600n8 ');
  });

  it('takes the other server’s files when this one is gone', () => {
    const two = renderGrubConfig(kernel, { ...setting, bases: ['http://a', 'http://b:81'] });
    expect(two.match(/^(?:if|elif) linux \S+/gm)).toEqual([
      'if linux (http,a)/_/file/52-54-00-00-01-01/kernel/k1',
      'elif linux (http,b:81)/_/file/52-54-00-00-01-01/kernel/k1',
      'elif linux (tftp,10.0.0.1)/_/file/52-54-00-00-01-01/kernel/k1',
    ]);
  });

  it('of the local disk fails, which is UEFI’s sign to go on', () => {
    expect(renderGrubConfig({ kind: 'local', message: '' }, setting)).toBe('exit 1\n');
  });

  it('on hold says why and starts anew', () => {
    expect(renderGrubConfig({ kind: 'hold', message: 'broken; $x', askAgain: '' }, setting)).toBe(
      "echo 'broken; $x'\nsleep 300\nreboot\n",
    );
  });

  it('of a menu asks for what is chosen', () => {
    const entries = [{ name: 'disk', label: "Local 'disk'", askFor: '' }];
    expect(
      renderGrubConfig({ kind: 'menu', title: 'Rack 1', defaultEntry: 'disk', timeoutSeconds: 0, entries }, setting),
    ).toBe(
      [
        "echo 'Rack 1'",
        'set timeout=-1',
        'set default=disk',
        String.raw`menuentry 'Local '\''disk'\''' --id disk { configfile $prefix/grub.cfg-01-52-54-00-00-01-01/disk }`,
        '',
      ].join('\n'),
    );
  });

  it('of a menu that waits says for how long', () => {
    const menu = { kind: 'menu', title: 'x', defaultEntry: 'disk', timeoutSeconds: 7, entries: [] } as const;
    expect(renderGrubConfig(menu, setting)).toContain('set timeout=7\n');
  });

  it('of a kernel without initrd, command line and console loads the kernel alone', () => {
    const bare = renderGrubConfig({ ...kernel, initRamDisks: [], cmdline: '', console: undefined }, setting);
    expect(bare).toContain('if linux (http,10.0.0.1:8080)/_/file/52-54-00-00-01-01/kernel/k1; then');
    expect(bare).not.toMatch(/initrd|uart/);
  });

  it('of an iPXE script says that GRUB cannot run it', () => {
    expect(renderGrubConfig({ kind: 'script', script: '#!ipxe\n' }, setting)).toMatch(/^echo '.*iPXE script.*'\n/);
  });

  it.each([
    ['a  b', ['a', 'b']],
    ['a="b c" d', ['a=b c', 'd']],
    ['"a b"=c', ['a b=c']],
    ['', []],
  ])('takes the words of %j as the kernel does', (cmdline, words) => {
    expect(kernelWords(cmdline)).toEqual(words);
  });
});

describe('pxelinux.cfg for U-Boot', () => {
  it.each([
    ['52-54-00-00-01-01/_/now/kernel', { mac: '52-54-00-00-01-01', kind: 'kernel' }],
    ['_/now/initrd', { mac: undefined, kind: 'initrd' }],
    ['_/now/initrd.gz', undefined],
    ['x/_/now/kernel', undefined],
    ['52-54-00-00-01-01/_/now/modules', undefined],
  ])('has the path %s: %j', (path, expected) => {
    expect(parseOwnFilePath(path)).toEqual(expected);
  });

  it('has kernel, initrd and command line, with paths that its 127 characters hold', () => {
    expect(renderPxelinuxConfig({ ...kernel, initRamDisks: ['i1'], cmdline: 'quiet' }, MAC_1)).toBe(
      'default ingot\nlabel ingot\n  kernel 52-54-00-00-01-01/_/now/kernel\n  initrd 52-54-00-00-01-01/_/now/initrd\n  append quiet\n',
    );
  });

  it('has the local disk, and nothing for what U-Boot cannot do', () => {
    expect(renderPxelinuxConfig({ kind: 'local', message: '' }, MAC_1)).toContain('localboot 0');
    expect(renderPxelinuxConfig(kernel, MAC_1)).toBeUndefined();
    expect(renderPxelinuxConfig({ kind: 'hold', message: '', askAgain: '' }, MAC_1)).toBeUndefined();
  });
});
