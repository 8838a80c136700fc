import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { adminClient, type SimulateRequest, type SimulatedStep } from '../../src/admin/client.ts';
import type { BootServerConfig } from '../../src/config.ts';
import { BootServerError, BootServerErrorCode } from '../../src/errors.ts';
import { simulateConfig } from '../../src/simulate/dry-run.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { lease, relay } from '../support/dhcp-client.ts';
import { CLIENTS, MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const bios: SimulateRequest = { mac: MAC_1, arch: 0, uuid: UUID, giaddr: '10.0.1.1', phase: 'all' };

const ask = async (lab: Lab, request: SimulateRequest): Promise<SimulatedStep[]> =>
  (await adminClient(join(lab.dataDir, 'admin.sock')).simulate(request)).steps;
const told = (steps: readonly SimulatedStep[]): string[] => steps.map((step) => step.told);
const option = (step: SimulatedStep | undefined, name: string): string | undefined =>
  step?.options.find((each) => each.name === name)?.value;

describe('a simulation', () => {
  it('follows a BIOS machine from its DISCOVER to its script, and says why', async () => {
    const lab = await startLab();
    const steps = await ask(lab, bios);
    expect(told(steps)).toEqual([
      'OFFER to 10.0.1.1 port 67',
      'ACK to 10.0.1.1 port 67',
      expect.stringMatching(/^file:\/\/\/usr\/lib\/ipxe\/undionly\.kpxe, \d+ bytes$/),
      'OFFER to 10.0.1.1 port 67',
      'ACK to 10.0.1.1 port 67',
      'a script: kernel',
      expect.stringMatching(/^an error: cannot read \/none\/vmlinuz: /),
      expect.stringMatching(/^an error: cannot read \/none\/initrd: /),
    ]);
    const [offer, , , , ipxe, script] = steps;
    expect(option(offer, 'yiaddr')).toBe('10.0.1.100');
    expect(option(offer, 'file')).toBe('52-54-00-00-01-01/undionly.kpxe');
    expect(option(offer, 'routers')).toBe('10.0.1.254');
    expect(option(offer, 'lease time')).toBe('600 s');
    expect(offer?.why).toEqual([
      'network 10.0.1.0/24: this server leases its addresses',
      'client: firmware of kind bios (option 93), which loads a boot loader by TFTP first',
      'decided: 52-54-00-00-01-01/undionly.kpxe, from ipxe.files.bios',
    ]);
    expect(option(ipxe, 'file')).toContain('/_/ipxe?arch=0&');
    expect(script?.text).toContain('nonce=…');
    expect(script?.text).toMatch(/^#!ipxe\n/);
  });

  it('leaves no trace: no lease, no timeline, no count, no nonce that counts', async () => {
    const lab = await startLab();
    await ask(lab, bios);
    const client = adminClient(join(lab.dataDir, 'admin.sock'));
    expect(await client.leases()).toEqual([]);
    expect(await client.machines()).toEqual([]);
    expect(lab.api.calls).toEqual([`boot ${MAC_1}`]);
    expect((await lab.get(`/_/ipxe?arch=0&mac=${MAC_1}&uuid=${UUID}`)).status).toBe(404);
    const other = await lease(await relay(lab, '10.0.1.1'), { mac: MAC_2, kind: CLIENTS.biosRom });
    expect(other.packet.yiaddr).toBe('10.0.1.100');
  });

  it('says what the running server would: a leased address stays the machine’s, a taken one is not offered', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    await lease(via, { mac: MAC_2, kind: CLIENTS.biosRom });
    const [offer] = await ask(lab, { ...bios, phase: 'dhcp' });
    expect(option(offer, 'yiaddr')).toBe('10.0.1.101');
    const real = await lease(via, { mac: MAC_1, kind: CLIENTS.biosRom });
    expect(real.packet.yiaddr).toBe('10.0.1.101');
  });

  it('shows UEFI beside another DHCP server going to port 4011', async () => {
    const lab = await startLab({
      config: (dir) =>
        testConfig(dir, {
          dhcp: { ...testConfig(dir).dhcp, mode: 'proxy', subnets: [subnetConfig('10.0.1', { pool: undefined })] },
        }),
    });
    const steps = await ask(lab, { ...bios, arch: 7 });
    expect(told(steps)).toEqual([
      'OFFER to 10.0.1.1 port 67',
      'ACK to 10.0.1.1',
      expect.stringMatching(/^file:\/\/\/usr\/lib\/ipxe\/snponly\.efi, \d+ bytes$/),
      'OFFER to 10.0.1.1 port 67',
      'a script: kernel',
      expect.stringMatching(/^an error: /),
      expect.stringMatching(/^an error: /),
    ]);
  });

  it.each<[string, Partial<SimulateRequest>, string]>([
    ['no network', { giaddr: '10.9.9.1' }, 'nothing: unknown-relay'],
    ['no loader', { arch: 6 }, 'OFFER to 10.0.1.1 port 67'],
  ])('says what a machine with %s gets', async (_name, change, expected) => {
    const lab = await startLab();
    const [step] = await ask(lab, { ...bios, ...change });
    expect(step?.told).toContain(expected);
  });

  it('asks on the link that it is told', async () => {
    const lab = await startLab();
    const [step] = await ask(lab, { ...bios, giaddr: undefined, link: '10.0.2.1', phase: 'dhcp' });
    expect(option(step, 'yiaddr')).toBe('10.0.2.100');
    const [pxe] = await ask(lab, { ...bios, arch: 7, giaddr: undefined, link: '10.0.2.1', phase: 'pxe' });
    expect(pxe?.asks).toMatch(/^REQUEST from 10\.0\.2\.\d+ to port 4011$/);
  });

  it('says why there is no script while the API is away', async () => {
    const lab = await startLab();
    lab.api.failure = new BootServerError(BootServerErrorCode.ApiAway, 'the API is away');
    const steps = await ask(lab, { ...bios, userClass: 'iPXE' });
    expect(JSON.stringify(steps)).toContain('the API is away');
  });

  it('says that a source is too slow for the machine that asks first', async () => {
    const boots = JSON.stringify({ kernel: 'file:///none/vmlinuz' });
    const source = createServer((_request, response) => {
      void lab.clock.advance(2_000).then(() => response.end(boots));
    });
    source.listen(0, '127.0.0.1');
    await once(source, 'listening');
    onTestFinished(() => void source.close());
    const at = source.address();
    const url = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`;
    const http = { url, timeoutMs: 5_000, concurrency: 8, askDhcp: false };
    const lab = await startLab({ config: (dir) => testConfig(dir, { sources: { http } }), withoutApi: true });
    const [offer, ack] = await ask(lab, { ...bios, phase: 'dhcp' });
    expect(offer?.told).toBe('OFFER to 10.0.1.1 port 67');
    expect(offer?.why).toContain('warn: that took 2000 ms; a machine waits 1500 ms, and has to ask again');
    expect(ack?.why.join()).not.toContain('that took');
  });

  const rescue = (kernel: string, initrd: readonly string[]): BootServerConfig => {
    const config = testConfig(temporaryFolder());
    const profile = { name: 'rescue', match: {}, vars: {}, message: '', cmdline: 'quiet', config: false };
    const inline = [{ ...profile, kernel, initrd: [...initrd] }];
    return { ...config, api: undefined, sources: { profiles: { inline } } };
  };

  it('works for a configuration without a server, and writes nothing', async () => {
    const { steps } = await simulateConfig(rescue('/srv/vmlinuz', []), { ...bios, giaddr: '10.0.2.1' });
    expect(option(steps[0], 'yiaddr')).toBe('10.0.2.100');
    const script = steps.find((step) => step.text !== '');
    expect(script?.why.join()).toContain('rescue');
    expect(script?.text).toContain('quiet');
  });

  it('says of each file whether it would be served, and why not', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'vmlinuz'), 'kernel');
    const initrds = [join(folder, 'missing'), '/etc/passwd', folder, 'http://10.0.0.9/initrd'];
    const config = rescue(join(folder, 'vmlinuz'), initrds);
    const { steps } = await simulateConfig(
      { ...config, artifacts: { ...config.artifacts, roots: [folder] } },
      { ...bios, giaddr: '10.0.2.1', phase: 'script' },
    );
    expect(steps.slice(1).map(({ asks, told: answer }) => `${asks}: ${answer}`)).toEqual([
      `its kernel: ${pathToFileURL(join(folder, 'vmlinuz')).href}, 6 bytes`,
      expect.stringContaining(`its initrd: an error: cannot read ${folder}/missing: ENOENT`),
      expect.stringMatching(
        /^its initrd: an error: \/etc\/passwd is outside of .* add its folder to artifacts\.roots$/,
      ),
      expect.stringMatching(/^its initrd: an error: /),
      'its initrd: http://10.0.0.9/initrd, from that server: a simulation does not ask there',
    ]);
  });

  it('of the script alone says what DHCP said where that leads to none', async () => {
    const lab = await startLab();
    expect(told(await ask(lab, { ...bios, giaddr: '10.9.9.1', phase: 'script' }))).toEqual([
      expect.stringContaining('nothing: unknown-relay'),
    ]);
    const steps = await ask(lab, { ...bios, arch: 6, phase: 'script' });
    expect(steps[0]?.why.join()).toContain('no-binary');
    expect(told(steps)).toEqual([
      expect.stringMatching(/^OFFER/),
      expect.stringMatching(/^ACK/),
      expect.stringMatching(/not-seen/),
    ]);
    expect(told(await ask(lab, { ...bios, phase: 'script' }))[0]).toBe('a script: kernel');
  });

  it.each<[string, Partial<SimulateRequest>, RegExp]>([
    ['a MAC that is none', { mac: 'machine' }, /mac: /],
    ['a feature that iPXE has not', { features: ['teleport'] }, /iPXE has no feature teleport; it has .*http/],
    ['an option 82 of odd bytes', { circuitId: '\u{1f600}' }, /write text, or 0x and hex digits/],
  ])('refuses %s', async (_name, change, words) => {
    const lab = await startLab();
    await expect(ask(lab, { ...bios, ...change })).rejects.toMatchObject({
      code: BootServerErrorCode.AdminRefused,
      message: expect.stringMatching(words),
    });
  });
});
