import { apiV2, Code, timestampFromMs, timestampMs } from '@ingot/api';
import { mockEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { inviteExpiry, inviteSecret, openInvite, openInvites } from '../../src/tenancy/invite.ts';
import { inheritedRole, strongest } from '../../src/tenancy/roles.ts';

const now = Date.UTC(2026, 5, 1);
const until = (at: number | undefined) => ({
  value: { expiresAt: at === undefined ? undefined : timestampFromMs(at) },
});

describe('an invite', () => {
  test('has a secret of 256 bits that is no option on a command line', () => {
    const entropy = mockEntropy(1);
    const secrets = Array.from({ length: 100 }, () => inviteSecret(entropy));
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(secrets).size).toBe(100);
  });

  test('lasts for a week', () => {
    expect(timestampMs(inviteExpiry(now)) - now).toBe(7 * 24 * 60 * 60 * 1000);
  });

  test('is open until its end, and one without an end never is', () => {
    const open = until(now + 1);
    expect(openInvites([until(now), open, until(undefined), undefined], now)).toEqual([open.value]);
  });

  test.each([
    ['is not there', undefined],
    ['has expired', until(now)],
  ])('that %s is told as one that is not there', async (_what, stored) => {
    const table = { get: () => Promise.resolve(stored) };
    await expect(openInvite(table, 'x', now)).rejects.toMatchObject({ code: Code.NotFound });
  });
});

test('a role in a tenant is the same in its projects, and a guest has none', () => {
  const { TenantRole, ProjectRole } = apiV2;
  expect([TenantRole.OWNER, TenantRole.EDITOR, TenantRole.VIEWER, TenantRole.GUEST].map(inheritedRole)).toEqual([
    ProjectRole.OWNER,
    ProjectRole.EDITOR,
    ProjectRole.VIEWER,
    ProjectRole.UNSPECIFIED,
  ]);
});

test.each([
  [[3, 1, 2], 1],
  [[0, 3], 3],
  [[0, 0], undefined],
  [[], undefined],
])('the strongest of the roles %j is %j, since 0 is none', (roles, expected) => {
  expect(strongest(...roles)).toBe(expected);
});
