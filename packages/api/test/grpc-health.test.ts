import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { bindService, Code, grpcHealthService, infraV2 } from '../src/index.ts';
import { callForeign, foreignClient, foreignMethods } from './foreign-client.ts';
import { ca, startServer, until, type TestServer } from './support.ts';

const health = foreignMethods('grpc/health/v1/health.proto');
const check = health.get('/grpc.health.v1.Health/Check');
const list = health.get('/grpc.health.v1.Health/List');
const watch = health.get('/grpc.health.v1.Health/Watch');
const bootService = infraV2.BootService.typeName;

interface Patient extends TestServer {
  readonly clock: MockClock;
  /** What is answered, or thrown, from now on. */
  state: boolean | Error;
  /** How often it was asked for. */
  asked: number;
}

async function startPatient(): Promise<Patient> {
  const clock = new MockClock();
  const boot = bindService<typeof infraV2.BootService, string>(infraV2.BootService, {});
  const services = [
    boot,
    grpcHealthService<string>({
      services: [boot],
      clock,
      async serving() {
        patient.asked += 1;
        if (patient.state instanceof Error) throw patient.state;
        return patient.state;
      },
    }),
  ];
  const authorize = ({ access }: { access: { visibility: string } }): void => expect(access.visibility).toBe('public');
  const server = await startServer({ options: { services, clock, authenticate: () => 'anybody', authorize } });
  const patient: Patient = Object.assign(server, { clock, state: true, asked: 0 });
  return patient;
}

describe('grpc.health.v1', () => {
  test('Check says how the server is, and each of its services', async () => {
    await using patient = await startPatient();
    const client = foreignClient(patient.url, ca);
    expect(await callForeign(client, check, {})).toEqual({ status: 'SERVING' });
    expect(await callForeign(client, check, { service: bootService })).toEqual({ status: 'SERVING' });
    await expect(callForeign(client, check, { service: 'no.such.Service' })).rejects.toMatchObject({
      code: Code.NotFound,
    });
    expect(patient.asked).toBe(1);
    patient.state = new Error('no database');
    await patient.clock.advance(1_000);
    expect(await callForeign(client, check, { service: bootService })).toEqual({ status: 'NOT_SERVING' });
    client.close();
  });

  test('List names every service', async () => {
    await using patient = await startPatient();
    patient.state = false;
    const client = foreignClient(patient.url, ca);
    const status = { status: 'NOT_SERVING' };
    expect(await callForeign(client, list, {})).toEqual({
      statuses: { '': status, [bootService]: status, 'grpc.health.v1.Health': status },
    });
    client.close();
  });

  test('Watch tells the state, and each change of it once', async () => {
    await using patient = await startPatient();
    const client = foreignClient(patient.url, ca);
    const watching = (service: string): { readonly seen: unknown[]; cancel(): void } => {
      if (watch === undefined) throw new Error('no Watch');
      const { path, requestSerialize, responseDeserialize } = watch;
      const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
      const seen: unknown[] = [];
      stream.on('data', (message: object) => seen.push(Reflect.get(message, 'status')));
      stream.on('error', () => undefined);
      return { seen, cancel: () => stream.cancel() };
    };
    const known = watching('');
    const unknown = watching('no.such.Service');
    await until(() => known.seen.length === 1 && unknown.seen.length === 1);
    // The server has timers of its own: time passes until it has told.
    const passUntil = (condition: () => boolean): Promise<void> =>
      until(() => {
        void patient.clock.advance(1_000);
        return condition();
      });
    const looked = patient.clock.monotonic() + 20_000;
    await passUntil(() => patient.clock.monotonic() >= looked);
    patient.state = false;
    await passUntil(() => known.seen.length === 2);
    expect([known.seen, unknown.seen]).toEqual([['SERVING', 'NOT_SERVING'], ['SERVICE_UNKNOWN']]);
    known.cancel();
    unknown.cancel();
    await until(() => patient.calls.length === 2);
    expect(patient.calls.map(({ code }) => code)).toEqual(['Canceled', 'Canceled']);
    client.close();
  });

  test('Watch leaves room for others when one host wants all of it', async () => {
    await using patient = await startPatient();
    if (watch === undefined) throw new Error('no Watch');
    const { path, requestSerialize, responseDeserialize } = watch;
    const client = foreignClient(patient.url, ca);
    const refusals: string[] = [];
    let told = 0;
    const streams = Array.from({ length: 110 }, () => {
      const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' });
      stream.on('data', () => (told += 1));
      stream.on('error', ({ message }) => refusals.push(message));
      return stream;
    });
    await until(() => told + refusals.length === 110);
    expect([told, refusals.length]).toEqual([100, 10]);
    expect(refusals[0]).toContain('100 streams of this host watch already: use Check');
    for (const stream of streams) stream.cancel();
    client.close();
  });
});
