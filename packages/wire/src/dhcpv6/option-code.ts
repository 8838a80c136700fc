/** Option codes by the names of their RFCs; every other code is carried just the same. */
export const Dhcp6OptionCode = {
  CLIENT_ID: 1,
  SERVER_ID: 2,
  IA_NA: 3,
  IA_TA: 4,
  IA_ADDRESS: 5,
  OPTION_REQUEST: 6,
  PREFERENCE: 7,
  ELAPSED_TIME: 8,
  RELAY_MESSAGE: 9,
  UNICAST: 12,
  STATUS_CODE: 13,
  RAPID_COMMIT: 14,
  USER_CLASS: 15,
  VENDOR_CLASS: 16,
  VENDOR_OPTIONS: 17,
  INTERFACE_ID: 18,
  /** RFC 3646. */
  DNS_SERVERS: 23,
  DOMAIN_LIST: 24,
  IA_PD: 25,
  IA_PREFIX: 26,
  /** RFC 4075, deprecated in favour of 56; old firmware asks for it. */
  SNTP_SERVERS: 31,
  INFORMATION_REFRESH_TIME: 32,
  /** RFC 4649. */
  REMOTE_ID: 37,
  /** RFC 4580. */
  SUBSCRIBER_ID: 38,
  /** RFC 5908. */
  NTP_SERVER: 56,
  /** RFC 5970, this and the next three. */
  BOOT_FILE_URL: 59,
  BOOT_FILE_PARAMETERS: 60,
  CLIENT_ARCH: 61,
  CLIENT_INTERFACE: 62,
  /** RFC 6939. */
  CLIENT_LINK_LAYER_ADDRESS: 79,
  SOL_MAX_RT: 82,
  INF_MAX_RT: 83,
  /** RFC 8357. */
  RELAY_PORT: 135,
} as const;
