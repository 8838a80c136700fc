import { chmodSync, writeFileSync } from 'node:fs';
import { adminV2, durationFromMs, type MessageInitShape, timestampDate, toJson } from '@ingot/api';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';
import { parseDuration, withApiFlags } from './options.ts';
import { formatJson } from './output.ts';

interface CreateFlags extends ContextFlags {
  readonly user?: string;
  readonly description: string;
  readonly expires: number;
  readonly adminRole?: keyof typeof ROLES;
  readonly infraRole?: keyof typeof ROLES;
  readonly machineRole?: Readonly<Record<string, keyof typeof ROLES>>;
  readonly selfMethod?: readonly string[];
  readonly file?: string;
  readonly output: 'secret' | 'json' | 'yaml';
}

// AdminRole, InfraRole and MachineRole share their numbers.
const ROLES = { editor: 1, viewer: 2 } as const;
const ROLE_NAMES: readonly (keyof typeof ROLES)[] = ['editor', 'viewer'];
const DEFAULT_SECONDS = 8 * 3600;

/** `ingot token create`. */
export function addTokenCommands(program: Command, io: CliIo): void {
  const token = program.command('token').description('make tokens').helpCommand(false);
  withApiFlags(
    token
      .command('create')
      .description('make a token, with no more rights than the one in use, and print its secret')
      .option('--user <name>', 'whom it is for; default: the user of the token in use')
      .option('--description <text>', 'what it is for', '')
      .option('--expires <duration>', 'how long it is valid: 30m, 8h, 7d', parseDuration, DEFAULT_SECONDS)
      .addOption(new Option('--admin-role <role>', 'what it may do with everything').choices(ROLE_NAMES))
      .addOption(new Option('--infra-role <role>', 'what it may do as an agent').choices(ROLE_NAMES))
      .option('--machine-role <uuid=role>', 'what it may do as one machine, * for any; may be repeated', machineRole)
      .option(
        '--self-method <path...>',
        'a method of its own that it may call, such as /metalstack.api.v2.TokenService/Refresh',
      )
      .option('--file <file>', 'write the secret there, readable for the owner only, instead of printing it')
      .addOption(
        new Option('-o, --output <format>', 'how to print').choices(['secret', 'json', 'yaml']).default('secret'),
      ),
  ).action(async (flags: CreateFlags) => {
    if (
      flags.adminRole === undefined &&
      flags.infraRole === undefined &&
      flags.machineRole === undefined &&
      flags.selfMethod === undefined
    ) {
      throw new CliError(
        CliErrorCode.Argument,
        'a token without rights is of no use; add --admin-role, --infra-role, --machine-role or --self-method',
      );
    }
    const answer = await withApi(flags, io, (api) => api.tokens.create(requestOf(flags), call));
    if (flags.file !== undefined) {
      writeSecret(flags.file, answer.secret);
      const expires = answer.token?.expires;
      const until = expires === undefined ? '' : `, valid until ${timestampDate(expires).toISOString()}`;
      io.stderr(`wrote the token to ${flags.file}${until}\n`);
    }
    const shown = flags.file === undefined ? answer : { ...answer, secret: '' };
    if (flags.output !== 'secret')
      io.stdout(formatJson(toJson(adminV2.TokenServiceCreateResponseSchema, shown), flags.output));
    else if (flags.file === undefined) io.stdout(`${answer.secret}\n`);
  });
}

function machineRole(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [uuid, role, ...rest] = text.split('=');
  if (uuid === undefined || uuid === '' || rest.length > 0 || (role !== 'editor' && role !== 'viewer')) {
    throw new InvalidArgumentError('Write UUID=editor or UUID=viewer, or * for any machine.');
  }
  return { ...before, [uuid]: role };
}

function requestOf(flags: CreateFlags): MessageInitShape<typeof adminV2.TokenServiceCreateRequestSchema> {
  const { user, description, expires, adminRole, infraRole, machineRole: machineRoles = {}, selfMethod = [] } = flags;
  return {
    ...(user === undefined ? {} : { user }),
    tokenCreateRequest: {
      description,
      expires: durationFromMs(expires * 1000),
      ...(adminRole === undefined ? {} : { adminRole: ROLES[adminRole] }),
      ...(infraRole === undefined ? {} : { infraRole: ROLES[infraRole] }),
      machineRoles: Object.fromEntries(Object.entries(machineRoles).map(([uuid, role]) => [uuid, ROLES[role]])),
      permissions:
        selfMethod.length === 0 ? [] : [{ visibility: { case: 'self', value: { methods: [...selfMethod] } } }],
    },
  };
}

function writeSecret(file: string, secret: string): void {
  try {
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    // The mode above counts for new files only.
    chmodSync(file, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `the token was made, but ${file} cannot be written: ${reason}`, error);
  }
}
