import type { Clock } from '@ingot/net';
import type { HttpSourceConfig } from '../config/sources.ts';
import type { BootPlan, BootSource, BootSubject } from '../decide/boot-plan.ts';
import { refusePlan } from '../decide/plan-check.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { keepNewest } from '../limits/keep-newest.ts';
import { httpGet } from './http-get.ts';
import { parsePixiecoreAnswer, type PixiecoreAnswer } from './pixiecore-answer.ts';

/** An iPXE script and what goes with it. */
const MAX_ANSWER_BYTES = 262_144;
/** Machines whose last DHCP answers are known. */
const MAX_OFFERS = 16_384;
/** Most machines of an API boot the same: its last answers are kept as they were read, those up to a size. */
const MAX_READ = 256;
const MAX_READ_CHARACTERS = 4_096;
/** DISCOVER and REQUEST, and firmware's and iPXE's, are one boot. */
const SAME_OFFER_MS = 10_000;

type ReadAnswer = { readonly ok: true; readonly plan: BootPlan } | Extract<PixiecoreAnswer, { readonly ok: false }>;

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
  const client = httpGet({ clock, base, timeoutMs, concurrency, maxBytes: MAX_ANSWER_BYTES });
  const origin = `http: ${base}/boot`;
  const answers = new Map<string, ReadAnswer>();
  const offers = new Map<string, { readonly wanted: Promise<boolean>; readonly at: number }>();

  const ask = async (path: string): Promise<string | undefined> => {
    let status: number;
    let text: string;
    try {
      ({ status, text } = await client.get(path));
    } catch (cause) {
      const words = wordsOf(cause);
      throw new BootServerError(BootServerErrorCode.ApiAway, `${base}${path} cannot be asked: ${words}`, cause);
    }
    if (status === 200) return text;
    if (status >= 500 || status === 429)
      throw new BootServerError(BootServerErrorCode.ApiAway, `${base}${path} answers ${status}`);
    return undefined;
  };
  const read = (json: string): ReadAnswer => {
    const known = answers.get(json);
    if (known !== undefined) return known;
    const parsed = parsePixiecoreAnswer(json, base);
    const reason = parsed.ok ? refusePlan(parsed.plan) : undefined;
    let answer: ReadAnswer = parsed;
    if (reason !== undefined) answer = { ok: false, reason };
    // The same object for all machines: whoever checks or writes it does so once.
    else if (parsed.ok) answer = { ok: true, plan: { ...parsed.plan, origin } };
    if (json.length <= MAX_READ_CHARACTERS) keepNewest(answers, json, answer, MAX_READ);
    return answer;
  };
  const plan: BootSource['plan'] = async ({ mac }: BootSubject) => {
    const json = await ask(`/boot/${mac}`);
    if (json === undefined) return undefined;
    const answer = read(json);
    if (answer.ok) return answer.plan;
    throw new BootServerError(
      BootServerErrorCode.ApiRefused,
      `${base}/boot/${mac} names a boot that cannot be carried out: ${answer.reason}`,
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
