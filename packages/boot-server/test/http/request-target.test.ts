import { expect, it } from 'vitest';
import { parseRequestTarget } from '../../src/http/request-target.ts';

it.each([
  ['/', '/', '/', undefined],
  ['/boot/a', '/boot/a', '/boot/a', undefined],
  ['//boot/a', '/boot/a', '/boot/a', undefined],
  ['///@x/a?b=//c', '/@x/a', '/@x/a', undefined],
  ['/images/http/store/a%2Fb', '/images/http/store/a/b', '/images/http/store/a%2Fb', undefined],
  ['/a/%2e%2E/b', '/b', '/a/%2e%2E/b', undefined],
  ['http://store:80/os/a?x=1', '/os/a', '/os/a', 'store:80'],
  ['HTTPS://store', '/', '/', 'store'],
  ['http://store?x=1', '/', '/', 'store'],
])('%s asks for %s', (text, path, rawPath, host) => {
  expect(parseRequestTarget(text)).toMatchObject({ path, rawPath, host });
});

it.each(['', '*', 'boot/a', 'ftp://store/a', 'http:///a', 'http:/a', '/%', '/%ff', '/%c0%ae'])(
  '%s asks for nothing',
  (text) => {
    expect(parseRequestTarget(text)).toBeUndefined();
  },
);

it('keeps the query as it was sent', () => {
  expect(parseRequestTarget('//a?b=%2F&c=http://d//e')?.query.toString()).toBe('b=%2F&c=http%3A%2F%2Fd%2F%2Fe');
});
