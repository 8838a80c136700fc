import type { TimelineEntry } from '@ingot/boot-server';

/** What an entry means to a person who watches; undefined for what can be left out. */
export function liveWords({ event, level, fields, msg }: TimelineEntry): string | undefined {
  if (level === 'debug') return undefined;
  if (level !== 'info') return `! ${msg}`;
  const text = (key: string): string => {
    const value = fields[key];
    return typeof value === 'string' ? value : '';
  };
  switch (event) {
    case 'dhcp.offer':
      return offerWords(text('boot'), text('loads'));
    case 'dhcp.ack':
      return fields['address'] === undefined ? undefined : `has the address ${text('address')}`;
    case 'pxe.ack':
      return `asked on port 4011, and loads ${fileName(text('loads'))}`;
    case 'tftp.done':
      return `has ${fileName(text('file'))}${amount(fields['bytes'], fields['ms'])}`;
    case 'http.script':
      return 'has its script';
    case 'http.file':
      return `${text('kind') === 'ipxe' ? 'has a file of /boot/' : `has its ${text('kind')}`}${amount(fields['bytes'], fields['ms'])}`;
    case 'http.booting':
      return 'starts its kernel';
    default:
      return undefined;
  }
}

function offerWords(boot: string, loads: string): string | undefined {
  switch (boot) {
    case 'chain-tftp':
      return `wants to boot: is offered ${fileName(loads)} by TFTP`;
    case 'chain-http':
      return `wants to boot: is offered ${fileName(loads)} by HTTP`;
    case 'script':
      return 'runs iPXE: is offered its script';
    default:
      return undefined;
  }
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function amount(bytes: unknown, ms: unknown): string {
  if (typeof bytes !== 'number' || typeof ms !== 'number') return '';
  const size = bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
  return `, ${size} in ${(ms / 1000).toFixed(1)} s`;
}
