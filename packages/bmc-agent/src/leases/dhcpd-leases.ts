import { leaseEntry, type LeaseEntry } from './lease.ts';

const MAX_WORDS = 8;

interface OpenLease {
  readonly address: string;
  mac: string;
  state: string | undefined;
  expiresMs: number;
}

/**
 * Reads `dhcpd.leases` (dhcpd.leases(5)) line by line; of the blocks in it only leases count. A lease without its closing
 * brace is one that dhcpd is writing. A line that begins with `lease` begins one, whatever a broken file had open.
 */
export class DhcpdLeases {
  #depth = 0;
  #words: string[] = [];
  #lease: OpenLease | undefined;

  /** Answers the leases that end in this line. */
  line(text: string): LeaseEntry[] {
    if (text.startsWith('lease ')) {
      this.#depth = 0;
      this.#words = [];
    }
    const ended: LeaseEntry[] = [];
    for (const token of tokensOf(text)) {
      if (token === '{') this.#open();
      else if (token === '}') ended.push(...this.#close());
      else if (token === ';') this.#statement();
      else if (this.#words.length < MAX_WORDS) this.#words.push(token);
    }
    return ended;
  }

  #open(): void {
    const [kind, address = ''] = this.#words;
    if (this.#depth === 0)
      this.#lease =
        kind === 'lease' ? { address, mac: '', state: undefined, expiresMs: Number.POSITIVE_INFINITY } : undefined;
    this.#depth += 1;
    this.#words = [];
  }

  #close(): LeaseEntry[] {
    this.#words = [];
    this.#depth = Math.max(0, this.#depth - 1);
    if (this.#depth > 0 || this.#lease === undefined) return [];
    const { address, mac, state, expiresMs } = this.#lease;
    this.#lease = undefined;
    // Only bound leases have no other state: free, expired, released, abandoned, reset, backup. Old files have none.
    const entry = leaseEntry(address, mac, expiresMs, state === undefined || state === 'active');
    return entry === undefined ? [] : [entry];
  }

  #statement(): void {
    const [first, second, third, fourth] = this.#words;
    this.#words = [];
    const lease = this.#lease;
    if (lease === undefined || this.#depth !== 1) return;
    if (first === 'hardware' && second === 'ethernet') lease.mac = third ?? '';
    else if (first === 'binding' && second === 'state') lease.state = third;
    else if (first === 'ends') lease.expiresMs = dateOf(second, third, fourth);
  }
}

/** `4 2026/11/21 15:33:00` in UTC, `epoch 1795275180`, or `never`; what is none of these is over. */
function dateOf(first = '', second = '', third = ''): number {
  if (first === 'never') return Number.POSITIVE_INFINITY;
  if (first === 'epoch') return /^\d{1,12}$/.test(second) ? Number(second) * 1000 : 0;
  const day = /^(\d{4})\/(\d{2})\/(\d{2})$/.exec(second);
  const time = /^\d{2}:\d{2}:\d{2}$/.exec(third);
  return day === null || time === null ? 0 : Date.parse(`${day[1]}-${day[2]}-${day[3]}T${time[0]}Z`) || 0;
}

/** Words, strings as one word, and `{`, `}`, `;`. Strings end with their line: dhcpd writes what is not printable in octal. */
function tokensOf(line: string): readonly string[] {
  const tokens = line.match(/"(?:[^"\\]|\\.)*"?|#.*|[{};]|[^\s{};"#]+/g) ?? [];
  return tokens.filter((token) => !token.startsWith('#'));
}
