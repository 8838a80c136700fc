import { TENANT, PROJECT } from './kinds-tenancy.ts';
import { PARTITION, SIZE, SIZE_RESERVATION } from './kinds-hall.ts';
import { IMAGE, SIZE_IMAGE_CONSTRAINT, FILESYSTEM_LAYOUT } from './kinds-images.ts';
import { NETWORK, IP } from './kinds-networks.ts';
import type { Resource } from './resource.ts';

/** Every kind that can be listed, applied and removed, in the order in which documents have to be applied. */
export const RESOURCES: readonly Resource[] = [
  TENANT,
  PROJECT,
  PARTITION,
  SIZE,
  SIZE_RESERVATION,
  IMAGE,
  SIZE_IMAGE_CONSTRAINT,
  FILESYSTEM_LAYOUT,
  NETWORK,
  IP,
];
