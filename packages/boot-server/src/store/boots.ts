import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import { textOf, toColumn } from './database.ts';

/** What a machine boots, as the API answered. */
export interface BootAnswer {
  readonly kernel: string;
  readonly initRamDisks: readonly string[];
  readonly cmdline: string;
}

/** The API's last answers, for the time when it is away. */
export interface BootStore {
  remember(mac: string, answer: BootAnswer): void;
  /** The last answer for this NIC, else the last for any of the partition. */
  recall(mac: string): { readonly answer: BootAnswer; readonly from: 'machine' | 'partition' } | undefined;
  /** Every kernel and initrd URI that was ever in a kept answer. */
  uris(): Set<string>;
}

// A partition has one boot configuration; the row under this name is the newest answer for any machine of it.
const PARTITION_ROW = '*';

export function bootStore(database: DatabaseSync, clock: Clock): BootStore {
  const put = database.prepare(
    `INSERT INTO boot (mac, kernel, init_ram_disks, cmdline, answered_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (mac) DO UPDATE SET kernel = excluded.kernel, init_ram_disks = excluded.init_ram_disks,
       cmdline = excluded.cmdline, answered_at = excluded.answered_at`,
  );
  const get = database.prepare('SELECT kernel, init_ram_disks, cmdline FROM boot WHERE mac = ?');
  const uris = database.prepare('SELECT DISTINCT kernel, init_ram_disks FROM boot');
  const read = (mac: string): BootAnswer | undefined => {
    const row = get.get(mac);
    if (row === undefined) return undefined;
    return {
      kernel: textOf(row['kernel'], 'kernel'),
      initRamDisks: parseList(textOf(row['init_ram_disks'], 'init_ram_disks')),
      cmdline: textOf(row['cmdline'], 'cmdline'),
    };
  };
  return {
    remember: (mac, answer) => {
      for (const name of [mac, PARTITION_ROW]) {
        put.run(name, answer.kernel, JSON.stringify(answer.initRamDisks), answer.cmdline, toColumn(clock.now()));
      }
    },
    recall: (mac) => {
      const own = read(mac);
      if (own !== undefined) return { answer: own, from: 'machine' };
      const any = read(PARTITION_ROW);
      return any === undefined ? undefined : { answer: any, from: 'partition' };
    },
    uris: () => {
      const found = new Set<string>();
      for (const row of uris.all()) {
        found.add(textOf(row['kernel'], 'kernel'));
        for (const uri of parseList(textOf(row['init_ram_disks'], 'init_ram_disks'))) found.add(uri);
      }
      return found;
    },
  };
}

function parseList(text: string): string[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new TypeError('column init_ram_disks holds no list');
  return value.map((item) => textOf(item, 'init_ram_disks'));
}
