import {
  ApiError,
  apiV2,
  Code,
  createChannel,
  createClient,
  durationFromMs,
  infraV2,
  timestampFromMs,
  type MessageInitShape,
} from '@ingot/api';
import type { BgpNeighbor, BgpState } from './frr/neighbors.ts';
import type { LinkState } from './link-state.ts';
import type { NamedPort } from './naming.ts';
import type { HomeCall } from './phone-home/calls-home.ts';

/** What the agent says about its switch when it registers it. */
export interface Registration {
  readonly id: string;
  readonly partition: string;
  readonly rack?: string | undefined;
  readonly room?: string | undefined;
  readonly managementIp: string;
  readonly managementUser: string;
  readonly osVersion: string;
  readonly agentVersion: string;
  readonly ports: ReadonlyArray<NamedPort & { readonly state: LinkState }>;
}

/** What the agent says every few seconds. */
export interface Beat {
  readonly id: string;
  /** How long the work behind it took, milliseconds. */
  readonly durationMs: number;
  /** What is wrong on the switch; absent when all is well. */
  readonly error?: string | undefined;
  /** By nic name; all nics that the API knows, or none at all. */
  readonly portStates: ReadonlyMap<string, LinkState>;
  /** By nic name; a nic that is missing has no session, and an empty map says nothing. */
  readonly bgpStates: ReadonlyMap<string, BgpNeighbor>;
}

export interface Ping {
  readonly id: string;
  readonly startedAtMs: number;
  readonly intervalMs: number;
  readonly agentVersion: string;
}

/** A nic as the API wants it to be. */
export interface DesiredNic {
  readonly name: string;
  /** The VRF to be in; absent: none, that is, the PXE network. */
  readonly vrf?: string;
  /** The state to be set; absent: leave it. */
  readonly state?: 'up' | 'down';
  /** What may be announced on the port; absent: nothing was said. */
  readonly filter?: { readonly cidrs: readonly string[]; readonly vnis: readonly string[] };
}

/** The switch as the API wants it to be, its nics in the API's order. */
export interface DesiredSwitch {
  readonly nics: readonly DesiredNic[];
  /** Which machine is behind which nic, as far as the API knows. */
  readonly connections?: ReadonlyArray<{ readonly nic: string; readonly machine: string }>;
}

/** The calls that the agent makes. Each throws `ApiError`. */
export interface SwitchApi {
  register(registration: Registration, signal: AbortSignal): Promise<DesiredSwitch>;
  get(id: string, signal: AbortSignal): Promise<DesiredSwitch>;
  heartbeat(beat: Beat, signal: AbortSignal): Promise<void>;
  ping(ping: Ping, signal: AbortSignal): Promise<void>;
  /** Sends "Phoned Home" of each; answers with the machines whose event the API refused. */
  phonedHome(calls: readonly HomeCall[], signal: AbortSignal): Promise<readonly string[]>;
  /** Another token with the rights and the lifetime of the one in use. */
  refreshToken(signal: AbortSignal): Promise<string>;
  close(): void;
}

export interface SwitchApiOptions {
  readonly url: string;
  /** PEM text. */
  readonly ca: string;
  /** Read again whenever it changes. */
  readonly tokenFile: string;
  readonly timeoutMs: number;
}

// A ping is a courtesy; it may not hold anything up.
const PING_TIMEOUT_MS = 2000;

/** The agent's calls over gRPC, on one connection. Throws RangeError for a bad `url`. */
export function connectApi(options: SwitchApiOptions): SwitchApi {
  const { url, ca, tokenFile, timeoutMs } = options;
  const channel = createChannel({ url, ca, tokenFile });
  const switches = createClient(infraV2.SwitchService, channel);
  const components = createClient(infraV2.ComponentService, channel);
  const tokens = createClient(apiV2.TokenService, channel);
  const events = createClient(infraV2.EventService, channel);
  return {
    register: async (registration, signal) => {
      const { rack, room } = registration;
      const answer = await switches.register(
        {
          switch: {
            id: registration.id,
            partition: registration.partition,
            // An empty name is no name to the API: absent, or two characters and more.
            ...(rack === undefined || rack === '' ? {} : { rack }),
            ...(room === undefined || room === '' ? {} : { room }),
            replaceMode: apiV2.SwitchReplaceMode.OPERATIONAL,
            managementIp: registration.managementIp,
            managementUser: registration.managementUser,
            nics: registration.ports.map((port) => ({
              name: port.nicName,
              identifier: port.identifier,
              state: { actual: STATUS[port.state] },
            })),
            os: {
              vendor: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC,
              version: registration.osVersion,
              metalCoreVersion: registration.agentVersion,
            },
          },
        },
        { timeoutMs, signal },
      );
      return desiredOf(answer.switch);
    },
    get: async (id, signal) => desiredOf((await switches.get({ id }, { timeoutMs, signal })).switch),
    heartbeat: async (beat, signal) => {
      await switches.heartbeat(
        {
          id: beat.id,
          duration: durationFromMs(Math.round(beat.durationMs)),
          ...(beat.error === undefined ? {} : { error: beat.error }),
          portStates: Object.fromEntries([...beat.portStates].map(([name, state]) => [name, STATUS[state]])),
          bgpPortStates: Object.fromEntries([...beat.bgpStates].map(([name, session]) => [name, bgpState(session)])),
        },
        { timeoutMs, signal },
      );
    },
    ping: async (ping, signal) => {
      await components.ping(
        {
          type: apiV2.ComponentType.METAL_CORE,
          identifier: ping.id,
          startedAt: timestampFromMs(ping.startedAtMs),
          interval: durationFromMs(ping.intervalMs),
          version: { version: ping.agentVersion },
        },
        { timeoutMs: PING_TIMEOUT_MS, signal },
      );
    },
    phonedHome: async (calls, signal) => {
      const sent = calls.map(({ machine, message, seenMs }) => [
        machine,
        {
          $typeName: 'metalstack.api.v2.MachineProvisioningEvent' as const,
          time: timestampFromMs(seenMs),
          event: apiV2.MachineProvisioningEventType.PHONED_HOME,
          message,
        },
      ]);
      return (await events.send({ events: Object.fromEntries(sent) }, { timeoutMs, signal })).failed;
    },
    refreshToken: async (signal) => (await tokens.refresh({}, { timeoutMs, signal })).secret,
    close: () => channel.close(),
  };
}

/** Whether the API does not know the switch. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === Code.NotFound;
}

/** Whether the call did not reach the API, so that the next call that does disproves it. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && (error.code === Code.Unavailable || error.code === Code.DeadlineExceeded);
}

function desiredOf(answer: apiV2.Switch | undefined): DesiredSwitch {
  const connections = (answer?.machineConnections ?? []).flatMap(({ machineId, nic }) =>
    nic === undefined || machineId === '' ? [] : [{ nic: nic.name, machine: machineId.toLowerCase() }],
  );
  return {
    ...(connections.length === 0 ? {} : { connections }),
    nics: (answer?.nics ?? []).map((nic) => {
      const state = fromStatus(nic.state?.desired);
      return {
        name: nic.name,
        ...(nic.vrf === undefined || nic.vrf === '' ? {} : { vrf: nic.vrf }),
        ...(state === undefined ? {} : { state }),
        ...(nic.bgpFilter === undefined
          ? {}
          : { filter: { cidrs: [...nic.bgpFilter.cidrs], vnis: [...nic.bgpFilter.vnis] } }),
      };
    }),
  };
}

const STATUS: Readonly<Record<LinkState, apiV2.SwitchPortStatus>> = {
  up: apiV2.SwitchPortStatus.UP,
  down: apiV2.SwitchPortStatus.DOWN,
  unknown: apiV2.SwitchPortStatus.UNKNOWN,
};

const BGP_STATE: Readonly<Record<BgpState, apiV2.BGPState>> = {
  idle: apiV2.BGPState.BGP_STATE_IDLE,
  connect: apiV2.BGPState.BGP_STATE_CONNECT,
  active: apiV2.BGPState.BGP_STATE_ACTIVE,
  'open-sent': apiV2.BGPState.BGP_STATE_OPEN_SENT,
  'open-confirm': apiV2.BGPState.BGP_STATE_OPEN_CONFIRM,
  established: apiV2.BGPState.BGP_STATE_ESTABLISHED,
};

function bgpState(session: BgpNeighbor): MessageInitShape<typeof apiV2.SwitchBGPPortStateSchema> {
  return {
    neighbor: session.neighbor,
    peerGroup: session.peerGroup,
    vrfName: session.vrf,
    bgpState: BGP_STATE[session.state],
    bgpTimerUpEstablished: timestampFromMs(session.establishedAtMs),
    sentPrefixCounter: BigInt(session.sentPrefixes),
    acceptedPrefixCounter: BigInt(session.acceptedPrefixes),
  };
}

// Only what is asked for may be applied: the actual state never becomes a wish.
function fromStatus(status: apiV2.SwitchPortStatus | undefined): 'up' | 'down' | undefined {
  if (status === apiV2.SwitchPortStatus.UP) return 'up';
  return status === apiV2.SwitchPortStatus.DOWN ? 'down' : undefined;
}
