import { MockClock, mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { createPipeline } from '../src/server/pipeline.ts';
import { adminV2, ApiError, bindService, Code, create } from '../src/index.ts';

test('a call that is done is not failed since its end cannot be written down: it would be done again', async () => {
  const written: unknown[] = [];
  let done = 0;
  const bound = bindService<typeof adminV2.TenantService, string>(adminV2.TenantService, {
    create: () => {
      done += 1;
      return {};
    },
  }).methods.find(({ desc }) => desc.name === 'Create');
  if (bound === undefined) throw new Error('no such method');
  const pipeline = createPipeline<string>(bound, {
    authenticate: () => 'somebody',
    authorize: () => {},
    audit({ outcome }) {
      written.push(outcome);
      return outcome === 'started' ? Promise.resolve() : Promise.reject(new Error('no connection free'));
    },
    bounds: { maxStreamRequests: 1, streamIdleMs: 1000 },
    clock: new MockClock(),
    entropy: mockEntropy(1),
  });
  const call = {
    authorization: undefined,
    idempotencyKey: undefined,
    peer: 'unix',
    signal: new AbortController().signal,
  };
  await pipeline.unary(() => create(adminV2.TenantServiceCreateRequestSchema, { name: 'acme' }), call);
  expect([done, written]).toEqual([1, ['started', 'ok']]);
});

test.each([
  [Code.Unauthenticated, 1],
  [Code.Unavailable, 0],
])('a token that is refused with code %i counts as %i calls of somebody without one', async (code, counted) => {
  const [bound] = bindService<typeof adminV2.TenantService, string>(adminV2.TenantService, {}).methods;
  if (bound === undefined) throw new Error('no such method');
  const admitted: unknown[] = [];
  const pipeline = createPipeline<string>(bound, {
    authenticate: () => Promise.reject(new ApiError(code, 'no')),
    admit: (caller) => void admitted.push(caller),
    authorize: () => {},
    bounds: { maxStreamRequests: 1, streamIdleMs: 1000 },
    clock: new MockClock(),
    entropy: mockEntropy(1),
  });
  const { signal } = new AbortController();
  const call = { authorization: 'Bearer x', idempotencyKey: undefined, peer: 'unix', signal };
  await expect(pipeline.unary(() => create(adminV2.TenantServiceCreateRequestSchema), call)).rejects.toMatchObject({
    code,
  });
  expect(admitted).toHaveLength(counted);
});
