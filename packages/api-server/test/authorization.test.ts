import {
  adminV2,
  ApiError,
  apiV2,
  create,
  infraV2,
  ingotAdminV1,
  methodAccess,
  methodPath,
  type DescService,
  type Message,
} from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { authorize } from '../src/auth/authorize.ts';
import type { Caller } from '../src/auth/caller.ts';
import { elevations } from '../src/auth/rights.ts';
import { machineA, machineB } from './support.ts';

const isService = (value: unknown): value is DescService =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
const services = [apiV2, adminV2, infraV2, ingotAdminV1].flatMap((part) => Object.values(part).filter(isService));
const methods = services.flatMap((service) => service.methods);

const { AdminRole, InfraRole, MachineRole, TokenType } = apiV2;
const holding = (rights: Partial<apiV2.Token>): Caller => ({
  kind: 'token',
  token: Object.assign(create(apiV2.TokenSchema, { tokenType: TokenType.API }), rights),
});

const callers: Readonly<Record<string, Caller>> = {
  none: { kind: 'anonymous' },
  nothing: holding({}),
  wrongMachine: holding({ machineRoles: { [machineB]: MachineRole.EDITOR } }),
  machine: holding({ machineRoles: { [machineA.toUpperCase()]: MachineRole.EDITOR } }),
  infraViewer: holding({ infraRole: InfraRole.VIEWER }),
  infra: holding({ infraRole: InfraRole.EDITOR }),
  adminViewer: holding({ adminRole: AdminRole.VIEWER }),
  admin: holding({ adminRole: AdminRole.EDITOR }),
};
type Who = keyof typeof callers;

/** A request about machine A, whatever the method. */
function requestAboutA(method: (typeof methods)[number]): Message {
  const request = create(method.input);
  if ('uuid' in request) Object.assign(request, { uuid: machineA });
  if ('events' in request)
    Object.assign(request, { events: { [machineA]: create(apiV2.MachineProvisioningEventSchema) } });
  return request;
}

function verdict(who: Who, method: (typeof methods)[number], request = requestAboutA(method)): string {
  const caller = callers[who];
  if (caller === undefined) throw new Error(`no caller ${who}`);
  try {
    authorize({ access: methodAccess(method), method, request, caller });
    return 'allowed';
  } catch (error) {
    if (error instanceof ApiError) return error.codeName;
    throw error;
  }
}

/** Who may call what, besides administrators, who may call everything, and nobody, who may call the public ones. */
const allowed: Readonly<Record<string, readonly Who[]>> = {
  '/metalstack.infra.v2.BootService/Dhcp': ['infra'],
  '/metalstack.infra.v2.BootService/Boot': ['infra'],
  '/metalstack.infra.v2.BootService/SuperUserPassword': ['machine'],
  '/metalstack.infra.v2.BootService/Register': ['machine'],
  '/metalstack.infra.v2.BootService/Wait': ['machine'],
  '/metalstack.infra.v2.BootService/InstallationSucceeded': ['machine'],
  '/metalstack.admin.v2.MachineService/Get': ['machine'],
  '/metalstack.infra.v2.EventService/Send': ['machine', 'infra'],
  '/metalstack.infra.v2.SwitchService/Get': ['infraViewer', 'infra'],
  '/metalstack.infra.v2.SwitchService/Register': ['infra'],
  '/metalstack.infra.v2.SwitchService/Heartbeat': ['infra'],
  '/metalstack.infra.v2.ComponentService/Ping': ['infra'],
  '/metalstack.infra.v2.BMCService/UpdateBMCInfo': ['infra'],
  '/metalstack.infra.v2.BMCService/WaitForBMCCommand': ['infra'],
  '/metalstack.infra.v2.BMCService/BMCCommandDone': ['infra'],
};
const readByAdminViewer =
  /^\/metalstack\.admin\.v2\.\w+\/(?:Get|List|GetBMC|ListBMC|Issues|Capacity|ConnectedMachines|Match|Usage|Queues|ListNodes|ListExternalMembers)$/;

function expected(who: Who, path: string): string {
  const { visibility } = methodAccess(methods.find((method) => methodPath(method) === path) ?? fail(path));
  if (visibility === 'public') return 'allowed';
  if (who === 'none') return 'Unauthenticated';
  if (who === 'admin') return 'allowed';
  if (visibility === 'self') return who === 'infra' ? 'allowed' : 'PermissionDenied';
  if (who === 'adminViewer' && readByAdminViewer.test(path)) return 'allowed';
  return allowed[path]?.includes(who) === true ? 'allowed' : 'PermissionDenied';
}

function fail(path: string): never {
  throw new Error(`no method ${path}`);
}

describe('every method and every kind of caller', () => {
  test.each(methods.map((method) => [methodPath(method), method] as const))('%s', (path, method) => {
    const whos = Object.keys(callers);
    const found = Object.fromEntries(whos.map((who) => [who, verdict(who, method)]));
    expect(found).toEqual(Object.fromEntries(whos.map((who) => [who, expected(who, path)])));
  });
});

describe('events', () => {
  const { send } = infraV2.EventService.method;
  const about = (...uuids: string[]): Message =>
    create(infraV2.EventServiceSendRequestSchema, {
      events: Object.fromEntries(uuids.map((uuid) => [uuid, create(apiV2.MachineProvisioningEventSchema)])),
    });

  test('of several machines need a right to each', () => {
    expect(verdict('machine', send, about(machineA, machineB))).toBe('PermissionDenied');
    expect(verdict('infra', send, about(machineA, machineB))).toBe('allowed');
  });

  test('about no machine at all are not for machines', () => {
    expect(verdict('machine', send, about())).toBe('PermissionDenied');
  });
});

describe('listed permissions', () => {
  const path = '/metalstack.infra.v2.BootService/Wait';
  const wait = infraV2.BootService.method.wait;
  const may = (subject: string, listed = path): boolean => {
    const permissions = [create(apiV2.MethodPermissionSchema, { subject, methods: [listed] })];
    try {
      authorize({
        access: methodAccess(wait),
        method: wait,
        request: create(infraV2.BootServiceWaitRequestSchema, { uuid: machineA }),
        caller: holding({ permissions }),
      });
      return true;
    } catch {
      return false;
    }
  };

  test('allow exactly that method on exactly that machine, or on all', () => {
    expect([may(machineA), may('*'), may(machineB), may(''), may(machineA, `${path}r`)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a new token', () => {
  const byPath = new Map(methods.map((method) => [methodPath(method), methodAccess(method)]));
  const tooMuch = (creator: Partial<apiV2.Token>, wanted: Partial<apiV2.Token>): string[] =>
    elevations(
      Object.assign(create(apiV2.TokenSchema), creator),
      Object.assign(create(apiV2.TokenSchema), wanted),
      byPath,
    );
  const listing = (subject: string, path: string): Partial<apiV2.Token> => ({
    permissions: [create(apiV2.MethodPermissionSchema, { subject, methods: [path] })],
  });
  const register = '/metalstack.infra.v2.BootService/Register';

  test('may have what its creator has, or less', () => {
    const everyMachine = { machineRoles: { '*': MachineRole.EDITOR } };
    expect(tooMuch(everyMachine, { machineRoles: { [machineA]: MachineRole.EDITOR } })).toEqual([]);
    expect(tooMuch(everyMachine, { machineRoles: { [machineA]: MachineRole.VIEWER } })).toEqual([]);
    expect(tooMuch(everyMachine, listing(machineA, register))).toEqual([]);
    expect(tooMuch({ infraRole: InfraRole.EDITOR }, { infraRole: InfraRole.VIEWER })).toEqual([]);
    expect(tooMuch({ adminRole: AdminRole.EDITOR }, { infraRole: InfraRole.EDITOR, ...everyMachine })).toEqual([]);
  });

  test('may list what everybody may call', () => {
    const open = [...byPath].flatMap(([path, { visibility }]) => (visibility === 'public' ? [path] : []));
    expect(open.length).toBeGreaterThan(0);
    for (const path of open) expect(tooMuch({}, listing('', path))).toEqual([]);
  });

  test('may have nothing more', () => {
    const oneMachine = { machineRoles: { [machineA]: MachineRole.EDITOR } };
    expect(tooMuch(oneMachine, { machineRoles: { '*': MachineRole.EDITOR } })).toEqual(['machine role for *']);
    expect(tooMuch(oneMachine, { machineRoles: { [machineB]: MachineRole.VIEWER } })).toHaveLength(1);
    expect(tooMuch(oneMachine, listing(machineB, register))).toHaveLength(1);
    // A role for one machine counts instead of that for all.
    const lessOfOne = { machineRoles: { '*': MachineRole.EDITOR, [machineB]: MachineRole.VIEWER } };
    expect(tooMuch(lessOfOne, { machineRoles: { '*': MachineRole.EDITOR } })).toEqual(['machine role for *']);
    expect(tooMuch(lessOfOne, lessOfOne)).toEqual([]);
    expect(tooMuch(lessOfOne, listing('*', register))).toHaveLength(1);
    expect(tooMuch(oneMachine, listing('', '/no.such/Method'))).toHaveLength(1);
    expect(tooMuch({ infraRole: InfraRole.VIEWER }, { infraRole: InfraRole.EDITOR })).toEqual(['infra role']);
    expect(tooMuch({ adminRole: AdminRole.VIEWER }, { adminRole: AdminRole.EDITOR })).toEqual(['admin role']);
    expect(tooMuch({ infraRole: InfraRole.EDITOR }, { adminRole: AdminRole.VIEWER })).toEqual(['admin role']);
  });
});
