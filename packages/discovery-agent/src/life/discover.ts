import type { BmcSearch } from '../bmc/bmc.ts';
import type { BootOrder } from '../bmc/boot-order.ts';
import { configureBmc } from '../bmc/configure-bmc.ts';
import { withDeadline } from '../deadline.ts';
import { reasonOf } from '../errors.ts';
import { inventorySummary } from '../inventory-text.ts';
import { takeInventory } from '../inventory/inventory.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { readDetails } from '../inventory/details.ts';
import { findLeaves } from '../lldp/leaves.ts';
import type { LeafFindings } from '../lldp/leaf-rule.ts';
import { LldpPace, setLldpName, setLldpPace } from '../lldp/sending.ts';
import { lldpPorts, setPortMtu } from '../lldp/ports.ts';
import type { Life } from './parts.ts';
import type { Findings } from './register-request.ts';
import { devicesSettled } from './settle.ts';

/** Long enough for one look, when leaves were listened to before. */
const lookAgainMs = 1_000;
const detailsMs = 90_000;
/** Beyond what LLDP may take, the devices settle (30 s) and the BMC is read and set up (three minutes). */
const beyondLldpMs = 240_000;

/** What is registered, and what a person needs to know besides. */
export interface Discovered extends Findings {
  /** Why not two leaves were heard, port by port; empty when two were. */
  readonly diagnosis: string;
}

/** Everything about the machine. LLDP takes longest, since a switch speaks when it is its turn: listen from the start. */
export async function discover(life: Life): Promise<Discovered> {
  const { sysfs, clock, signal, reporter, state, version, session, board, uuid, pulse } = life;
  const { policy, partition } = session.config;
  pulse.beat('life', policy.lldp.timeoutMs + beyondLldpMs);
  reporter.enter('inventory', 'looking for devices');
  const settled = await devicesSettled(sysfs, () => state.driversLoaded(), clock, signal);
  if (!settled) reporter.say('inventory', 'devices still come and go after 30 s; taking what is there');
  const inventory = takeStock(life);
  const { system } = inventory.firmware;
  board.show({ serial: system.serial, product: `${system.vendor} ${system.name}`.trim() });
  reporter.say('inventory', inventorySummary(inventory));
  for (const problem of inventory.problems) reporter.say('inventory', `problem: ${problem}`);
  reporter.note('inventory', { inventory });

  reporter.enter('lldp', 'listening for two leaves');
  const unnamed = await setLldpName(uuid, life);
  if (unnamed !== undefined) reporter.say('lldp', unnamed);
  await sendLldp(life, LldpPace.discovering);
  if (policy.lldp.mtu !== undefined)
    for (const problem of await setPortMtu(lldpPorts(sysfs), policy.lldp.mtu, life)) reporter.say('lldp', problem);
  const [detailed, bmc, leaves] = await Promise.all([
    readDeeper(life, inventory),
    setUpBmc(life, inventory.firmware.bootMode, { required: policy.bmcRequired }),
    listen(life, policy.lldp.timeoutMs),
  ]);
  for (const problem of detailed.problems)
    if (!inventory.problems.includes(problem)) reporter.say('inventory', `problem: ${problem}`);
  reporter.note('inventory', { disks: detailed.disks, nics: detailed.nics });
  for (const { nic, sysName, chassisId, portId } of leaves.neighbors)
    reporter.say('lldp', `${nic} is at ${sysName || chassisId} port ${portId}`);
  showBmc(life, bmc);
  const { neighbors, diagnosis } = leaves;
  return { uuid, partition, version, inventory: detailed, bmc, neighbors, diagnosis };
}

/** How often leaves hear of this machine. */
export async function sendLldp(life: Life, everySeconds: number): Promise<void> {
  const problem = await setLldpPace(everySeconds, life);
  if (problem !== undefined) life.reporter.say('lldp', problem);
}

/** What may have been cured since: the cables, and the machine's own parts. */
export async function lookAgain(life: Life, before: Findings): Promise<Discovered> {
  const { neighbors, diagnosis } = await listenAgain(life);
  return { ...before, inventory: takeStock(life), neighbors, diagnosis };
}

/** What the cables say now. */
export function listenAgain(life: Life): Promise<LeafFindings> {
  return listen(life, lookAgainMs);
}

function takeStock({ sysfs, state }: Life): Inventory {
  using guard = state.guardCollectors();
  return takeInventory(sysfs, guard);
}

async function listen(life: Life, timeoutMs: number): Promise<LeafFindings> {
  const { sysfs, run, clock, signal, uuid, reporter, board, session } = life;
  const { leafNames } = session.config.policy.lldp;
  const found = await findLeaves({
    run,
    clock,
    signal,
    ownUuid: uuid,
    timeoutMs,
    ports: () => lldpPorts(sysfs),
    ...(leafNames === undefined ? {} : { leafName: leafNames }),
  });
  const { neighbors, diagnosis } = found;
  board.show({
    leaves: neighbors.map(({ nic, sysName, chassisId, portId }) => `${nic} ${sysName || chassisId} ${portId}`),
  });
  board.problem('LLDP', diagnosis === '' ? undefined : diagnosis);
  if (diagnosis !== '') reporter.say('lldp', diagnosis);
  return found;
}

/** What only programs can tell. A disk or NIC that hangs them is left as the kernel shows it. */
async function readDeeper(life: Life, inventory: Inventory): Promise<Inventory> {
  const { clock, signal } = life;
  try {
    return await withDeadline(
      { clock, what: 'reading the details of disks and NICs', timeoutMs: detailsMs, signal },
      (limit) => readDetails(inventory, { ...life, signal: limit }),
    );
  } catch (error) {
    signal.throwIfAborted();
    return { ...inventory, problems: [...inventory.problems, reasonOf(error)] };
  }
}

/** Reads the BMC and makes the API's user in it, as the policy says. Its password is new each time. */
export function setUpBmc(
  life: Life,
  mode: BootOrder['mode'],
  { required }: { readonly required: boolean },
): Promise<BmcSearch> {
  const { session } = life;
  const { bmcUser: userName, bmcBootOrder: device } = session.config.policy;
  const superUserPassword = (limit: AbortSignal): Promise<string> =>
    session.call((api) => api.superUserPassword(limit));
  const bootOrder = device && { device, persistent: true, mode };
  return configureBmc({ ...life, superUserPassword }, { userName, bootOrder, required });
}

export function showBmc({ reporter, board }: Life, bmc: BmcSearch): void {
  const problems: string[] = [];
  switch (bmc.kind) {
    case 'none':
      reporter.say('bmc', 'none');
      break;
    case 'found':
      reporter.say('bmc', `${bmc.bmc.address} ${bmc.bmc.mac} version ${bmc.bmc.version}`);
      if (bmc.bmc.account !== undefined) reporter.say('bmc', `user ${bmc.bmc.account.user} is set up`);
      for (const problem of bmc.problems) reporter.say('bmc', `problem: ${problem}`);
      problems.push(...bmc.problems);
      break;
    case 'unusable':
      reporter.say('bmc', `there is one, but it cannot be registered: ${bmc.reason}`);
      problems.push(bmc.reason);
      break;
  }
  board.problem('BMC', problems.length === 0 ? undefined : problems.join('; '));
}
