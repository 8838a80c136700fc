import { adminV2, apiV2, type DescService, ingotAdminV1, methodPath } from '@ingot/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { furnish, PATIENCE_MS, type Plane, registerMachine, startPlane, waitForAllocation } from './plane-kit.ts';

const MACHINE = 'aaaaaaaa-0000-4000-8000-00000000000a';
const OTHER = 'bbbbbbbb-0000-4000-8000-00000000000b';

let plane: Plane;
let project: string;
let network: string;
const waiting = new AbortController();

beforeAll(async () => {
  plane = await startPlane();
  ({ project, network } = await furnish(plane));
  await registerMachine(plane, MACHINE);
  await waitForAllocation(plane, MACHINE, waiting.signal);
}, PATIENCE_MS);
afterAll(async () => {
  waiting.abort();
  await plane[Symbol.asyncDispose]();
});

/** The UUID that an earlier command has printed, by the words before it. */
const seen = new Map<string, string>();

/** `@project` and the like stand for what is known only when the test runs. */
function words(line: string): string[] {
  const known: Readonly<Record<string, string>> = { project, network, machine: MACHINE, other: OTHER };
  return line
    .split(' ')
    .map((word) => word.replace(/@([\w-]+)/, (_all, name: string) => known[name] ?? seen.get(name) ?? `@${name}`));
}

/**
 * A command for each method, in an order in which they work; behind `=>` under which name the first UUID, or the line, of
 * the answer is kept. `!N` is the exit status of what has to be refused here, and calls the method all the same.
 */
// The administrator of a new server has no tenant, and so is no member of anything.
const LINES: readonly (readonly [method: string, line: string])[] = [
  ['api.v2.VersionService/Get', 'version'],
  ['api.v2.HealthService/Get', 'health'],
  ['api.v2.MethodService/List', 'method ls'],
  ['api.v2.MethodService/TokenScopedList', 'method ls --mine'],
  ['api.v2.UserService/Get', 'whoami'],
  ['admin.v2.TokenService/Create', 'token create --user rack --infra-role editor'],
  ['admin.v2.TokenService/List', 'token ls --user rack -o template --template {{.uuid}} => token'],
  ['admin.v2.TokenService/Revoke', 'token revoke @token'],
  ['api.v2.TokenService/Create', 'token create --own --admin-role viewer --description mine'],
  [
    'api.v2.TokenService/List',
    'token ls --own -o template --template {{if(eq(.description)"mine")}}{{.uuid}}{{end}} => own',
  ],
  ['api.v2.TokenService/Get', 'token describe --own @own'],
  ['api.v2.TokenService/Update', 'token update @own --description ours'],
  ['api.v2.TokenService/Revoke', 'token revoke --own @own'],
  ['api.v2.TokenService/Refresh', 'token refresh'],

  ['api.v2.TenantService/List', 'tenant ls --mine'],
  ['api.v2.TenantService/Create', 'tenant new Mine --description own --label a=b'],
  ['admin.v2.TenantService/List', 'tenant ls'],
  ['admin.v2.TenantService/Create', 'tenant create --login guest --name guest'],
  ['api.v2.TenantService/Get', 'tenant describe acme'],
  ['api.v2.TenantService/Update', 'tenant apply -f @tenant'],
  ['admin.v2.TenantService/AddMember', 'tenant member add acme guest viewer --admin'],
  ['api.v2.TenantService/UpdateMember', 'tenant member update acme guest editor'],
  ['admin.v2.TenantService/RemoveMember', 'tenant member rm acme guest --admin'],
  ['api.v2.TenantService/AddMember', 'tenant member add acme guest viewer'],
  ['api.v2.TenantService/RemoveMember', 'tenant member rm acme guest'],
  ['api.v2.TenantService/Invite', 'tenant invite create acme viewer => invite'],
  ['api.v2.TenantService/InvitesList', 'tenant invite ls acme'],
  ['api.v2.TenantService/InviteGet', 'tenant invite describe @invite'],
  ['api.v2.TenantService/InviteAccept', '!3 tenant invite accept @invite'],
  ['api.v2.TenantService/InviteDelete', 'tenant invite rm acme @invite'],
  ['api.v2.TenantService/Leave', '!3 tenant leave acme'],

  ['admin.v2.ProjectService/List', 'project ls'],
  ['api.v2.ProjectService/List', 'project ls --mine'],
  ['api.v2.ProjectService/Get', 'project describe @project'],
  ['api.v2.ProjectService/Create', 'project create --name spare --tenant acme => spare'],
  ['api.v2.ProjectService/Update', 'project apply -f @project-file'],
  ['api.v2.ProjectService/AddMember', 'project member add @project guest viewer'],
  ['api.v2.ProjectService/UpdateMember', 'project member update @project guest editor'],
  ['api.v2.ProjectService/RemoveMember', 'project member rm @project guest'],
  ['api.v2.ProjectService/Invite', 'project invite create @project viewer => project-invite'],
  ['api.v2.ProjectService/InvitesList', 'project invite ls @project'],
  ['api.v2.ProjectService/InviteGet', 'project invite describe @project-invite'],
  ['api.v2.ProjectService/InviteAccept', '!3 project invite accept @project-invite'],
  ['api.v2.ProjectService/InviteDelete', 'project invite rm @project @project-invite'],
  ['api.v2.ProjectService/Leave', '!3 project leave @project'],
  ['api.v2.ProjectService/Delete', 'project rm @spare'],

  ['api.v2.PartitionService/List', 'partition ls'],
  ['api.v2.PartitionService/Get', 'partition describe hall'],
  ['admin.v2.PartitionService/Create', 'partition create --id annex --description small --dns-servers 10.1.0.1'],
  ['admin.v2.PartitionService/Update', 'partition apply -f @annex'],
  ['admin.v2.PartitionService/Delete', 'partition rm annex'],
  ['admin.v2.PartitionService/Capacity', 'partition capacity --project @project -o wide'],

  ['api.v2.SizeService/List', 'size ls'],
  ['api.v2.SizeService/Get', 'size describe c1'],
  ['admin.v2.SizeService/Create', 'size create -f @size'],
  ['admin.v2.SizeService/Update', 'size apply -f @size-changed'],
  ['admin.v2.SizeService/Delete', 'size rm g1'],
  [
    'admin.v2.SizeReservationService/Create',
    'size-reservation create --name kept --project @project --size c1 --partitions hall --amount 1 => reservation',
  ],
  ['admin.v2.SizeReservationService/List', 'size-reservation ls'],
  ['api.v2.SizeReservationService/List', 'size-reservation ls --project @project'],
  ['api.v2.SizeReservationService/Get', 'size-reservation describe --project @project @reservation'],
  ['admin.v2.SizeReservationService/Update', 'size-reservation apply -f @reservation-file'],
  ['admin.v2.SizeReservationService/Delete', 'size-reservation rm @reservation'],
  ['admin.v2.SizeImageConstraintService/Create', 'size-image-constraint create -f @constraint'],
  ['admin.v2.SizeImageConstraintService/List', 'size-image-constraint ls'],
  ['admin.v2.SizeImageConstraintService/Get', 'size-image-constraint describe c1'],
  ['api.v2.SizeImageConstraintService/Try', 'size-image-constraint try c1 debian-12.0.20260101'],
  ['admin.v2.SizeImageConstraintService/Update', 'size-image-constraint apply -f @constraint-changed'],
  ['admin.v2.SizeImageConstraintService/Delete', 'size-image-constraint rm c1'],

  ['api.v2.ImageService/List', 'image ls'],
  ['api.v2.ImageService/Get', 'image describe debian-12.0.20260101'],
  ['api.v2.ImageService/Latest', 'image latest debian-12.0'],
  ['admin.v2.ImageService/Usage', 'image usage'],
  [
    'admin.v2.ImageService/Create',
    'image create --id debian-13.0.20260101 --url http://images/13.tar --features machine --classification preview',
  ],
  ['admin.v2.ImageService/Update', 'image apply -f @image'],
  ['admin.v2.ImageService/Delete', 'image rm debian-13.0.20260101'],

  ['api.v2.FilesystemService/List', 'filesystem-layout ls'],
  ['api.v2.FilesystemService/Get', 'filesystem-layout describe tmp'],
  ['admin.v2.FilesystemService/Create', 'filesystem-layout create -f @layout'],
  ['admin.v2.FilesystemService/Update', 'filesystem-layout apply -f @layout-changed'],
  ['admin.v2.FilesystemService/Match', 'filesystem-layout match --size c1 --image debian-12.0.20260101'],
  ['admin.v2.FilesystemService/Delete', 'filesystem-layout rm other'],

  ['admin.v2.NetworkService/List', 'network ls'],
  ['admin.v2.NetworkService/Get', 'network describe super'],
  ['admin.v2.NetworkService/Create', 'network create --id internet --type external --prefixes 192.0.2.0/24 --vrf 104'],
  ['admin.v2.NetworkService/Update', 'network apply -f @internet'],
  ['admin.v2.NetworkService/ListExternalMembers', '!? network external-member ls internet'],
  ['admin.v2.NetworkService/AddExternalMember', '!? network external-member add internet leaf01 Ethernet4'],
  ['admin.v2.NetworkService/RemoveExternalMember', '!? network external-member rm internet leaf01 Ethernet4'],
  ['admin.v2.NetworkService/Delete', 'network rm internet'],
  ['api.v2.NetworkService/List', 'network ls --project @project'],
  ['api.v2.NetworkService/Get', 'network describe --project @project @network'],
  ['api.v2.NetworkService/ListBaseNetworks', 'network base --project @project'],
  [
    'api.v2.NetworkService/Create',
    'network allocate --project @project --parent-network super --name n2 --ipv4-length 25 => child',
  ],
  ['api.v2.NetworkService/Update', 'network update --project @project @child --name n3 --label a=b'],
  ['api.v2.NetworkService/Delete', 'network free --project @project @child'],
  ['api.v2.IPService/Create', 'ip allocate --project @project --network @network --ip 10.0.0.77 --static --name vip'],
  ['admin.v2.IPService/List', 'ip ls'],
  ['api.v2.IPService/List', 'ip ls --project @project'],
  ['api.v2.IPService/Get', 'ip describe --project @project 10.0.0.77'],
  ['api.v2.IPService/Update', 'ip apply -f @ip'],
  ['api.v2.IPService/Delete', 'ip rm 10.0.0.77'],

  ['admin.v2.MachineService/List', 'machine ls'],
  ['admin.v2.MachineService/Get', 'machine describe @machine'],
  ['admin.v2.MachineService/GetBMC', 'machine describe @machine'],
  ['admin.v2.MachineService/ListBMC', 'bmc ls -o wide'],
  ['admin.v2.MachineService/Issues', 'machine issues'],
  ['admin.v2.MachineService/SetState', 'machine lock @machine --reason fan'],
  ['ingot.admin.v1.LabelService/Update', 'machine update @machine --add-label row=7'],
  ['admin.v2.MachineService/BMCCommand', 'machine power @machine pxe --no-wait'],
  ['admin.v2.TaskService/Queues', 'task queues'],
  ['admin.v2.TaskService/List', 'task ls -o template --template {{.id}} => task'],
  ['admin.v2.TaskService/Get', 'task describe @task'],
  ['admin.v2.TaskService/Delete', 'task rm @task'],
  ['admin.v2.MachineService/SetState', 'machine unlock @machine'],
  [
    'api.v2.MachineService/Create',
    'machine create web01 --project @project --id @machine --image debian-12.0 --network @network --no-wait',
  ],
  ['api.v2.MachineService/List', 'machine ls --project @project'],
  ['api.v2.MachineService/Get', 'machine describe --project @project @machine'],
  ['api.v2.MachineService/GetBMC', 'bmc describe --project @project web01'],
  ['api.v2.MachineService/BMCCommand', 'bmc command --project @project web01 identify-led-on'],
  ['api.v2.MachineService/Update', 'machine edit web01'],
  ['admin.v2.MachineService/ConsolePassword', '!3 machine console-password web01 --reason 0123456789'],
  ['api.v2.MachineService/Delete', 'machine rm @machine'],
  ['ingot.admin.v1.WipeService/Order', 'machine wipe @machine'],
  ['ingot.admin.v1.WipeService/Cancel', 'machine wipe --cancel @machine'],
  ['admin.v2.MachineService/Delete', '!3 machine rm @other --remove-from-database --yes-i-really-mean-it'],

  ['admin.v2.SwitchService/List', 'switch ls'],
  ['admin.v2.SwitchService/Get', 'switch describe leaf01'],
  ['admin.v2.SwitchService/ConnectedMachines', 'switch connected-machines'],
  ['admin.v2.SwitchService/Port', 'switch port leaf01 Ethernet4 down'],
  ['admin.v2.SwitchService/Update', 'switch edit leaf01'],
  ['admin.v2.SwitchService/Migrate', '!? switch migrate leaf01 leaf02'],
  ['admin.v2.SwitchService/Delete', 'switch rm leaf02 --force'],
  ['admin.v2.ComponentService/List', 'component ls'],
  ['admin.v2.ComponentService/Get', '!3 component describe @other'],
  ['admin.v2.ComponentService/Delete', '!3 component rm @other'],
  ['admin.v2.AuditService/List', 'audit ls --limit 1 -o template --template {{.uuid}} => trace'],
  ['admin.v2.AuditService/Get', 'audit describe @trace'],
  ['api.v2.AuditService/List', 'audit ls --tenant acme --since 1h --limit 1 -o template --template {{.uuid}} => trace'],
  ['api.v2.AuditService/Get', 'audit describe --tenant acme @trace'],
  ['api.v2.TenantService/Delete', 'tenant rm guest'],
];

/** Methods without a word, and why. */
const REASONS: Readonly<Record<string, string>> = {
  'admin.v2.VPNService/AuthKey': 'this API server runs no VPN',
  'admin.v2.VPNService/ListNodes': 'this API server runs no VPN',
};

const FILES: Readonly<Record<string, string>> = {
  tenant: 'login: acme\ndescription: changed',
  'project-file': 'uuid: @project\ndescription: changed',
  annex: 'id: annex\ndescription: large',
  size: 'id: g1\nconstraints: [{ type: SIZE_CONSTRAINT_TYPE_GPU, min: 1, max: 2, identifier: H100 }]',
  'size-changed': 'id: g1\ndescription: with GPUs',
  'reservation-file': 'id: @reservation\namount: 2',
  constraint: 'size: c1\nimageConstraints: [{ image: debian, semverMatch: ">= 12.0.0" }]',
  'constraint-changed':
    'size: c1\ndescription: changed\nimageConstraints: [{ image: debian, semverMatch: ">= 11.0.0" }]',
  image: 'id: debian-13.0.20260101\ndescription: changed',
  layout:
    'id: other\nfilesystems: [{ device: tmpfs, format: FORMAT_TMPFS, path: /tmp }]\nconstraints: { sizes: [c1], images: { ubuntu: "*" } }',
  'layout-changed': 'id: other\ndescription: changed',
  internet: 'id: internet\ndescription: the world',
  ip: 'ip: 10.0.0.77\nproject: @project\ndescription: changed',
};

test.each(LINES)('%s is what "ingot %s" calls', async (method, text) => {
  const [, expected = '0', line = '', , name] = /^(?:!(\S+) )?(.*?)( => (\S+))?$/.exec(text) ?? [];
  const argv: string[] = [];
  for (const word of words(line)) {
    const file = word.startsWith('@') ? FILES[word.slice(1)] : undefined;
    argv.push(file === undefined ? word : await plane.file(words(file).join(' '), `${word.slice(1)}.yaml`));
  }
  // As an editor, one that changes a description.
  const env = { INGOT_TRACE: '1', EDITOR: 'sed -i "s/^description: .*/description: edited/"' };
  const { status, stdout, stderr } = await plane.ingotIn({ env, now: () => Date.now() }, ...argv);
  if (expected !== '?') expect(status, stderr).toBe(Number(expected));
  expect(stderr).toContain(`trace: /${method.startsWith('ingot') ? '' : 'metalstack.'}${method} `);
  const found = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(stdout)?.[0] ?? stdout.trim().split('\n')[0];
  if (name !== undefined) seen.set(name, found ?? '');
});

test('every method of the contract has a word, or a reason why not', () => {
  const exported: readonly unknown[] = [apiV2, adminV2, ingotAdminV1].flatMap((names) => Object.values(names));
  const services = exported.filter(isService);
  const methods = services.flatMap((service) =>
    service.methods.map((method) => methodPath(method).slice(1).replace('metalstack.', '')),
  );
  expect([...new Set([...LINES.map(([method]) => method), ...Object.keys(REASONS)])].toSorted()).toEqual(
    methods.toSorted(),
  );
});

function isService(one: unknown): one is DescService {
  return typeof one === 'object' && one !== null && 'kind' in one && one.kind === 'service';
}
