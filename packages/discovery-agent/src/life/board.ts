/** What a person in front of the machine needs to know. */
export interface BoardView {
  readonly version: string;
  readonly uuid: string;
  readonly serial: string;
  readonly product: string;
  readonly partition: string;
  /** NICs with their addresses, `eth0 10.0.0.5`. */
  readonly addresses: readonly string[];
  readonly phase: string;
  readonly words: string;
  readonly api: string;
  readonly leaves: readonly string[];
  /** Whether SSH is open; empty: it is not. */
  readonly ssh: string;
  /** What is wrong, one line each. */
  readonly problems: readonly string[];
  /** What has to happen for the machine to go on; empty when it needs nobody. */
  readonly waitsFor: string;
  /** Where this is drawn. */
  readonly screen: 'vt' | 'all' | 'off';
}

type Fact = Exclude<keyof BoardView, 'problems' | 'addresses'>;

/** Collects what the status screen shows. */
export class Board {
  #facts: Omit<BoardView, 'problems' | 'addresses'> = {
    version: '',
    uuid: '',
    serial: '',
    product: '',
    partition: '',
    phase: '',
    words: '',
    api: '',
    leaves: [],
    ssh: '',
    waitsFor: '',
    screen: 'vt',
  };
  readonly #problems = new Map<string, string>();
  readonly #addresses: () => readonly string[];

  /** @param addresses asked at each look: leases change */
  constructor(addresses: () => readonly string[]) {
    this.#addresses = addresses;
  }

  show(facts: Partial<Pick<BoardView, Fact>>): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  /** Something is wrong with `part`; undefined: not any more. */
  problem(part: string, words: string | undefined): void {
    if (words === undefined) this.#problems.delete(part);
    else this.#problems.set(part, words);
  }

  view(): BoardView {
    const problems = [...this.#problems].map(([part, words]) => `${part}: ${words}`);
    return { ...this.#facts, addresses: this.#addresses(), problems };
  }
}
