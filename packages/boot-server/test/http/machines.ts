import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BootServerConfig } from '../../src/config.ts';
import { httpConfig, subnetConfig, testConfig } from '../support/config.ts';
import { lease, relay } from '../support/dhcp-client.ts';
import { CLIENTS, UUID } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Leases are loopback addresses, chosen by link selection, so that a real HTTP client can come from them. */
export async function machines(
  http: Partial<BootServerConfig['http']> = {},
  peers: readonly string[] = [],
  machine?: BootServerConfig['machine'],
  agent?: BootServerConfig['agent'],
): Promise<{ lab: Lab; files: string; boot: (mac: string) => Promise<string> }> {
  const files = temporaryFolder();
  writeFileSync(join(files, 'vmlinuz'), 'the kernel');
  writeFileSync(join(files, 'initrd'), 'the initrd');
  const lab = await startLab({
    config: (dir) => {
      writeFileSync(join(dir, 'ca.pem'), 'CA');
      return testConfig(dir, {
        dhcp: { ...testConfig(dir).dhcp, relays: ['10.9.0.0/24'], subnets: [subnetConfig('127.0.7')] },
        artifacts: { roots: [files], maxBytes: 1_000_000 },
        http: httpConfig({ url: 'http://boot', ...http }),
        boot: { peers, seenWithinMinutes: 30, nonceMinutes: 30 },
        machine: machine ?? testConfig(dir).machine,
        agent: agent ?? testConfig(dir).agent,
      });
    },
  });
  lab.api.answer = {
    kernel: pathToFileURL(join(files, 'vmlinuz')).href,
    initRamDisks: [pathToFileURL(join(files, 'initrd')).href],
    cmdline: 'quiet',
  };
  const via = await relay(lab, '10.9.0.1', [{ code: 82, data: Uint8Array.of(5, 4, 127, 0, 7, 1) }]);
  return { lab, files, boot: async (mac) => (await lease(via, { mac, kind: CLIENTS.efiIpxe })).packet.yiaddr };
}

/** GET from an address of one's own. */
export async function getFrom(
  lab: Lab,
  address: string,
  path: string,
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  const request = httpRequest({
    host: '127.0.0.1',
    port: lab.server.httpPort,
    path,
    localAddress: address,
    agent: false,
  });
  request.end();
  const [response] = await once(request, 'response');
  let body = '';
  for await (const part of response) body += String(part);
  return { status: response.statusCode, body, headers: response.headers };
}

export const scriptPath = (mac: string, uuid: string = UUID): string => `/_/ipxe?arch=1&mac=${mac}&uuid=${uuid}`;
export const configPath = (script: string): string => /PIXIE_API_URL=http:\/\/boot(\S+)/.exec(script)?.[1] ?? 'no url';

export function withCa(dir: string, change: Partial<BootServerConfig>): BootServerConfig {
  writeFileSync(join(dir, 'ca.pem'), 'CA');
  return testConfig(dir, change);
}
