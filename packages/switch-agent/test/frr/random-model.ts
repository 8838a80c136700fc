import * as fc from 'fast-check';
import type { FabricModel } from '../../src/fabric-model.ts';

const ipv4Cidr = fc.tuple(fc.nat(0xff_ff_ff_ff), fc.integer({ min: 8, max: 32 })).map(([bits, length]) => {
  const network = length === 32 ? bits >>> 0 : (bits & ~(0xff_ff_ff_ff >>> length)) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 0xff).join('.')}/${length}`;
});
// Whole groups only: the compression of zeros is the address parser's business.
const ipv6Cidr = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 0xff_ff }), { minLength: 1, maxLength: 7 }))
  .map(([groups]) => `${groups.map((group) => group.toString(16)).join(':')}::/${groups.length * 16}`);

/** Distinct, IPv4 first. */
const cidrs = fc
  .tuple(fc.uniqueArray(ipv4Cidr, { maxLength: 6 }), fc.uniqueArray(ipv6Cidr, { maxLength: 4 }))
  .map(([four, six]) => [...four, ...six]);

const vni = fc.integer({ min: 1, max: 2 ** 24 - 1 });

type Role = 'uplink' | 'unprovisioned' | 'firewall' | 'tenant' | 'none';

/** Any model that the API and the configuration can ask for, on a switch of up to `maxPorts` ports. */
export function randomModel(maxPorts: number): fc.Arbitrary<FabricModel> {
  const role = fc.constantFrom<Role>('uplink', 'unprovisioned', 'firewall', 'tenant', 'none');
  return fc
    .record({
      roles: fc.array(fc.record({ role, cidrs, vnis: fc.uniqueArray(vni, { maxLength: 4 }), vrf: fc.nat(7) }), {
        maxLength: maxPorts,
      }),
      tenants: fc.uniqueArray(fc.record({ vni, cidrs }), {
        selector: (tenant) => tenant.vni,
        minLength: 8,
        maxLength: 8,
      }),
      asn: fc.integer({ min: 1, max: 4_294_967_295 }),
      setSourceLoopback: fc.boolean(),
      logLevel: fc.constantFrom('debug', 'info', 'warn', 'error'),
      routes: fc.uniqueArray(ipv4Cidr, { maxLength: 3 }),
    })
    .map(({ roles, tenants, asn, setSourceLoopback, logLevel, routes }) => {
      const ports = roles.map((port, index) => ({ ...port, port: `Ethernet${index}` }));
      const named = (wanted: Role): readonly string[] =>
        ports.filter((entry) => entry.role === wanted).map((entry) => entry.port);
      return {
        hostname: 'leaf01',
        asn,
        loopback: '10.0.0.11',
        setSourceLoopback,
        logLevel,
        managementRoutes: routes.map((prefix) => ({ prefix, gateway: '10.9.9.1' })),
        uplinks: named('uplink'),
        unprovisioned: named('unprovisioned'),
        firewalls: ports
          .filter((entry) => entry.role === 'firewall')
          .map((entry) => ({ port: entry.port, cidrs: entry.cidrs, vnis: entry.vnis.toSorted((a, b) => a - b) })),
        vrfs: tenants
          .map((tenant, index) => ({
            name: `Vrf${tenant.vni}`,
            vni: tenant.vni,
            vlan: 1001 + index,
            ports: ports.filter((entry) => entry.role === 'tenant' && entry.vrf === index).map((entry) => entry.port),
            cidrs: tenant.cidrs,
          }))
          .toSorted((a, b) => a.vni - b.vni),
      };
    });
}
