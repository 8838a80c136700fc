import type { Clock } from '@ingot/net';
import type { HttpSourceConfig } from '../config/sources.ts';
import type { BootSource, BootSubject } from '../decide/boot-plan.ts';
import { refusePlan } from '../decide/plan-check.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { keepNewest } from '../keep-newest.ts';
import { httpGet } from './http-get.ts';
import { parsePixiecoreAnswer } from './pixiecore-answer.ts';

/** An iPXE script and what goes with it. */
const MAX_ANSWER_BYTES = 262_144;
/** Machines whose last DHCP answers are known. */
const MAX_OFFERS = 16_384;
/** DISCOVER and REQUEST, and firmware's and iPXE's, are one boot. */
const SAME_OFFER_MS = 10_000;

export interface HttpSource extends BootSource {
  close(): void;
}

/**
 * An HTTP API as pixiecore asks one: `GET <prefix>/v1/boot/<mac>` and, as metal-stack's does, `/v1/dhcp/<uuid>`. 200 with
 * JSON boots the machine; a server that is overloaded or broken counts as away; every other status says that the
 * machine is not its own.
 */
export function httpSource(config: HttpSourceConfig, clock: Clock): HttpSource {
  const { url, timeoutMs, concurrency, askDhcp } = config;
  const base = `${url.replace(/\/+$/, '')}/v1`;
  const client = httpGet({ clock, timeoutMs, concurrency, maxBytes: MAX_ANSWER_BYTES });
  const offers = new Map<string, { readonly wanted: Promise<boolean>; readonly at: number }>();

  const ask = async (path: string): Promise<string | undefined> => {
    let status: number;
    let text: string;
    try {
      ({ status, text } = await client.get(`${base}${path}`));
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new BootServerError(BootServerErrorCode.ApiAway, `${base}${path} cannot be asked: ${words}`, cause);
    }
    if (status === 200) return text;
    if (status >= 500 || status === 429)
      throw new BootServerError(BootServerErrorCode.ApiAway, `${base}${path} answers ${status}`);
    return undefined;
  };
  const plan: BootSource['plan'] = async ({ mac }: BootSubject) => {
    const json = await ask(`/boot/${mac}`);
    if (json === undefined) return undefined;
    const parsed = parsePixiecoreAnswer(json, base);
    const reason = parsed.ok ? refusePlan(parsed.plan) : parsed.reason;
    if (parsed.ok && reason === undefined) return { ...parsed.plan, origin: `http: ${base}/boot/${mac}` };
    throw new BootServerError(
      BootServerErrorCode.ApiRefused,
      `${base}/boot/${mac} names a boot that cannot be carried out: ${reason ?? ''}`,
    );
  };
  const wants = (uuid: string): Promise<boolean> => {
    const known = offers.get(uuid);
    if (known !== undefined && clock.monotonic() - known.at < SAME_OFFER_MS) return known.wanted;
    const wanted = ask(`/dhcp/${uuid}`).then((json) => json !== undefined);
    wanted.catch(() => {
      // Asked again at the next packet.
      if (offers.get(uuid)?.wanted === wanted) offers.delete(uuid);
    });
    keepNewest(offers, uuid, { wanted, at: clock.monotonic() }, MAX_OFFERS);
    return wanted;
  };
  return {
    name: 'http',
    plan,
    ...(askDhcp
      ? {
          offers: ({ uuid }: BootSubject): Promise<boolean> | boolean => (uuid === undefined ? false : wants(uuid)),
        }
      : {}),
    close: () => client.close(),
  };
}
