import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { readBmc } from '../src/bmc/bmc.ts';
import type { BmcSearch } from '../src/bmc/bmc.ts';
import { openSysfs } from '../src/sysfs.ts';
import { plant } from './tree.ts';

const lan = `Set in Progress         : Set Complete
Auth Type Support       : NONE MD2 MD5 PASSWORD
Auth Type Enable        : Callback : NONE MD2 MD5 PASSWORD
                        : User     : NONE MD2 MD5 PASSWORD
IP Address Source       : Static Address
IP Address              : 10.0.0.101
Subnet Mask             : 255.255.255.0
MAC Address             : 02:00:00:BB:00:65
Default Gateway IP      : 10.0.0.1
`;
const info = `Device ID                 : 32
Device Revision           : 1
Firmware Revision         : 1.74
IPMI Version              : 2.0
Manufacturer ID           : 10876
Manufacturer Name         : Supermicro
`;
const fru = ` Board Mfg Date        : Mon Jan  1 00:00:00 1996 UTC
 Board Mfg             : Supermicro
 Board Product         : H12SSW-NT
 Board Serial          : WM21CS600123
 Board Part Number     : H12SSW-NT
 Product Manufacturer  : Supermicro
 Product Name          : AS -1114S-WN10RT
 Product Part Number   : AS -1114S-WN10RT
 Product Serial        : S432871X1A11234
`;

type Answers = Readonly<Record<string, readonly string[]>>;

/** Answers are taken in turn; an empty one stands for a command that fails. */
async function search(answers: Answers, withDevice = true): Promise<{ result: BmcSearch; asked: string[] }> {
  using machine = plant(withDevice ? { '/dev/ipmi0': '' } : { '/dev/null': '' });
  const clock = new MockClock();
  const asked: string[] = [];
  let result: BmcSearch | undefined;
  void readBmc({
    sysfs: openSysfs(machine.root),
    clock,
    signal: new AbortController().signal,
    run: (file, args) => {
      const command = args.join(' ');
      const nth = asked.filter((earlier) => earlier === command).length;
      asked.push(command);
      const list = answers[command] ?? [];
      const answer = list[Math.min(nth, list.length - 1)] ?? '';
      return answer === '' ? Promise.reject(new Error(`${file} ${command}: timeout`)) : Promise.resolve(answer);
    },
  }).then((found) => (result = found));
  await clock.advanceUntil(() => result !== undefined);
  if (result === undefined) throw new Error('no result');
  return { result, asked };
}

test('a BMC is found with address, firmware and field-replaceable unit', async () => {
  const { result } = await search({ 'lan print': [lan], 'mc info': [info], 'fru print 0': [fru] });
  expect(result).toEqual({
    kind: 'found',
    problems: [],
    bmc: {
      address: '10.0.0.101:623',
      mac: '02:00:00:bb:00:65',
      version: '1.74',
      fru: {
        boardMfg: 'Supermicro',
        boardMfgSerial: 'WM21CS600123',
        boardPartNumber: 'H12SSW-NT',
        productManufacturer: 'Supermicro',
        productPartNumber: 'AS -1114S-WN10RT',
        productSerial: 'S432871X1A11234',
      },
    },
  });
});

test('a machine without a BMC is normal and asks nothing', async () => {
  expect(await search({}, false)).toEqual({ result: { kind: 'none' }, asked: [] });
});

test('a BMC that fails once is asked again, lest the API forgets it', async () => {
  const { result } = await search({ 'lan print': ['', lan], 'mc info': [info], 'fru print 0': [fru] });
  expect(result.kind).toBe('found');
});

test('without firmware revision and FRU the address still counts', async () => {
  const { result } = await search({ 'lan print': [lan] });
  expect(result).toMatchObject({ kind: 'found', bmc: { version: '', fru: {} } });
  expect(result.kind === 'found' && result.problems).toHaveLength(2);
});

test('an address of 0.0.0.0 is not registered', async () => {
  const { result, asked } = await search({ 'lan print': [lan.replace('10.0.0.101', '0.0.0.0')] });
  expect(result).toMatchObject({ kind: 'unusable', reason: expect.stringContaining('give the BMC one') });
  expect(asked).toEqual(['lan print', 'lan print', 'lan print']);
});
