import { readFile } from 'node:fs/promises';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';

/** The CA of the API server, PEM. Throws SwitchAgentError `SWITCH_CA_FILE`. */
export async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new SwitchAgentError(
      SwitchAgentErrorCode.CaFile,
      `${file} cannot be read (${reasonOf(error)}); put the API server's CA (ca.pem) there, or correct api.caFile`,
      error,
    );
  }
}
