import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MessageType } from '@ingot/wire';
import type { BootServerConfig } from '../../src/config.ts';
import { BootServerErrorCode } from '../../src/errors.ts';
import { profileFileSchema, type Profile } from '../../src/sources/profile-schema.ts';
import { testConfig } from '../support/config.ts';
import { lease, relay } from '../support/dhcp-client.ts';
import { CLIENTS, fieldText, MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tftpFetch, type TftpFetch } from '../support/tftp-client.ts';

const profiles = (text: readonly unknown[]): readonly Profile[] => profileFileSchema.parse({ profiles: text }).profiles;

/** A lab whose machines boot by profiles, with a kernel and an initrd on its disk. */
async function profileLab(
  list: readonly unknown[],
  change: (config: BootServerConfig) => Partial<BootServerConfig> = () => ({}),
): Promise<{ lab: Lab; files: string }> {
  const files = temporaryFolder();
  writeFileSync(join(files, 'vmlinuz'), 'the kernel');
  writeFileSync(join(files, 'initrd'), 'the initrd');
  const lab = await startLab({
    config: (dir) => {
      const config = testConfig(dir, {
        artifacts: { roots: [files], maxBytes: 1_000_000 },
        sources: { profiles: { inline: profiles(JSON.parse(JSON.stringify(list).replaceAll('FILES', files))) } },
        boot: { ...testConfig(dir).boot, sources: ['profiles'] },
      });
      return { ...config, ...change(config) };
    },
  });
  return { lab, files };
}

const loads = (reply: { packet: { file: Uint8Array } } | undefined): string =>
  fieldText(reply?.packet.file ?? new Uint8Array());
/** The machine's own path by TFTP, from the address that it leased. */
async function machine(lab: Lab, mac = MAC_1): Promise<(name: string) => Promise<TftpFetch>> {
  const via = await relay(lab, mac === MAC_1 ? '10.0.1.1' : '10.0.2.1');
  // The second is another machine, whose firmware shows no UUID.
  const kind =
    mac === MAC_1 ? CLIENTS.edk2 : { flags: 0, options: CLIENTS.edk2.options.filter(({ code }) => code !== 97) };
  const ack = await lease(via, { mac, kind });
  const host = lab.network.host(`machine ${mac}`, `${ack.packet.yiaddr}/24`);
  return (name) => tftpFetch(lab, host, name);
}
const text = (fetched: TftpFetch): string =>
  fetched.ok ? Buffer.from(fetched.bytes).toString() : `ERROR ${fetched.code}`;

/** Names of files are other ones each time. */
const withoutNames = (config: string): string => config.replaceAll(/(kernel|initrd)\/[\w-]+/g, '$1');

const INSTALL = {
  name: 'install',
  match: { mac: MAC_1 },
  kernel: 'FILES/vmlinuz',
  initrd: 'FILES/initrd',
  cmdline: 'auto=true host=${macDashes}',
};

describe('a boot by profiles', () => {
  it('offers what a profile wants, and no boot to a machine without one', async () => {
    const { lab } = await profileLab([{ ...INSTALL, loader: 'ipxe.efi' }]);
    const known = await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.edk2 });
    expect(loads(known)).toBe('52-54-00-00-01-01/ipxe.efi');
    const stranger = await lease(await relay(lab, '10.0.2.1'), { mac: MAC_2, kind: CLIENTS.edk2 });
    expect(stranger.packet.yiaddr).toBe('10.0.2.100');
    expect(loads(stranger)).toBe('');
    expect(lab.api.calls).toEqual([`dhcp ${UUID}`]);
  });

  it('goes on to the API where a profile has a loader only', async () => {
    const { lab } = await profileLab([{ name: 'sb', loader: 'ipxe.efi' }], ({ boot }) => ({
      boot: { ...boot, sources: ['profiles', 'api'] },
    }));
    const offer = await (await relay(lab, '10.0.1.1')).ask(MessageType.DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 });
    expect(loads(offer)).toBe('52-54-00-00-01-01/ipxe.efi');
  });

  it('the API is not needed, and without it there are no configurations', async () => {
    const dir = temporaryFolder();
    const lab = await startLab({
      withoutApi: true,
      config: () => {
        const { api: _api, ...config } = testConfig(dir, {
          sources: { profiles: { inline: profiles([{ name: 'disk', boot: 'local' }]) } },
        });
        return config;
      },
    });
    const fetched = await machine(lab);
    expect(text(await fetched('grub/grub.cfg'))).toBe('exit 1\n');
    expect((await lab.get(`/config/${UUID}`)).status).toBe(404);
  });

  it('without any source the server does not start', async () => {
    const dir = temporaryFolder();
    await expect(
      startLab({
        withoutApi: true,
        config: () => {
          const { api: _api, ...config } = testConfig(dir);
          return config;
        },
      }),
    ).rejects.toMatchObject({
      code: BootServerErrorCode.ConfigInvalid,
      message: expect.stringMatching(/write api, sources/),
    });
  });
});

describe('published names', () => {
  it('GRUB finds its machine’s configuration by name and by address, and the files in it', async () => {
    const { lab } = await profileLab([INSTALL]);
    const fetched = await machine(lab);
    const config = text(await fetched('/grub/grub.cfg'));
    expect(config).toContain('auto=true host=52-54-00-00-01-01');
    for (const name of ['grub/grub.cfg-01-52-54-00-00-01-01', 'grub/grub.cfg-01-52:54:00:00:01:01', 'grub.cfg'])
      expect(withoutNames(text(await fetched(name)))).toBe(withoutNames(config));
    const [, kernelPath = ''] = /\(tftp,10\.0\.0\.1\)(\/_\/file\/\S+\/kernel\/[\w-]+)/.exec(config) ?? [];
    expect(text(await fetched(kernelPath))).toBe('the kernel');
    const byHttp = await lab.get(kernelPath);
    expect(await byHttp.text()).toBe('the kernel');
    expect(lab.log.events('http.script')[0]?.fields).toMatchObject({ mac: MAC_1, plan: 'kernel' });
  });

  it.each(['TFTP', 'HTTP'])('a machine says over %s that its kernel starts, as its grub.cfg has it', async (way) => {
    const { lab } = await profileLab([INSTALL]);
    const fetched = await machine(lab);
    const [, path = ''] = /source \$from(\S+)/.exec(text(await fetched('grub/grub.cfg'))) ?? [];
    const said = way === 'TFTP' ? text(await fetched(path)) : await (await lab.get(path)).text();
    expect(said).toBe('# Booting');
    expect(lab.log.events('http.booting')).toMatchObject([{ fields: { mac: MAC_1, uuid: UUID } }]);
    expect(lab.server.watch.timeline.find(MAC_1)?.state.stage).toBe('booted');
    expect((await lab.get(path, { method: 'HEAD' })).status).toBe(404);
    expect((await fetched('_/booting/nobody')).ok).toBe(false);
    expect(lab.log.events('http.booting')).toHaveLength(1);
  });

  it('names that GRUB tries in vain get an error at once', async () => {
    const { lab } = await profileLab([INSTALL]);
    const fetched = await machine(lab);
    for (const name of [
      '/grub/x86_64-efi/grub.cfg',
      '/grub/x86_64-efi/command.lst',
      '/grub/grub.cfg-0A000164',
      'grub/grub.cfg01-52-54-00-00-01-01',
      'pxelinux.cfg/-01-52-54-00-00-01-01',
      'pxelinux.cfg/default',
      '_/file/52-54-00-00-01-01/kernel/00000000000000000000000000000000',
      'grub/../../etc/passwd',
    ])
      expect(text(await fetched(name)), name).toBe('ERROR 1');
  });

  it('a machine does not get another’s configuration', async () => {
    const { lab } = await profileLab([INSTALL]);
    await machine(lab);
    const other = await machine(lab, MAC_2);
    expect(text(await other('grub/grub.cfg-01-52-54-00-00-01-01'))).toMatch(/^echo '.*another machine'/);
    expect(text(await other('grub/grub.cfg'))).toMatch(/^echo '.*did not ask for a boot/);
  });

  it('the nonce of a machine’s configuration is in its grub.cfg, once', async () => {
    const { lab } = await profileLab([{ ...INSTALL, config: true }]);
    const fetched = await machine(lab);
    const nonces = [1, 2].map(async () => /nonce=([\w-]+)/.exec(text(await fetched('grub/grub.cfg')))?.[1]);
    const [first, second] = [await nonces[0], await nonces[1]];
    expect(first).toMatch(/^[\w-]{32,}$/);
    expect(second).not.toBe(first);
    expect(JSON.stringify(lab.log.records)).not.toContain(first);
  });

  it('U-Boot finds its machine’s configuration, and behind the folder that it adds the files that this names', async () => {
    const { lab } = await profileLab([
      INSTALL,
      { name: 'other', match: { mac: MAC_2 }, boot: 'hold', message: 'Wait.' },
    ]);
    const fetched = await machine(lab);
    const own = '52-54-00-00-01-01';
    const config = text(await fetched(`${own}/pxelinux.cfg/01-${own}`));
    expect(config).toContain(`append auto=true host=${own}`);
    const paths = [...config.matchAll(/^ {2}(?:kernel|initrd) (\S+)$/gm)].map(([, path]) => `${own}//${path}`);
    expect(paths.every((path) => path.length <= 127)).toBe(true);
    expect(await Promise.all(paths.map(async (path) => text(await fetched(path))))).toEqual([
      'the kernel',
      'the initrd',
    ]);
    // Not what a machine on hold would boot, and not another's.
    const stranger = await machine(lab, MAC_2);
    expect(text(await stranger('_/now/kernel'))).toBe('ERROR 1');
    expect(text(await stranger(`${own}/_/now/kernel`))).toBe('ERROR 1');
    expect(text(await fetched('52-54-00-00-09-09/_/now/kernel'))).toBe('ERROR 1');
  });

  it('pixiecore’s numbers stand for the binaries of that firmware', async () => {
    const { lab } = await profileLab([INSTALL]);
    const fetched = await machine(lab);
    const size = async (name: string): Promise<number> => {
      const file = await fetched(name);
      return file.ok ? file.bytes.byteLength : -file.code;
    };
    expect(await size('52:54:00:00:01:01/0')).toBe(74_213);
    expect(await size('52:54:00:00:01:01/1')).toBe(-1);
    expect(await size('52:54:00:00:01:01/2')).toBe(173_792);
    expect(await size('52:54:00:00:01:01/3')).toBe(173_792);
    expect(await size('52:54:00:00:01:01/4')).toBe(307_171);
    expect(await size('52:54:00:00:01:01/5')).toBe(-1);
  });

  it('Secure Boot’s loaders have the names under which they ask for each other', async () => {
    const loaders = { 'shimx64.efi': '/usr/lib/ipxe/snponly.efi', 'grubx64.efi': '/none/grub.efi' };
    const { lab } = await profileLab([INSTALL], ({ ipxe }) => ({ ipxe: { ...ipxe, loaders } }));
    const fetched = await machine(lab);
    expect((await fetched('52-54-00-00-01-01/shimx64.efi')).ok).toBe(true);
    expect(text(await fetched('52-54-00-00-01-01/grubx64.efi'))).toBe('ERROR 1');
    expect((await lab.get('/boot/52-54-00-00-01-01//shimx64.efi')).status).toBe(200);
  });

  it('a kind of machine may be given one of them, which need not lie beside the iPXE binaries', async () => {
    const { lab } = await profileLab([INSTALL], ({ ipxe }) => ({
      ipxe: {
        ...ipxe,
        files: { ...ipxe.files, efiIa32: 'grubia32.efi', efiArm64: 'snponly.efi' },
        // Beside the binaries there is one of the second name: that is what a name in files means first.
        loaders: { 'grubia32.efi': '/usr/lib/ipxe/undionly.kpxe', 'snponly.efi': '/usr/lib/ipxe/undionly.kpxe' },
      },
    }));
    const fetched = await machine(lab);
    const size = async (name: string): Promise<number> => {
      const file = await fetched(`52-54-00-00-01-01/${name}`);
      return file.ok ? file.bytes.byteLength : -file.code;
    };
    expect(await size('grubia32.efi')).toBe(74_213);
    expect(await size('snponly.efi')).toBe(173_792);
  });

  it('GRUB’s search for modules that it has built in fills no log', async () => {
    const { lab } = await profileLab([INSTALL]);
    const fetched = await machine(lab);
    for (const name of ['command.lst', 'fs.lst', 'crypto.lst', 'terminal.lst', 'http.mod', 'grub.cfg'])
      expect(text(await fetched(`grub/i386-efi/${name}`))).toBe('ERROR 1');
    expect(lab.log.events('tftp.failed')).toEqual([]);
    // Without this one a GRUB that has nothing built in stops.
    expect(text(await fetched('grub/i386-efi/normal.mod'))).toBe('ERROR 1');
    expect(lab.log.events('tftp.failed')).toHaveLength(1);
  });

  it('a file with another digest than the profile’s is not served', async () => {
    const sha256 = 'a'.repeat(64);
    const { lab } = await profileLab([{ ...INSTALL, kernel: { uri: 'FILES/vmlinuz', sha256 } }]);
    const fetched = await machine(lab);
    const config = text(await fetched('grub/grub.cfg'));
    const [, path = ''] = /\(tftp,10\.0\.0\.1\)(\/_\/file\/\S+\/kernel\/[\w-]+)/.exec(config) ?? [];
    expect((await fetched(path)).ok).toBe(false);
    expect((await lab.get(path)).status).toBe(503);
  });

  it('a boot loader with another digest than the configuration’s is not served, and that is said at the start', async () => {
    const names = ['undionly.kpxe', 'snponly.efi'] as const;
    const [right] = names.map((name) =>
      createHash('sha256')
        .update(readFileSync(join('/usr/lib/ipxe', name)))
        .digest('hex'),
    );
    const sha256 = { [names[0]]: right ?? '', [names[1]]: 'a'.repeat(64) };
    const { lab } = await profileLab([INSTALL], ({ ipxe }) => ({ ipxe: { ...ipxe, sha256 } }));
    expect(lab.log.events('ipxe.missing').map(({ msg }) => msg)).toEqual([
      expect.stringMatching(
        /machines that need snponly\.efi will not boot: .*SHA-256.* correct the hash in ipxe\.sha256$/,
      ),
    ]);
    expect((await lab.get('/boot/undionly.kpxe')).status).toBe(200);
    expect((await lab.get('/boot/snponly.efi')).status).toBe(503);
    const fetched = await machine(lab);
    expect((await fetched('undionly.kpxe')).ok).toBe(true);
    expect((await fetched('snponly.efi')).ok).toBe(false);
  });
});

describe('an iPXE in a ROM that is to be chained', () => {
  it('gets our binary, and then, as it has loaded that, the script', async () => {
    const { lab } = await profileLab([INSTALL], ({ ipxe }) => ({ ipxe: { ...ipxe, chainRoms: true } }));
    const via = await relay(lab, '10.0.1.1');
    const rom = await lease(via, { mac: MAC_1, kind: CLIENTS.biosIpxe });
    expect(loads(rom)).toBe('52-54-00-00-01-01/undionly.kpxe');
    const host = lab.network.host('machine', `${rom.packet.yiaddr}/24`);
    await tftpFetch(lab, host, loads(rom));
    expect(loads(await lease(via, { mac: MAC_1, kind: CLIENTS.biosIpxe }))).toContain('/_/ipxe?');
  });
});

describe('a boot by pixiecore’s API', () => {
  it('is offered to machines that it knows; those asked for before boot while it is away', async () => {
    let isAway = false;
    const server = createServer((request, response) => {
      if (isAway) response.writeHead(503).end();
      else if (request.url === `/v1/boot/${MAC_1}`)
        response.end(JSON.stringify({ 'ipxe-script': '#!ipxe\nshell\n', message: 'x' }));
      else response.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const http = { url: `http://127.0.0.1:${port}`, timeoutMs: 5_000, concurrency: 8, askDhcp: false };
    const lab = await startLab({
      config: (dir) => ({
        ...testConfig(dir),
        sources: { http },
        boot: { ...testConfig(dir).boot, sources: ['http'] },
      }),
    });
    const via = await relay(lab, '10.0.1.1');
    const ask = async (mac: string): Promise<string> => {
      const before = via.heard.length;
      void via.ask(MessageType.DISCOVER, { mac, kind: CLIENTS.efiIpxe });
      // The API is real: its answer takes real time.
      const deadline = Date.now() + 20_000;
      while (via.heard.length === before && Date.now() < deadline) await lab.clock.advance(0);
      return loads(via.heard[before]);
    };
    expect(await ask(MAC_1)).toContain('/_/ipxe?');
    expect(await ask(MAC_2)).toBe('');
    isAway = true;
    expect(await ask(MAC_1)).toContain('/_/ipxe?');
  });
});
