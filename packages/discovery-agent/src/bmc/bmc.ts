import type { Clock } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';
import type { Sysfs } from '../sysfs.ts';
import { parseFields, parseFru, parseLan } from './ipmitool-text.ts';
import type { Fru } from './ipmitool-text.ts';

export interface Bmc {
  /** `ip:623`, the RMCP port. */
  readonly address: string;
  readonly mac: string;
  /** Firmware revision; empty when unknown. */
  readonly version: string;
  readonly fru: Fru;
}

export type BmcSearch =
  /** No IPMI device: edge machines and small virtual ones have none. Normal. */
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly bmc: Bmc; readonly problems: readonly string[] }
  /** There is one, but it tells too little to be reached over the network. */
  | { readonly kind: 'unusable'; readonly reason: string };

export interface BmcOptions {
  readonly sysfs: Sysfs;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const commandTimeoutMs = 15_000;
const lanTries = 3;

/**
 * Asks the BMC in band.
 *
 * The network settings are asked for several times: a registration without a BMC would make the API forget the one it
 * knows, so a passing weakness of the BMC must not look like its absence.
 */
export async function readBmc({ sysfs, run, clock, signal }: BmcOptions): Promise<BmcSearch> {
  const device = ['/dev/ipmi0', '/dev/ipmi/0', '/dev/ipmidev/0'].find((path) => sysfs.exists(path));
  if (device === undefined) return { kind: 'none' };
  const ask = (...args: string[]): Promise<string> => run('ipmitool', args, { timeoutMs: commandTimeoutMs, signal });

  let reason = '';
  for (let attempt = 1; attempt <= lanTries; attempt++) {
    try {
      const lan = parseLan(await ask('lan', 'print'));
      if (lan !== undefined) {
        const problems: string[] = [];
        const soft = async (args: readonly string[]): Promise<string> => {
          try {
            return await ask(...args);
          } catch (error) {
            signal.throwIfAborted();
            problems.push(reasonOf(error));
            return '';
          }
        };
        const version = parseFields(await soft(['mc', 'info'])).get('Firmware Revision') ?? '';
        const fru = parseFru(await soft(['fru', 'print', '0']));
        return { kind: 'found', bmc: { address: `${lan.ip}:623`, mac: lan.mac, version, fru }, problems };
      }
      reason = 'ipmitool lan print shows no usable address; give the BMC one';
    } catch (error) {
      signal.throwIfAborted();
      reason = reasonOf(error);
    }
    if (attempt < lanTries) await clock.sleep(1_000 * attempt, signal);
  }
  return { kind: 'unusable', reason };
}
