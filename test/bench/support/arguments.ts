import { parseArgs } from 'node:util';

/** What every comparison can be asked for on its command line. */
export interface BenchArguments {
  /** How often each contender is measured: 5, with `--quick` 1, or what `--rounds` says. */
  readonly rounds: number;
  /** Less to transfer, and no waiting for a quiet host. */
  readonly quick: boolean;
  /** Whether `--only NAME`, which may be given several times, lets this contender take part; ours always does. */
  readonly takesPart: (contender: string) => boolean;
  /** Whether `--load TEXT`, a part of its title, asks for this table. */
  readonly asksFor: (title: string) => boolean;
}

const ROUNDS = 5;

/** Throws for what it does not know. */
export function benchArguments(args: readonly string[] = process.argv.slice(2)): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true },
      load: { type: 'string', multiple: true },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds: write a whole number of at least 1');
  const { quick, only, load } = values;
  return {
    rounds,
    quick,
    takesPart: (contender) => only === undefined || only.includes(contender),
    asksFor: (title) => load === undefined || load.some((text) => title.includes(text)),
  };
}
