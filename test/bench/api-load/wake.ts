import { apiV2, create, fromBinary, infraV2, methodPath, toBinary } from '@ingot/api';
import type { Tenant } from './catalogue.ts';
import type { OpenStream } from './grpc-calls.ts';
import { PARTITION, SIZE } from './hall.ts';
import type { Latencies } from './latencies.ts';
import { inParallel, mint, timed, type Rig } from './rig.ts';
import { eventOf, SEND } from './storm.ts';

const WAIT = methodPath(infraV2.BootService.method.wait);
const CREATE = methodPath(apiV2.MachineService.method.create);

/** Wait streams of machines, each on a connection of its own. */
export interface Waiters extends Disposable {
  /** Resolves with when the machine was told of its allocation; rejects when its stream ends before. */
  wokenAt(uuid: string): Promise<number>;
  readonly broken: number;
}

/** Opens them one after the other, so many at once. */
export async function openWaiters(
  rig: Rig,
  tokens: readonly string[],
  count: number,
  atOnce: number,
): Promise<Waiters> {
  const streams: OpenStream[] = [];
  const woken = new Map<string, Promise<number>>();
  let broken = 0;
  let isOver = false;
  await inParallel(rig.hall.machines.slice(0, count), atOnce, async ({ uuid }, index) => {
    const connection = await rig.open();
    const request = create(infraV2.BootServiceWaitRequestSchema, { uuid });
    const told = Promise.withResolvers<number>();
    told.promise.catch(() => undefined);
    woken.set(uuid, told.promise);
    const message = toBinary(infraV2.BootServiceWaitRequestSchema, request);
    const stream = connection.stream(WAIT, tokens[index] ?? '', message, () => told.resolve(performance.now()));
    streams.push(stream);
    const watch = async (): Promise<void> => {
      const status = await stream.ended;
      if (!isOver) broken += 1;
      told.reject(new Error(`the Wait stream of ${uuid} has ended: ${status}`));
    };
    void watch();
  });
  return {
    get broken() {
      return broken;
    },
    wokenAt: (uuid) => woken.get(uuid) ?? Promise.reject(new Error(`machine ${uuid} does not wait, and was allocated`)),
    [Symbol.dispose]() {
      isOver = true;
      for (const stream of streams) stream[Symbol.dispose]();
    },
  };
}

/** Machines that wait say that they live, as they do every minute: one that is silent is not given away. Not measured. */
export async function sayAlive(rig: Rig, tokens: readonly string[], count: number, atOnce: number): Promise<void> {
  await inParallel(rig.hall.machines.slice(0, count), atOnce, async ({ uuid }, index) => {
    const alive = eventOf(uuid, apiV2.MachineProvisioningEventType.ALIVE, 'waiting for an allocation');
    await rig.shared(index).call(SEND, tokens[index] ?? '', alive);
  });
  rig.takeWritten();
}

/** Says of each machine that its system is installed, with its own token, so many at once. */
export async function installAll(
  rig: Rig,
  latencies: Latencies,
  tokens: readonly string[],
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
): Promise<void> {
  const path = methodPath(infraV2.BootService.method.installationSucceeded);
  const schema = infraV2.BootServiceInstallationSucceededRequestSchema;
  await inParallel(rig.hall.machines.slice(0, count), atOnce, async ({ uuid }, index) => {
    const message = toBinary(schema, create(schema, { uuid, consolePassword: `console-${index}` }));
    await timed(latencies, 'Boot.InstallationSucc.', () => rig.shared(index).call(path, tokens[index] ?? '', message));
  });
}

/** Allocates as many machines as wait, so many at once, and notes how long each call took, and until its machine knew. */
export async function allocateAll(
  rig: Rig,
  waiters: Waiters,
  latencies: Latencies,
  { project, network, image }: Tenant,
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
): Promise<void> {
  const token = await mint(rig.admin, { projectRoles: { [project]: apiV2.ProjectRole.OWNER } });
  const names = Array.from({ length: count }, (_, index) => `web-${index}`);
  await inParallel(names, atOnce, async (name, index) => {
    const request = create(apiV2.MachineServiceCreateRequestSchema, {
      project,
      name,
      partition: PARTITION,
      size: SIZE,
      image,
      networks: [{ network }],
    });
    const askedAt = performance.now();
    const answer = await timed(
      latencies,
      'Machine.Create',
      () => rig.shared(index).call(CREATE, token, toBinary(apiV2.MachineServiceCreateRequestSchema, request)),
      askedAt,
    );
    if (answer === undefined) return;
    const { machine } = fromBinary(apiV2.MachineServiceCreateResponseSchema, answer);
    try {
      latencies.addOther('asked to woken', (await waiters.wokenAt(machine?.uuid ?? '')) - askedAt);
    } catch (error) {
      latencies.fail('asked to woken', error instanceof Error ? error.message : String(error));
    }
  });
}
