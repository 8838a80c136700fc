import type { FabricModel } from '../fabric-model.ts';

/** What the reconciler has to know of the FRR that runs. */
export interface FrrState {
  /** Whether bgpd answers. While it does not, it holds no neighbour that could be cut off under it. */
  readonly running: boolean;
  /** The ports that the running configuration has as BGP neighbours of the default VRF (uplinks and firewalls). */
  readonly neighbors: ReadonlySet<string>;
}

export interface FrrOutcome {
  /** Whether anything had to be changed. */
  readonly changed: boolean;
  /** What kept FRR from running the model, in words for the operator; empty when it does. */
  readonly problems: readonly string[];
}

/**
 * FRR as the reconciler sees it. Both reject only when the signal is aborted; whatever else goes wrong is part of the
 * answer. `apply` makes the running configuration that of the model and does nothing when it is so already: it is
 * called in every cycle.
 */
export interface FrrPort {
  observe(signal: AbortSignal): Promise<FrrState>;
  apply(model: FabricModel, signal: AbortSignal): Promise<FrrOutcome>;
  /** What `apply` would change, as lines that start with `+` or `-`; changes nothing. For `ingot-switch plan`. */
  preview?(model: FabricModel, signal: AbortSignal): Promise<readonly string[]>;
}
