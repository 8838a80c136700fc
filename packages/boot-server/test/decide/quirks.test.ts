import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  MessageType,
  textOption,
  tftpReadRequest,
  encodeTftp,
  decodeTftp,
  uint16Option,
  type DhcpOption,
} from '@ingot/wire';
import type { MockHost } from '@ingot/net';
import { decideBoot } from '../../src/decide/decision.ts';
import { BORNE, QUIRKS, quirksOf, type BorneFault } from '../../src/decide/quirks.ts';
import { SERVER, subnetConfig, testConfig, tftpConfig } from '../support/config.ts';
import { relay } from '../support/dhcp-client.ts';
import {
  CLIENTS,
  fieldText,
  ip,
  MAC_1,
  message,
  readReply,
  type ClientKind,
  type Reply,
} from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tftpFetch } from '../support/tftp-client.ts';

const { DISCOVER, REQUEST } = MessageType;
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const rom = (arch: number, ...more: DhcpOption[]): ClientKind => ({
  flags: 0,
  options: [
    textOption(60, `PXEClient:Arch:${String(arch).padStart(5, '0')}:UNDI:002001`),
    uint16Option(93, arch),
    ...more,
  ],
});
/** Features HTTP, TFTP and, of `more`, others; the card's PCI vendor first. */
const ipxe = (vendor: string, more = ''): ClientKind =>
  rom(0, textOption(77, 'iPXE'), { code: 175, data: bytes(`b10501${vendor}1572 130101 150101 ${more}`) });

/** A packet for every row of the table, and what it changes in the reply or the transfer. */
const EXAMPLES: Readonly<
  Record<string, { mac: string; kind: ClientKind; mode: 'server' | 'proxy'; shows: (reply: Reply) => unknown }>
> = {
  'Intel cards keep a maximum frame size of 600 after iPXE': {
    mac: '3c:fd:fe:00:00:01',
    kind: ipxe('8086', '180101'),
    mode: 'server',
    shows: ({ options }) => hex(options.get(26)),
  },
  'HP Gen9 UEFI does not ask port 4011': {
    mac: '14:02:ec:00:00:01',
    kind: rom(7),
    mode: 'proxy',
    shows: ({ options }) => hex(options.get(43)),
  },
  'U-Boot does not ask port 4011': {
    mac: MAC_1,
    kind: { flags: 0, options: [textOption(60, 'U-Boot.armv8'), uint16Option(93, 0x16)] },
    mode: 'proxy',
    shows: ({ options }) => hex(options.get(43)),
  },
  'the iPXE in VirtualBox cannot load by TFTP': {
    mac: '08:00:27:00:00:01',
    kind: ipxe('1022'),
    mode: 'server',
    shows: ({ packet }) => fieldText(packet.file),
  },
  'Raspberry Pi says that it is a BIOS': {
    mac: 'dc:a6:32:00:00:01',
    kind: rom(0),
    mode: 'server',
    shows: ({ options }) => hex(options.get(43)),
  },
  'Raspberry Pi by its own architecture': {
    mac: MAC_1,
    kind: rom(0x29),
    mode: 'server',
    shows: ({ options }) => hex(options.get(43)),
  },
};
const CHANGES: Readonly<Record<string, string>> = {
  'Intel cards keep a maximum frame size of 600 after iPXE': '05dc',
  'HP Gen9 UEFI does not ask port 4011': '060108ff',
  'U-Boot does not ask port 4011': '060108ff',
  'the iPXE in VirtualBox cannot load by TFTP': 'http://10.0.0.1:8080/boot/08-00-27-00-00-01/undionly.kpxe',
  'Raspberry Pi says that it is a BIOS': '06010309140000115261737062657272792050692042 6f6f740a0400505845ff'.replaceAll(
    ' ',
    '',
  ),
  'Raspberry Pi by its own architecture':
    '06010309140000115261737062657272792050692042 6f6f740a0400505845ff'.replaceAll(' ', ''),
};

function labIn(mode: 'server' | 'proxy', change: { root?: string } = {}): Promise<Lab> {
  return startLab({
    config: (dir) => {
      const base = testConfig(dir);
      const subnets = [subnetConfig('10.0.0'), subnetConfig('10.0.1', { mode })].map((subnet) =>
        mode === 'proxy' ? { ...subnet, mode, pool: undefined } : subnet,
      );
      return { ...base, dhcp: { ...base.dhcp, subnets }, tftp: tftpConfig(change) };
    },
  });
}

async function offerTo(mode: 'server' | 'proxy', client: { mac: string; kind: ClientKind }): Promise<Reply> {
  const lab = await labIn(mode);
  const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, client);
  if (offer === undefined) throw new Error('no offer');
  return offer;
}

/** The first packets of a TFTP transfer, with the port that each came from. */
async function firstPackets(lab: Lab, host: MockHost, filename: string): Promise<{ port: number; text: string }[]> {
  const socket = await host.bindUdp({ address: host.attachments[0]?.address ?? '', port: 0 });
  const heard: { port: number; text: string }[] = [];
  socket.onDatagram(({ data, source }) => {
    const decoded = decodeTftp(data);
    const packet = decoded.ok ? decoded.value : undefined;
    const text =
      packet?.kind === 'oack' ? packet.options.map(({ name, value }) => `${name}=${value}`).join() : packet?.kind;
    heard.push({ port: source.port, text: text ?? 'rubbish' });
  });
  const options = [
    { name: 'blksize', value: '1024' },
    { name: 'windowsize', value: '16' },
  ];
  await socket.send(encodeTftp(tftpReadRequest(filename, options)), { address: SERVER, port: 69 });
  for (let turn = 0; turn < 20_000 && heard.length === 0; turn += 1) {
    await lab.clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return heard;
}

const TFTP_ROWS = ['Dell servers of iDRAC8 time fail TFTP through a router'];

describe('the table of quirks', () => {
  it('has evidence and an example for every row', () => {
    const names = QUIRKS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...Object.keys(EXAMPLES), ...TFTP_ROWS].toSorted()).toEqual(names.toSorted());
    for (const { evidence, why, match, effect } of QUIRKS) {
      expect(evidence.length).toBeGreaterThan(0);
      for (const url of evidence) expect(url).toMatch(/^https:\/\//);
      expect(why).not.toBe('');
      expect(Object.keys(match).length).toBeGreaterThan(0);
      expect(Object.keys(effect).length).toBeGreaterThan(0);
      for (const oui of match.ouis ?? []) expect(oui).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){2}$/);
    }
    for (const { evidence } of Object.values(BORNE)) expect(evidence.length).toBeGreaterThan(0);
  });

  it.each(Object.entries(EXAMPLES))('%s: the reply differs, and only for such a client', async (name, example) => {
    const { mac, kind, mode, shows } = example;
    expect(shows(await offerTo(mode, { mac, kind }))).toBe(CHANGES[name]);
    // The same with nothing that the row goes by.
    const plain = kind.options.filter(({ code }) => code !== 175 && code !== 77 && code !== 93);
    const other = { mac: '52:54:00:aa:aa:aa', kind: { flags: 0, options: [...plain, uint16Option(93, 7)] } };
    expect(shows(await offerTo(mode, other))).not.toBe(CHANGES[name]);
  });

  it('leaves every other client as it is', () => {
    expect(quirksOf({ mac: MAC_1, vendorClass: 'PXEClient:Arch:00007', architectures: [7], userClasses: [] })).toEqual(
      {},
    );
    // A Raspberry Pi with UEFI firmware is a UEFI machine.
    expect(quirksOf({ mac: 'dc:a6:32:00:00:01', vendorClass: 'PXEClient', architectures: [0x0b] })).toEqual({});
  });

  it('the network’s own MTU goes before the quirk’s', async () => {
    const lab = await startLab({
      config: (dir) => {
        const base = testConfig(dir);
        return {
          ...base,
          dhcp: { ...base.dhcp, subnets: [subnetConfig('10.0.0'), subnetConfig('10.0.1', { mtu: 9000 })] },
        };
      },
    });
    const client = { mac: MAC_1, kind: ipxe('8086', '180101') };
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, client);
    expect(hex(offer?.options.get(26))).toBe('2328');
  });

  it('VirtualBox’s iPXE with bzImage goes to the script as any other', async () => {
    const offer = await offerTo('server', { mac: '08:00:27:00:00:01', kind: ipxe('1022', '180101') });
    expect(fieldText(offer.packet.file)).toBe('http://10.0.0.1:8080/_/ipxe?arch=0&mac=08:00:27:00:00:01');
  });

  it('a Dell server of iDRAC8 time gets its file from port 69, any other from a port of its own', async () => {
    const lab = await labIn('server');
    const dell = '18:66:da:00:00:01';
    const via = await relay(lab, '10.0.1.1');
    await via.ask(DISCOVER, { mac: dell, kind: rom(7) });
    await via.ask(DISCOVER, { mac: MAC_1, kind: rom(7) });
    const host = lab.network.host('machine', '10.0.1.100/24');
    const [first] = await firstPackets(lab, host, `${dell.replaceAll(':', '-')}/snponly.efi`);
    expect(first).toEqual({ port: 69, text: 'blksize=1024,windowsize=16' });
    const [other] = await firstPackets(lab, host, `${MAC_1.replaceAll(':', '-')}/snponly.efi`);
    expect(other?.port).not.toBe(69);
    const whole = await tftpFetch(lab, host, `${dell.replaceAll(':', '-')}/snponly.efi`, [
      { name: 'blksize', value: '1400' },
    ]);
    expect(whole.ok && whole.bytes.length).toBeGreaterThan(100_000);
  });
});

describe('faults that are borne', () => {
  const proofs: Readonly<Record<BorneFault, () => Promise<void>>> = {
    'no-uuid': async () => {
      for (const mode of ['server', 'proxy'] as const) {
        const offer = await offerTo(mode, { mac: MAC_1, kind: rom(0) });
        expect([fieldText(offer.packet.file), offer.options.has(97)]).toEqual([
          '52-54-00-00-01-01/undionly.kpxe',
          false,
        ]);
      }
    },
    'file-name-with-0xff': async () => {
      const offer = await offerTo('server', { mac: MAC_1, kind: rom(0) });
      const name = fieldText(offer.packet.file);
      expect(offer.packet.file[name.length]).toBe(0);
      const lab = await labIn('server');
      const host = lab.network.host('machine', '10.0.1.100/24');
      for (const tail of ['\u00ff', '\u00ff\u00ff', ' \u0007']) {
        const [first] = await firstPackets(lab, host, name + tail);
        expect(first?.text).toBe('blksize=1024,windowsize=16');
      }
    },
    'architecture-0-on-4011': async () => {
      const lab = await labIn('proxy');
      const host = lab.network.host('machine', '10.0.1.120/24');
      const socket = await host.bindUdp({ address: '10.0.1.120', port: 68 });
      const heard: Reply[] = [];
      socket.onDatagram(({ data }) => heard.push(readReply(data)));
      const asks = message(REQUEST, { mac: MAC_1, kind: rom(0), ciaddr: ip('10.0.1.120') });
      await socket.send(asks, { address: SERVER, port: 4011 });
      await lab.clock.advance(0);
      expect(heard.map(({ packet }) => fieldText(packet.file))).toEqual(['52-54-00-00-01-01/undionly.kpxe']);
    },
    'type-16-is-x64-http': async () => {
      const offer = await offerTo('proxy', { mac: MAC_1, kind: CLIENTS.edk2Http });
      expect(Buffer.from(offer.options.get(60) ?? []).toString()).toBe('HTTPClient');
      expect(fieldText(offer.packet.file)).toBe('http://10.0.0.1:8080/boot/52-54-00-00-01-01/snponly.efi');
    },
  };
  it.each(Object.entries(proofs))('%s', async (_name, proof) => proof());
});

describe('a Raspberry Pi', () => {
  it.each(['server', 'proxy'] as const)('is answered byte for byte as it wants it, in mode %s', async (mode) => {
    const offer = await offerTo(mode, { mac: 'd8:3a:dd:e8:27:1e', kind: rom(0) });
    expect(offer.packet).toMatchObject({ siaddr: '10.0.0.1', yiaddr: mode === 'server' ? '10.0.1.100' : '0.0.0.0' });
    expect(fieldText(offer.packet.file)).toBe('bootcode.bin');
    const tail = hex(offer.bytes)
      .split('63825363')[1]
      ?.replace(/(?:00)*$/, '');
    const lease =
      '33 04 00000258 3a 04 0000012c 3b 04 0000020d 01 04 ffffff00 1c 04 0a0001ff 03 04 0a0001fe 06 04 0a000035 2a 04 0a00007b';
    const expected = [
      '35 01 02 36 04 0a000001',
      mode === 'server' ? lease : '',
      // "PXEClient"
      '3c 09 505845436c69656e74',
      // 06 01 03 | 09 14 00 00 11 "Raspberry Pi Boot" | 0a 04 00 "PXE" | ff
      '2b 20 060103 0914 0000 11 5261737062657272792050692042 6f6f74 0a04 00 505845 ff',
      // "Vlan4000", as it came
      '52 0a 0108 566c616e34303030 ff',
    ];
    expect(tail).toBe(expected.join('').replaceAll(' ', ''));
  });

  it('gets its files from tftp.root, and what is not there is refused at once and quietly', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'd9780558'));
    writeFileSync(join(root, 'd9780558', 'start4.elf'), 'start4');
    writeFileSync(join(root, 'bootcode.bin'), 'bootcode');
    const lab = await labIn('server', { root });
    const host = lab.network.host('pi', '10.0.1.100/24');
    const options = [
      { name: 'tsize', value: '0' },
      { name: 'blksize', value: '1024' },
    ];
    const started = lab.clock.monotonic();
    for (const name of ['d9780558/config.txt', 'd9780558/pieeprom.upd', 'bootsig.bin'])
      expect(await tftpFetch(lab, host, name, options)).toMatchObject({ ok: false, code: 1 });
    expect(lab.clock.monotonic() - started).toBeLessThan(100);
    expect(lab.log.events('tftp.failed')).toEqual([]);
    for (const [name, text] of [
      ['bootcode.bin', 'bootcode'],
      ['d9780558/start4.elf', 'start4'],
    ] as const) {
      const fetched = await tftpFetch(lab, host, name, options);
      expect(fetched.ok && Buffer.from(fetched.bytes).toString()).toBe(text);
    }
  });

  it('is given no windows by TFTP', async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'start4.elf'), 'x'.repeat(5_000));
    const lab = await labIn('server', { root });
    const mac = 'b8:27:eb:00:00:01';
    await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac, kind: rom(0x29) });
    const host = lab.network.host('pi', '10.0.1.100/24');
    const [first] = await firstPackets(lab, host, `${mac.replaceAll(':', '-')}/start4.elf`);
    expect(first?.text).toBe('blksize=1024,windowsize=1');
  });
});

describe('U-Boot and the rest of the architecture table', () => {
  const config = {
    httpUrl: 'http://10.0.0.1:8080',
    binaries: { efiArm64: 'arm64.efi', efiRiscv64: 'riscv64.efi', efiLoong64: 'loong64.efi' },
  };
  const decided = (arch: number, vendorClass = 'PXEClient'): unknown => {
    const decision = decideBoot(
      { mac: MAC_1, uuid: undefined, vendorClass, architectures: [arch], userClasses: [], ipxeFeatures: undefined },
      config,
    );
    return decision.kind === 'chain-tftp' ? decision.path : decision.kind === 'chain-http' ? decision.url : decision;
  };
  const dir = '52-54-00-00-01-01';

  it.each([
    [0x16, 'U-Boot.armv8', `${dir}/arm64.efi`],
    // Without a binary it still learns in which folder to look for pxelinux.cfg/01-<mac>.
    [0x15, 'U-Boot.armv7', `${dir}/pxelinux.0`],
    [0x18, 'HTTPClient', `http://10.0.0.1:8080/boot/${dir}/arm64.efi`],
    [0x17, 'HTTPClient', { kind: 'ignore', reason: 'no-binary' }],
    [0x1b, 'PXEClient', `${dir}/riscv64.efi`],
    [0x1c, 'HTTPClient', `http://10.0.0.1:8080/boot/${dir}/riscv64.efi`],
    [0x27, 'PXEClient', `${dir}/loong64.efi`],
    [0x28, 'HTTPClient', `http://10.0.0.1:8080/boot/${dir}/loong64.efi`],
    [0x19, 'PXEClient', { kind: 'ignore', reason: 'unknown-architecture' }],
  ])('type %i, %s', (arch, vendorClass, expected) => {
    expect(decided(arch, vendorClass)).toEqual(expected);
  });

  it('U-Boot asks for pxelinux.cfg/01-<mac> beside its file, and the keys before it are refused quietly', async () => {
    const lab = await labIn('server');
    const host = lab.network.host('board', '10.0.1.100/24');
    // Its UUID is known from its firmware before.
    await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.biosRom });
    for (const key of ['4b37128e-6e72-4a8d-87da-8ad4d775582c', '0A000164', 'default-arm-bcm283x'])
      expect(await tftpFetch(lab, host, `${dir}/pxelinux.cfg/${key}`)).toMatchObject({ ok: false, code: 1 });
    expect(lab.log.events('tftp.failed')).toEqual([]);
    const file = await tftpFetch(lab, host, `${dir}/pxelinux.cfg/01-${dir}`);
    expect(file.ok ? Buffer.from(file.bytes).toString() : file.message).toContain('append');
  });
});
