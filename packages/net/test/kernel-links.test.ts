import { expect, it } from 'vitest';
import { openKernelLinks } from '../src/index.ts';
import { openLibc } from '../src/native/libc.ts';

it('the addresses of an interface are known by its index', () => {
  const links = openKernelLinks(openLibc());
  const loopback = links?.addresses()?.filter(({ interfaceIndex }) => interfaceIndex === 1);
  expect(loopback).toContainEqual({ interfaceIndex: 1, address: '127.0.0.1', prefixLength: 8, isSecondary: false });
  links?.close();
});

it('an interface that is no bridge has no ports', () => {
  const links = openKernelLinks(openLibc());
  expect(links?.bridgePort(1, Uint8Array.of(2, 0, 0, 0, 0, 1), 0)).toBeUndefined();
  // The question before left nothing in the socket.
  expect(links?.addresses()?.length).toBeGreaterThan(0);
  links?.close();
});
