import type { Clock } from '@ingot/net';
import { isSameMachine } from '../identity.ts';
import type { SightingStore } from '../store/sightings.ts';
import type { AddressHolders } from './address-holders.ts';

export type AdmissionRefusal = 'not-seen' | 'another-uuid' | 'wrong-source';

export type Admission =
  | { readonly ok: true; readonly uuid: string | undefined }
  | { readonly ok: false; readonly reason: AdmissionRefusal; readonly message: string };

/**
 * Who may ask for what. A script carries the nonce that opens a machine's configuration, so it is not for whoever
 * asks: its NIC must have asked for a boot a short while ago, and the question must come from an address of that
 * machine, where this server leased it.
 */
export interface AdmissionGate {
  /** `uuid` is the one that the client claims, if any; the result has the one that its firmware showed. */
  admitScript(mac: string, uuid: string | undefined, source: string): Admission;
  /** The nonce was checked before; an address of a NIC that never showed a UUID may be the machine's second NIC. */
  admitConfig(mac: string, uuid: string, source: string): Admission;
}

export function createAdmission(components: {
  clock: Clock;
  sightings: SightingStore;
  holders: AddressHolders;
  /** How long a boot request by DHCP counts. */
  seenWithinMs: number;
}): AdmissionGate {
  const { clock, sightings, holders, seenWithinMs } = components;
  const checkSource = (
    mac: string,
    uuid: string | undefined,
    source: string,
    strangers: 'refused' | 'allowed',
  ): Admission => {
    const admitted: Admission = { ok: true, uuid };
    const holder = holders.holderOf(source);
    if (holder !== undefined) {
      if (holder.mac === mac) return admitted;
      if (uuid !== undefined && holder.uuid !== undefined && isSameMachine(holder.uuid, uuid)) return admitted;
      if (holder.uuid === undefined && strangers === 'allowed') return admitted;
      return {
        ok: false,
        reason: 'wrong-source',
        message: `${source} is the address of ${holder.mac ?? 'somebody'}, another machine`,
      };
    }
    const own = holders.addressesOf(mac, source);
    // Beside another DHCP server the address is that server's secret.
    if (own.length === 0 || own.includes(source)) return admitted;
    return {
      ok: false,
      reason: 'wrong-source',
      message: `${mac} has ${own.join(', ')}, and the question came from ${source}`,
    };
  };
  return {
    admitScript: (mac, claimed, source) => {
      const sighting = sightings.find(mac);
      if (sighting === undefined || clock.now() - sighting.seenAt > seenWithinMs) {
        const minutes = Math.round(seenWithinMs / 60_000);
        return {
          ok: false,
          reason: 'not-seen',
          message: `${mac} did not ask for a boot by DHCP within the last ${minutes} minutes: boot it from the network first`,
        };
      }
      if (claimed !== undefined && sighting.uuid !== undefined && !isSameMachine(claimed, sighting.uuid)) {
        return {
          ok: false,
          reason: 'another-uuid',
          message: `${mac} belongs to machine ${sighting.uuid}, not to ${claimed}`,
        };
      }
      return checkSource(mac, sighting.uuid ?? claimed, source, 'refused');
    },
    admitConfig: (mac, uuid, source) => checkSource(mac, uuid, source, 'allowed'),
  };
}
