import { apiV2, create } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import { askOnce } from '../ask-once.ts';
import type { ContextFlags } from '../context.ts';
import type { CliIo } from '../io.ts';
import { parsePair, withApiFlags } from '../options.ts';
import { given } from '../resources/given.ts';

interface NewFlags extends ContextFlags {
  readonly description?: string;
  readonly email?: string;
  readonly avatarUrl?: string;
  readonly label?: Readonly<Record<string, string>>;
}

/** `ingot tenant new`: what people do without an administrator. */
export function addNewTenantCommand(tenant: Command, io: CliIo): void {
  withApiFlags(
    tenant
      .command('new')
      .description('make a tenant whose owner you are, which takes no administrator; the server chooses its login')
      .argument('<name>', 'how it is called for people')
      .option('--description <text>', 'what it is for')
      .option('--email <address>', 'where its people are reached')
      .option('--avatar-url <url>', 'where its picture is')
      .option('--label <key=value>', 'a label; may be repeated', parsePair),
  ).action(async (name: string, flags: NewFlags) => {
    const { description, email, avatarUrl, label } = flags;
    const { tenant: made } = await withApi(flags, io, (api) =>
      askOnce(io, call.timeoutMs, (options) =>
        api.tenants.create(
          {
            name,
            ...given('description', description),
            ...given('email', email),
            ...given('avatarUrl', avatarUrl),
            ...given('labels', label === undefined ? undefined : create(apiV2.LabelsSchema, { labels: { ...label } })),
          },
          options,
        ),
      ),
    );
    io.stdout(`tenant ${made?.login ?? ''} created\n`);
  });
}
