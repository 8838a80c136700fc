import { ApiError, Code } from '@ingot/api';
import type { Session } from './database.ts';
import { number } from './row.ts';

/** Numbers that nobody may have twice. */
export const Pool = { Vrf: 'vrf', Asn: 'asn' } as const;
export type Pool = (typeof Pool)[keyof typeof Pool];

/** What fits into the VNI and the private AS numbers that metal-stack sets aside: 131,072 of each. */
const LAST = 131_072;

export interface NumberPools {
  /** The lowest free number, 1 to 131072. Throws `ResourceExhausted`. */
  take(pool: Pool, owner: string): Promise<number>;
  /** This number. Throws `AlreadyExists` naming the owner. */
  takeThis(pool: Pool, wanted: number, owner: string): Promise<void>;
  /** All numbers of an owner. */
  release(pool: Pool, owner: string): Promise<void>;
}

export function createNumberPools(session: Session): NumberPools {
  const insert = (inner: Session, pool: Pool, value: number, owner: string): Promise<number> =>
    inner.run(
      'INSERT INTO pool_number (pool, number, owner) VALUES (?, ?, ?) ON CONFLICT (pool, number) DO NOTHING',
      pool,
      value,
      owner,
    );
  return {
    take: (pool, owner) =>
      session.transaction(async (inner) => {
        // The first number whose successor is free; 0 stands for the one before the first.
        const row = await inner.get(
          `SELECT min(candidate) AS found FROM (
             SELECT 1 AS candidate UNION ALL SELECT number + 1 FROM pool_number WHERE pool = ?
           ) AS candidates
           WHERE candidate NOT IN (SELECT number FROM pool_number WHERE pool = ?)`,
          pool,
          pool,
        );
        const found = row === undefined ? LAST + 1 : number(row, 'found');
        if (found > LAST)
          throw new ApiError(Code.ResourceExhausted, `all ${LAST} numbers of the pool "${pool}" are taken`);
        await insert(inner, pool, found, owner);
        return found;
      }),
    takeThis: (pool, wanted, owner) =>
      session.transaction(async (inner) => {
        if ((await insert(inner, pool, wanted, owner)) > 0) return;
        throw new ApiError(Code.AlreadyExists, `${pool} ${wanted} is taken: leave it out, and a free one is chosen`);
      }),
    async release(pool, owner) {
      await session.run('DELETE FROM pool_number WHERE pool = ? AND owner = ?', pool, owner);
    },
  };
}
