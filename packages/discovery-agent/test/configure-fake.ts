import { MockClock, MockNetwork, mockEntropy } from '@ingot/net';
import type { BmcSearch } from '../src/bmc/bmc.ts';
import { configureBmc } from '../src/bmc/configure-bmc.ts';
import type { BmcPolicy } from '../src/bmc/configure-bmc.ts';
import { openSysfs } from '../src/sysfs.ts';
import { policyOfMetal } from './fake-bmc.ts';
import type { FakeBmc } from './fake-bmc.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

export interface Setting {
  readonly policy?: Partial<BmcPolicy>;
  readonly superUserPassword?: string;
  /** Instead of that. */
  readonly askSuperUserPassword?: (signal: AbortSignal) => Promise<string>;
  readonly tree?: Tree;
  readonly seed?: number;
  readonly clock?: MockClock;
}

export interface Run {
  readonly result: BmcSearch;
  readonly tookMs: number;
}

/** Configures `bmc` in virtual time. */
export async function configure(bmc: FakeBmc, setting: Setting = {}): Promise<Run> {
  using machine = plant(setting.tree ?? { '/dev/ipmi0': '' });
  const { clock = new MockClock() } = setting;
  const parts = {
    sysfs: openSysfs(machine.root),
    clock,
    entropy: mockEntropy(setting.seed ?? 1),
    signal: new AbortController().signal,
    // Nobody is at the BMC's address: as a rule it is on a network of its own.
    network: new MockNetwork({ clock }).host('machine', '10.5.0.9/24'),
    openIpmi: () => bmc,
    superUserPassword: setting.askSuperUserPassword ?? (() => Promise.resolve(setting.superUserPassword ?? '')),
  };
  let outcome: BmcSearch | Error | undefined;
  void configureBmc(parts, { ...policyOfMetal, ...setting.policy }).then(
    (search) => (outcome = search),
    (error: unknown) => (outcome = error instanceof Error ? error : new Error(String(error))),
  );
  await clock.advanceUntil(() => outcome !== undefined);
  if (outcome === undefined) throw new Error('no outcome');
  if (outcome instanceof Error) throw outcome;
  return { result: outcome, tookMs: clock.monotonic() };
}

export function found({ result }: Run): Extract<BmcSearch, { kind: 'found' }> {
  if (result.kind !== 'found') throw new Error(`not found: ${JSON.stringify(result)}`);
  return result;
}

export const passwordOf = (run: Run): string => found(run).bmc.account?.password.reveal() ?? '';
