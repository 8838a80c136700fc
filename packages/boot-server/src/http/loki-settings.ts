import { readSecretFile } from '@ingot/daemon';

/** Where agents push their log lines to, in the shape that metal-hammer knows. The password is read at each use. */
export async function lokiSettings(loki: {
  readonly endpoint: string;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
}): Promise<Readonly<Record<string, unknown>>> {
  const { endpoint, user, passwordFile } = loki;
  return {
    endpoint,
    ...(user === undefined || passwordFile === undefined
      ? {}
      : { basic_auth: { user, password: await readSecretFile(passwordFile) } }),
    log_type: 'loki',
  };
}
