import { apiV2 } from '@ingot/api';

const { NetworkType: Type } = apiV2;

/** Prefixes are handed out one after the other, on every replica. */
export const IPAM = { serialise: 'ipam' } as const;

export const isSuper = (type: apiV2.NetworkType): boolean => type === Type.SUPER || type === Type.SUPER_NAMESPACED;
export const isChild = (type: apiV2.NetworkType): boolean => type === Type.CHILD || type === Type.CHILD_SHARED;
