/** Words of `/proc/cmdline`: `key=value`, split at the first `=`; of several equal keys the last counts. */
export function parseCmdline(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .trim()
      .split(/\s+/)
      .flatMap((word) => {
        const equals = word.indexOf('=');
        return equals < 1 ? [] : [[word.slice(0, equals), word.slice(equals + 1)] as const];
      }),
  );
}

/** Where the config is, `undefined` when the command line names no http(s) address. */
export function configUrl(cmdline: ReadonlyMap<string, string>): URL | undefined {
  const text = cmdline.get('PIXIE_API_URL') ?? '';
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}
