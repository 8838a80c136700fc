import { readFileSync } from 'node:fs';
import { adminV2, apiV2, createChannel, createClient } from '@ingot/api';
import type { Rack } from '@ingot/lab';
import { vi } from 'vitest';

const { Format, ImageClassification, ImageFeature, NetworkType } = apiV2;

/** Gives the machine to a tenant, with all that there has to be for it. */
export async function allocate(rack: Rack, uuid: string, name: string): Promise<void> {
  const channel = createChannel({
    url: rack.apiUrl,
    ca: readFileSync(rack.caFile, 'utf8'),
    token: readFileSync(rack.adminTokenFile, 'utf8').trim(),
  });
  try {
    const machine = await createClient(adminV2.MachineService, channel).get({ uuid });
    const partition = machine.machine?.partition?.id ?? '';
    await createClient(adminV2.TenantService, channel).create({ name: 'acme' });
    const { project } = await createClient(apiV2.ProjectService, channel).create({
      login: 'acme',
      name: 'shop',
      description: '',
    });
    const owner = project?.uuid ?? '';
    await createClient(adminV2.ImageService, channel).create({
      image: {
        id: 'debian-12.0.20260101',
        url: 'http://images.example.com/debian.tar',
        features: [ImageFeature.MACHINE],
        classification: ImageClassification.SUPPORTED,
      },
    });
    await createClient(adminV2.FilesystemService, channel).create({
      filesystemLayout: { id: 'tmp', filesystems: [{ device: 'tmpfs', format: Format.TMPFS, path: '/tmp' }] },
    });
    const networks = createClient(adminV2.NetworkService, channel);
    await networks.create({
      id: 'super',
      type: NetworkType.SUPER,
      partition,
      prefixes: ['10.128.0.0/16'],
      defaultChildPrefixLength: { ipv4: 24 },
    });
    await networks.create({ id: 'shop', type: NetworkType.CHILD, project: owner, parentNetwork: 'super' });
    const machines = createClient(apiV2.MachineService, channel);
    const wish = { uuid, project: owner, name, image: 'debian-12', filesystemLayout: 'tmp' };
    // The event Waiting comes a moment before the stream by which the machine waits.
    await vi.waitFor(() => machines.create({ ...wish, networks: [{ network: 'shop' }] }), { timeout: 20_000 });
  } finally {
    channel.close();
  }
}
