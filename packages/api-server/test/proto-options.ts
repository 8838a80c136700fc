import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Who may call a method, as its proto file says: names of roles, such as `PROJECT_ROLE_OWNER`. */
export interface ProtoAccess {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly visibility: 'public' | 'self' | 'roles';
  readonly roles: ReadonlySet<string>;
}

const root = fileURLToPath(new URL('../../../proto', import.meta.url));

/** Reads the options out of the text of the contract's proto files, and not as the product does, out of the generated code. */
export function readProtoAccess(): ProtoAccess[] {
  return globSync('{ingot,metalstack}/**/*.proto', { cwd: root }).flatMap((file) =>
    methodsOf(readFileSync(`${root}/${file}`, 'utf8')),
  );
}

function methodsOf(text: string): ProtoAccess[] {
  const found: ProtoAccess[] = [];
  const inPackage = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
  for (const [, service = '', body = ''] of text.matchAll(/^service (\w+) \{\n(.*?)^\}/gms)) {
    // A method without options ends with a semicolon or an empty body.
    for (const [, name = '', options = ''] of body.matchAll(/^ {2}rpc (\w+)\([^{;]*(?:;|\{(.*?)\})/gms)) {
      const values = [...options.matchAll(/^\s*option \([\w.]+\) = (\w+);/gm)].map(([, value = '']) => value);
      found.push({
        path: `/${inPackage}.${service}/${name}`,
        visibility: values.includes('VISIBILITY_PUBLIC')
          ? 'public'
          : values.includes('VISIBILITY_SELF')
            ? 'self'
            : 'roles',
        roles: new Set(values.filter((value) => value.includes('_ROLE_'))),
      });
    }
  }
  return found;
}
