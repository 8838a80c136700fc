/** Option codes by the names of their RFCs; every other code is carried just the same. */
export const OptionCode = {
  PAD: 0,
  SUBNET_MASK: 1,
  ROUTERS: 3,
  DNS_SERVERS: 6,
  LOG_SERVERS: 7,
  HOST_NAME: 12,
  DOMAIN_NAME: 15,
  INTERFACE_MTU: 26,
  BROADCAST_ADDRESS: 28,
  NTP_SERVERS: 42,
  VENDOR_SPECIFIC: 43,
  REQUESTED_ADDRESS: 50,
  LEASE_TIME: 51,
  OVERLOAD: 52,
  MESSAGE_TYPE: 53,
  SERVER_ID: 54,
  PARAMETER_LIST: 55,
  MESSAGE: 56,
  MAX_MESSAGE_SIZE: 57,
  RENEWAL_TIME: 58,
  REBINDING_TIME: 59,
  VENDOR_CLASS: 60,
  CLIENT_ID: 61,
  TFTP_SERVER_NAME: 66,
  BOOT_FILE_NAME: 67,
  /** RFC 3004. */
  USER_CLASS: 77,
  /** RFC 4702. */
  CLIENT_FQDN: 81,
  /** RFC 3046. */
  RELAY_AGENT: 82,
  /** RFC 4578 §2.1. */
  CLIENT_ARCH: 93,
  /** RFC 4578 §2.2. */
  CLIENT_INTERFACE: 94,
  /** RFC 4578 §2.3. */
  CLIENT_MACHINE_ID: 97,
  /** RFC 3011. */
  SUBNET_SELECTION: 118,
  /** RFC 3397. */
  DOMAIN_SEARCH: 119,
  /** RFC 3442. */
  CLASSLESS_ROUTES: 121,
  /** RFC 3925 §3. */
  VENDOR_IDENTIFYING_CLASS: 124,
  /** RFC 3925 §4. */
  VENDOR_IDENTIFYING: 125,
  /** RFC 5859. */
  TFTP_SERVER_ADDRESSES: 150,
  /** iPXE's encapsulated options (Etherboot's registered use of a site code). */
  IPXE: 175,
  /** RFC 5071. */
  PXELINUX_MAGIC: 208,
  END: 255,
} as const;
