import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SERVER_ADDRESS, PAIR_NETWORK, type NamespacePair, type Started } from './namespace-pair.ts';

const MAIN = fileURLToPath(new URL('../../packages/boot-server/src/main.ts', import.meta.url));

/** 16,384 addresses: no peer's pool is larger, none runs out. */
export const POOL = { first: '10.9.64.0', last: '10.9.127.255' };
export const POOL_NETWORK = '10.9.64.0/18';
const HTTP_PORT = 8080;
/** What it says when it listens everywhere. */
export const SERVES: RegExp = /"event":"daemon\.ready"/;

/** The real daemon on the server's side with a plain configuration and `change` over it; resolves when it says `ready`. */
export async function startBootServer(
  pair: NamespacePair,
  change: Readonly<Record<string, unknown>> = {},
  ready: RegExp = SERVES,
): Promise<Started> {
  const data = `data-${Math.random().toString(36).slice(2, 8)}`;
  const config = {
    partition: 'bench',
    dataDir: join(pair.folder, data),
    advertiseAddress: SERVER_ADDRESS,
    dhcp: {
      listen: [SERVER_ADDRESS],
      subnets: [{ subnet: PAIR_NETWORK, pool: `${POOL.first}-${POOL.last}`, routers: [SERVER_ADDRESS] }],
    },
    http: { listen: `${SERVER_ADDRESS}:${HTTP_PORT}` },
    api: {
      url: `https://${SERVER_ADDRESS}:9443`,
      caFile: join(pair.folder, 'ca.pem'),
      tokenFile: join(pair.folder, 'token'),
    },
    ...change,
  };
  // JSON is YAML.
  const path = pair.file(`${data}.yaml`, JSON.stringify(config));
  return pair.start('server', [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, '--config', path], {
    ready,
  });
}
