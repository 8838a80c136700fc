import { ApiError, Code, infraV2, methodPath, type AccessQuestion } from '@ingot/api';
import type { Caller } from './caller.ts';
import { mayCall, type Subjects } from './rights.ts';

/** Whoever has no token may only call what is public, whatever the request says. Throws `Unauthenticated`. */
export function refuseStrangers({ access, caller }: Pick<AccessQuestion<Caller>, 'access' | 'caller'>): void {
  if (access.visibility === 'public' || caller.kind !== 'anonymous') return;
  throw new ApiError(Code.Unauthenticated, `${access.path} needs a token: send "authorization: Bearer <token>"`);
}

/** Decides about every call, streams included. Throws `Unauthenticated` or `PermissionDenied`. */
export function authorize({ access, request, caller, method }: AccessQuestion<Caller>): void {
  refuseStrangers({ access, caller });
  if (access.visibility === 'public' || caller.kind === 'anonymous') return;
  const subjects = subjectsOf(methodPath(method), request);
  if (mayCall(caller.token, access, subjects)) return;
  const about =
    access.machineRoles.length > 0 && subjects.machines.length > 0
      ? ` about machine ${subjects.machines.slice(0, 3).join(', ')}`
      : '';
  throw new ApiError(
    Code.PermissionDenied,
    `token ${caller.token.uuid} may not call ${access.path}${about}: its roles and permissions do not cover it`,
  );
}

const SEND = methodPath(infraV2.EventService.method.send);

/** Finds out what a request is about by its fields `uuid` and `project`; events name their machines as keys. */
export function subjectsOf(path: string, request: object): Subjects {
  const textField = (name: string): string | undefined => {
    const value: unknown = Object.entries(request).find(([key]) => key === name)?.[1];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const uuid = textField('uuid');
  const machines = path === SEND ? keysOf(request, 'events') : uuid === undefined ? [] : [uuid];
  return { machines, project: textField('project'), tenant: textField('login') };
}

function keysOf(request: object, field: string): string[] {
  const map: unknown = Object.entries(request).find(([key]) => key === field)?.[1];
  return typeof map === 'object' && map !== null ? Object.keys(map) : [];
}
