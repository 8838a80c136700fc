import type { BmcSearch } from './bmc.ts';
import type { RedfishHostInterface } from './redfish-host-interface.ts';

/** For a person, in columns: what the BMC is, and what leads to it. */
export function bmcRows(search: BmcSearch | undefined, redfish: readonly RedfishHostInterface[]): string[][] {
  return [...(search === undefined ? [] : ownRows(search)), ...redfish.map(redfishRow)];
}

function ownRows(search: BmcSearch): string[][] {
  switch (search.kind) {
    case 'none':
      return [['BMC', 'none']];
    case 'unusable':
      return [['BMC', search.reason]];
    case 'found': {
      const { address, mac, version, fru } = search.bmc;
      const serial = fru.productSerial ?? fru.boardMfgSerial ?? '';
      const cells = [address, mac, `firmware ${version}`, serial === '' ? '' : `serial ${serial}`];
      return [['BMC', ...cells], ...search.problems.map((problem) => ['problem', problem])];
    }
  }
}

function redfishRow(where: RedfishHostInterface): string[] {
  const { device, mac, serviceAddress, serviceName, servicePort, canBootstrapCredentials } = where;
  const service = `${serviceAddress ?? (serviceName || 'address unknown')} port ${servicePort}`;
  return [
    'Redfish',
    service,
    mac ?? '',
    device === 'other' ? '' : device.toUpperCase(),
    canBootstrapCredentials ? 'gives accounts to this machine' : '',
  ];
}
