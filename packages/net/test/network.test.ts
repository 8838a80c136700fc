import { vi } from 'vitest';
import { MockClock, MockNetwork, nodeNetwork } from '../src/index.ts';
import { describeNetwork } from './compliance.ts';

const until = (condition: () => boolean): Promise<void> =>
  vi.waitUntil(condition, { timeout: 20_000, interval: 1 }).then(() => undefined);

describeNetwork('the Node network without libc', () => ({ network: nodeNetwork({ native: false }), until }));

describeNetwork('the Node network with libc', () => ({ network: nodeNetwork(), until }), { batch: true });

describeNetwork('a mock host', () => {
  const clock = new MockClock();
  const network = new MockNetwork({ clock }).host('host', '10.0.0.1/24');
  return { network, until: (condition) => clock.advanceUntil(condition) };
});
