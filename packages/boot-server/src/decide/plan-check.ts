import { replaceFileMarks, type BootPlan } from './boot-plan.ts';

/** Bounds of a plan: a machine's script is made of it, and it is kept in memory and on disk. */
export const PLAN_LIMITS = {
  uriBytes: 2_048,
  initRamDisks: 16,
  /** Kernels cut theirs at 2,048 bytes on x86 and arm64. */
  cmdlineBytes: 2_048,
  messageBytes: 1_024,
  scriptBytes: 65_536,
  menuEntries: 64,
} as const;

/** Why a plan cannot be carried out, in words; undefined when it can. What it refuses would be more than data in a script. */
export function refusePlan(plan: BootPlan): string | undefined {
  return refuseLoader(plan.loader) ?? refuseKind(plan, 0);
}

function refuseKind(plan: BootPlan, depth: number): string | undefined {
  switch (plan.kind) {
    case 'kernel':
      if (plan.initRamDisks.length > PLAN_LIMITS.initRamDisks)
        return `it has ${plan.initRamDisks.length} initrds: at most ${PLAN_LIMITS.initRamDisks}`;
      return (
        first([plan.kernel, ...plan.initRamDisks], refuseUri) ??
        refuseCmdline(plan.cmdline) ??
        refuseMessage(plan.message)
      );
    case 'script':
      return refuseScript(plan.script);
    case 'local':
    case 'hold':
    case 'ignore':
      return refuseMessage(plan.message);
    case 'menu': {
      const { entries, defaultEntry, title } = plan.menu;
      if (depth > 0) return 'it is a menu within a menu';
      if (entries.length === 0 || entries.length > PLAN_LIMITS.menuEntries)
        return `its menu has ${entries.length} entries: 1 to ${PLAN_LIMITS.menuEntries}`;
      if (!entries.some(({ name }) => name === defaultEntry)) return `its menu has no entry ${show(defaultEntry)}`;
      return (
        refuseLine(title, 'title') ??
        first(entries, ({ name, label, plan: chosen }) => {
          if (!/^[\w-]{1,32}$/.test(name)) return `the menu entry ${show(name)} is not letters, digits, - and _`;
          return refuseLine(label, 'label') ?? refuseKind(chosen, depth + 1);
        })
      );
    }
    default:
      return plan satisfies never;
  }
}

function first<T>(items: readonly T[], refuse: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const reason = refuse(item);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function refuseUri(uri: string): string | undefined {
  if (uri.length > PLAN_LIMITS.uriBytes) return `a URI has ${uri.length} characters`;
  // A blank ends a word of a script, and `${` is expanded by iPXE.
  if (!/^[!#-&(-;=?-[\]_a-z~]+$/i.test(uri) || uri.includes('${')) return `${show(uri)} has characters that no URI has`;
  if (!URL.canParse(uri)) return `${show(uri)} is no URI`;
  const { protocol, host } = new URL(uri);
  if (protocol === 'file:') return host === '' ? undefined : `${show(uri)}: write file:///absolute/path`;
  return protocol === 'http:' || protocol === 'https:'
    ? undefined
    : `${show(uri)} is neither a file:, an http: nor an https: URI`;
}

function refuseCmdline(marked: string): string | undefined {
  let wrong: string | undefined;
  const cmdline = replaceFileMarks(marked, (uri) => {
    wrong ??= refuseUri(uri);
    return 'url';
  });
  if (wrong !== undefined) return wrong;
  if (Buffer.byteLength(cmdline) > PLAN_LIMITS.cmdlineBytes)
    return `the command line has ${Buffer.byteLength(cmdline)} bytes: kernels take ${PLAN_LIMITS.cmdlineBytes}`;
  if (cmdline.split('"').length % 2 === 0) return 'the command line has a double quote without its partner';
  return refuseWords(cmdline, 'the command line');
}

function refuseMessage(message: string): string | undefined {
  if (Buffer.byteLength(message) > PLAN_LIMITS.messageBytes) return 'the message is too long';
  return first(message.split('\n'), (line) => refuseLine(line, 'message'));
}

function refuseLine(line: string, what: string): string | undefined {
  if (line.length > PLAN_LIMITS.messageBytes) return `the ${what} is too long`;
  // iPXE's echo and item would read it as an option.
  if (line.trimStart().startsWith('-')) return `a line of the ${what} begins with -`;
  return refuseWords(line, `the ${what}`);
}

/** iPXE expands `${…}`, and ends a command at the words `||`, `&&` and `;` and at a word that begins with `#`. */
function refuseWords(text: string, what: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return `${what} has control characters in it`;
  if (text.includes('${')) return `${what} has \${ in it, which the boot loader would expand`;
  const word = text.split(' ').find((each) => /^(?:\|\||&&|;|#.*)$/.test(each));
  return word === undefined ? undefined : `${what} has the word ${show(word)} in it, which ends a command`;
}

function refuseScript(script: string): string | undefined {
  if (Buffer.byteLength(script) > PLAN_LIMITS.scriptBytes) return 'the iPXE script is too long';
  if (!/^#!ipxe\s/.test(script)) return 'the iPXE script does not begin with a line "#!ipxe"';
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(script)) return 'the iPXE script has control characters';
  return undefined;
}

function refuseLoader(loader: string | undefined): string | undefined {
  if (loader === undefined || /^[\w.+-]{1,64}$/.test(loader)) return undefined;
  if (loader.length <= 255 && /^https?:\/\//.test(loader)) return refuseUri(loader);
  return `the loader ${show(loader)} is neither the name of a published file nor an http: or https: URL`;
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
