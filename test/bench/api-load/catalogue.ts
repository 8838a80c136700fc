import { adminV2, apiV2, createClient, type Channel } from '@ingot/api';
import { PARTITION, SIZE } from './hall.ts';

const { ImageClassification, ImageFeature, NetworkType, SizeConstraintType } = apiV2;

/** What the machines are allocated to, and with. */
export interface Tenant {
  readonly project: string;
  readonly network: string;
  readonly image: string;
}

const IMAGE = 'debian-12';

/** Describes the machines of the hall, and makes a project with a network of 4,094 addresses. */
export async function writeCatalogue(admin: Channel): Promise<Tenant> {
  await createClient(adminV2.TenantService, admin).create({ name: 'acme' });
  await createClient(adminV2.SizeService, admin).create({
    size: {
      id: SIZE,
      constraints: [
        { type: SizeConstraintType.CORES, min: 40n, max: 40n, identifier: 'Intel(R) Xeon(R) Gold *' },
        { type: SizeConstraintType.MEMORY, min: 256n * 2n ** 30n, max: 512n * 2n ** 30n },
        { type: SizeConstraintType.STORAGE, min: 2n ** 40n, max: 2n ** 50n, identifier: '/dev/nvme*' },
      ],
    },
  });
  await createClient(adminV2.ImageService, admin).create({
    image: {
      id: `${IMAGE}.0.20260101`,
      url: 'http://images/debian.tar',
      features: [ImageFeature.MACHINE],
      classification: ImageClassification.SUPPORTED,
    },
  });
  await createClient(adminV2.FilesystemService, admin).create({
    filesystemLayout: {
      id: 'tmp',
      filesystems: [{ device: 'tmpfs', format: apiV2.Format.TMPFS, path: '/tmp' }],
      constraints: { sizes: [SIZE], images: { debian: '*' } },
    },
  });
  const networks = createClient(adminV2.NetworkService, admin);
  await networks.create({
    id: 'super',
    type: NetworkType.SUPER,
    partition: PARTITION,
    prefixes: ['10.0.0.0/14'],
    defaultChildPrefixLength: { ipv4: 20 },
  });
  const projects = createClient(apiV2.ProjectService, admin);
  const made = await projects.create({ login: 'acme', name: 'load', description: '' });
  const project = made.project?.uuid ?? '';
  await networks.create({ id: 'net-load', type: NetworkType.CHILD, project, parentNetwork: 'super' });
  return { project, network: 'net-load', image: IMAGE };
}
