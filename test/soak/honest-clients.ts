import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../bench/support/compare.ts';
import { compileC } from '../support/compile.ts';
import { CLIENT_ADDRESS, SERVER_ADDRESS, type NamespacePair } from '../support/namespace-pair.ts';

/** First number of the honest machines: as `dhcp-load` makes a MAC of it, 52:54:00:0f:42:40. */
const FIRST_MACHINE = 1_000_000;
const MACHINES = 200;

export interface Served {
  readonly tried: number;
  readonly served: number;
  /** Of those served. */
  readonly medianMs: number;
  readonly longestMs: number;
  readonly complaint: string | undefined;
}

/** A reservation for each honest machine: a flood of invented ones may take every address of a pool. */
export function honestReservations(): { readonly mac: string; readonly address: string }[] {
  return Array.from({ length: MACHINES }, (_, index) => {
    const number = (FIRST_MACHINE + index).toString(16).padStart(8, '0');
    return {
      mac: `52:54:${(number.match(/../g) ?? []).join(':')}`,
      address: `10.9.32.${index + 1}`,
    };
  });
}

/** Clients that do what real ones do, again and again until `signal` says stop: leases, TFTP and HTTP downloads. */
export async function runHonestClients(
  pair: NamespacePair,
  signal: AbortSignal,
): Promise<{ readonly leases: Served; readonly tftp: Served; readonly http: Served }> {
  const url = `${SERVER_ADDRESS}/snponly.efi`;
  const [leases, tftp, http] = await Promise.all([
    repeat(signal, () => leaseTwenty(pair)),
    repeat(signal, () => download(pair, [`tftp://${url}`, '--tftp-blksize', '1468'])),
    repeat(signal, () => download(pair, [`http://${SERVER_ADDRESS}:8080/boot/snponly.efi`])),
  ]);
  return { leases, tftp, http };
}

interface Attempt {
  readonly tried: number;
  readonly served: number;
  readonly ms: number;
  readonly longestMs: number;
  readonly complaint?: string;
}

async function repeat(signal: AbortSignal, attempt: () => Promise<Attempt>): Promise<Served> {
  const attempts: Attempt[] = [];
  while (!signal.aborted) {
    attempts.push(await attempt());
    await pause(200);
  }
  const sum = (of: (one: Attempt) => number): number => attempts.reduce((total, one) => total + of(one), 0);
  const good = attempts.filter(({ served }) => served > 0);
  return {
    tried: sum(({ tried }) => tried),
    served: sum(({ served }) => served),
    medianMs: median(good.map(({ ms }) => ms)),
    longestMs: Math.max(0, ...good.map(({ longestMs }) => longestMs)),
    complaint: attempts.find(({ complaint }) => complaint !== undefined)?.complaint,
  };
}

/** Whole exchanges up to the ACK, two at a time; a machine waits as long for its answer as EDK2 does. */
async function leaseTwenty(pair: NamespacePair): Promise<Attempt> {
  const program = compileC(new URL('../bench/load/dhcp-load.c', import.meta.url));
  const words = `--server ${SERVER_ADDRESS} --from ${CLIENT_ADDRESS} --dora --outstanding 2 --count 20 --macs ${MACHINES} --first-mac ${FIRST_MACHINE} --timeout-ms 4000`;
  const result: { sent: number; received: number; p50us: number; maxUs: number; bad: number; firstBad: string } =
    JSON.parse(await pair.run('client', [program, ...words.split(' ')]));
  return {
    tried: result.sent,
    served: result.received,
    ms: result.p50us / 1000,
    longestMs: result.maxUs / 1000,
    ...(result.received < result.sent ? { complaint: result.bad > 0 ? result.firstBad : 'no answer within 4 s' } : {}),
  };
}

async function download(pair: NamespacePair, words: readonly string[]): Promise<Attempt> {
  const startedAt = performance.now();
  try {
    await pair.run('client', ['curl', '-sSf', '-m', '20', '-o', '/dev/null', ...words]);
    const ms = performance.now() - startedAt;
    return { tried: 1, served: 1, ms, longestMs: ms };
  } catch (error) {
    const complaint = error instanceof Error ? (/curl: .*/.exec(error.message)?.[0] ?? error.message) : String(error);
    return { tried: 1, served: 0, ms: 0, longestMs: 0, complaint };
  }
}
