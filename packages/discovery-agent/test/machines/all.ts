import type { Tree } from '../tree.ts';
import { altra } from './altra.ts';
import { epycEightGpus } from './epyc-eight-gpus.ts';
import { microvm } from './microvm.ts';
import { xeonOneSocket } from './xeon-one-socket.ts';
import { xeonTwoSockets } from './xeon-two-sockets.ts';

/** By the name of their golden inventory. */
export const machines: Readonly<Record<string, Tree>> = {
  'xeon-one-socket': xeonOneSocket,
  'xeon-two-sockets': xeonTwoSockets,
  'epyc-eight-gpus': epycEightGpus,
  altra,
  microvm,
};
