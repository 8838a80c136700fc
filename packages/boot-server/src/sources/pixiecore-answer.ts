import { z } from 'zod';
import { fileMark, type PlanKind } from '../decide/boot-plan.ts';
import { PLAN_LIMITS } from '../decide/plan-check.ts';

/** What `<prefix>/v1/boot/<mac>` answers; Go writes an empty list as null. */
const answer = z.object({
  kernel: z.string().nullish(),
  initrd: z.array(z.string()).max(PLAN_LIMITS.initRamDisks).nullish(),
  cmdline: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  message: z.string().nullish(),
  'ipxe-script': z.string().nullish(),
});

export type PixiecoreAnswer =
  | { readonly ok: true; readonly plan: PlanKind }
  | { readonly ok: false; readonly reason: string };

/** Reads the JSON of an answer. `base` is `<prefix>/v1`: relative URLs start there (RFC 3986, §5). */
export function parsePixiecoreAnswer(json: string, base: string): PixiecoreAnswer {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { ok: false, reason: 'the answer is not JSON' };
  }
  const parsed = answer.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { ok: false, reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as it should be'}` };
  }
  const { kernel, initrd, cmdline, message, 'ipxe-script': script } = parsed.data;
  if (script !== undefined && script !== null && script !== '') return { ok: true, plan: { kind: 'script', script } };
  if (kernel === undefined || kernel === null || kernel === '')
    return { ok: false, reason: 'the answer has neither kernel nor ipxe-script' };
  const wrong: string[] = [];
  const resolve = (url: string): string => {
    if (URL.canParse(url, base)) return new URL(url, base).href;
    wrong.push(`${JSON.stringify(url.slice(0, 80))} is no URL`);
    return 'file:///';
  };
  // U+0000 is what marks are made of.
  if (json.includes(String.raw`\u0000`)) return { ok: false, reason: 'the answer has a NUL in it' };
  const files = { kernel: resolve(kernel), initRamDisks: (initrd ?? []).map(resolve) };
  const line = typeof cmdline === 'string' ? readTemplate(cmdline, resolve) : readObject(cmdline ?? {}, resolve);
  if (!line.ok) return line;
  if (wrong[0] !== undefined) return { ok: false, reason: wrong[0] };
  return {
    ok: true,
    plan: { kind: 'kernel', ...files, cmdline: line.text, message: (message ?? '').trim(), wantsConfig: false },
  };
}

type Line = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/**
 * Upstream's command line is a Go template with one function, `{{ URL "…" }}`: the address of that file on the boot
 * server. A string is quoted Go's way or stands in backquotes.
 */
function readTemplate(template: string, resolve: (url: string) => string): Line {
  let unreadable: string | undefined;
  const text = template.replaceAll(/\{\{(.*?)\}\}/g, (action, body: string) => {
    const [, quoted, raw] = /^\s*URL\s+(?:("(?:[^"\\]|\\.)*")|`([^`]*)`)\s*$/.exec(body) ?? [];
    const url = raw ?? (quoted === undefined ? undefined : unquote(quoted));
    if (url !== undefined) return fileMark(resolve(url));
    unreadable ??= action;
    return '';
  });
  if (unreadable !== undefined || text.includes('{{')) {
    const what = JSON.stringify((unreadable ?? template).slice(0, 80));
    return { ok: false, reason: `cmdline: of templates only {{ URL "…" }} is known, not ${what}` };
  }
  return { ok: true, text: text.trim() };
}

/** JSON's escapes are among Go's, and what else Go knows no URL needs. */
function unquote(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The form that upstream calls deprecated: names and values, in the names' order. */
function readObject(cmdline: Readonly<Record<string, unknown>>, resolve: (url: string) => string): Line {
  const words: string[] = [];
  for (const [key, value] of Object.entries(cmdline).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (typeof value === 'boolean') words.push(key);
    else if (typeof value === 'string') words.push(`${key}=${JSON.stringify(value)}`);
    else {
      const url = z.strictObject({ url: z.string() }).safeParse(value);
      if (!url.success)
        return {
          ok: false,
          reason: `cmdline: ${JSON.stringify(key.slice(0, 80))} is no text, no flag and no {"url": …}`,
        };
      words.push(`${key}=${fileMark(resolve(url.data.url))}`);
    }
  }
  return { ok: true, text: words.join(' ') };
}
