import { Code } from '@ingot/api';
import { expect, test } from 'vitest';
import { callForeign, foreignClient, foreignMethods, methodsIn, talk } from '../../api/test/foreign-client.ts';
import { definitionOf, filesOf } from '../../api/test/learn-methods.ts';
import { startRig } from './support.ts';

const reflection = foreignMethods('grpc/reflection/v1/reflection.proto', 'grpc/health/v1/health.proto');

test('whoever has no proto files and no token learns every method by reflection, and may call what is public', async () => {
  await using rig = await startRig();
  const client = foreignClient(rig.url, rig.ca);
  const asking = talk(client, reflection.get('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'));
  asking.ask({ list_services: '' });
  const listed: unknown = Reflect.get(Object((await asking.next()) ?? {}), 'list_services_response');
  const services: unknown = Reflect.get(Object(listed), 'service');
  const names = Array.isArray(services) ? services.map((one: unknown) => String(Reflect.get(Object(one), 'name'))) : [];
  const files: Buffer[] = [];
  for (const name of names) {
    asking.ask({ file_containing_symbol: name });
    for (const file of filesOf(await asking.next())) if (!files.some((other) => other.equals(file))) files.push(file);
  }
  asking.hangUp();
  const learnt = methodsIn(definitionOf(files));

  const methods = await callForeign(client, learnt.get('/metalstack.api.v2.MethodService/List'), {});
  const known = Reflect.get(methods, 'methods');
  expect([...learnt.keys()].filter((path) => !path.startsWith('/grpc.')).toSorted()).toEqual(known);
  const machines = callForeign(client, learnt.get('/metalstack.admin.v2.MachineService/List'), {});
  await expect(machines).rejects.toMatchObject({ code: Code.Unauthenticated });
  client.close();
});

test('a probe without a token learns whether the database answers', async () => {
  await using rig = await startRig();
  const client = foreignClient(rig.url, rig.ca);
  const check = reflection.get('/grpc.health.v1.Health/Check');
  expect(await callForeign(client, check, {})).toEqual({ status: 'SERVING' });
  expect(await callForeign(client, check, { service: 'metalstack.api.v2.MachineService' })).toEqual({
    status: 'SERVING',
  });
  client.close();
});
