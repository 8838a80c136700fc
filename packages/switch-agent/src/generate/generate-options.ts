import { parseArgs } from 'node:util';
import { DISTRIBUTION_NAMES, type DistributionName } from '../platform/distribution.ts';

export const generateUsage: string = `ingot-switch generate [-i sonic-config.yaml] [-o FILE]
    makes a config_db.json from a short YAML file, on standard output or in FILE
ingot-switch generate --diff running|FILE [--patch]
    what would change, removals included, and what that needs; status 1 when anything would
ingot-switch generate --apply [-o FILE]
    writes /etc/sonic/config_db.json, or FILE, and keeps the one before as FILE.bak

  -i, --input-file FILE        the YAML; default sonic-config.yaml
  -o, --output-file FILE       the configuration
      --distribution NAME      default: by the version file. One of
                               ${DISTRIBUTION_NAMES.slice(0, 5).join(', ')},
                               ${DISTRIBUTION_NAMES.slice(5).join(', ')}
      --keep                   with --diff, --apply or -o: what the YAML makes no table of stays as it is there
      --beside-run             with --diff, --apply or -o: leaves alone what "ingot-switch run" made for machines
      --yang-models DIR        refuses what SONiC's models refuse, see ingot-switch validate
      --patch                  the difference as RFC 6902, for "config apply-patch"
      --device-dir DIR         default /usr/share/sonic/device
  -e, --environment-file FILE  default /etc/sonic/sonic-environment
  -v, --version-file FILE      default /etc/sonic/sonic_version.yml
      --mac-file FILE          default /sys/class/net/eth0/address
      --init-file FILE         what SONiC puts below every configuration; default /etc/sonic/init_cfg.json
      --database-config FILE   where the running one is; default /var/run/redis/sonic-db/database_config.json

Status: 0 done, or nothing differs; 1 something differs (--diff); 2 nothing came of it.
`;

export interface GenerateOptions {
  readonly inputFile: string;
  readonly outputFile: string | undefined;
  readonly distribution: DistributionName | undefined;
  readonly yangModels: string | undefined;
  readonly diff: string | undefined;
  readonly patch: boolean;
  readonly keep: boolean;
  readonly besideRun: boolean;
  readonly apply: boolean;
  readonly deviceDir: string;
  readonly environmentFile: string;
  readonly versionFile: string;
  readonly macFile: string;
  readonly initFile: string;
  readonly databaseConfig: string;
}

/** Throws an Error that says what is wrong with the arguments. */
export function parseGenerateOptions(args: readonly string[]): GenerateOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      'input-file': { ...text, short: 'i', default: 'sonic-config.yaml' },
      'output-file': { ...text, short: 'o' },
      distribution: text,
      'yang-models': text,
      diff: text,
      patch: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'beside-run': { type: 'boolean', default: false },
      apply: { type: 'boolean', default: false },
      'device-dir': { ...text, default: '/usr/share/sonic/device' },
      'environment-file': { ...text, short: 'e', default: '/etc/sonic/sonic-environment' },
      'version-file': { ...text, short: 'v', default: '/etc/sonic/sonic_version.yml' },
      'mac-file': { ...text, default: '/sys/class/net/eth0/address' },
      'init-file': { ...text, default: '/etc/sonic/init_cfg.json' },
      'database-config': { ...text, default: '/var/run/redis/sonic-db/database_config.json' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const distribution = DISTRIBUTION_NAMES.find((name) => name === values.distribution);
  if (values.distribution !== undefined && distribution === undefined) {
    throw new Error(`there is no distribution ${values.distribution}; write one of ${DISTRIBUTION_NAMES.join(', ')}`);
  }
  if (values.patch && values.diff === undefined) throw new Error('--patch goes with --diff running or --diff FILE');
  for (const merging of ['keep', 'beside-run'] as const) {
    if (values[merging] && values.diff === undefined && !values.apply && values['output-file'] === undefined) {
      throw new Error(`--${merging} goes with --diff, --apply or -o: there is nothing to keep else`);
    }
  }
  return {
    inputFile: values['input-file'],
    outputFile: values['output-file'],
    distribution,
    yangModels: values['yang-models'],
    diff: values.diff,
    patch: values.patch,
    keep: values.keep,
    besideRun: values['beside-run'],
    apply: values.apply,
    deviceDir: values['device-dir'],
    environmentFile: values['environment-file'],
    versionFile: values['version-file'],
    macFile: values['mac-file'],
    initFile: values['init-file'],
    databaseConfig: values['database-config'],
  };
}
