import { timestampDate, toJson, type apiV2, type DescMessage, type MessageShape } from '@ingot/api';
import type { Command } from 'commander';
import { type Api, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import type { Json } from '../output.ts';
import { fieldNames } from '../template/fields.ts';

/** A member, as tenants and projects have them alike. */
export interface Member {
  readonly id: string;
  readonly role: string;
  /** What else there is to say. */
  readonly note: string;
  readonly createdAt: string;
  readonly json: Json;
}

export interface Invite {
  readonly secret: string;
  readonly role: string;
  readonly to: string;
  readonly expiresAt: string;
  readonly joined: boolean;
  readonly json: Json;
}

/** What tenants and projects can do with members and invites. */
export interface Membership {
  readonly kind: 'tenant' | 'project';
  /** How the thing is named on the command line. */
  readonly argument: string;
  readonly roles: readonly string[];
  readonly inviteSchema: DescMessage;
  /** What the API calls it, of what was written. */
  readonly resolve: (api: Api, given: string) => Promise<string>;
  readonly members: (api: Api, of: string) => Promise<readonly Member[]>;
  readonly add: (api: Api, of: string, member: string, role: string, asAdmin: boolean) => Promise<unknown>;
  readonly update: (api: Api, of: string, member: string, role: string) => Promise<unknown>;
  readonly remove: (api: Api, of: string, member: string, asAdmin: boolean) => Promise<unknown>;
  /** Whether administrators may do this to any of them. */
  readonly forAdmins: boolean;
  readonly leave: (api: Api, of: string) => Promise<unknown>;
  readonly invites: (api: Api, of: string) => Promise<readonly Invite[]>;
  readonly invite: (api: Api, of: string, role: string) => Promise<Invite>;
  readonly inviteOf: (api: Api, secret: string) => Promise<Invite>;
  readonly accept: (api: Api, secret: string) => Promise<string>;
  readonly withdraw: (api: Api, of: string, secret: string) => Promise<unknown>;
}

interface AdminFlags extends ContextFlags {
  readonly admin?: boolean;
}

/** `ingot tenant member`, `invite` and `leave`, and the same of projects. */
export function addMembershipCommands(command: Command, io: CliIo, membership: Membership): void {
  addMemberCommands(command, io, membership);
  addInviteCommands(command, io, membership);
  const { kind, argument } = membership;
  withApiFlags(
    command.command('leave').description(`be no member of a ${kind} any more`).argument(`<${kind}>`, argument),
  ).action(async (of: string, flags: ContextFlags) => {
    await withApi(flags, io, async (api) => membership.leave(api, await membership.resolve(api, of)));
    io.stdout(`${kind} ${of} left\n`);
  });
}

const MEMBERS: ListView<Member> = {
  fields: undefined,
  columns: () => [
    { title: 'MEMBER', cell: ({ id }) => id },
    { title: 'ROLE', cell: ({ role }) => role },
    { title: 'SINCE', cell: ({ createdAt }) => createdAt },
    { title: 'NOTE', cell: ({ note }) => note },
  ],
  json: ({ json }) => json,
  key: ({ id }) => id,
};

function addMemberCommands(command: Command, io: CliIo, membership: Membership): void {
  const { kind, argument, roles, forAdmins } = membership;
  const member = command.command('member').description(`see and change who belongs to a ${kind}`).helpCommand(false);
  const role = (one: Command): Command =>
    one.addArgument(one.createArgument('<role>', 'what they may do').choices(roles));
  const admin = (one: Command): Command =>
    forAdmins ? one.option('--admin', 'as an administrator, who need not belong to it') : one;

  withApiFlags(
    withListFlags(
      member.command('ls').alias('list').description('list the members').argument(`<${kind}>`, argument),
      MEMBERS,
    ),
  ).action((of: string, flags: ListFlags & ContextFlags) =>
    showApiList(flags, io, MEMBERS, async (api) => membership.members(api, await membership.resolve(api, of))),
  );

  withApiFlags(
    admin(
      role(
        member
          .command('add')
          .description('add somebody who is known already; others are invited')
          .argument(`<${kind}>`, argument)
          .argument('<member>', 'login of their tenant'),
      ),
    ),
  ).action(async (of: string, id: string, as: string, flags: AdminFlags) => {
    await withApi(flags, io, async (api) =>
      membership.add(api, await membership.resolve(api, of), id, as, flags.admin === true),
    );
    io.stdout(`${id} is ${as} of ${kind} ${of}\n`);
  });

  withApiFlags(
    role(
      member
        .command('update')
        .description('let a member do more, or less')
        .argument(`<${kind}>`, argument)
        .argument('<member>', 'login of their tenant'),
    ),
  ).action(async (of: string, id: string, as: string, flags: ContextFlags) => {
    await withApi(flags, io, async (api) => membership.update(api, await membership.resolve(api, of), id, as));
    io.stdout(`${id} is ${as} of ${kind} ${of}\n`);
  });

  withApiFlags(
    admin(
      member
        .command('rm')
        .alias('remove')
        .description('take somebody out')
        .argument(`<${kind}>`, argument)
        .argument('<member>', 'login of their tenant'),
    ),
  ).action(async (of: string, id: string, flags: AdminFlags) => {
    await withApi(flags, io, async (api) =>
      membership.remove(api, await membership.resolve(api, of), id, flags.admin === true),
    );
    io.stdout(`${id} is no member of ${kind} ${of} any more\n`);
  });
}

const INVITES: ListView<Invite> = {
  fields: undefined,
  columns: () => [
    { title: 'SECRET', cell: ({ secret }) => secret },
    { title: 'TO', cell: ({ to }) => to },
    { title: 'ROLE', cell: ({ role }) => role },
    { title: 'EXPIRES', cell: ({ expiresAt }) => expiresAt },
    { title: 'ACCEPTED', cell: ({ joined }) => (joined ? 'yes' : '') },
  ],
  json: ({ json }) => json,
  key: ({ secret }) => secret,
};

function addInviteCommands(command: Command, io: CliIo, membership: Membership): void {
  const { kind, argument, roles } = membership;
  const invite = command.command('invite').description(`invite people to a ${kind}`).helpCommand(false);

  withApiFlags(
    withListFlags(
      invite.command('ls').alias('list').description('list the invites').argument(`<${kind}>`, argument),
      INVITES,
    ),
  ).action((of: string, flags: ListFlags & ContextFlags) =>
    showApiList(flags, io, INVITES, async (api) => membership.invites(api, await membership.resolve(api, of))),
  );

  withApiFlags(
    invite
      .command('create')
      .description('invite whoever gets the secret that this prints')
      .argument(`<${kind}>`, argument)
      .addArgument(invite.createArgument('<role>', 'what they may do').choices(roles)),
  ).action(async (of: string, role: string, flags: ContextFlags) => {
    const { secret, expiresAt } = await withApi(flags, io, async (api) =>
      membership.invite(api, await membership.resolve(api, of), role),
    );
    io.stdout(`${secret}\n`);
    io.stderr(
      `valid until ${expiresAt}, once; accepted with: ingot ${kind} invite accept ${secret.startsWith('-') ? '-- ' : ''}${secret}\n`,
    );
  });

  withApiFlags(
    withDescribeFlags(
      invite.command('describe').description('show what an invite is to').argument('<secret>', 'its secret'),
    ),
  ).action(async (secret: string, flags: DescribeFlags & ContextFlags) => {
    const { json } = await withApi(flags, io, (api) => membership.inviteOf(api, secret));
    showOne(flags, io, json, fieldNames(membership.inviteSchema));
  });

  withApiFlags(
    invite.command('accept').description(`become a member of a ${kind}`).argument('<secret>', 'its secret'),
  ).action(async (secret: string, flags: ContextFlags) => {
    io.stdout(`you are a member of ${kind} ${await withApi(flags, io, (api) => membership.accept(api, secret))}\n`);
  });

  withApiFlags(
    invite
      .command('rm')
      .alias('delete')
      .description('take an invite back')
      .argument(`<${kind}>`, argument)
      .argument('<secret>', 'its secret'),
  ).action(async (of: string, secret: string, flags: ContextFlags) => {
    await withApi(flags, io, async (api) => membership.withdraw(api, await membership.resolve(api, of), secret));
    io.stdout('the invite is taken back\n');
  });
}

/** The parts of an invite that tenants and projects have alike. */
export function inviteOf<Schema extends DescMessage>(
  schema: Schema,
  invite: MessageShape<Schema> & {
    readonly secret: string;
    readonly joined: boolean;
    readonly expiresAt?: apiV2.TenantInvite['expiresAt'];
  },
  to: string,
  role: string,
): Invite {
  return {
    secret: invite.secret,
    role,
    to,
    expiresAt: invite.expiresAt === undefined ? '' : timestampDate(invite.expiresAt).toISOString(),
    joined: invite.joined,
    json: toJson(schema, invite),
  };
}
