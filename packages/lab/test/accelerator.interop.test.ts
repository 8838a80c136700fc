import { expect, test } from 'vitest';
import { chooseAccelerator, passesFirmware } from '../src/accelerator.ts';

test('KVM is taken where a machine gets through its firmware under it, and refused with the way out elsewhere', async () => {
  const best = await chooseAccelerator('auto');
  const asked = chooseAccelerator('kvm');
  await (best === 'kvm' ? expect(asked).resolves.toBe('kvm') : expect(asked).rejects.toThrow('--accel tcg'));
});

test('the probe itself passes under software emulation, which is always to be had', async () => {
  expect(await passesFirmware('tcg')).toBe(true);
  expect(await chooseAccelerator('tcg')).toBe('tcg');
});
