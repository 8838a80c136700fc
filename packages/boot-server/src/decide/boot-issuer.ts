import { isUnsetUuid } from '@ingot/wire';
import type { AdmissionGate, AdmissionRefusal } from '../admission/admission.ts';
import type { DebugKeys } from '../debug-key/debug-keys.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootFile, BootFileKind, FileUrls } from '../http/file-urls.ts';
import type { NonceStore } from '../store/nonces.ts';
import { replaceFileMarks, type BootPlan, type BootSubject, type KernelPlan } from './boot-plan.ts';
import type { BootPlanner } from './boot-planner.ts';
import { filePath, scriptPath, type BootSteps, type KernelSteps } from './boot-steps.ts';
import type { SerialConsole } from './serial-console.ts';
import type { SubjectMemory } from './subject-memory.ts';

/** What a boot loader says of itself when it asks for its script. */
export interface ScriptQuestion {
  readonly mac: string;
  /** IPv4 or IPv6 address that it asks from. */
  readonly source: string;
  /** Base of the URLs that it can reach, without a slash at the end. */
  readonly base: string;
  /** `arch` of the script URL. */
  readonly arch: string;
  /** From SMBIOS, where the boot loader reads it. */
  readonly uuid: string | undefined;
  /** Whether it was asked for its UUID; what it then does not say it does not have. */
  readonly saidUuid: boolean;
  /** From SMBIOS too; empty when it has none, undefined when it was not asked. */
  readonly serial: string | undefined;
  /** Name of the chosen entry of the machine's menu. */
  readonly entry: string | undefined;
}

export type ScriptRefusal = AdmissionRefusal | 'no-uuid' | 'not-ours' | 'unknown-entry' | 'api-away' | 'api-refused';

export type ScriptAnswer =
  | {
      readonly kind: 'steps';
      readonly steps: BootSteps;
      readonly uuid: string | undefined;
      readonly plan: BootPlan;
    }
  /** The boot loader shall ask once more, with what it finds in SMBIOS. */
  | { readonly kind: 'ask'; readonly serial: boolean }
  | {
      readonly kind: 'refused';
      readonly status: 403 | 404 | 503;
      readonly reason: ScriptRefusal;
      readonly message: string;
    };

export interface BootIssuer {
  /** Decides, and makes the nonce that belongs to the script. Never rejects. */
  issue(question: ScriptQuestion): Promise<ScriptAnswer>;
  /** The kernel, or first initrd, of what the machine boots now; undefined where there is none for who asks. Never rejects. */
  fileOf(question: FileQuestion): Promise<BootFile | undefined>;
}

/** Who asks for a file without a name of its own. */
export interface FileQuestion extends Pick<ScriptQuestion, 'mac' | 'source'> {
  readonly kind: 'kernel' | 'initrd';
}

export interface BootIssuerComponents {
  readonly gate: Pick<AdmissionGate, 'admitScript'>;
  readonly planner: BootPlanner;
  readonly subjects: Pick<SubjectMemory, 'find'>;
  readonly nonces: Pick<NonceStore, 'issue'>;
  readonly files: Pick<FileUrls, 'nameOf'>;
  /** The shape of configurations: of upstream's v1 or v2; undefined where none can be had. */
  readonly configs: 'v1' | 'v2' | undefined;
  readonly console: SerialConsole;
  /** Undefined: nobody may look into the discovery image. */
  readonly debugKeys: Pick<DebugKeys, 'issue'> | undefined;
}

export function createBootIssuer(components: BootIssuerComponents): BootIssuer {
  const { gate, planner, subjects } = components;
  return {
    issue: async (question) => {
      const { mac, source } = question;
      // Boards without a UUID have SMBIOS say zeros.
      const claimed = question.uuid === undefined || isUnsetUuid(question.uuid) ? undefined : question.uuid;
      const admission = gate.admitScript(mac, claimed, source);
      if (!admission.ok) {
        const status = admission.reason === 'not-seen' ? 404 : 403;
        return { kind: 'refused', status, reason: admission.reason, message: admission.message };
      }
      const { uuid } = admission;
      const { serial } = question;
      if ((uuid === undefined && !question.saidUuid) || (planner.wantsSerial && serial === undefined))
        return { kind: 'ask', serial: planner.wantsSerial };
      try {
        const whole = await planner.plan({ ...subjectOf(subjects, mac), uuid, serial: serial ?? '' }, 'fresh');
        return carryOut(components, question, uuid, whole);
      } catch (error) {
        if (!(error instanceof BootServerError)) throw error;
        const isAway = error.code === BootServerErrorCode.ApiAway;
        const reason = isAway ? 'api-away' : 'api-refused';
        return { kind: 'refused', status: isAway ? 503 : 404, reason, message: error.message };
      }
    },
    fileOf: async ({ mac, source, kind }) => {
      const admission = gate.admitScript(mac, undefined, source);
      if (!admission.ok) return undefined;
      try {
        // The answer that its configuration was made of a moment ago, also after a restart.
        const plan = await planner.plan({ ...subjectOf(subjects, mac), uuid: admission.uuid, serial: '' }, 'cached');
        if (plan.kind !== 'kernel') return undefined;
        const uri = kind === 'kernel' ? plan.kernel : plan.initRamDisks[0];
        return uri === undefined ? undefined : { uri, sha256: plan.sha256?.[uri] };
      } catch (error) {
        if (!(error instanceof BootServerError)) throw error;
        return undefined;
      }
    },
  };
}

function subjectOf(subjects: BootIssuerComponents['subjects'], mac: string): BootSubject {
  return (
    subjects.find(mac) ?? {
      mac,
      uuid: undefined,
      serial: undefined,
      circuitId: undefined,
      hostname: undefined,
      remoteId: undefined,
      architectures: [],
      subnet: undefined,
    }
  );
}

function carryOut(
  components: BootIssuerComponents,
  question: ScriptQuestion,
  uuid: string | undefined,
  whole: BootPlan,
): ScriptAnswer {
  const { arch, mac, serial, entry } = question;
  const plan = entry === undefined ? whole : entryOf(whole, entry);
  if (plan === undefined)
    return { kind: 'refused', status: 404, reason: 'unknown-entry', message: `the menu has no entry ${entry}` };
  const askFor = (chosen?: string): string => scriptPath({ arch, mac, uuid, serial, entry: chosen });
  const steps = (made: BootSteps): ScriptAnswer => ({ kind: 'steps', steps: made, uuid, plan });
  switch (plan.kind) {
    case 'ignore':
      return { kind: 'refused', status: 404, reason: 'not-ours', message: `you don't netboot: ${plan.message}` };
    case 'script':
    case 'local':
      return steps(plan);
    case 'hold':
      return steps({ ...plan, askAgain: askFor() });
    case 'menu': {
      const { entries, ...menu } = plan.menu;
      const items = entries.map(({ name, label }) => ({ name, label, askFor: askFor(name) }));
      return steps({ kind: 'menu', ...menu, entries: items });
    }
    case 'kernel': {
      const who = uuid === undefined ? mac : `machine ${uuid} through ${mac}`;
      const start = (more: readonly string[]): ScriptAnswer =>
        steps({
          ...kernelSteps(components, question, plan, more),
          message: [`Ingot boots ${who}`, ...(plan.message === '' ? [] : [plan.message])].join('\n'),
        });
      if (!plan.wantsConfig) return start([]);
      if (components.configs === undefined)
        return {
          kind: 'refused',
          status: 404,
          reason: 'api-refused',
          message: `${plan.origin ?? 'the plan'} wants a machine configuration, and no API is configured: see api`,
        };
      if (uuid === undefined)
        return {
          kind: 'refused',
          status: 404,
          reason: 'no-uuid',
          message: `${mac} shows no SMBIOS UUID: set one in its firmware`,
        };
      const nonce = components.nonces.issue(mac, uuid);
      // Upstream's v1 image knows nothing of it.
      const debugKey = components.configs === 'v2' ? components.debugKeys?.issue(mac) : undefined;
      return start([
        `PIXIE_API_URL=${question.base}${components.configs === 'v1' ? '/certs' : `/config/${uuid}`}?nonce=${nonce}`,
        `BOOTIF=01-${mac.replaceAll(':', '-')}`,
        ...(debugKey === undefined ? [] : [`INGOT_DEBUG_KEY=${debugKey}`]),
      ]);
    }
    default:
      return plan satisfies never;
  }
}

function entryOf(plan: BootPlan, name: string): BootPlan | undefined {
  if (plan.kind !== 'menu') return undefined;
  return plan.menu.entries.find((entry) => entry.name === name)?.plan;
}

function kernelSteps(
  { files, console }: BootIssuerComponents,
  { mac, base }: ScriptQuestion,
  plan: KernelPlan,
  more: readonly string[],
): Omit<KernelSteps, 'message'> {
  const nameOf = (uri: string, kind: BootFileKind): string =>
    files.nameOf({ uri, sha256: plan.sha256?.[uri] }, { mac, kind });
  const own = replaceFileMarks(plan.cmdline, (uri) => `${base}${filePath(nameOf(uri, 'file'), 'file', mac)}`).trim();
  return {
    kind: 'kernel',
    kernel: nameOf(plan.kernel, 'kernel'),
    initRamDisks: plan.initRamDisks.map((uri) => nameOf(uri, 'initrd')),
    cmdline: [own, ...more].filter((part) => part !== '').join(' '),
    // Whoever names a console has chosen.
    console: plan.wantsConfig || !/(?:^| )console=/.test(own) ? console : undefined,
  };
}
