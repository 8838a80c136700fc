// Starts /agent.cjs from V8's code cache, so that a slow CPU need not compile the bundle first.
// With --write-cache FILE it makes such a cache: everything that runs while the bundle loads is in it.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, Script } from 'node:vm';

const directory = new URL('.', import.meta.url);
const read = (name) => {
  try {
    return readFileSync(new URL(name, directory));
  } catch {
    return undefined;
  }
};
const source = `(function (exports, require, module) {${read('agent.cjs')}\n})`;
const cachedData = read('agent.cache');
const script = new Script(source, {
  filename: '/agent.cjs',
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  ...(cachedData && { cachedData }),
});
if (script.cachedDataRejected) console.error('the code cache does not fit this Node; starting slower');
const [, , option, output] = process.argv;
if (option === '--write-cache') process.argv.splice(2);
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(new URL('agent.cjs', directory)), module);
// The agent loads its commands after the bundle itself has run.
if (option === '--write-cache') setImmediate(() => writeFileSync(output, script.createCachedData()));
