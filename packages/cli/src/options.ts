import { type Command, InvalidArgumentError, Option } from 'commander';
import { DESCRIBE_FORMATS, LIST_FORMATS } from './output.ts';

/** Adds the flags that say which API server is meant. */
export function withApiFlags(command: Command): Command {
  return command
    .optionsGroup('API server:')
    .option('--api-url <url>', 'https://host:port or unix:/path (INGOT_API_URL)')
    .option('--api-ca-file <file>', "the server's CA, ca.pem (INGOT_API_CA_FILE)")
    .option('--api-token-file <file>', 'a file with the bearer token (INGOT_API_TOKEN_FILE)')
    .option('--context <name>', 'a context of ~/.config/ingot/config.yaml instead of the current one (INGOT_CONTEXT)');
}

/** Adds the flags of every `ls`. */
export function withListFlags(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices(LIST_FORMATS).default('table'))
    .option('--no-headers', 'print no titles above the columns');
}

/** Adds the flags of every `describe`. */
export function withDescribeFlags(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print').choices(DESCRIBE_FORMATS).default('yaml'),
  );
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Reads `90s`, `30m`, `8h` or `7d` as seconds. Throws commander's InvalidArgumentError. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = match?.[2];
  if (match === null || (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd')) {
    throw new InvalidArgumentError('Write a number and s, m, h or d, such as 8h.');
  }
  return Number(match[1]) * SECONDS[unit];
}
