import { type ChildProcess } from 'node:child_process';
/** A program that keeps running, with what it printed so far. */
export interface Running {
  readonly process: ChildProcess;
  output(): string;
  /** Resolves when the output matches; rejects with the output when it does not in time. */
  prints(pattern: RegExp, withinMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
}
export interface Result {
  readonly exitCode: number | undefined;
  readonly output: string;
}
/**
 * `server` (10.0.0.1/24 on a bridge), `near` on its link, and `leaf` (10.0.0.11 and 10.0.1.1/24), behind which `far`
 * is: four network namespaces of their own names, gone on `close`.
 */
export interface BootNetwork extends AsyncDisposable {
  readonly folder: string;
  file(name: string, text: string): string;
  run(namespace: Namespace, command: readonly string[]): Promise<Result>;
  start(namespace: Namespace, command: readonly string[]): Running;
  /** Starts the real daemon with `change` over a plain configuration, `before` before its command, and waits until it listens. */
  bootServer(change?: Readonly<Record<string, unknown>>, before?: readonly string[]): Promise<Running>;
  macOf(namespace: 'near' | 'far'): Promise<string>;
}
export type Namespace = 'server' | 'near' | 'leaf' | 'far';
export declare function createBootNetwork(): Promise<BootNetwork>;
