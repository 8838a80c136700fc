import { run } from './command-line.ts';

/** A network namespace that the rack made; its `name` is what `ip netns` shows. */
export interface Namespace {
  readonly name: string;
  /** `ip -n <name> <words>` */
  ip(words: string): Promise<void>;
  /** Runs a program to its end inside the namespace. */
  exec(file: string, ...args: readonly string[]): Promise<string>;
}

export async function createNamespace(name: string): Promise<Namespace> {
  await run('ip', ['netns', 'add', name]);
  const namespace: Namespace = {
    name,
    async ip(words) {
      await run('ip', ['-n', name, ...words.split(' ')]);
    },
    exec: (file, ...args) => run('ip', ['netns', 'exec', name, file, ...args]),
  };
  await namespace.ip('link set lo up');
  return namespace;
}

export async function deleteNamespace(name: string): Promise<void> {
  const existing = await run('ip', ['netns', 'list']);
  if (existing.split('\n').some((line) => line.split(' ')[0] === name)) await run('ip', ['netns', 'del', name]);
}

/** A cable: a veth pair with one end in each namespace, both up. */
export async function connect(a: Namespace, interfaceA: string, b: Namespace, interfaceB: string): Promise<void> {
  await run('ip', [
    'link',
    'add',
    interfaceA,
    'netns',
    a.name,
    'type',
    'veth',
    'peer',
    'name',
    interfaceB,
    'netns',
    b.name,
  ]);
  await a.ip(`link set ${interfaceA} up`);
  await b.ip(`link set ${interfaceB} up`);
}
