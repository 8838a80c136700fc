import { describe, expect, it } from 'vitest';
import { Dhcp6MessageType as Type, Dhcp6OptionCode, findDhcp6Option, type Dhcp6Option } from '@ingot/wire';
import {
  bootServiceClient6,
  clientId,
  DNS,
  drops6,
  duidOf,
  EDK2_DUID,
  EDK2_HTTP,
  EDK2_PXE,
  iaNa,
  IPXE,
  IPXE_DUID,
  lease6,
  localClient6,
  serverId,
  startLab6,
  subnet6Config,
} from '../support/dhcp6-client.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';

describe('what to boot', () => {
  it.each<[string, Uint8Array, readonly Dhcp6Option[], string]>([
    ['UEFI PXE loads iPXE by TFTP', EDK2_DUID, EDK2_PXE, 'tftp://[2001:db8::1]/52-54-00-00-01-01/snponly.efi'],
    [
      'UEFI HTTP boot loads iPXE by HTTP',
      EDK2_DUID,
      EDK2_HTTP,
      'http://[2001:db8::1]:8080/boot/52-54-00-00-01-01/snponly.efi',
    ],
    ['iPXE loads its script', IPXE_DUID, IPXE, `http://[2001:db8::1]:8080/_/ipxe?arch=1&mac=${MAC_1}&uuid=${UUID}`],
  ])('%s', async (_what, duid, options, url) => {
    const lab = await startLab6();
    const reply = await lease6(await localClient6(lab), duid, options);
    expect(reply.url).toBe(url);
    expect(lab.api.calls).toContain(`dhcp ${UUID}`);
  });

  it('UEFI HTTP boot sees its own vendor class, of whatever enterprise it is', async () => {
    const reply = await lease6(await localClient6(await startLab6()), EDK2_DUID, EDK2_HTTP);
    const value = Buffer.from(findDhcp6Option(reply.options, Dhcp6OptionCode.VENDOR_CLASS) ?? []);
    expect(value.toString('latin1')).toBe('\0\0\x01\x57\0\x0aHTTPClient');
  });

  it('a client that does not boot is told of none', async () => {
    expect((await lease6(await localClient6(await startLab6()))).url).toBeUndefined();
  });

  it('a machine whose NIC is not known gets its address only', async () => {
    const lab = await startLab6();
    const reply = await lease6(await localClient6(lab, 'fe80::abcd%rack'), EDK2_DUID, EDK2_PXE);
    expect(reply).toMatchObject({ addresses: [expect.any(String)], url: undefined });
  });

  it('the machine that asked is admitted to its script, and nobody else', async () => {
    const lab = await startLab6();
    expect((await lab.get(`/_/ipxe?arch=1&mac=${MAC_1}`)).status).toBe(404);
    await lease6(await localClient6(lab), IPXE_DUID, IPXE);
    const script = await lab.get(`/_/ipxe?arch=1&mac=${MAC_1}&uuid=${UUID}`);
    expect([script.status, await script.text()]).toEqual([200, expect.stringContaining('boot kernel')]);
  });

  it('beside another server a boot client is told what to boot, without an address, and nobody else is answered', async () => {
    const subnets = [subnet6Config({ interface: 'rack', mode: 'boot-only', pool: undefined })];
    const lab = await startLab6({ subnets });
    const client = await localClient6(lab);
    const advertise = await client.ask(Type.SOLICIT, [clientId(EDK2_DUID), iaNa(1), ...EDK2_PXE]);
    expect(advertise).toMatchObject({
      type: Type.ADVERTISE,
      addresses: [],
      statuses: [undefined],
      url: expect.stringMatching('^tftp:'),
    });
    const value = Buffer.from(findDhcp6Option(advertise?.options ?? [], Dhcp6OptionCode.VENDOR_CLASS) ?? []);
    expect(value.toString('latin1')).toContain('PXEClient');
    const told = await client.ask(Type.INFORMATION_REQUEST, [clientId(IPXE_DUID), ...IPXE]);
    expect(told?.url).toContain('/_/ipxe?');
    expect(await client.ask(Type.SOLICIT, [clientId(), iaNa(1)])).toBeUndefined();
    expect(await drops6(lab, 'not-booting')).toBe(1);
    expect(await client.ask(Type.CONFIRM, [clientId(), iaNa(1, '2001:db8:1::5')])).toBeUndefined();
    expect(await drops6(lab, 'unserved-type')).toBe(1);
  });

  it('beside another server EDK2 asks port 4011 with the address that it got there, and nobody else is answered', async () => {
    const subnets = [subnet6Config({ interface: 'rack', mode: 'boot-only', pool: undefined })];
    const lab = await startLab6({ subnets });
    const advertise = await (await localClient6(lab)).ask(Type.SOLICIT, [clientId(EDK2_DUID), iaNa(1), ...EDK2_PXE]);
    if (advertise === undefined) throw new Error('no advertise');
    const asked = [serverId(advertise), clientId(EDK2_DUID), ...EDK2_PXE];
    const client = await bootServiceClient6(lab, '2001:db8:1::2000');
    expect(await client.ask(Type.REQUEST, asked)).toMatchObject({
      type: Type.REPLY,
      addresses: [],
      url: advertise.url,
    });
    // Not of what it is, not who it was told to, and not where it leases.
    expect(await client.ask(Type.SOLICIT, asked.slice(1))).toBeUndefined();
    expect(await client.ask(Type.REQUEST, [serverId(advertise), clientId(duidOf(MAC_2)), iaNa(1)])).toBeUndefined();
    const stranger = Uint8Array.from(EDK2_DUID).fill(7, 8);
    expect(await client.ask(Type.REQUEST, [serverId(advertise), clientId(stranger), ...EDK2_PXE])).toBeUndefined();
    const elsewhere = await bootServiceClient6(lab, '2001:db8:7::2000');
    expect(await elsewhere.ask(Type.REQUEST, asked)).toBeUndefined();
    expect(await drops6(lab, 'unknown-network')).toBe(1);
  });

  it('a stateless network answers INFORMATION-REQUEST only', async () => {
    const subnets = [subnet6Config({ interface: 'rack', mode: 'stateless', pool: undefined })];
    const lab = await startLab6({ subnets });
    const client = await localClient6(lab);
    const told = await client.ask(Type.INFORMATION_REQUEST, [clientId(EDK2_DUID), ...EDK2_HTTP]);
    expect(told?.url).toContain('/boot/52-54-00-00-01-01/snponly.efi');
    expect(findDhcp6Option(told?.options ?? [], Dhcp6OptionCode.DNS_SERVERS)).toEqual(DNS);
    expect(await client.ask(Type.SOLICIT, [clientId(), iaNa(1)])).toBeUndefined();
  });
});
