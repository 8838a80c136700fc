import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import { bootSchema } from '../../src/config/boot.ts';
import { peerUrls } from '../../src/decide/peers.ts';
import { profileSchema } from '../../src/sources/profile-schema.ts';
import { httpConfig, testConfig } from '../support/config.ts';
import { relay } from '../support/dhcp-client.ts';
import { CLIENTS, MAC_1 } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { dhcp6Config } from '../support/dhcp6-client.ts';

describe('boot.peers', () => {
  it('are announced to once each, and are in the scripts of the family that they can be reached by', () => {
    const { peers } = bootSchema.parse({
      peers: [
        'http://10.0.0.2:8080/',
        'http://[2001:db8::3]:8080',
        { url: 'http://10.0.0.4:8080', url6: 'http://[2001:db8::4]:8080/' },
        'http://boot5.example',
      ],
    });
    expect(peerUrls(peers)).toEqual({
      announce: ['http://10.0.0.2:8080', 'http://[2001:db8::3]:8080', 'http://10.0.0.4:8080', 'http://boot5.example'],
      ipv4: ['http://10.0.0.2:8080', 'http://10.0.0.4:8080', 'http://boot5.example'],
      ipv6: ['http://[2001:db8::3]:8080', 'http://[2001:db8::4]:8080'],
    });
  });

  it.each(['https://a', 'a', 'http://', { url: 'http://a' }, { url: 'http://a', url6: 'ftp://b' }])(
    '%j is refused',
    (peer) => {
      expect(bootSchema.safeParse({ peers: [peer] }).success).toBe(false);
    },
  );

  it.each([
    ['127.0.0.1', ['http://10.0.0.2:8080', 'http://10.0.0.4:8080']],
    ['[::1]', ['http://[2001:db8::4]:8080']],
  ])('the script of a machine that asks %s goes on with those', async (host, peers) => {
    const keyFile = join(temporaryFolder(), 'key');
    writeFileSync(keyFile, 'd4'.repeat(32), { mode: 0o600 });
    const lab = await startLab({
      config: (dir) =>
        testConfig(dir, {
          http: httpConfig({ listen: [`${host}:0`], signing: { urlMinutes: 720, keyFile } }),
          dhcp6: dhcp6Config(),
          boot: {
            ...testConfig(dir).boot,
            peers: ['http://10.0.0.2:8080', { url: 'http://10.0.0.4:8080', url6: 'http://[2001:db8::4]:8080' }],
          },
          sources: { profiles: { inline: [profileSchema.parse({ name: 'hold', boot: 'hold', message: 'wait' })] } },
        }),
    });
    // What is only offered is no lease: the question may come from any address.
    const via = await relay(lab, '10.0.1.1');
    await via.ask(MessageType.DISCOVER, { mac: MAC_1, kind: CLIENTS.efiIpxe });
    const url = `http://${host}:${lab.server.httpPort}/_/ipxe?arch=1&mac=${MAC_1}&uuid=`;
    const script = await (await fetch(url)).text();
    const bases = [...script.matchAll(/^chain --replace (http:\/\/[^/]+)/gm)].map((match) => match[1]);
    expect(bases.slice(1)).toEqual(peers);
  });
});
