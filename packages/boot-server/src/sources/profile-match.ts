import { architectureOf } from '../decide/architectures.ts';
import type { BootSubject } from '../decide/boot-plan.ts';
import { isSameMachine, parseMac, parseUuid } from '../identity.ts';
import type { ProfileMatch } from './profile-schema.ts';

/** Tells whether a profile is for a machine: how specific it is for it, 0 or more; undefined when it is not. */
export type Matcher = (subject: BootSubject) => number | undefined;

/**
 * What counts for more than everything below it together. One NIC, one machine, one name, one port, then patterns, then the
 * network and the kind of machine.
 */
const WEIGHT = {
  mac: 2_048,
  uuid: 1_024,
  serial: 512,
  hostname: 256,
  circuitId: 128,
  remoteId: 64,
  macPattern: 32,
  serialPattern: 16,
  hostnamePattern: 8,
  portPattern: 4,
  subnet: 2,
  arch: 1,
} as const;

export function compileMatch(match: ProfileMatch): Matcher {
  const tests: Matcher[] = [];
  const add = <T extends string | number>(
    wanted: T | readonly T[] | undefined,
    compile: (item: T) => Matcher,
  ): void => {
    if (wanted === undefined) return;
    const each = listOf(wanted).map(compile);
    tests.push((subject) => {
      const found = each.map((test) => test(subject)).filter((weight) => weight !== undefined);
      return found.length === 0 ? undefined : Math.max(...found);
    });
  };
  add(match.mac, (text) => {
    const mac = parseMac(text);
    return mac === undefined
      ? textMatcher(text.replaceAll('-', ':'), (subject) => subject.mac, WEIGHT.mac, WEIGHT.macPattern)
      : (subject) => (subject.mac === mac ? WEIGHT.mac : undefined);
  });
  add(match.uuid, (text) => {
    const uuid = parseUuid(text) ?? text;
    return (subject) => (subject.uuid !== undefined && isSameMachine(subject.uuid, uuid) ? WEIGHT.uuid : undefined);
  });
  add(match.serial, (text) => textMatcher(text, (subject) => subject.serial, WEIGHT.serial, WEIGHT.serialPattern));
  add(match.hostname, (text) =>
    textMatcher(text.toLowerCase(), (subject) => subject.hostname, WEIGHT.hostname, WEIGHT.hostnamePattern),
  );
  add(match.circuitId, (text) =>
    textMatcher(text, (subject) => subject.circuitId, WEIGHT.circuitId, WEIGHT.portPattern),
  );
  add(match.remoteId, (text) => textMatcher(text, (subject) => subject.remoteId, WEIGHT.remoteId, WEIGHT.portPattern));
  add(match.subnet, (id) => (subject) => (subject.subnet === id ? WEIGHT.subnet : undefined));
  add(
    match.arch,
    (arch) => (subject) =>
      subject.architectures.some((type) => type === arch || architectureOf(type)?.firmware === arch)
        ? WEIGHT.arch
        : undefined,
  );
  return (subject) => {
    let sum = 0;
    for (const test of tests) {
      const weight = test(subject);
      if (weight === undefined) return undefined;
      sum += weight;
    }
    return sum;
  };
}

/** The hardware addresses that a profile is for, where it is for no others: it need not be tried on any other. */
export function onlyMacs(match: ProfileMatch): readonly string[] | undefined {
  if (match.mac === undefined) return undefined;
  const macs = listOf(match.mac).map(parseMac);
  const exact = macs.filter((mac) => mac !== undefined);
  return exact.length === macs.length ? exact : undefined;
}

function textMatcher(
  wanted: string,
  read: (subject: BootSubject) => string | undefined,
  exact: number,
  pattern: number,
): Matcher {
  if (!/[*?]/.test(wanted)) return (subject) => (read(subject) === wanted ? exact : undefined);
  const lower = wanted.toLowerCase();
  return (subject) => {
    const text = read(subject);
    return text !== undefined && globMatches(lower, text.toLowerCase()) ? pattern : undefined;
  };
}

/**
 * `*` and `?`, and nothing else. Steps back to the last star only, so that a text from the network costs no more than
 * the product of both lengths, which a regular expression does not promise.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  let index = 0;
  while (index < text.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      starAt = index;
      at += 1;
    } else if (wanted === '?' || wanted === text[index]) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      starAt += 1;
      index = starAt;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

function listOf<T extends string | number>(value: T | readonly T[]): readonly T[] {
  return typeof value === 'object' ? value : [value];
}
