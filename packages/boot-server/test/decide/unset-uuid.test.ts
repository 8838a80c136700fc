import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { MockClock } from '@ingot/net';
import { Dhcp6MessageType, isUnsetUuid, MessageType, textOption, uint16Option } from '@ingot/wire';
import { subjectMemory } from '../../src/decide/subject-memory.ts';
import { parseDhcp6Request } from '../../src/dhcpv6/request.ts';
import { openDatabase } from '../../src/store/database.ts';
import { leaseStore } from '../../src/store/leases.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { relay } from '../support/dhcp-client.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { EDK2_PXE, clientId, iaNa, message6 } from '../support/dhcp6-client.ts';

const ZEROS = '00000000-0000-0000-0000-000000000000';
const ONES = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

describe.each([
  ['zeros', 0x00, ZEROS],
  ['ones', 0xff, ONES],
])('a board that shows %s for want of a UUID', (_what, byte, uuid) => {
  const shown = { code: 97, data: Uint8Array.of(0, ...Array.from({ length: 16 }, () => byte)) };
  const kind = {
    flags: 0,
    options: [textOption(60, 'PXEClient:Arch:00000:UNDI:002001'), uint16Option(93, 0), shown],
  };

  it('is a machine of its own, and gets back what it showed', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    for (const mac of [MAC_1, MAC_2]) {
      const offer = await via.ask(MessageType.DISCOVER, { mac, kind });
      expect(offer?.options.get(97)).toEqual(shown.data);
    }
    expect(lab.server.watch.machines().map((machine) => [machine.uuid, machine.macs])).toEqual(
      expect.arrayContaining([
        [undefined, [MAC_1]],
        [undefined, [MAC_2]],
      ]),
    );
    expect(lab.api.calls).toEqual([]);
  });

  it('gets no configuration in the name of all its like, but is told to be given a UUID', async () => {
    const lab = await startLab();
    await (await relay(lab, '10.0.1.1')).ask(MessageType.DISCOVER, { mac: MAC_1, kind });
    const answer = await lab.get(`/_/ipxe?arch=0&mac=${MAC_1}&uuid=${uuid}`);
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringMatching(/shows no SMBIOS UUID/)]);
  });

  it('is no machine by its DUID either', () => {
    const duid = Uint8Array.of(0, 4, ...shown.data.subarray(1));
    const packet = message6(Dhcp6MessageType.SOLICIT, [clientId(duid), iaNa(1), ...EDK2_PXE]);
    const parsed = parseDhcp6Request(packet, 'fe80::5054:ff:fe00:101%rack');
    expect(parsed).toMatchObject({ ok: true, value: { mac: MAC_1, uuid: undefined } });
  });

  it('is told from other machines of its make after an update, too', () => {
    const path = join(temporaryFolder(), 'boot-server.sqlite');
    openDatabase(path).close();
    {
      using older = new DatabaseSync(path);
      const subject = (of: string): string => JSON.stringify({ mac: MAC_1, uuid: of, architectures: [0] });
      older.exec(
        `INSERT INTO lease VALUES (1, '${MAC_1}', '${uuid}', 'bound', 1), (2, '${MAC_2}', '${UUID}', 'bound', 1);
         INSERT INTO sighting_log VALUES (1, '${MAC_1}', '${uuid}', 1), (2, '${MAC_2}', '${UUID}', 1);
         INSERT INTO boot_subject_log VALUES (1, '${MAC_1}', '${subject(uuid)}'), (2, '${MAC_2}', '${subject(UUID)}');
         PRAGMA user_version = 7;`,
      );
    }
    using database = openDatabase(path);
    const uuids = [undefined, UUID];
    expect(
      leaseStore(database)
        .all()
        .map((lease) => lease.uuid),
    ).toEqual(uuids);
    const sightings = sightingStore(database, new MockClock());
    const subjects = subjectMemory(database);
    expect([MAC_1, MAC_2].map((mac) => sightings.find(mac)?.uuid)).toEqual(uuids);
    expect([MAC_1, MAC_2].map((mac) => subjects.find(mac)?.uuid)).toEqual(uuids);
  });
});

test.each([
  [ZEROS, true],
  [ONES.toUpperCase(), true],
  ['00000000-0000-0000-0000-000000000001', false],
  ['0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f', false],
])('%s is no UUID: %s', (uuid, isUnset) => {
  expect(isUnsetUuid(uuid)).toBe(isUnset);
});
