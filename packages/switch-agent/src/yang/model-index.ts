import type { ModelFile } from './model-files.ts';
import { parseSchemaTree, type SchemaNode } from './schema-tree.ts';

/** A field of a row, or a part of its key. */
export interface LeafModel {
  readonly name: string;
  readonly isList: boolean;
  readonly isMandatory: boolean;
  /** Of its schema node, choices and cases included, as yanglint wants it. */
  readonly schemaPath: string;
}

/** Rows whose keys have one shape: all parts of the key, and the fields. */
export interface ListModel {
  readonly name: string;
  /** The parts of the key, in their order. */
  readonly keys: readonly LeafModel[];
  /** Without the keys. */
  readonly fields: ReadonlyMap<string, LeafModel>;
  /** The fields are entries of a map of this name, as those of DSCP_TO_TC_MAP: the field is one leaf, its value another. */
  readonly map: MapModel | undefined;
}

export interface MapModel {
  readonly name: string;
  readonly key: LeafModel;
  readonly value: LeafModel;
}

/** The one row of a fixed name, as `localhost` of DEVICE_METADATA. */
export interface ContainerModel {
  readonly name: string;
  readonly fields: ReadonlyMap<string, LeafModel>;
}

export interface TableModel {
  readonly name: string;
  readonly module: string;
  readonly namespace: string;
  readonly lists: readonly ListModel[];
  readonly containers: ReadonlyMap<string, ContainerModel>;
}

/** The tables of CONFIG_DB that have a model, by their names. */
export type ModelIndex = ReadonlyMap<string, TableModel>;

/**
 * Makes the index of what `yanglint -f tree` prints of `models`. A table is a container in the container that bears its
 * module's name; other top nodes are no configuration, by SONiC's guidelines for its models.
 */
export function indexModels(tree: string, models: readonly ModelFile[]): ModelIndex {
  const modules = parseSchemaTree(tree);
  const index = new Map<string, TableModel>();
  for (const { module, namespace } of models) {
    const top = modules.get(module)?.find(({ name }) => name === module);
    for (const table of top?.children ?? []) {
      if (table.kind === 'container') index.set(table.name, tableOf(table, module, namespace));
    }
  }
  return index;
}

function tableOf(table: SchemaNode, module: string, namespace: string): TableModel {
  const path = `/${module}:${module}/${table.name}`;
  return {
    name: table.name,
    module,
    namespace,
    lists: table.children.filter(({ kind }) => kind === 'list').map((list) => listOf(list, `${path}/${list.name}`)),
    containers: new Map(
      table.children
        .filter(({ kind }) => kind === 'container')
        .map(({ name, children }) => [name, { name, fields: leavesOf(children, `${path}/${name}`) }]),
    ),
  };
}

function listOf({ name, keys, children }: SchemaNode, path: string): ListModel {
  const leaves = leavesOf(children, path);
  const inner = children.find(({ kind }) => kind === 'list');
  return {
    name,
    keys: keys.flatMap((key) => leaves.get(key) ?? []),
    fields: new Map([...leaves].filter(([leaf]) => !keys.includes(leaf))),
    map: inner === undefined ? undefined : mapOf(inner, path),
  };
}

function mapOf({ name, keys, children }: SchemaNode, path: string): MapModel | undefined {
  const leaves = [...leavesOf(children, `${path}/${name}`).values()];
  const key = leaves.find((leaf) => leaf.name === keys[0]);
  const value = leaves.find((leaf) => leaf !== key);
  return key === undefined || value === undefined ? undefined : { name, key, value };
}

/** The leaves among `nodes`, those in choices too: in CONFIG_DB a choice is not to be seen. */
function leavesOf(nodes: readonly SchemaNode[], path: string): ReadonlyMap<string, LeafModel> {
  return new Map(
    nodes.flatMap(({ kind, name, isMandatory, children }): Array<readonly [string, LeafModel]> => {
      const schemaPath = `${path}/${name}`;
      if (kind === 'choice' || kind === 'case') return [...leavesOf(children, schemaPath)];
      if (kind !== 'leaf' && kind !== 'leaf-list') return [];
      return [[name, { name, isList: kind === 'leaf-list', isMandatory, schemaPath }]];
    }),
  );
}
