import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { configUrl, parseCmdline } from '../src/life/cmdline.ts';
import { httpGet } from '../src/life/http-get.ts';

test.each(['127.0.0.1', '::1'])('the config is fetched from a boot server at %s', async (address) => {
  const server = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`));
  await new Promise<void>((resolve) => void server.listen(0, address, resolve));
  onTestFinished(() => void server.close());
  const bound = server.address();
  const host = `${address.includes(':') ? `[${address}]` : address}:${typeof bound === 'object' ? bound?.port : ''}`;
  const url = configUrl(parseCmdline(`quiet PIXIE_API_URL=http://${host}/config/x?nonce=5 BOOTIF=01-52`));
  if (url === undefined) throw new Error('no URL was found');
  const answer = await httpGet(url, 5_000, new AbortController().signal);
  expect(answer).toMatchObject({ status: 200, body: `${host} /config/x?nonce=5` });
});
