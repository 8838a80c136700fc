import { readSecretFile } from '@ingot/daemon';
import { ApiServerError, ApiServerErrorCode } from '../errors.ts';

/** IPMI 2.0, 22.30: what a BMC can hold, bytes. */
const LONGEST = 20;
/** Shorter ones would not be kept out of logs. */
const SHORTEST = 6;

/**
 * Reads the password that the discovery agent gives to the superuser of every BMC. Rejects with `SUPER_USER_PASSWORD`, or
 * with DAEMON_SECRET_FILE when the file is missing or open to others.
 */
export async function readSuperUserPassword(file: string): Promise<string> {
  const password = await readSecretFile(file);
  // Clients type it in, and no two agree on how letters beyond ASCII are stored.
  if (!/^[\x21-\x7e]+$/.test(password))
    throw refuse(file, 'it may have printable ASCII characters only, without spaces');
  if (password.length < SHORTEST || password.length > LONGEST)
    throw refuse(file, `it has ${password.length} characters, and a BMC takes ${SHORTEST} to ${LONGEST}`);
  return password;
}

function refuse(file: string, words: string): ApiServerError {
  return new ApiServerError(
    ApiServerErrorCode.SuperUserPassword,
    `cannot use the password in ${file}: ${words}; write another one into it`,
  );
}
