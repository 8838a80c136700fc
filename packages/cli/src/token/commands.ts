import { apiV2, timestampMs, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { type Api, call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { pick } from '../names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import { given } from '../resources/given.ts';
import { Tone } from '../style.ts';
import { ageText, durationText } from '../time-text.ts';
import { addTokenSecretCommands } from './create-command.ts';
import { hasRights, rightsOf, withRightsFlags, type RightsFlags } from './rights.ts';
import { fieldNames } from '../template/fields.ts';

const TYPES = { api: apiV2.TokenType.API, user: apiV2.TokenType.USER } as const;

interface TokenListFlags extends ListFlags, ContextFlags {
  readonly own?: boolean;
  readonly user?: string;
  readonly type?: keyof typeof TYPES;
}

interface OwnFlags extends ContextFlags {
  readonly own?: boolean;
}

/** `ingot token`. */
export function addTokenCommands(program: Command, io: CliIo): void {
  const token = program.command('token').description('make tokens, see them, take them back').helpCommand(false);
  addTokenSecretCommands(token, io);

  withApiFlags(
    withListFlags(token.command('ls').alias('list').description('list tokens; their secrets are not kept'), TOKENS)
      .option('--own', 'only your own, which takes no administrator')
      .option('--user <name>', "only this user's")
      .addOption(new Option('--type <type>', 'only these').choices(Object.keys(TYPES))),
  ).action((flags: TokenListFlags) => {
    const { own, user, type } = flags;
    const query = { ...given('user', user), ...given('tokenType', type === undefined ? undefined : TYPES[type]) };
    return showApiList(flags, io, TOKENS, async (api) => {
      const { tokens } =
        own === true ? await api.ownTokens.list({ query }, call) : await api.tokens.list({ query }, call);
      return tokens.sort((a, b) => (a.user < b.user ? -1 : a.user > b.user ? 1 : issuedMs(a) - issuedMs(b)));
    });
  });

  withApiFlags(
    withDescribeFlags(
      token
        .command('describe')
        .description('show what a token may do, and until when')
        .argument('<id>', 'its uuid, or the beginning of it')
        .option('--own', 'one of your own, by its whole uuid; takes no administrator'),
    ),
  ).action(async (id: string, flags: DescribeFlags & OwnFlags) => {
    const found = await withApi(flags, io, async (api) =>
      flags.own === true ? (await api.ownTokens.get({ uuid: id }, call)).token : findToken(api, id),
    );
    showOne(flags, io, found === undefined ? {} : toJson(apiV2.TokenSchema, found), fieldNames(apiV2.TokenSchema));
  });

  withApiFlags(
    token
      .command('revoke')
      .alias('rm')
      .description('take tokens back: they are refused from now on')
      .argument('<id...>', 'the whole uuid of each')
      .option('--own', 'your own, which takes no administrator'),
  ).action(async (ids: readonly string[], flags: OwnFlags) => {
    await withApi(flags, io, async (api) => {
      for (const uuid of ids) {
        if (flags.own === true) await api.ownTokens.revoke({ uuid }, call);
        else {
          const { user } = await findToken(api, uuid, true);
          await api.tokens.revoke({ uuid, user }, call);
        }
        io.stdout(`token ${uuid} revoked\n`);
      }
    });
  });

  withApiFlags(
    withRightsFlags(
      token
        .command('update')
        .description('give one of your own tokens other rights; a kind of right that is not named stays')
        .argument('<id>', 'its whole uuid')
        .option('--description <text>', 'what it is for'),
      'old',
    ),
  ).action(async (uuid: string, flags: ContextFlags & RightsFlags & { readonly description?: string }) => {
    const { description } = flags;
    if (description === undefined && !hasRights(flags))
      throw new CliError(CliErrorCode.Argument, 'say what is to change: --description, or a role or method');
    const updateMeta = { lockingStrategy: apiV2.OptimisticLockingStrategy.SERVER };
    await withApi(flags, io, (api) =>
      api.ownTokens.update({ uuid, updateMeta, ...given('description', description), ...rightsOf(flags) }, call),
    );
    io.stdout(`token ${uuid} changed\n`);
  });
}

const TOKENS: ListView<apiV2.Token> = {
  fields: fieldNames(apiV2.TokenSchema),
  columns: (nowMs) => [
    { title: 'UUID', cell: ({ uuid }) => uuid },
    { title: 'USER', cell: ({ user }) => user },
    { title: 'TYPE', cell: ({ tokenType }) => (tokenType === TYPES.user ? 'user' : 'api') },
    { title: 'MAY', cell: rightsText },
    { title: 'DESCRIPTION', cell: ({ description }) => description },
    { title: 'ISSUED', cell: ({ issuedAt }) => ageText(issuedAt, nowMs), wide: true, passing: true },
    {
      title: 'EXPIRES IN',
      cell: ({ expires }) => leftText(expires, nowMs),
      tone: ({ expires }) => (leftText(expires, nowMs) === 'expired' ? Tone.Bad : undefined),
      passing: true,
    },
  ],
  json: (token) => toJson(apiV2.TokenSchema, token),
  key: ({ uuid }) => uuid,
};

function leftText(expires: apiV2.Token['expires'], nowMs: number): string {
  if (expires === undefined) return 'never';
  const leftMs = timestampMs(expires) - nowMs;
  return leftMs <= 0 ? 'expired' : durationText(leftMs);
}

/** What matters most of a token's rights, in a few words. */
function rightsText(token: apiV2.Token): string {
  const { adminRole, infraRole, machineRoles, projectRoles, tenantRoles, permissions } = token;
  const role = (number: number | undefined): string => (number === 1 ? 'editor' : 'viewer');
  const count = (of: object, word: string): string[] => {
    const { length } = Object.keys(of);
    return length === 0 ? [] : [`${length} ${word}${length === 1 ? '' : 's'}`];
  };
  return [
    ...(adminRole === undefined ? [] : [`admin ${role(adminRole)}`]),
    ...(infraRole === undefined ? [] : [`infra ${role(infraRole)}`]),
    ...count(machineRoles, 'machine'),
    ...count(projectRoles, 'project'),
    ...count(tenantRoles, 'tenant'),
    ...count(
      permissions.flatMap(({ methods }) => methods),
      'method',
    ),
  ].join(', ');
}

async function findToken(api: Api, id: string, whole = false): Promise<apiV2.Token> {
  const { tokens } = await api.tokens.list({ query: {} }, call);
  const found = pick('token', id, tokens, ({ uuid }) => uuid);
  if (whole && found.uuid !== id)
    throw new CliError(CliErrorCode.Argument, `there is no token ${id}; write ${found.uuid} if that is meant`);
  return found;
}

function issuedMs({ issuedAt }: apiV2.Token): number {
  return issuedAt === undefined ? 0 : timestampMs(issuedAt);
}
