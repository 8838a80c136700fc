import type { RunningFrr } from './vtysh.ts';

/** What depends on how the image of the switch runs FRR. */
export interface ImageFeatures {
  readonly fpm: boolean;
  readonly snmp: boolean;
}

/** `auto` takes what the daemons that run have loaded. */
export type ImageSetting = 'auto' | 'on' | 'off';

/** Lines that a daemon only knows, and needs, with a module loaded. */
const FEATURES: Readonly<Record<keyof ImageFeatures, { readonly module: RegExp; readonly line: RegExp }>> = {
  // dplane_fpm_nl, and SONiC's own dplane_fpm_sonic: unlike the older `fpm` they connect nowhere by themselves.
  fpm: { module: /^dplane_fpm_/, line: /^fpm address /m },
  snmp: { module: /(?:^|_)snmp$/, line: /^agentx$/m },
};

/**
 * The features of the image. With FRR down they are those of the file that is there: it was made when FRR ran, or by
 * the start script of the image.
 */
export function imageFeatures(
  settings: Readonly<Record<keyof ImageFeatures, ImageSetting>>,
  running: RunningFrr | undefined,
  currentFile: string | undefined,
): ImageFeatures {
  const modules = [...(running?.daemons.values() ?? [])].flatMap((daemon) => [...daemon.modules]);
  const decide = (feature: keyof ImageFeatures): boolean => {
    const setting = settings[feature];
    if (setting !== 'auto') return setting === 'on';
    const { module, line } = FEATURES[feature];
    return modules.length === 0 ? line.test(currentFile ?? '') : modules.some((name) => module.test(name));
  };
  return { fpm: decide('fpm'), snmp: decide('snmp') };
}

/** What SONiC's `docker_routing_config_mode` does with a `frr.conf` that is not its own. */
const ROUTING_MODES: Readonly<
  Record<string, { readonly keeps: 'always' | 'old images' | 'never'; readonly why: string }>
> = {
  'split-unified': { keeps: 'always', why: '' },
  split: { keeps: 'old images', why: 'the bgp container deletes frr.conf at every start' },
  separated: { keeps: 'never', why: 'the bgp container deletes frr.conf at every start' },
  unified: { keeps: 'never', why: 'the bgp container writes a frr.conf of its own at every start' },
};

// Edgecore's 202111 knows no `split-unified`, and leaves frr.conf alone in `split`.
const OLD_IMAGE = /(?:^|[^0-9])202111(?:[^0-9]|$)/;

/**
 * Why `frr.conf` will not survive a restart of SONiC's bgp container, and what to set; undefined when it will. `mode` is
 * `DEVICE_METADATA|localhost` `docker_routing_config_mode`, which SONiC takes for `separated` when it is absent.
 */
export function routingModeProblem(mode: string | undefined, sonicVersion: string): string | undefined {
  const old = OLD_IMAGE.test(sonicVersion);
  const { keeps, why } = ROUTING_MODES[mode ?? 'separated'] ?? {
    keeps: 'never',
    why: 'it is not known what the bgp container does with frr.conf',
  };
  if (keeps === 'always' || (keeps === 'old images' && old)) return undefined;
  const wanted = old ? 'split' : 'split-unified';
  return `docker_routing_config_mode is "${mode ?? 'separated'}": ${why}; set it to "${wanted}" in DEVICE_METADATA and restart the container`;
}
