import { defineConfig } from 'vitest/config';

/** What a test waits for comes at once where there is a processor for it; vitest's own second is too short elsewhere. */
const poll = { timeout: 20_000 };

/**
 * Slowest last: `unit` needs nothing, `interop` starts foreign programs in network namespaces (root), `e2e` boots
 * firmware in the virtual rack (root, minutes), `firmware` boots it in all the ways that there is no time for each day.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/{src,test}/**/*.test.ts', 'test/unit/**/*.test.ts'],
          exclude: ['**/*.interop.test.ts'],
          // A runner with other work to do must not fail what would have passed.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll },
        },
      },
      {
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts', 'packages/*/test/**/*.interop.test.ts'],
          // They wait for foreign programs more than they work, each in namespaces of its own.
          maxWorkers: 3,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/image.ts'],
          // A machine in software emulation keeps one core busy.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll },
        },
      },
      {
        test: {
          name: 'firmware',
          include: ['test/firmware/**/*.test.ts'],
          globalSetup: ['test/support/image.ts'],
          maxWorkers: 2,
          testTimeout: 400_000,
          hookTimeout: 300_000,
          expect: { poll },
        },
      },
    ],
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'], exclude: ['**/gen/**', '**/*.test.ts'] },
  },
});
