import { MockClock } from '@ingot/net';
import { entitiesConform } from './entities.ts';
import type { Place, WithDatabase } from './place.ts';
import { rowsConform } from './rows.ts';
import { transactionsConform } from './transactions.ts';
import { versionsConform } from './versions.ts';

/** What every database must do, whichever it is. `place` makes an empty one. */
export function storeConformance(place: () => Promise<Place>): void {
  const withDatabase: WithDatabase = async (work) => {
    await using home = await place();
    const clock = new MockClock();
    await using database = await home.open(clock);
    await work(database, clock);
  };
  transactionsConform(withDatabase);
  entitiesConform(withDatabase);
  rowsConform(withDatabase);
  versionsConform(place);
}
