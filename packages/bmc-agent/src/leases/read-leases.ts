import { open } from 'node:fs/promises';
import { BmcError, BmcErrorCode, reasonOf } from '../errors.ts';
import { DhcpdLeases } from './dhcpd-leases.ts';
import { ingotLeases } from './ingot-leases.ts';
import { KeaLeases } from './kea-leases.ts';
import { openKeaFiles } from './kea-files.ts';
import { LeaseTable, type Lease } from './lease.ts';
import { readLines } from './read-lines.ts';

/** Where a DHCP server keeps its leases. */
export interface LeaseFile {
  readonly file: string;
  readonly format: 'dhcpd' | 'kea' | 'ingot';
}

export interface LeasesRead {
  readonly leases: readonly Lease[];
  /** What was passed over, in words; undefined: nothing. */
  readonly left: string | undefined;
}

/** Reads all leases of a server, also those that are over. Rejects with BmcError `BMC_LEASES`, or the reason of the signal. */
export async function readLeases({ file, format }: LeaseFile, signal: AbortSignal): Promise<LeasesRead> {
  const table = new LeaseTable();
  let bytesLeft = 0;
  try {
    if (format === 'ingot') {
      for (const entry of ingotLeases(file)) table.add(entry);
    } else if (format === 'dhcpd') {
      await using handle = await open(file, 'r');
      const parser = new DhcpdLeases();
      bytesLeft += await eachLine(handle, signal, (line) => {
        for (const entry of parser.line(line)) table.add(entry);
      });
    } else {
      await using kea = await openKeaFiles(file);
      for (const handle of kea.files) {
        const parser = new KeaLeases();
        bytesLeft += await eachLine(handle, signal, (line) => {
          const entry = parser.line(line);
          if (entry !== undefined) table.add(entry);
        });
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new BmcError(
      BmcErrorCode.Leases,
      `the leases in ${file} cannot be read as those of ${format} (${reasonOf(error)}); correct leases.files`,
      error,
    );
  }
  const left = [
    ...(bytesLeft > 0 ? [`the last ${bytesLeft} bytes`] : []),
    ...(table.left > 0 ? [`${table.left} leases`] : []),
  ];
  return { leases: table.leases(), left: left.length === 0 ? undefined : left.join(' and ') };
}

async function eachLine(
  handle: Awaited<ReturnType<typeof open>>,
  signal: AbortSignal,
  take: (line: string) => void,
): Promise<number> {
  const lines = readLines(handle, signal);
  for (;;) {
    const { done, value } = await lines.next();
    if (done === true) return value;
    take(value);
  }
}
