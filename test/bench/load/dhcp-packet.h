// The requests of simulated machines behind a relay, and reading the answers; shared by the load generators.
#ifndef DHCP_PACKET_H
#define DHCP_PACKET_H
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DHCP_DISCOVER = 1, DHCP_OFFER = 2, DHCP_REQUEST = 3, DHCP_ACK = 5, DHCP_NAK = 6 };
enum { DHCP_FIXED = 240, DHCP_PACKET = 1500 };

enum dhcp_client { UEFI_PXE, UEFI_HTTP, IPXE };

/// What differs between two requests. Addresses are in network order, as in `struct in_addr`. Without a giaddr it is a
/// client's own, which asks for a broadcast.
struct dhcp_request {
  uint32_t xid, machine, giaddr;
  /// Of a REQUEST: what the OFFER gave.
  uint32_t yiaddr, server_id;
  uint8_t type;
  enum dhcp_client client;
};

/// What a client takes from an answer; `file` is option 67, or else the field.
struct dhcp_answer {
  uint32_t xid, yiaddr, siaddr, server_id;
  uint8_t type;
  int relay_is_last;
  char file[256];
};

static inline uint8_t *dhcp_put(uint8_t *at, uint8_t code, const void *data, size_t length) {
  at[0] = code;
  at[1] = (uint8_t)length;
  memcpy(at + 2, data, length);
  return at + 2 + length;
}

/// 52:54 and the machine's number: a machine keeps its address and its port of the leaf from run to run.
static inline void dhcp_mac(uint32_t machine, uint8_t mac[6]) {
  uint32_t number = htonl(machine);
  mac[0] = 0x52;
  mac[1] = 0x54;
  memcpy(mac + 2, &number, 4);
}

/// Option 82 as a leaf adds it: circuit id "Ethernet…" and the leaf's own address as remote id.
static inline uint8_t dhcp_relay_option(uint32_t machine, uint32_t giaddr, uint8_t out[64]) {
  char circuit[24];
  int length = snprintf(circuit, sizeof circuit, "Ethernet%08u", machine);
  uint8_t *at = dhcp_put(out, 1, circuit, (size_t)length);
  at = dhcp_put(at, 2, &giaddr, 4);
  return (uint8_t)(at - out);
}

/// What OVMF or iPXE sends, in their order and with their lengths, and option 82 behind it as a relay puts it.
static inline size_t dhcp_build(const struct dhcp_request *r, uint8_t *p) {
  static const uint8_t cookie[4] = {99, 130, 83, 99};
  static const uint8_t wanted[] = {1,  2,  3,  4,  5,  6,  12, 13, 15, 17, 18,  22,  23,  28,  40,  41,  42, 43,
                                   50, 51, 54, 58, 59, 60, 66, 67, 97, 128, 129, 130, 131, 132, 133, 134, 135};
  // Bus id, version, and the features DNS, EFI, HTTP, iSCSI, TFTP and menu.
  static const uint8_t ipxe[] = {0xb1, 5, 1, 0x1a, 0xf4, 0x10, 0, 0xeb, 3, 1, 0, 0, 0x17, 1, 1, 0x24, 1, 1,
                                 0x13, 1, 1, 0x11, 1, 1, 0x15, 1, 1, 0x27, 1, 1};
  uint8_t uuid[17] = {0, 0x8e, 0x12, 0x37, 0x4b, 0x72, 0x6e, 0x8d, 0x4a, 0x87, 0xda};
  uint32_t xid = htonl(r->xid);
  memset(p, 0, DHCP_FIXED);
  p[0] = 1;
  p[1] = 1;
  p[2] = 6;
  p[3] = r->giaddr != 0;
  p[10] = r->giaddr == 0 ? 0x80 : 0;
  memcpy(p + 4, &xid, 4);
  memcpy(p + 24, &r->giaddr, 4);
  dhcp_mac(r->machine, p + 28);
  memcpy(p + 236, cookie, 4);
  uint8_t *at = dhcp_put(p + DHCP_FIXED, 53, &r->type, 1);
  at = dhcp_put(at, 57, "\x05\xc0", 2);
  at = dhcp_put(at, 55, wanted, sizeof wanted);
  memcpy(uuid + 11, p + 28, 6);
  at = dhcp_put(at, 97, uuid, sizeof uuid);
  at = dhcp_put(at, 94, "\x01\x03\x00", 3);
  at = dhcp_put(at, 93, r->client == UEFI_HTTP ? "\x00\x10" : "\x00\x07", 2);
  if (r->client == UEFI_HTTP) at = dhcp_put(at, 60, "HTTPClient:Arch:00016:UNDI:003000", 33);
  else at = dhcp_put(at, 60, "PXEClient:Arch:00007:UNDI:003000", 32);
  if (r->client == IPXE) {
    at = dhcp_put(at, 77, "iPXE", 4);
    at = dhcp_put(at, 175, ipxe, sizeof ipxe);
  }
  if (r->type == DHCP_REQUEST) {
    at = dhcp_put(at, 50, &r->yiaddr, 4);
    at = dhcp_put(at, 54, &r->server_id, 4);
  }
  uint8_t relay[64];
  if (r->giaddr != 0) at = dhcp_put(at, 82, relay, dhcp_relay_option(r->machine, r->giaddr, relay));
  *at++ = 255;
  return (size_t)(at - p);
}

/// The transaction that a datagram belongs to; 0 of one that is too short.
static inline uint32_t dhcp_xid(const uint8_t *p, size_t length) {
  uint32_t xid = 0;
  if (length >= DHCP_FIXED) memcpy(&xid, p + 4, 4);
  return ntohl(xid);
}

/// Reads the answer to a request; NULL, or what is wrong with it.
static inline const char *dhcp_read(const uint8_t *p, size_t length, const struct dhcp_request *r, struct dhcp_answer *a) {
  uint8_t mac[6], relay[64], relay_length = dhcp_relay_option(r->machine, r->giaddr, relay);
  int has_relay = 0;
  memset(a, 0, sizeof *a);
  if (length < DHCP_FIXED) return "short packet";
  a->xid = dhcp_xid(p, length);
  dhcp_mac(r->machine, mac);
  if (p[0] != 2) return "op is not 2";
  if (memcmp(p + 28, mac, 6) != 0) return "chaddr of another machine";
  if (r->giaddr != 0 && memcmp(p + 24, &r->giaddr, 4) != 0) return "giaddr was changed";
  memcpy(&a->yiaddr, p + 16, 4);
  memcpy(&a->siaddr, p + 20, 4);
  memcpy(a->file, p + 108, 128);
  for (size_t at = DHCP_FIXED;;) {
    if (at >= length) return "no end option";
    uint8_t code = p[at];
    if (code == 255) break;
    if (code == 0) {
      at += 1;
      continue;
    }
    if (at + 2 > length || at + 2 + p[at + 1] > length) return "truncated option";
    uint8_t size = p[at + 1];
    const uint8_t *data = p + at + 2;
    a->relay_is_last = code == 82;
    if (code == 53 && size == 1) a->type = data[0];
    if (code == 54 && size == 4) memcpy(&a->server_id, data, 4);
    if (code == 67) {
      memset(a->file, 0, sizeof a->file);
      memcpy(a->file, data, size);
    }
    if (code == 82) {
      if (r->giaddr == 0) return "option 82 was left in for a client";
      if (size != relay_length || memcmp(data, relay, size) != 0) return "option 82 was changed";
      has_relay = 1;
    }
    at += 2u + size;
  }
  return has_relay || r->giaddr == 0 ? NULL : "option 82 is missing";
}
#endif
