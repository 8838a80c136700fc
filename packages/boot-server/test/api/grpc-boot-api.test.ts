import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ApiError,
  apiV2,
  bindService,
  Code,
  createApiServer,
  durationMs,
  infraV2,
  type ServiceHandlers,
} from '@ingot/api';
import { grpcBootApi } from '../../src/api/grpc-boot-api.ts';
import type { BootApi } from '../../src/api/boot-api.ts';
import { BootServerErrorCode } from '../../src/errors.ts';
import { MAC_1, UUID } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../api/test/fixtures/${name}`, import.meta.url), 'utf8');

interface Handlers {
  readonly boot?: ServiceHandlers<typeof infraV2.BootService, string>;
  readonly token?: ServiceHandlers<typeof apiV2.TokenService, string>;
}

/** A real API server on loopback, and the boot server's client of it. */
async function setup(
  handlers: Handlers,
): Promise<{ api: BootApi; folder: string; options: { url: string; tokenFile: string }; stop: () => Promise<void> }> {
  const folder = temporaryFolder();
  const server = createApiServer<string>({
    services: [
      bindService(infraV2.BootService, handlers.boot ?? {}),
      bindService(apiV2.TokenService, handlers.token ?? {}),
    ],
    tls: { cert: fixture('server.pem'), key: fixture('server.key') },
    listen: ['127.0.0.1:0'],
    authenticate: (bearer) => {
      if (bearer !== 'good') throw new ApiError(Code.Unauthenticated, 'a token is needed');
      return bearer;
    },
    authorize: () => undefined,
  });
  await server.start();
  writeFileSync(join(folder, 'ca.pem'), fixture('ca.pem'));
  writeFileSync(join(folder, 'token'), 'good', { mode: 0o600 });
  const options = {
    url: `https://${server.addresses[0]}`,
    caFile: join(folder, 'ca.pem'),
    tokenFile: join(folder, 'token'),
    partition: 'lab',
    signal: new AbortController().signal,
  };
  const api = grpcBootApi(options);
  onTestFinished(async () => {
    await api.close();
    await server.stop();
  });
  return { api, folder, options, stop: () => server.stop() };
}

describe('the API client', () => {
  it('goes on with another server and another token from the next call on, and ends what it asked the first one', async () => {
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
    const first = await setup({
      boot: {
        boot: async () => {
          asked();
          await mayAnswer;
          return { kernel: 'file:///first', initRamDisks: [], cmdline: '' };
        },
      },
    });
    const second = await setup({
      boot: { boot: () => ({ kernel: 'file:///second', initRamDisks: [], cmdline: '' }) },
    });
    const underWay = first.api.boot(MAC_1);
    await isAsked;
    writeFileSync(join(first.folder, 'other'), 'bad', { mode: 0o600 });
    Object.assign(first.options, { tokenFile: join(first.folder, 'other') });
    await expect(first.api.boot(MAC_1)).rejects.toMatchObject({ code: BootServerErrorCode.ApiAway });
    Object.assign(first.options, { url: second.options.url, tokenFile: join(first.folder, 'token') });
    expect((await first.api.boot(MAC_1)).kernel).toBe('file:///second');
    answer();
    expect((await underWay).kernel).toBe('file:///first');
  });

  it('reports a boot, asks what to boot, and asks for a token of that machine alone for 72 hours', async () => {
    const seen: unknown[] = [];
    const { api } = await setup({
      boot: {
        dhcp: ({ uuid, partition }) => {
          seen.push({ uuid, partition });
          return {};
        },
        boot: ({ mac, partition }) => {
          seen.push({ mac, partition });
          return { kernel: 'file:///images/vmlinuz', initRamDisks: ['file:///images/initrd'], cmdline: ' quiet ' };
        },
      },
      token: {
        create: ({ machineRoles, adminRole, infraRole, expires }) => {
          seen.push({
            machineRoles,
            adminRole,
            infraRole,
            hours: expires === undefined ? 0 : durationMs(expires) / 3_600_000,
          });
          return { secret: 'jwt' };
        },
      },
    });
    await api.dhcp(UUID);
    expect(await api.boot(MAC_1)).toEqual({
      kernel: 'file:///images/vmlinuz',
      initRamDisks: ['file:///images/initrd'],
      cmdline: 'quiet',
    });
    expect(await api.machineToken(UUID)).toBe('jwt');
    expect(seen).toEqual([
      { uuid: UUID, partition: 'lab' },
      { mac: MAC_1, partition: 'lab' },
      { machineRoles: { [UUID]: apiV2.MachineRole.EDITOR }, adminRole: undefined, infraRole: undefined, hours: 72 },
    ]);
  });

  it.each([
    [Code.NotFound, BootServerErrorCode.ApiRefused],
    [Code.PermissionDenied, BootServerErrorCode.ApiRefused],
    [Code.FailedPrecondition, BootServerErrorCode.ApiRefused],
    [Code.Unavailable, BootServerErrorCode.ApiAway],
    [Code.Internal, BootServerErrorCode.ApiAway],
    [Code.Unauthenticated, BootServerErrorCode.ApiAway],
  ])('tells a no from an absence: gRPC code %d', async (code, expected) => {
    const { api } = await setup({
      boot: {
        boot: () => {
          throw new ApiError(code, 'because');
        },
      },
    });
    await expect(api.boot(MAC_1)).rejects.toMatchObject({
      code: expected,
      message: expect.stringContaining('because'),
    });
  });

  it('counts as away before the CA file is there and when nothing listens, and comes back by itself', async () => {
    const { api, folder, stop } = await setup({ boot: { dhcp: () => ({}) } });
    writeFileSync(join(folder, 'ca.pem'), fixture('other-ca.pem'));
    await expect(api.dhcp(UUID)).rejects.toMatchObject({ code: BootServerErrorCode.ApiAway });
    writeFileSync(join(folder, 'ca.pem'), fixture('ca.pem'));
    await api.dhcp(UUID);
    await stop();
    await expect(api.dhcp(UUID)).rejects.toMatchObject({ code: BootServerErrorCode.ApiAway });
  });

  it.each([['quiet\nshell'], ['quiet\rshell'], ['quiet\0']])(
    'a command line that would be more than one line of the script is refused: %j',
    async (cmdline) => {
      const { api } = await setup({ boot: { boot: () => ({ kernel: 'file:///k', initRamDisks: [], cmdline }) } });
      await expect(api.boot(MAC_1)).rejects.toMatchObject({ code: BootServerErrorCode.ApiRefused });
    },
  );
});
