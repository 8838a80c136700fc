import type { CommandResult, RunCommand } from './command.ts';

/** How FRR is reached, which on SONiC is inside of a container. */
export interface VtyshOptions {
  /** `['docker', 'exec', 'bgp', 'vtysh']`, or vtysh with the folder of its sockets. */
  readonly argv: readonly string[];
  readonly run: RunCommand;
  /** For each command, milliseconds. */
  readonly timeoutMs: number;
}

export interface FrrDaemon {
  /** Absent where this FRR does not tell. */
  readonly pid?: number;
  /** The loadable modules that it has, such as `dplane_fpm_nl`, and its built-in ones. */
  readonly modules: ReadonlySet<string>;
}

/** What runs at the moment. */
export interface RunningFrr {
  /** By name: `zebra`, `bgpd`, `staticd`. */
  readonly daemons: ReadonlyMap<string, FrrDaemon>;
  /** `show running-config`: what any of the daemons runs. */
  readonly conf: string;
  /** What bgpd runs of it; empty when it does not run. */
  readonly bgpdConf: string;
}

/** An answer of vtysh's, or why there is none. */
export type Answer<T> = ({ readonly ok: true } & T) | Failed;

export interface Failed {
  readonly ok: false;
  readonly reason: string;
  /** Whether vtysh gave no answer in time: the daemons may well run. */
  readonly hung: boolean;
}

/** A line that `vtysh -C` refuses. */
export interface SyntaxProblem {
  /** From 1; 0 when vtysh names none. */
  readonly line: number;
  readonly reason: string;
}

export interface Vtysh {
  /** Reads the syntax of a file, whose path is one that vtysh sees. Asks no daemon. */
  check(path: string, signal: AbortSignal): Promise<Answer<{ readonly problems: readonly SyntaxProblem[] }>>;
  /** Has all daemons read a file, whose path is one that vtysh sees: adds its lines, and takes none away. */
  load(path: string, signal: AbortSignal): Promise<void>;
  running(signal: AbortSignal): Promise<Answer<RunningFrr>>;
  /** `show bgp vrf all neighbors json`. */
  neighbors(signal: AbortSignal): Promise<Answer<{ readonly json: string }>>;
}

const MAX_SYNTAX_PROBLEMS = 10;

export function createVtysh({ argv, run, timeoutMs }: VtyshOptions): Vtysh {
  const vtysh = (args: readonly string[], signal: AbortSignal): Promise<CommandResult> =>
    run([...argv, ...args], { timeoutMs, signal });
  const failed = (result: CommandResult, failure: string): Failed => ({
    ok: false,
    hung: result.timedOut,
    reason: `${argv.join(' ')} ${failure}${lastWords(result.output)}`,
  });
  return {
    check: async (path, signal) => {
      const result = await vtysh(['-C', '-f', path], signal);
      if (result.failure === undefined) return { ok: true, problems: [] };
      const problems = syntaxProblems(result.output);
      return problems.length === 0 ? failed(result, result.failure) : { ok: true, problems };
    },
    load: async (path, signal) => {
      await vtysh(['-f', path], signal);
    },
    running: async (signal) => {
      const commands = ['show modules', 'show running-config', 'show running-config bgpd'];
      const result = await vtysh(
        commands.flatMap((command) => ['-c', command]),
        signal,
      );
      // The last one fails without bgpd, and what came before is good.
      const [modules = '', conf, bgpdConf = ''] = result.stdout.split('Current configuration:');
      if (conf === undefined || result.timedOut)
        return failed(result, result.failure ?? 'gave no running configuration');
      return { ok: true, daemons: parseModules(modules), conf, bgpdConf };
    },
    neighbors: async (signal) => {
      const result = await vtysh(['-c', 'show bgp vrf all neighbors json'], signal);
      return result.failure === undefined ? { ok: true, json: result.stdout } : failed(result, result.failure);
    },
  };
}

/** The daemons of `show modules`: for each a heading, a table, and its process id. */
function parseModules(text: string): ReadonlyMap<string, FrrDaemon> {
  const daemons = new Map<string, FrrDaemon>();
  for (const part of text.split(/^Module information for /m).slice(1)) {
    const name = /^(\w+):/.exec(part)?.[1];
    if (name === undefined) continue;
    const pid = /^pid: (\d+)$/m.exec(part)?.[1];
    const table = part.split('\n').slice(2);
    const modules = new Set(
      table.map((line) => /^([a-z]\w*) +\S/.exec(line)?.[1]).filter((module) => module !== undefined),
    );
    daemons.set(name, { ...(pid === undefined ? {} : { pid: Number(pid) }), modules });
  }
  return daemons;
}

/** `line 4: % Unknown command[4]: …`, one a line. */
function syntaxProblems(output: string): readonly SyntaxProblem[] {
  return output
    .split('\n')
    .map((line) => /^line (\d+): % ?(.*?)(?:\[\d+\])?:/.exec(line.trim()))
    .filter((match) => match !== null)
    .slice(0, MAX_SYNTAX_PROBLEMS)
    .map(([, line, reason = '']) => ({ line: Number(line), reason }));
}

function lastWords(output: string): string {
  const line = output.trim().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}
