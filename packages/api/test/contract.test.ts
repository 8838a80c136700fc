import { existsSync, readFileSync } from 'node:fs';
import type { DescEnum, DescField, DescMessage, DescService } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { adminV2, apiV2, infraV2, methodAccess } from '../src/index.ts';
import { ruleTable } from '../src/validate/rule-table.ts';

interface FieldFact {
  readonly id: number;
  readonly type: string;
  readonly repeated?: boolean;
  readonly optional?: boolean;
  readonly mapKey?: string;
  readonly oneof?: string;
}

interface MethodFact {
  readonly request: string;
  readonly response: string;
  readonly responseStream?: boolean;
}

interface Facts {
  readonly services: Readonly<Record<string, Readonly<Record<string, MethodFact>>>>;
  readonly messages: Readonly<Record<string, Readonly<Record<string, FieldFact>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const readFacts = (url: URL): Facts => JSON.parse(readFileSync(url, 'utf8'));

/** Upstream's names and numbers, as far as this project defines them. */
const kept = readFacts(new URL('metalstack-v2-facts.json', import.meta.url));
/** All of them, where the checkout lies beside the place that they were extracted to. */
const extractedUrl = new URL('../../../../shared/wire/metalstack-v2.json', import.meta.url);
const extracted = existsSync(extractedUrl) ? readFacts(extractedUrl) : undefined;

const exported: readonly unknown[] = [apiV2, adminV2, infraV2].flatMap((part) => Object.values(part));
const isDesc = (value: unknown, kind: string): boolean =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
const services = exported.filter((value): value is DescService => isDesc(value, 'service'));
const messages = exported.filter((value): value is DescMessage => isDesc(value, 'message'));
const enums = exported.filter((value): value is DescEnum => isDesc(value, 'enum'));

function methodFacts(service: DescService): Record<string, MethodFact> {
  return Object.fromEntries(
    service.methods.map((method) => [
      method.name,
      {
        request: method.input.typeName,
        response: method.output.typeName,
        ...(method.methodKind === 'server_streaming' ? { responseStream: true } : {}),
      },
    ]),
  );
}

function messageFacts(message: DescMessage): Record<string, FieldFact> {
  return Object.fromEntries(message.fields.map((field) => [field.name, fieldFact(field)]));
}

function fieldFact(field: DescField): FieldFact {
  const fact = { id: field.number, type: typeOf(field) };
  if (field.fieldKind === 'map') return { ...fact, mapKey: scalar(field.mapKey) };
  if (field.fieldKind === 'list') return { ...fact, repeated: true };
  if (field.oneof !== undefined) return { ...fact, oneof: field.oneof.name };
  return field.proto.proto3Optional ? { ...fact, optional: true } : fact;
}

function typeOf(field: DescField): string {
  if (field.message !== undefined) return field.message.typeName;
  if (field.enum !== undefined) return field.enum.typeName;
  return field.scalar === undefined ? 'none' : scalar(field.scalar);
}

const scalar = (type: ScalarType): string => ScalarType[type].toLowerCase();

function enumFacts(desc: DescEnum): Record<string, number> {
  return Object.fromEntries(desc.values.map((value) => [value.name, value.number]));
}

const ours: Facts = {
  services: Object.fromEntries(services.map((service) => [service.typeName, methodFacts(service)])),
  messages: Object.fromEntries(messages.map((message) => [message.typeName, messageFacts(message)])),
  enums: Object.fromEntries(enums.map((desc) => [desc.typeName, enumFacts(desc)])),
};

describe('the generated types', () => {
  test('have the services, messages and enums of the kept facts, number by number', () => {
    expect(ours).toEqual(kept);
  });

  test.runIf(extracted !== undefined)('agree with the extracted contract in whatever they define', () => {
    const subset = <T>(all: Readonly<Record<string, T>> | undefined, names: object): Record<string, T | undefined> =>
      Object.fromEntries(Object.keys(names).map((name) => [name, all?.[name]]));
    expect(ours.services).toEqual(subset(extracted?.services, ours.services));
    expect(ours.messages).toEqual(subset(extracted?.messages, ours.messages));
    expect(ours.enums).toEqual(subset(extracted?.enums, ours.enums));
  });

  test('say for every method who may call it', () => {
    for (const method of services.flatMap((service) => service.methods)) {
      const access = methodAccess(method);
      const roles = [
        access.adminRoles,
        access.infraRoles,
        access.machineRoles,
        access.projectRoles,
        access.tenantRoles,
      ].flat();
      expect(access.visibility !== 'roles' || roles.length > 0, access.path).toBe(true);
    }
  });
});

describe('the rule table', () => {
  test('names only messages and fields that exist', () => {
    for (const [typeName, rules] of Object.entries(ruleTable)) {
      const fields = Object.keys(ours.messages[typeName] ?? {});
      expect(fields, typeName).toEqual(expect.arrayContaining(Object.keys(rules)));
    }
  });
});
