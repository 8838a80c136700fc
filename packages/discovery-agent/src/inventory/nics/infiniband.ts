import type { Sysfs } from '../../sysfs.ts';

/** Last eight of the 20 bytes of an IPoIB address (RFC 4391 9.1.1): the port's GUID. Empty for other addresses. */
export function guidOfAddress(address: string): string {
  return /^([0-9a-f]{2}:){12}(([0-9a-f]{2}:){7}[0-9a-f]{2})$/i.exec(address)?.[2]?.toLowerCase() ?? '';
}

export interface InfinibandPort {
  /** `mlx5_0/1` */
  readonly name: string;
  /** Where the adapter is, `/sys/class/infiniband/mlx5_0/device`. */
  readonly device: string;
  readonly guid: string;
  readonly carrier: boolean;
  readonly speedBitsPerSecond: number;
}

/** Ports that are InfiniBand now; ports of the same adapters that are set to Ethernet have an interface of their own. */
export function readInfinibandPorts(sysfs: Sysfs): InfinibandPort[] {
  const adapters = '/sys/class/infiniband';
  return sysfs.list(adapters).flatMap((adapter) => {
    if (sysfs.exists(`${adapters}/${adapter}/device/physfn`)) return [];
    return sysfs.list(`${adapters}/${adapter}/ports`).flatMap((number) => {
      const port = `${adapters}/${adapter}/ports/${number}`;
      if (sysfs.text(`${port}/link_layer`) !== 'InfiniBand') return [];
      // "4: ACTIVE", "100 Gb/sec (4X EDR)"; a port without a link has some rate, too.
      const carrier = sysfs.text(`${port}/state`)?.startsWith('4:') === true;
      const gigabits = Number(/^([\d.]+) Gb\/sec/.exec(sysfs.text(`${port}/rate`) ?? '')?.[1] ?? 0);
      return [
        {
          name: `${adapter}/${number}`,
          device: `${adapters}/${adapter}/device`,
          guid: guidOfGid(sysfs.text(`${port}/gids/0`) ?? ''),
          carrier,
          speedBitsPerSecond: carrier && Number.isFinite(gigabits) ? gigabits * 1_000_000_000 : 0,
        },
      ];
    });
  });
}

/** The lower half of a GID, `fe80:0000:0000:0000:b8ce:f603:0012:3456`, is the GUID (InfiniBand Specification 4.1.1). */
function guidOfGid(gid: string): string {
  const half = /^([0-9a-f]{4}:){4}(([0-9a-f]{4}:){3}[0-9a-f]{4})$/i.exec(gid)?.[2]?.toLowerCase();
  return half?.replaceAll(/([0-9a-f]{2})([0-9a-f]{2})/g, '$1:$2') ?? '';
}
