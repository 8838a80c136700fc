import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';

/** Reads one of SONiC's files. Throws SwitchAgentError `SWITCH_SONIC_FILE`, with `hint` as what to look at. */
export async function readSonicFile(file: string, hint: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw sonicFileError(file, `cannot be read (${reasonOf(error)}); ${hint}`, error);
  }
}

/** As `readSonicFile`; undefined when there is no such file. */
export async function readSonicFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw sonicFileError(file, `cannot be read (${reasonOf(error)})`, error);
  }
}

/** Parses one of SONiC's JSON files; `file` is for the message only. Throws SwitchAgentError `SWITCH_SONIC_FILE`. */
export function parseSonicJson<T>(file: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw sonicFileError(file, `is not JSON (${reasonOf(error)})`, error);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw sonicFileError(
    file,
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not what SONiC has'}`,
    parsed.error,
  );
}

export function sonicFileError(file: string, what: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.SonicFile, `${file} ${what}`, cause);
}
