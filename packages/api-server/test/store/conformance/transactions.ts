import { AsyncLocalStorage } from 'node:async_hooks';
import { Code } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { createStores } from '../../../src/store/stores.ts';
import { failure } from '../../support.ts';
import { lab, type WithDatabase } from './place.ts';

/** What transactions promise. */
export function transactionsConform(withDatabase: WithDatabase): void {
  describe('a transaction', () => {
    test('stores all or nothing, inner ones included', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        const work = stores.transaction(async (outer) => {
          await outer.partitions.put('lab', lab());
          await outer.transaction((inner) => inner.partitions.put('lab2', lab()));
          throw new Error('changed my mind');
        });
        await expect(work).rejects.toThrow('changed my mind');
        expect(await stores.partitions.list()).toEqual([]);
      }));

    test('sees what it has written; nobody else does until it ends', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        const written = Promise.withResolvers<void>();
        const goOn = Promise.withResolvers<void>();
        const work = stores.transaction(async (inner) => {
          await inner.partitions.put('lab', lab());
          written.resolve();
          await goOn.promise;
          return inner.partitions.count();
        });
        await written.promise;
        expect(await stores.partitions.count()).toBe(0);
        goOn.resolve();
        expect(await work).toBe(1);
        expect(await stores.partitions.count()).toBe(1);
      }));

    test('is undone by an error in it, although somebody caught that', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        await stores.partitions.create('lab', lab());
        const work = stores.transaction(async (inner) => {
          await inner.partitions.put('lab2', lab());
          await inner.partitions.create('lab', lab()).catch(() => undefined);
        });
        expect((await failure(work)).code).toBe(Code.AlreadyExists);
        expect(await stores.partitions.count()).toBe(1);
      }));

    test('may not be gone around, and is over when it is over', () =>
      withDatabase(async (database) => {
        await expect(database.transaction(() => database.get('SELECT 1'))).rejects.toThrow(
          'a transaction is open here',
        );
        await expect(database.transaction(() => database.run('SELECT 1'))).rejects.toThrow(
          'a transaction is open here',
        );
        const late = await database.transaction((session) => ({ session }));
        await expect(late.session.get('SELECT 1')).rejects.toThrow('this transaction has ended');
      }));

    test('that only reads does not write', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        await expect(
          stores.transaction((inner) => inner.partitions.put('lab', lab()), { mode: 'read' }),
        ).rejects.toThrow('only reads');
        expect(await stores.transaction((inner) => inner.partitions.list(), { mode: 'read' })).toEqual([]);
      }));

    test('that only reads sees one state throughout', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        // Runs like another request, to which this transaction is none of its own.
        const outside = AsyncLocalStorage.snapshot();
        const counts = await stores.transaction(
          async (inner) => {
            const before = await inner.partitions.count();
            await outside(() => stores.partitions.put('lab', lab()));
            return [before, await inner.partitions.count()];
          },
          { mode: 'read' },
        );
        expect(counts).toEqual([0, 0]);
        expect(await stores.partitions.count()).toBe(1);
      }));

    test('behaves as if it were alone: no update of a counter is lost', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        await stores.partitions.put('lab', lab('0'));
        const increment = (): Promise<unknown> =>
          stores.transaction(async (inner) => {
            const { value } = await inner.partitions.need('lab');
            await inner.partitions.put('lab', lab(`${Number(value.description) + 1}`));
          });
        await Promise.all(Array.from({ length: 25 }, increment));
        expect(await stores.partitions.need('lab')).toMatchObject({ value: { description: '25' }, generation: 26 });
      }));

    test('with a key runs after the others with the same key', () =>
      withDatabase(async (database) => {
        let inside = 0;
        let most = 0;
        const work = (): Promise<void> =>
          database.transaction(
            async (session) => {
              inside += 1;
              most = Math.max(most, inside);
              await session.get('SELECT 1');
              await session.get('SELECT 2');
              inside -= 1;
            },
            { serialise: 'allocate:lab' },
          );
        await Promise.all(Array.from({ length: 20 }, work));
        expect(most).toBe(1);
        const tooLate = database.transaction((session) => session.transaction(() => 1, { serialise: 'x' }));
        await expect(tooLate).rejects.toThrow('open the outer transaction with the key "x"');
      }));
  });
}
