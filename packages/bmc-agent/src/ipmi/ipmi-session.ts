import { BmcError, BmcErrorCode } from '../errors.ts';
import type { BmcTarget } from '../target.ts';
import type { IpmitoolResult, RunIpmitool } from './run-ipmitool.ts';

export interface IpmiOptions {
  /** Asks for UEFI's boot entries instead of the BIOS's. */
  readonly uefi: boolean;
  /** As IPMI numbers them; undefined: 17, and 3 for a BMC that does not have it. */
  readonly cipherSuite?: number | undefined;
  /** Aborted with a BmcError when the time is over. */
  readonly signal: AbortSignal;
}

/** Asks a BMC one thing in ipmitool's words and answers what that printed; rejects with a BmcError. */
export type Ipmi = (...words: readonly string[]) => Promise<string>;

/** Four tries for each message, the first of a second and each longer than the one before. */
const PATIENT = ['-N', '1', '-R', '3'] as const;
/**
 * Each message once. A BMC that takes a reset and answers late would get it again, and many do it again: ipmitool sends
 * each try with a number of its own, so that they cannot know it for the same.
 */
const ONCE = ['-N', '10', '-R', '1'] as const;
const SESSION_TRIES = 3;

/** A BMC that speaks IPMI 2.0 over LAN, by ipmitool. */
export function ipmiSession(target: BmcTarget, run: RunIpmitool, options: Omit<IpmiOptions, 'uefi'>): Ipmi {
  const { signal, cipherSuite } = options;
  const login = [
    '-I',
    'lanplus',
    '-H',
    target.host,
    '-p',
    String(target.port),
    '-U',
    target.user,
    '-E',
    '-L',
    'ADMINISTRATOR',
  ];
  let suites: readonly number[] = cipherSuite === undefined ? CIPHER_SUITES : [cipherSuite];
  return async (...words) => {
    // Says why a session is refused; no secrets, which only -vv shows. Tables of sensors become prose with it.
    const verbose = words[0] === 'sdr' ? [] : ['-v'];
    const isOnce = NOT_TWICE.test(words.join(' '));
    for (let tried = 1; ; tried += 1) {
      const [suite = 0, ...others] = suites;
      const argv = [...login, ...(isOnce ? ONCE : PATIENT), ...verbose, '-C', String(suite), ...words];
      const result = await run(argv, target.password, signal);
      if (result.failure === undefined) return result.stdout;
      // A message of the login was lost; what comes after it was not sent.
      if (isOnce && tried < SESSION_TRIES && NO_SESSION.test(result.stderr) && !LOGIN.test(result.stderr)) continue;
      if (isOnce && UNANSWERED.test(result.stderr))
        throw new BmcError(
          BmcErrorCode.Unknown,
          `not known whether it was done: the BMC at ${target.name} took "${words.join(' ')}" and does not answer; it is not sent again: look at the machine`,
        );
      if (others.length === 0 || !NO_SUCH_SUITE.test(result.stderr)) throw failureOf(target, words, result);
      suites = others;
    }
  };
}

/**
 * SHA-256, then SHA-1. Asking the BMC for its suites, as ipmitool does by itself, costs six seconds with one that does not
 * answer that, and an attacker on the way could answer it, too.
 */
const CIPHER_SUITES = [17, 3] as const;
const NOT_TWICE = /^chassis power (?:reset|cycle)$/;
/** What ipmitool 1.8 says when nothing was sent yet, and when the answer to what was sent is missing. */
const NO_SESSION = /Unable to establish|Get Auth Capabilities/i;
const UNANSWERED = /Unable to set Chassis Power Control/i;
const NO_SUCH_SUITE = /invalid (?:authentication|integrity|confidentiality) algorithm|no (?:matching )?cipher suite/i;

// RMCP+ status codes in the words of ipmitool 1.8: a wrong password shows in the BMC's own key exchange code.
const LOGIN =
  /RAKP 2 HMAC is invalid|RAKP 2 message indicates an error|unauthorized (?:name|role|GUID)|password is longer/i;
const UNREACHABLE =
  /Unable to establish|Get Auth Capabilities|no response|timeout|Address lookup|IPMI LAN send|Could not open socket/i;
const MAX_QUOTED = 300;

function failureOf(target: BmcTarget, words: readonly string[], result: IpmitoolResult): BmcError {
  if (result.isMissing === true)
    return new BmcError(
      BmcErrorCode.Ipmitool,
      'ipmitool is not installed: install the package ipmitool on the host of the worker',
    );
  const said = `${result.stderr}\n${result.stdout}`;
  if (LOGIN.test(said))
    return new BmcError(
      BmcErrorCode.Login,
      `the BMC at ${target.name} does not let user ${JSON.stringify(target.user)} in: correct user or password, or its privilege, which must be administrator`,
    );
  if (UNREACHABLE.test(said))
    return new BmcError(
      BmcErrorCode.Unreachable,
      `the BMC at ${target.name} does not answer: look at its cable and address, and whether IPMI over LAN is enabled`,
    );
  return new BmcError(
    BmcErrorCode.Refused,
    `the BMC at ${target.name} refuses "${words.join(' ')}": ${quoted(result.stderr, target.password) || result.failure || 'no reason'}`,
  );
}

/** The last of foreign words, in one line, without the password. */
function quoted(text: string, password: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(-2)
    .join('; ')
    .replaceAll(password, '[redacted]')
    .replaceAll(/[^\u0020-\u007E]+/g, ' ')
    .trim()
    .slice(0, MAX_QUOTED);
}
