import { expect, test } from 'vitest';
import { chooseAccelerator } from '../src/accelerator.ts';

test('KVM is taken where a machine gets through its firmware under it, and refused with the way out elsewhere', async () => {
  const best = await chooseAccelerator('auto');
  const asked = chooseAccelerator('kvm');
  await (best === 'kvm' ? expect(asked).resolves.toBe('kvm') : expect(asked).rejects.toThrow('--accel tcg'));
});

test('software emulation is always to be had', async () => {
  expect(await chooseAccelerator('tcg')).toBe('tcg');
});
