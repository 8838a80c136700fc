// Starts /agent.cjs from V8's code cache, so that an emulated or old CPU need not compile the bundle.
// With --write-cache it makes that cache: the image is built with the same Node binary that runs here.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { constants, Script } from 'node:vm';

const directory = new URL('.', import.meta.url);
const read = (name) => readFileSync(new URL(name, directory));
const source = `(function (exports, require, module) {${read('agent.cjs').toString()}\n})`;
const options = { filename: '/agent.cjs', importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER };

if (process.argv.includes('--write-cache')) {
  // Every function now, not when first called: otherwise the cache would hold little but the names.
  setFlagsFromString('--no-lazy');
  const script = new Script(source, options);
  setFlagsFromString('--lazy');
  writeFileSync(new URL('agent.cache', directory), script.createCachedData());
} else {
  const script = new Script(source, { ...options, cachedData: read('agent.cache') });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(new URL('agent.cjs', directory)), module);
}
