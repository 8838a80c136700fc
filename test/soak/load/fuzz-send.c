// Hostile datagrams in volume: takes real packets, spoils each in one of many ways, and sends them to their ports from
// thousands of source addresses. Bounded by count and by time; the same seed makes the same packets. Prints one line of
// JSON. With --pid it waits while that process's sockets have much to read, so that packets are parsed, not lost.
//
//   gcc -O2 -o fuzz-send fuzz-send.c
//   fuzz-send --server 10.9.0.1 --sources 10.9.128.0 --corpus F --packets 1000000 --pid 4711
//
// --corpus: entries of port and length (two bytes each, network order) and that many bytes; those for port 547 go over
// IPv6. --sources and --sources6: networks of 32,768 and 65,536 addresses that are local here (`ip route add local
// 10.9.128.0/17 dev lo`).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 8, SOCKETS6 = 3, ENTRIES = 4096, PACKET = 9000, OPTIONS = 240, PEERS = 256, BUSY_BYTES = 64 * 1024 };

struct entry {
  uint16_t port, length;
  const uint8_t *data;
};

/// A TFTP transfer that the server opened towards us: from where, and to which of our addresses.
struct peer {
  struct sockaddr_in server;
  struct in_addr own;
  int socket;
};

static struct entry corpus[ENTRIES];
static unsigned entries;
static struct peer peers[PEERS];
static unsigned peer_count;
static int sockets[SOCKETS], sockets6[SOCKETS6];
static uint64_t random_state = 1, replies, waits;
static volatile sig_atomic_t ended;

static void end(int signal) {
  (void)signal;
  ended = 1;
}

static void die(const char *what) {
  fprintf(stderr, "fuzz-send: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/// splitmix64.
static uint64_t next_random(void) {
  uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

static unsigned below(unsigned bound) { return bound == 0 ? 0 : (unsigned)(next_random() % bound); }

static void fill(uint8_t *at, unsigned length) {
  for (unsigned i = 0; i < length; i += 1) at[i] = (uint8_t)next_random();
}

static uint8_t interesting(void) {
  static const uint8_t values[] = {0, 1, 2, 4, 5, 16, 0x7f, 0x80, 0xfe, 0xff};
  return values[below(sizeof values)];
}

/// Where the options of a DHCP packet end, or any place in them.
static unsigned option_boundary(const uint8_t *p, unsigned length, int last) {
  unsigned at = OPTIONS;
  for (unsigned steps = last ? 255 : below(12); at + 2 <= length && p[at] != 255 && steps > 0; steps -= 1)
    at += p[at] == 0 ? 1u : 2u + p[at + 1];
  return at < length ? at : length;
}

/// What option parsers have tripped over: splits (RFC 3396), overruns, overload, pads, malformed nests.
static unsigned abuse_options(uint8_t *p, unsigned length) {
  static const uint8_t nests[] = {43, 52, 53, 55, 60, 61, 77, 82, 82, 93, 97, 118, 121, 175, 175, 255};
  uint8_t junk[2048];
  unsigned size = 0, at;
  if (length < OPTIONS) return length;
  at = option_boundary(p, length, 0);
  switch (below(6)) {
    case 0: // The same option again and again.
      for (unsigned i = 1 + below(200), code = nests[below(sizeof nests)]; i > 0 && size + 4 < sizeof junk; i -= 1) {
        unsigned one = below(4);
        junk[size++] = (uint8_t)code;
        junk[size++] = (uint8_t)one;
        fill(junk + size, one);
        size += one;
      }
      break;
    case 1: // A length that runs over the end.
      junk[size++] = nests[below(sizeof nests)];
      junk[size++] = interesting();
      break;
    case 2: // Overload: the header's fields are options, too.
      memcpy(junk, "\x34\x01", 2);
      junk[2] = (uint8_t)below(5);
      size = 3;
      fill(p + 44, 192);
      break;
    case 3: // Sub-options that do not fit their option.
      junk[size++] = nests[below(sizeof nests)];
      junk[size++] = (uint8_t)(1 + below(60));
      for (unsigned i = junk[1]; i > 0; i -= 1) junk[size++] = interesting();
      break;
    case 4: // Pads.
      size = 1 + below(1000);
      memset(junk, 0, size);
      break;
    default: // A lone tag as the last byte.
      p[at < length ? at : length - 1] = nests[below(sizeof nests)];
      return at + 1 <= length ? at + 1 : length;
  }
  memmove(p + at + size, p + at, length - at);
  memcpy(p + at, junk, size);
  return length + size;
}

static unsigned spoil(uint8_t *p, unsigned length, const struct entry *entry) {
  int is_dhcp = entry->port == 67 || entry->port == 4011;
  if (is_dhcp && length > OPTIONS) {
    fill(p + 4, 4);
    // Many machines, some of them again and again.
    if (below(2) == 0) fill(p + 30, 4);
    else p[33] = (uint8_t)next_random();
  }
  if (entry->port == 547 && length > 22) {
    // The transaction, and in a message of a client itself the end of its DUID.
    fill(p + 1, 3);
    if (below(2) == 0) fill(p + 18, 4);
  }
  switch (below(10)) {
    case 0: return length;
    case 1:
      for (unsigned i = 1 + below(8); i > 0; i -= 1) p[below(length)] ^= (uint8_t)(1u << below(8));
      return length;
    case 2:
      for (unsigned i = 1 + below(4); i > 0; i -= 1) p[below(length)] = interesting();
      return length;
    case 3: return below(length + 1);
    case 4: {
      unsigned more = below(600);
      fill(p + length, more);
      return length + more;
    }
    case 5: {
      unsigned size = below(below(50) == 0 ? PACKET : 1400);
      fill(p, size);
      return size;
    }
    case 6: {
      const struct entry *other = &corpus[below(entries)];
      unsigned cut = below(length < other->length ? length : other->length);
      memcpy(p + cut, other->data + cut, other->length - cut);
      return other->length;
    }
    case 7:
      if (!is_dhcp) return length;
      p[OPTIONS + 2] = (uint8_t)below(20);
      return length;
    default:
      if (is_dhcp) return abuse_options(p, length);
      if (length > 2) p[2 + below(length - 2)] = interesting();
      return length;
  }
}

/// Takes whatever came back, and remembers the ports of TFTP transfers.
static void drain(int socket) {
  uint8_t data[64], control[128];
  for (;;) {
    // Of IPv6, where it is cut, the family is all that is looked at.
    struct sockaddr_in source;
    struct iovec iov = {data, sizeof data};
    struct msghdr message = {.msg_name = &source, .msg_namelen = sizeof source, .msg_iov = &iov, .msg_iovlen = 1,
                             .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, MSG_DONTWAIT) < 0) return;
    replies += 1;
    if (source.sin_family != AF_INET) continue;
    unsigned port = ntohs(source.sin_port);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (port == 67 || port == 4011 || c == NULL || c->cmsg_type != IP_PKTINFO) continue;
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(c), sizeof info);
    peers[peer_count++ % PEERS] = (struct peer){source, info.ipi_addr, socket};
  }
}

/// Bytes that wait in the UDP sockets of the process's namespace; with `drops`, the packets that found them full.
static uint64_t backlog(int pid, uint64_t *drops) {
  uint64_t sum = 0, lost = 0;
  for (int family = 0; family < 2; family += 1) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/net/udp%s", pid, family == 0 ? "" : "6");
    FILE *file = fopen(path, "r");
    if (file == NULL) continue;
    while (fgets(line, sizeof line, file) != NULL) {
      unsigned rx;
      unsigned long dropped;
      if (sscanf(line, " %*d: %*s %*s %*x %*x:%x %*s %*s %*u %*u %*u %*u %*s %lu", &rx, &dropped) != 2) continue;
      sum += rx;
      lost += dropped;
    }
    fclose(file);
  }
  if (drops != NULL) *drops = lost;
  return sum;
}

static void read_corpus(const char *path) {
  static uint8_t data[1 << 22];
  FILE *file = fopen(path, "r");
  if (file == NULL) die(path);
  size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  for (size_t at = 0; at + 4 <= size && entries < ENTRIES;) {
    uint16_t words[2];
    memcpy(words, data + at, 4);
    struct entry one = {ntohs(words[0]), ntohs(words[1]), data + at + 4};
    at += 4u + one.length;
    if (at <= size && one.length > 0 && one.length <= 1500) corpus[entries++] = one;
  }
  if (entries == 0) die("the corpus is empty");
}

int main(int argc, char **argv) {
  static const struct option names[] = {{"server", 1, NULL, 's'}, {"sources", 1, NULL, 'f'}, {"corpus", 1, NULL, 'c'},
                                        {"packets", 1, NULL, 'n'}, {"seconds", 1, NULL, 't'}, {"seed", 1, NULL, 'r'},
                                        {"pid", 1, NULL, 'p'},     {"server6", 1, NULL, '6'}, {"sources6", 1, NULL, '7'},
                                        {NULL, 0, NULL, 0}};
  struct in_addr server = {0}, sources = {0};
  struct in6_addr server6 = {0}, sources6 = {0};
  uint64_t packets = 100000, sent = 0, drops_before = 0, drops = 0;
  double seconds = 60;
  int pid = 0, c;
  while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (c == 's' && inet_pton(AF_INET, optarg, &server) == 1) continue;
    if (c == 'f' && inet_pton(AF_INET, optarg, &sources) == 1) continue;
    if (c == '6' && inet_pton(AF_INET6, optarg, &server6) == 1) continue;
    if (c == '7' && inet_pton(AF_INET6, optarg, &sources6) == 1) continue;
    if (c == 'c') read_corpus(optarg);
    else if (c == 'n') packets = strtoull(optarg, NULL, 10);
    else if (c == 't') seconds = atof(optarg);
    else if (c == 'r') random_state = strtoull(optarg, NULL, 10);
    else if (c == 'p') pid = atoi(optarg);
    else return 64;
  }
  if (server.s_addr == 0 || sources.s_addr == 0 || server6.s6_addr[0] == 0 || sources6.s6_addr[0] == 0 || entries == 0) {
    fprintf(stderr, "usage: fuzz-send --server IP --sources IP --server6 IP --sources6 IP --corpus FILE [--packets n] [--seconds n]\n"
                    "  [--seed n] [--pid n]\n");
    return 64;
  }
  struct sigaction on_end = {.sa_handler = end};
  sigaction(SIGTERM, &on_end, NULL);
  for (int i = 0; i < SOCKETS; i += 1) {
    static const uint16_t ports[SOCKETS] = {67, 68, 4011};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(ports[i])};
    int on = 1;
    sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(sockets[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(sockets[i], IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (bind(sockets[i], (struct sockaddr *)&own, sizeof own) != 0) die("bind");
  }
  for (int i = 0; i < SOCKETS6; i += 1) {
    static const uint16_t ports[SOCKETS6] = {546, 547};
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(ports[i])};
    int on = 1;
    sockets6[i] = socket(AF_INET6, SOCK_DGRAM, 0);
    setsockopt(sockets6[i], IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    // A local route makes an address receive, and not yet send.
    setsockopt(sockets6[i], IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
    if (bind(sockets6[i], (struct sockaddr *)&own, sizeof own) != 0) die("bind over IPv6");
  }
  if (pid != 0) backlog(pid, &drops_before);
  double started = now(), until = started + seconds;
  while (sent < packets && !ended) {
    if (sent % 64 == 0) {
      for (int i = 0; i < SOCKETS; i += 1) drain(sockets[i]);
      for (int i = 0; i < SOCKETS6; i += 1) drain(sockets6[i]);
      if (now() > until) break;
      while (pid != 0 && backlog(pid, NULL) > BUSY_BYTES && !ended && now() < until) {
        waits += 1;
        poll(NULL, 0, 1);
      }
    }
    static uint8_t packet[2 * PACKET];
    const struct entry *entry = &corpus[below(entries)];
    memcpy(packet, entry->data, entry->length);
    union {
      struct sockaddr_in v4;
      struct sockaddr_in6 v6;
    } to;
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = sources.s_addr | htonl(1 + below(32766))};
    struct in6_pktinfo info6 = {.ipi6_addr = sources6};
    uint8_t control[CMSG_SPACE(sizeof info6)] = {0};
    struct iovec iov = {packet, spoil(packet, entry->length, entry)};
    struct msghdr message = {.msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int socket;
    if (entry->port == 547) {
      socket = sockets6[below(SOCKETS6)];
      to.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(547), .sin6_addr = server6};
      fill(info6.ipi6_addr.s6_addr + 14, 2);
      *header = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info6)};
      memcpy(CMSG_DATA(header), &info6, sizeof info6);
      message.msg_namelen = sizeof to.v6;
      message.msg_controllen = CMSG_SPACE(sizeof info6);
    } else {
      socket = sockets[below(SOCKETS)];
      to.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(entry->port), .sin_addr = server};
      // Some of what is meant for TFTP goes into a transfer that the server has opened.
      if (entry->port == 69 && peer_count > 0 && below(2) == 0) {
        const struct peer *peer = &peers[below(peer_count < PEERS ? peer_count : PEERS)];
        to.v4 = peer->server;
        info.ipi_spec_dst = peer->own;
        socket = peer->socket;
      }
      *header = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
      memcpy(CMSG_DATA(header), &info, sizeof info);
      message.msg_namelen = sizeof to.v4;
      message.msg_controllen = CMSG_SPACE(sizeof info);
    }
    // A closed transfer answers with an error that a later packet gets to see.
    if (sendmsg(socket, &message, 0) < 0 && errno != ECONNREFUSED && errno != EAGAIN && errno != ENOBUFS) die("sendmsg");
    sent += 1;
  }
  double took = now() - started;
  if (pid != 0) backlog(pid, &drops);
  printf("{\"sent\":%lu,\"seconds\":%.2f,\"perSecond\":%.0f,\"replies\":%lu,\"waits\":%lu,\"dropped\":%lu}\n", sent, took,
         took > 0 ? (double)sent / took : 0.0, replies, waits, drops - drops_before);
  return 0;
}
