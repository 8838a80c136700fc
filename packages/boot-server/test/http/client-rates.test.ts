import { expect, it } from 'vitest';
import { ClientRates } from '../../src/http/body/client-rates.ts';

it('a client keeps the rate that it began with for as long as it is being sent something', () => {
  const rates = new ClientRates(undefined);
  expect(rates.enter('a', 0)).toBeUndefined();
  rates.set(1_000_000);
  const bucket = rates.enter('a', 0);
  expect(bucket?.available(1_000_000, 0)).toBe(65_536);
  // The one that entered before the rate did takes none away when it leaves.
  rates.leave('a', undefined);
  expect(rates.enter('a', 0)).toBe(bucket);
  rates.set(undefined);
  expect(rates.enter('a', 0)).toBe(bucket);
  expect(rates.enter('b', 0)).toBeUndefined();
  for (let count = 0; count < 3; count += 1) {
    expect(rates.isLimiting).toBe(true);
    rates.leave('a', bucket);
  }
  expect(rates.isLimiting).toBe(false);
  expect(rates.enter('a', 0)).toBeUndefined();
});
