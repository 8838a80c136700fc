import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  clientArch,
  decodeDhcp,
  decodeLldp,
  decodePxeVendorOptions,
  decodeTftp,
  encodeDhcp,
  encodeLldp,
  encodeTftp,
  machineUuidOption,
  OptionCode,
  pxeVendorOption,
  readClasslessRoutes,
  readClientArchs,
  readMachineUuid,
  readMessageType,
  readNeighbour,
  readOptions,
  readPxeVendorOptions,
  readRelayAgent,
  readText,
  readTftpOptions,
  readUserClass,
  type DhcpPacket,
  type LldpFrame,
  type TftpPacket,
} from '../src/index.ts';
import { accepted } from './helpers.ts';
import { readPcap } from './pcap.ts';

const folder = new URL('goldens/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.pcap'));

interface Contents {
  readonly dhcp: DhcpPacket[];
  readonly tftp: TftpPacket[];
  readonly lldp: LldpFrame[];
}

/** Decodes a whole capture and checks each encoding on the way. */
function contents(file: string): Contents {
  const found: Contents = { dhcp: [], tftp: [], lldp: [] };
  const transfers = new Set<string>();
  for (const captured of readPcap(readFileSync(new URL(file, folder)))) {
    if (captured.kind === 'lldp') {
      const frame = accepted(decodeLldp(captured.frame));
      expect(encodeLldp(frame)).toEqual(captured.frame);
      found.lldp.push(frame);
      continue;
    }
    const { source, target, payload } = captured;
    const [from, to] = [`${source.address}:${source.port}`, `${target.address}:${target.port}`];
    if (target.port === 69) transfers.add(from);
    if (transfers.has(from) || transfers.has(to)) {
      const packet = accepted(decodeTftp(payload));
      expect(encodeTftp(packet)).toEqual(payload);
      found.tftp.push(packet);
    } else if ([67, 68, 4011].includes(source.port) && [67, 68, 4011].includes(target.port)) {
      const packet = accepted(decodeDhcp(payload));
      expect(encodeDhcp(packet)).toEqual(payload);
      found.dhcp.push(packet);
    }
  }
  return found;
}

test.each(files)('every packet of %s is accepted and encoded to the same bytes', (file) => {
  const { dhcp, tftp, lldp } = contents(file);
  expect(dhcp.length + tftp.length + lldp.length).toBeGreaterThan(0);
});

test.each(files)('every option that has a reader is readable in %s', (file) => {
  for (const packet of contents(file).dhcp) {
    const options = readOptions(packet);
    for (const read of [
      readMessageType(options),
      readClientArchs(options),
      readMachineUuid(options),
      readRelayAgent(options),
      readClasslessRoutes(options),
    ]) {
      expect(read?.ok ?? true).toBe(true);
    }
  }
  for (const frame of contents(file).lldp) expect(accepted(readNeighbour(frame)).discarded).toEqual([]);
});

describe('what the foreign programs meant is what is read', () => {
  test('dhclient with PXE options, relayed', () => {
    const [discover, offer] = contents('dhclient-relayed.pcap').dhcp;
    const asked = readOptions(discover!);
    expect(discover).toMatchObject({ op: 1, hops: 1, giaddr: '10.0.1.1' });
    expect(accepted(readMessageType(asked))).toBe(1);
    expect(accepted(readClientArchs(asked))).toEqual([7, 16]);
    expect(accepted(readMachineUuid(asked))).toBe('8e12374b-726e-8d4a-87da-8ad4d775582c');
    expect(machineUuidOption(accepted(readMachineUuid(asked))).data).toEqual(asked.get(OptionCode.CLIENT_MACHINE_ID));
    expect(readUserClass(asked)).toEqual({ form: 'list', classes: ['iPXE'] });
    expect(accepted(readRelayAgent(asked)).circuitId).toEqual(new TextEncoder().encode('Vlan4000'));
    const given = readOptions(offer!);
    expect(accepted(readClasslessRoutes(given))).toEqual([
      { destination: { network: '10.0.7.0', prefixLength: 24 }, router: '10.0.1.1' },
      { destination: { network: '0.0.0.0', prefixLength: 0 }, router: '10.0.1.1' },
    ]);
    expect(given.get(OptionCode.RELAY_AGENT)).toEqual(asked.get(OptionCode.RELAY_AGENT));
  });

  test.each([
    ['uefi-ia32-grub.pcap', 6, 'PXEClient', 'uefi', 'x86', false],
    ['uefi-http-ia32-grub.pcap', 15, 'HTTPClient', 'uefi', 'x86', true],
    ['uefi-arm64-grub.pcap', 11, 'PXEClient', 'uefi', 'arm64', false],
    ['uefi-http-arm64-grub.pcap', 19, 'HTTPClient', 'uefi', 'arm64', true],
    ['u-boot-arm64-grub.pcap', 22, 'U-Boot', 'u-boot', 'arm64', false],
  ] as const)('%s begins with a client of architecture %i', (file, type, vendorClass, firmware, cpu, httpBoot) => {
    const [discover] = contents(file).dhcp;
    const options = readOptions(discover!);
    expect(accepted(readMessageType(options))).toBe(1);
    expect(accepted(readClientArchs(options))).toEqual([type]);
    expect(clientArch(type)).toMatchObject({ firmware, cpu, httpBoot });
    expect(accepted(readText(options, OptionCode.VENDOR_CLASS)).startsWith(vendorClass)).toBe(true);
    // What the machine is called is told by UEFI, and not by U-Boot.
    expect(readMachineUuid(options)?.ok).toBe(firmware === 'uefi' ? true : undefined);
  });

  test('a GRUB that came by HTTP asks for an address only', () => {
    const { dhcp } = contents('uefi-http-arm64-grub.pcap');
    const asked = dhcp.filter(({ op }) => op === 1).map(readOptions);
    expect(asked.map((options) => accepted(readMessageType(options)))).toEqual([1, 3, 1, 3]);
    expect(asked.map((options) => options.has(OptionCode.CLIENT_ARCH))).toEqual([true, true, false, false]);
  });

  test('dhcpd cuts an option over options field, file and sname, and it is whole again', () => {
    const [, offer] = contents('dhclient-overload.pcap').dhcp;
    const options = readOptions(offer!);
    expect([...options.get(OptionCode.OVERLOAD)!]).toEqual([3]);
    expect(accepted(readText(options, 225))).toBe('x'.repeat(180));
  });

  test("dnsmasq's boot menu", () => {
    const [, offer] = contents('dnsmasq-proxy.pcap').dhcp;
    const menu = {
      discoveryControl: 3,
      bootServers: [{ type: 0x8001, addresses: ['10.0.0.1'] }],
      menu: [{ type: 0x8001, description: 'Ingot' }],
      prompt: { timeoutSeconds: 5, text: 'Boot from the rack?' },
    };
    const options = readOptions(offer!);
    const read = accepted(readPxeVendorOptions(options));
    expect(read).toEqual(menu);
    expect(pxeVendorOption(read).data).toEqual(options.get(OptionCode.VENDOR_SPECIFIC));
    expect(accepted(decodePxeVendorOptions(pxeVendorOption(read).data))).toEqual(menu);
  });

  test("atftp's four options and atftpd's answer", () => {
    const { tftp } = contents('tftp.pcap');
    const request = tftp.find((packet) => packet.kind === 'rrq' && packet.options.length === 4);
    if (request?.kind !== 'rrq') throw new Error('atftp sent no request with four options');
    expect(request).toMatchObject({ filename: 'boot.bin', mode: 'octet' });
    const values = readTftpOptions(request.options);
    expect(Object.values(values).map((value) => accepted(value))).toEqual([1024, 3, 0, 2]);
    expect(tftp.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['rrq', 'oack', 'data', 'ack', 'error']));
  });

  test("lldpd's port under its local name, and its goodbye", () => {
    const neighbours = contents('lldpd.pcap').lldp.map((frame) => accepted(readNeighbour(frame)));
    expect(neighbours.at(-2)).toMatchObject({
      chassisId: { kind: 'mac', mac: '52:54:00:00:0a:01' },
      portId: { kind: 'local', text: 'Ethernet0' },
      ttlSeconds: 4,
      shutdown: false,
      systemName: 'leaf1.rack.example',
      portDescription: 'Vlan4000',
      systemDescription: 'SONiC stand-in',
      capabilities: { enabled: 0x10 },
      managementAddresses: [{ ipv4: '10.0.1.1' }, { ipv4: '10.0.0.11' }],
    });
    expect(neighbours.at(-2)!.organization.map(({ kind }) => kind)).toEqual([
      'linkAggregation',
      'macPhy',
      'other',
      'medCapabilities',
      'medInventory',
      'other',
    ]);
    expect(neighbours.at(-1)).toMatchObject({ ttlSeconds: 0, shutdown: true });
  });
});
