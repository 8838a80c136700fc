import { adminV2, apiV2, create, durationFromMs } from '@ingot/api';
import { type Command, Option } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { parseDuration, parsePair, withApiFlags } from '../options.ts';
import { given } from '../resources/given.ts';
import { hasRights, rightsOf, withRightsFlags, type RightsFlags } from './rights.ts';
import { withReads } from './reads.ts';
import { showSecret, withSecretFlags, type SecretFlags } from './secret.ts';

interface CreateFlags extends ContextFlags, RightsFlags, SecretFlags {
  readonly user?: string;
  readonly own?: boolean;
  readonly description?: string;
  readonly expires: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly reads: boolean;
}

const DEFAULT_SECONDS = 8 * 3600;

/** `ingot token create` and `refresh`: what makes secrets. */
export function addTokenSecretCommands(token: Command, io: CliIo): void {
  withApiFlags(
    withSecretFlags(
      withRightsFlags(
        token
          .command('create')
          .description('make a token, with no more rights than the one in use, and print its secret')
          .option(
            '--user <name>',
            'whom it is for; without any right, it is their own, and has those of their memberships',
          )
          .option('--own', 'make it for yourself, which takes no administrator')
          .option('--description <text>', 'what it is for')
          .addOption(
            new Option('--expires <duration>', 'how long it is valid: 30m, 8h, 7d')
              .argParser(parseDuration)
              .default(DEFAULT_SECONDS, '8h'),
          )
          .option('--label <key=value>', 'a label; may be repeated', parsePair)
          .option(
            '--no-reads',
            'with a role for everything, a project or a tenant: do not let it see sizes, images, partitions and whose it is',
          ),
        'new',
      ),
    ),
  ).action(async (flags: CreateFlags) => {
    const { user, own } = flags;
    if (own === true && user !== undefined)
      throw new CliError(
        CliErrorCode.Argument,
        '--own makes a token for yourself, --user for somebody: give one of them',
      );
    if (user === undefined && !hasRights(flags)) {
      throw new CliError(
        CliErrorCode.Argument,
        'a token without rights is of no use; add --admin-role, --infra-role, --machine-role, --project-role, --tenant-role or --self-method, ' +
          'or --user for somebody’s own token, which has the rights of their memberships',
      );
    }
    const request = requestOf(flags);
    if (own === true) {
      const answer = await withApi(flags, io, (api) => api.ownTokens.create(request, call));
      return showSecret(apiV2.TokenServiceCreateResponseSchema, answer, flags, io);
    }
    const answer = await withApi(flags, io, (api) =>
      api.tokens.create({ ...given('user', user), tokenCreateRequest: request }, call),
    );
    showSecret(adminV2.TokenServiceCreateResponseSchema, answer, flags, io);
  });

  withApiFlags(
    withSecretFlags(
      token
        .command('refresh')
        .description(
          'make a token with the rights of the one in use, valid for as long as that was; that stays valid, too',
        ),
    ),
  ).action(async (flags: ContextFlags & SecretFlags) => {
    const answer = await withApi(flags, io, (api) => api.ownTokens.refresh({}, call));
    showSecret(apiV2.TokenServiceRefreshResponseSchema, answer, flags, io);
  });
}

function requestOf(flags: CreateFlags): apiV2.TokenServiceCreateRequest {
  const { description = '', expires, label } = flags;
  return create(apiV2.TokenServiceCreateRequestSchema, {
    description,
    expires: durationFromMs(expires * 1000),
    ...rightsOf(withReads(flags)),
    ...given('labels', label === undefined ? undefined : create(apiV2.LabelsSchema, { labels: label })),
  });
}
