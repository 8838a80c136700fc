import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootPlan, BootSource, BootSubject, Freshness, MaybePromise, SourceAnswer } from './boot-plan.ts';
import { refusePlan } from './plan-check.ts';

/** What a DHCP answer has to know of a plan. */
export type BootOffer =
  | { readonly kind: 'boot'; readonly loader: string | undefined }
  | { readonly kind: 'ignore'; readonly message: string };

export interface BootPlanner {
  /**
   * What the machine boots: the first source's answer that has one; `ignore` when no source knows it. Not a promise
   * when nobody has to be asked. Throws or rejects with BootServerError API_AWAY or API_REFUSED.
   */
  plan(subject: BootSubject, freshness?: Freshness): MaybePromise<BootPlan>;
  /** Whether it is offered a boot, and with which loader. Throws and rejects as `plan` does. */
  offer(subject: BootSubject): MaybePromise<BootOffer>;
  /** Whether a serial number could change the plan. */
  readonly wantsSerial: boolean;
}

export function createBootPlanner(sources: readonly BootSource[]): BootPlanner {
  // Asked each time: profiles may be read again.
  const wantsSerial = (): boolean => sources.some((source) => source.wantsSerial === true);
  /** Sources give the same object to machine after machine: it is checked once. */
  const accepted = new WeakSet<BootPlan>();
  const accept = (source: BootSource, plan: BootPlan): BootPlan => {
    if (accepted.has(plan)) return plan;
    check(source, plan);
    accepted.add(plan);
    return plan;
  };

  const planFrom = (
    index: number,
    subject: BootSubject,
    freshness: Freshness,
    loader: string | undefined,
  ): MaybePromise<BootPlan> => {
    const source = sources[index];
    if (source === undefined) return { kind: 'ignore', message: 'no source knows this machine', loader };
    return then(source.plan(subject, freshness), (answer) => {
      if (answer === undefined) return planFrom(index + 1, subject, freshness, loader);
      if (answer.kind === 'next') return planFrom(index + 1, subject, freshness, loader ?? answer.loader);
      return accept(source, loader === undefined ? answer : { ...answer, loader });
    });
  };
  const offerFrom = (index: number, subject: BootSubject, loader: string | undefined): MaybePromise<BootOffer> => {
    const source = sources[index];
    if (source === undefined) {
      // Its serial number, which iPXE will tell, may yet make it known.
      if (wantsSerial() && subject.serial === undefined) return { kind: 'boot', loader };
      return { kind: 'ignore', message: 'no source knows this machine' };
    }
    if (source.offers !== undefined)
      return then(source.offers(subject), (wanted) =>
        wanted ? { kind: 'boot', loader } : offerFrom(index + 1, subject, loader),
      );
    return then(source.plan(subject, 'cached'), (answer: SourceAnswer): MaybePromise<BootOffer> => {
      if (answer === undefined) return offerFrom(index + 1, subject, loader);
      if (answer.kind === 'next') return offerFrom(index + 1, subject, loader ?? answer.loader);
      if (answer.kind === 'ignore') return { kind: 'ignore', message: answer.message };
      const { loader: own } = accept(source, answer);
      return { kind: 'boot', loader: loader ?? own };
    });
  };
  return {
    get wantsSerial() {
      return wantsSerial();
    },
    plan: (subject, freshness = 'cached') => planFrom(0, subject, freshness, undefined),
    offer: (subject) => offerFrom(0, subject, undefined),
  };
}

function then<T, R>(value: MaybePromise<T>, use: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}

function check(source: BootSource, plan: BootPlan): void {
  const reason = refusePlan(plan);
  if (reason === undefined) return;
  throw new BootServerError(
    BootServerErrorCode.ApiRefused,
    `${plan.origin ?? source.name} names a boot that cannot be carried out: ${reason}`,
  );
}
