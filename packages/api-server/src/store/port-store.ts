import { apiV2, create } from '@ingot/api';
import type { Row, Session } from './database.ts';
import { optionalText, text } from './row.ts';
import { inParts, sqlList } from './sql-list.ts';

/** A machine on a port of a switch. */
export interface PortConnection {
  readonly switchId: string;
  /** The switch's name of the port. */
  readonly port: string;
  readonly identifier: string;
  readonly mac: string | undefined;
  readonly machineId: string;
}

/** What is at the ports of a switch. */
export interface SwitchPorts {
  /** Ordered by the name of the port. */
  readonly connections: readonly PortConnection[];
  /** VRFs by port; a port without is in the network that machines boot from. */
  readonly vrfs: ReadonlyMap<string, string>;
}

/**
 * Machines and VRFs at the ports of switches: one row each, which the machine writes that it is about, and no row that the
 * machines of a switch have in common.
 *
 * Whoever changes what a machine is connected to stores a new generation of the machine, too (`EntityTable.touch`): a
 * registration decides by rows that it has read before its transaction, and sees by the generation that they still hold.
 */
export interface PortStore {
  /** Empty for a switch without any. */
  of(switchId: string): Promise<SwitchPorts>;
  /** Those of each of these switches. */
  ofMany(switches: readonly string[]): Promise<Map<string, SwitchPorts>>;
  ofMachine(machine: string): Promise<PortConnection[]>;
  /**
   * Connects a machine to a port that nobody has, or that it has itself. False when another machine has it. Reads nothing
   * that other machines of the switch write.
   */
  claim(connection: PortConnection): Promise<boolean>;
  ownerOf(switchId: string, port: string): Promise<string | undefined>;
  /** Takes a machine off a port, if it is there. The VRF stays. */
  release(connection: PortConnection): Promise<void>;
  /** Undefined: none. */
  setVrf(switchId: string, port: string, vrf: string | undefined): Promise<void>;
  clearVrfs(switchId: string): Promise<void>;
}

export function createPortStore(session: Session): PortStore {
  const ofMany = async (switches: readonly string[]): Promise<Map<string, SwitchPorts>> => {
    const found = new Map<string, { connections: PortConnection[]; vrfs: Map<string, string> }>();
    for (const id of switches) found.set(id, { connections: [], vrfs: new Map() });
    for (const part of inParts([...found.keys()])) {
      const { marks, values } = sqlList(part);
      const connected = await session.all(
        `SELECT * FROM switch_connection WHERE switch IN (${marks}) ORDER BY switch, port`,
        ...values,
      );
      for (const row of connected) found.get(text(row, 'switch'))?.connections.push(toConnection(row));
      for (const row of await session.all(`SELECT * FROM switch_port_vrf WHERE switch IN (${marks})`, ...values))
        found.get(text(row, 'switch'))?.vrfs.set(text(row, 'port'), text(row, 'vrf'));
    }
    return found;
  };
  return {
    ofMany,
    of: async (switchId) => (await ofMany([switchId])).get(switchId) ?? { connections: [], vrfs: new Map() },
    async ofMachine(machine) {
      const rows = await session.all(
        'SELECT * FROM switch_connection WHERE machine = ? ORDER BY switch, port',
        machine,
      );
      return rows.map(toConnection);
    },
    async claim({ switchId, port, identifier, mac, machineId }) {
      const written = await session.run(
        `INSERT INTO switch_connection (switch, port, identifier, mac, machine) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (switch, port) DO UPDATE SET identifier = excluded.identifier, mac = excluded.mac
         WHERE switch_connection.machine = excluded.machine`,
        switchId,
        port,
        identifier,
        mac ?? null,
        machineId,
      );
      return written > 0;
    },
    async ownerOf(switchId, port) {
      const row = await session.get(
        'SELECT machine FROM switch_connection WHERE switch = ? AND port = ?',
        switchId,
        port,
      );
      return row === undefined ? undefined : text(row, 'machine');
    },
    async release({ switchId, port, machineId }) {
      await session.run(
        'DELETE FROM switch_connection WHERE switch = ? AND port = ? AND machine = ?',
        switchId,
        port,
        machineId,
      );
    },
    async setVrf(switchId, port, vrf) {
      if (vrf === undefined) {
        await session.run('DELETE FROM switch_port_vrf WHERE switch = ? AND port = ?', switchId, port);
        return;
      }
      await session.run(
        `INSERT INTO switch_port_vrf (switch, port, vrf) VALUES (?, ?, ?)
         ON CONFLICT (switch, port) DO UPDATE SET vrf = excluded.vrf`,
        switchId,
        port,
        vrf,
      );
    },
    async clearVrfs(switchId) {
      await session.run('DELETE FROM switch_port_vrf WHERE switch = ?', switchId);
    },
  };
}

function toConnection(row: Row): PortConnection {
  return {
    switchId: text(row, 'switch'),
    port: text(row, 'port'),
    identifier: text(row, 'identifier'),
    mac: optionalText(row, 'mac'),
    machineId: text(row, 'machine'),
  };
}

/** As clients see it. */
export function toMachineConnection({ machineId, port, identifier, mac }: PortConnection): apiV2.MachineConnection {
  return create(apiV2.MachineConnectionSchema, {
    machineId,
    nic: { name: port, identifier, ...(mac === undefined ? {} : { mac }) },
  });
}
