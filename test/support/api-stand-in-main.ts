/**
 * The few calls of the API that a boot needs, always with the same answer, over TLS on 127.0.0.1:9443.
 *
 *     node test/support/api-stand-in-main.ts <kernel URI> <initrd URI>
 */
import { readFileSync } from 'node:fs';
import { apiV2, bindService, createApiServer, infraV2 } from '@ingot/api';

const [kernel = '', initrd = ''] = process.argv.slice(2);
const fixture = (name: string): string =>
  readFileSync(new URL(`../../packages/api/test/fixtures/${name}`, import.meta.url), 'utf8');

const server = createApiServer<string>({
  services: [
    bindService(infraV2.BootService, {
      dhcp: () => ({}),
      boot: () => ({ kernel, initRamDisks: [initrd], cmdline: 'quiet' }),
    }),
    bindService(apiV2.TokenService, { create: () => ({ secret: 'token-of-the-machine' }) }),
    bindService(infraV2.ComponentService, { ping: () => ({}) }),
  ],
  tls: { cert: fixture('server.pem'), key: fixture('server.key') },
  listen: ['127.0.0.1:9443'],
  authenticate: (bearer) => bearer ?? '',
  authorize: () => undefined,
});
await server.start();
process.once('SIGTERM', () => process.exit(0));
console.log('listening');
