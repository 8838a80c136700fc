import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { chooseTftpPath } from '../../src/tftp/choose-path.ts';
import { routeMtu } from '../../src/tftp/native/route-mtu.ts';
import { clock, libc, network } from './engine-lab.ts';

describe('the choice of the engine', () => {
  const choose = async (change: Partial<Parameters<typeof chooseTftpPath>[0]>): Promise<string> => {
    const log = new MemoryLogger();
    const config = { engine: 'auto', singlePort: false } as const;
    const { engine } = await chooseTftpPath({ config, libc, network, clock, log, ...change });
    await engine.stop();
    expect(log.events('tftp.engine')).toMatchObject([{ fields: { engine: engine.name } }]);
    return engine.name;
  };

  it('is the native one where it works', async () => {
    expect(await choose({})).toBe(libc === undefined ? 'node' : 'native');
  });

  it.each([
    ['without libc', { libc: undefined }],
    ['where it is configured', { config: { engine: 'node', singlePort: false } as const }],
  ])('is the node one %s', async (_where, change) => {
    expect(await choose(change)).toBe('node');
  });

  it('is the native one in single-port mode, too', async () => {
    const config = { engine: 'auto', singlePort: true } as const;
    expect(await choose({ config })).toBe(libc === undefined ? 'node' : 'native');
  });

  it('fails where the native one is configured and cannot be had', async () => {
    const config = { engine: 'native', singlePort: false } as const;
    await expect(choose({ libc: undefined, config })).rejects.toThrow(/tftp\.engine: auto/);
  });

  it.runIf(libc !== undefined)('comes with the MTU of the route', () => {
    if (libc === undefined) return;
    expect(routeMtu(libc)('127.0.0.1', '127.0.0.1')).toBeGreaterThanOrEqual(65_535);
    expect(routeMtu(libc)('::1', '::1')).toBeGreaterThanOrEqual(65_535);
    expect(routeMtu(libc)('192.0.2.1', '192.0.2.2')).toBe(1_500);
  });
});
