// `ingot-discovery block-io` alone: the whole agent takes a second to load from its sources.
import { systemClock } from '@ingot/net';
import { serveBlockIo } from '../../src/wipe/block-io.ts';

await serveBlockIo(process.argv[2] ?? '', systemClock);
