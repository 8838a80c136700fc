import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import { renderTemplate } from './template.ts';

/** A YANG module, ready for yanglint. */
export interface ModelFile {
  /** Of the module, which is that of its file without `.yang`. */
  readonly module: string;
  readonly namespace: string;
  readonly text: string;
}

// SONiC has 146, of 0.9 MiB.
const MAX_MODELS = 1_000;
const MAX_MODEL_BYTES = 4 * 2 ** 20;

// As they lie on a switch, and as they lie in the sources.
const FOLDERS = ['.', 'yang-models', 'yang-templates'];

// The names go into yanglint's command lines, where a blank or a leading dash would mean something.
const FILE = /^([A-Za-z_][\w.-]*)\.yang(\.j2)?$/;

/**
 * Reads SONiC's models: the folder `/usr/local/yang-models` of a switch, or the folder with `yang-models` and
 * `yang-templates` of SONiC's sources. Of a module that is there as a template too, the rendered one counts.
 *
 * Rejects with SwitchAgentError `SWITCH_YANG_MODELS`.
 */
export async function readModelFiles(folder: string): Promise<readonly ModelFile[]> {
  const found = new Map<string, { readonly file: string; readonly isTemplate: boolean }>();
  for (const each of FOLDERS) {
    for (const entry of await entriesOf(join(folder, each), each === '.')) {
      const [, module, template] = FILE.exec(entry.name) ?? [];
      if (module === undefined || entry.isDirectory()) continue;
      const isTemplate = template !== undefined;
      if (isTemplate && found.has(module)) continue;
      found.set(module, { file: join(folder, each, entry.name), isTemplate });
    }
  }
  if (found.size === 0) {
    throw unusable(`${folder} holds no YANG models; a switch has SONiC's in /usr/local/yang-models`);
  }
  if (found.size > MAX_MODELS) throw unusable(`${folder} holds ${found.size} YANG models; ${MAX_MODELS} are the most`);
  const models = await Promise.all(
    [...found].map(([module, { file, isTemplate }]) => readModel(module, file, isTemplate)),
  );
  return models.toSorted((left, right) => (left.module < right.module ? -1 : 1));
}

async function entriesOf(folder: string, isNeeded: boolean): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (!isNeeded) return [];
    throw unusable(
      `the folder of the YANG models cannot be read (${reasonOf(error)}); a switch has SONiC's in /usr/local/yang-models`,
      error,
    );
  }
}

async function readModel(module: string, file: string, isTemplate: boolean): Promise<ModelFile> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_MODEL_BYTES) throw new Error(`${size} bytes are too many for a YANG model`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw unusable(`${file} cannot be read: ${reasonOf(error)}`, error);
  }
  if (isTemplate) {
    const rendered = renderTemplate(text);
    if (!rendered.ok) {
      throw unusable(
        `${file}:${rendered.line}: a template is only understood as far as SONiC's own ask "yang_model_type", ` +
          `and this is something else: ${rendered.found}`,
      );
    }
    text = rendered.text;
  }
  const [, quoted, bare] = /^\s*namespace\s+(?:"([^"]*)"|([^\s";]+))\s*;/m.exec(text) ?? [];
  const namespace = quoted ?? bare;
  if (namespace === undefined) throw unusable(`${file} is no YANG module: it has no namespace`);
  return { module, namespace, text };
}

function unusable(message: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.YangModels, message, cause);
}
