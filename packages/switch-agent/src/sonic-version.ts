import { readFile } from 'node:fs/promises';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';

/** `name: value` at the start of a line, the value bare or in one kind of quotes, a comment behind it left out. */
const SCALAR = /^([A-Za-z_][\w-]*):[ \t]*(?:'((?:[^']|'')*)'|"([^"]*)"|([^#\s][^#]*?)?)[ \t]*(?:#.*)?$/;

/**
 * The `build_version` of `sonic_version.yml`, a flat file of scalars that SONiC's build writes.
 * Throws SwitchAgentError `SWITCH_SONIC_FILE`.
 */
export async function readSonicVersion(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new SwitchAgentError(
      SwitchAgentErrorCode.SonicFile,
      `${file} cannot be read (${reasonOf(error)}); is this SONiC, and is sonicVersionFile right?`,
      error,
    );
  }
  const version = parseSonicVersion(text);
  if (version === undefined) {
    throw new SwitchAgentError(SwitchAgentErrorCode.SonicFile, `${file} has no build_version of 2 to 128 characters`);
  }
  return version;
}

/** The build version, undefined when there is none that the API would take (2 to 128 characters). */
export function parseSonicVersion(text: string): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const match = SCALAR.exec(line);
    if (match?.[1] !== 'build_version') continue;
    const version = (match[2]?.replaceAll("''", "'") ?? match[3] ?? match[4] ?? '').trim();
    return version.length >= 2 && version.length <= 128 ? version : undefined;
  }
  return undefined;
}
