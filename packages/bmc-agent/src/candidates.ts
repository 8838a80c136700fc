import type { InventoryMachine } from './inventory.ts';
import { addressOf, type LeaseBook } from './leases/lease-book.ts';
import type { CommonLogin } from './target.ts';

/** A BMC that is to be asked. */
export interface BmcCandidate {
  /** The machine; undefined: the BMC says which. */
  readonly uuid: string | undefined;
  /** For the log: the UUID, or the MAC address of the BMC. */
  readonly name: string;
  /** How it is reached; the address is empty when nobody knows it. */
  readonly login: {
    readonly address: string;
    readonly user: string;
    readonly password: string;
    readonly interface: string;
  };
  /** What the API is told of it, besides what it says. */
  readonly told: { readonly address: string; readonly mac: string } & Partial<BmcCandidate['login']>;
}

export interface CandidatesOptions {
  readonly inventory: () => Promise<readonly InventoryMachine[]>;
  readonly book: LeaseBook;
  /** The login of BMCs that only leases tell of; undefined: those are not looked for. */
  readonly common: (() => Promise<CommonLogin>) | undefined;
  /** Where those speak Redfish. */
  readonly port: number;
}

const IPMI_PORT = 623;
const HTTPS_PORT = 443;

/**
 * Whom to ask: the BMCs of the inventory, each at the address that its MAC address has a lease for, and all others that
 * have a lease. Of these the API gets no login: that of all BMCs stays with the worker. Their address gets IPMI's port, as
 * machines tell it, since the API may have a login for it.
 */
export async function readCandidates(options: CandidatesOptions): Promise<readonly BmcCandidate[]> {
  const { book, common, port } = options;
  const candidates: BmcCandidate[] = [];
  const known = new Set<string>();
  for (const { uuid, mac, ...login } of await options.inventory()) {
    known.add(mac.toLowerCase());
    const found = { ...login, address: await book.follow({ address: login.address, mac }) };
    candidates.push({ uuid, name: uuid, login: found, told: { ...found, mac } });
  }
  if (common === undefined) return candidates;
  const { user, password } = await common();
  for (const [mac, lease] of await book.now()) {
    if (known.has(mac)) continue;
    const address = addressOf(lease, port);
    const told = { address: port === HTTPS_PORT ? addressOf(lease, IPMI_PORT) : address, mac };
    candidates.push({ uuid: undefined, name: mac, login: { address, user, password, interface: 'redfish' }, told });
  }
  return candidates;
}
