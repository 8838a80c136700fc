import { isIPv6 } from 'node:net';
import { NetError, NetErrorCode } from './errors.ts';
import type { BindOptions, Endpoint } from './udp.ts';

export function bindError(options: BindOptions, cause: unknown): NetError {
  const where = `cannot bind ${text(options)}`;
  switch (systemCode(cause)) {
    case 'EADDRINUSE':
      return new NetError(
        NetErrorCode.AddressInUse,
        `${where}: another process has UDP port ${options.port}; find it with "ss -ulpn sport = :${options.port}" and stop it, or listen elsewhere`,
        cause,
      );
    case 'EADDRNOTAVAIL':
      return new NetError(
        NetErrorCode.AddressNotAvailable,
        `${where}: no interface of this machine has ${options.address}; see "ip address"`,
        cause,
      );
    case 'ENODEV':
      return new NetError(
        NetErrorCode.AddressNotAvailable,
        `${where}: this machine has no interface ${options.interface}; see "ip link"`,
        cause,
      );
    case 'EACCES':
    case 'EPERM':
      return new NetError(
        NetErrorCode.PermissionDenied,
        `${where}: ports below 1024 need CAP_NET_BIND_SERVICE; use the systemd unit, run as root, or configure a higher port`,
        cause,
      );
    default:
      return new NetError(NetErrorCode.Io, `${where}: ${words(cause)}`, cause);
  }
}

export function sendError(target: Endpoint, sizeBytes: number, cause: unknown): NetError {
  const where = `cannot send ${sizeBytes} bytes to ${text(target)}`;
  switch (systemCode(cause)) {
    case 'EMSGSIZE':
      return new NetError(NetErrorCode.MessageTooLong, `${where}: a UDP datagram carries at most 65507`, cause);
    case 'EACCES':
      return new NetError(
        NetErrorCode.PermissionDenied,
        `${where}: for a broadcast address, bind the socket with broadcast: true; otherwise a firewall refuses it`,
        cause,
      );
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ENETDOWN':
      return new NetError(NetErrorCode.Unreachable, `${where}: no route; see "ip route get ${target.address}"`, cause);
    default:
      return new NetError(NetErrorCode.Io, `${where}: ${words(cause)}`, cause);
  }
}

function systemCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function text({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
