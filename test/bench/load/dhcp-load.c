// A relay with many machines behind it: keeps --outstanding DISCOVERs (or, with --dora, whole exchanges up to the ACK)
// in flight towards one DHCP server, checks every answer and prints one line of JSON. One thread, batched system calls.
//
//   gcc -O2 -o dhcp-load dhcp-load.c
//   dhcp-load --server 10.9.0.1 --from 10.9.0.2 --count 100000
//
// `--from` is an own address: it is bound on port 67 and is the giaddr. `perSecond` counts whole exchanges. With
// `--clients` it is the machines themselves, which broadcast from port 68 to whatever relay is on their link.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include "dhcp-packet.h"

enum { MAX_OUTSTANDING = 4096, BATCH = 64 };

/// One exchange under way. xid = generation << 12 | slot, so that a late answer to a former exchange is told apart.
struct slot {
  struct dhcp_request request;
  uint64_t begun_ns, sent_ns;
};

static struct {
  struct in_addr server, from;
  uint32_t outstanding, machines, first_machine;
  uint64_t count, time_ns, timeout_ns;
  int dora, proxy, clients, pid;
} conf = {.outstanding = 64, .machines = 10000, .count = 100000, .time_ns = 60000000000ull, .timeout_ns = 1000000000ull};

static struct slot slots[MAX_OUTSTANDING];
static uint64_t begun, received, lost, bad, stray, relay_last, last_ns;
static uint32_t generation;
static char first_bad[160];
static uint32_t *latency_us;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
  fprintf(stderr, "dhcp-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

/// Checks what was asked for with `--proxy`, too; NULL, or what is wrong with the answer.
static const char *check(const uint8_t *p, size_t length, struct slot *s) {
  struct dhcp_answer answer;
  const char *reason = dhcp_read(p, length, &s->request, &answer);
  if (reason != NULL) return reason;
  if (answer.type != (s->request.type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK)) return "another message type";
  if (conf.proxy ? answer.yiaddr != 0 : answer.yiaddr == 0) return conf.proxy ? "an address in a proxy offer" : "no address";
  s->request.yiaddr = answer.yiaddr;
  s->request.server_id = answer.server_id != 0 ? answer.server_id : conf.server.s_addr;
  relay_last += (uint64_t)answer.relay_is_last;
  return NULL;
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static uint32_t percentile(double share) {
  if (received == 0) return 0;
  uint64_t index = (uint64_t)(share * (double)(received - 1));
  return latency_us[index];
}

/// Resident memory of the server under test, or our own peak.
static long rss_kb(void) {
  char path[64], line[256];
  long kb = 0;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  if (conf.pid == 0) return usage.ru_maxrss;
  snprintf(path, sizeof path, "/proc/%d/status", conf.pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmRSS: %ld", &kb) == 1) break;
  fclose(file);
  return kb;
}

static uint64_t number(const char *text) {
  char *end;
  unsigned long long value = strtoull(text, &end, 10);
  if (*end != '\0' || end == text) {
    fprintf(stderr, "dhcp-load: %s is not a number\n", text);
    exit(64);
  }
  return value;
}

static void parse(int argc, char **argv) {
  static const struct option names[] = {
      {"server", 1, NULL, 's'},     {"from", 1, NULL, 'f'},    {"outstanding", 1, NULL, 'o'}, {"count", 1, NULL, 'c'},
      {"seconds", 1, NULL, 't'},    {"macs", 1, NULL, 'm'},    {"first-mac", 1, NULL, 'b'},   {"timeout-ms", 1, NULL, 'w'},
      {"dora", 0, NULL, 'd'},       {"proxy", 0, NULL, 'x'},   {"pid", 1, NULL, 'p'},         {"clients", 0, NULL, 'l'},
      {NULL, 0, NULL, 0}};
  int c;
  while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (c == 's' && inet_pton(AF_INET, optarg, &conf.server) == 1) continue;
    if (c == 'f' && inet_pton(AF_INET, optarg, &conf.from) == 1) continue;
    if (c == 'o') conf.outstanding = (uint32_t)number(optarg);
    else if (c == 'c') conf.count = number(optarg);
    else if (c == 't') conf.time_ns = number(optarg) * 1000000000ull;
    else if (c == 'm') conf.machines = (uint32_t)number(optarg);
    else if (c == 'b') conf.first_machine = (uint32_t)number(optarg);
    else if (c == 'w') conf.timeout_ns = number(optarg) * 1000000ull;
    else if (c == 'd') conf.dora = 1;
    else if (c == 'x') conf.proxy = 1;
    else if (c == 'l') conf.clients = 1;
    else if (c == 'p') conf.pid = (int)number(optarg);
    else {
      fprintf(stderr, "usage: dhcp-load --server IP --from IP [--outstanding 64] [--count 100000] [--seconds 60]\n"
                      "  [--macs 10000] [--first-mac 0] [--timeout-ms 1000] [--dora] [--proxy] [--clients] [--pid SERVER]\n");
      exit(64);
    }
  }
  if (conf.server.s_addr == 0 || conf.from.s_addr == 0 || conf.outstanding == 0 ||
      conf.outstanding > MAX_OUTSTANDING || conf.machines < conf.outstanding || conf.count == 0) {
    fprintf(stderr, "dhcp-load: needs --server, --from, 1 to %d --outstanding, and as many --macs\n", MAX_OUTSTANDING);
    exit(64);
  }
}

static int sock;
static uint8_t out_data[BATCH][DHCP_PACKET], in_data[BATCH][DHCP_PACKET];
static struct mmsghdr out_msg[BATCH], in_msg[BATCH];
static struct iovec out_iov[BATCH], in_iov[BATCH];
static struct sockaddr_in to;
static unsigned queued;

static void flush(void) {
  for (unsigned done = 0; done < queued;) {
    int n = sendmmsg(sock, out_msg + done, queued - done, 0);
    if (n > 0) {
      done += (unsigned)n;
      continue;
    }
    // ECONNREFUSED and the like belong to an earlier packet; that one counts as lost.
    if (errno == EINTR || errno == ECONNREFUSED) continue;
    if (errno != EAGAIN && errno != ENOBUFS) die("sendmmsg");
    struct pollfd p = {.fd = sock, .events = POLLOUT};
    poll(&p, 1, 10);
  }
  queued = 0;
}

static void transmit(struct slot *s, uint64_t at) {
  s->sent_ns = at;
  out_iov[queued].iov_len = dhcp_build(&s->request, out_data[queued]);
  if (++queued == BATCH) flush();
}

static int may_begin(uint64_t started, uint64_t at) { return begun < conf.count && at - started < conf.time_ns; }

static void begin(struct slot *s, uint64_t at) {
  s->request = (struct dhcp_request){.xid = (++generation << 12) | (uint32_t)(s - slots),
                                     .machine = conf.first_machine + (uint32_t)(begun % conf.machines),
                                     .giaddr = conf.clients ? 0 : conf.from.s_addr,
                                     .type = DHCP_DISCOVER};
  s->begun_ns = at;
  begun += 1;
  transmit(s, at);
}

int main(int argc, char **argv) {
  parse(argc, argv);
  sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  // A broadcast reaches no socket that is bound to one address.
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(conf.clients ? 68 : 67)};
  if (!conf.clients) own.sin_addr = conf.from;
  to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(67), .sin_addr = conf.server};
  int on = 1, buffer = 8 << 20;
  setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (conf.clients) setsockopt(sock, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  if (bind(sock, (struct sockaddr *)&own, sizeof own) != 0) die("port 67 of --from");
  latency_us = malloc(conf.count * sizeof *latency_us);
  if (latency_us == NULL) die("memory for the latencies");
  for (unsigned i = 0; i < BATCH; i += 1) {
    out_iov[i].iov_base = out_data[i];
    in_iov[i] = (struct iovec){in_data[i], DHCP_PACKET};
    out_msg[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = out_iov + i, .msg_iovlen = 1};
    in_msg[i].msg_hdr = (struct msghdr){.msg_iov = in_iov + i, .msg_iovlen = 1};
  }
  uint64_t started = now_ns(), next_scan = started + conf.timeout_ns;
  uint32_t active = 0;
  last_ns = started;
  generation = (uint32_t)(started >> 10) & 0xffff;
  for (uint32_t i = 0; i < conf.outstanding && may_begin(started, started); i += 1, active += 1) begin(slots + i, now_ns());
  flush();
  while (active > 0) {
    struct pollfd p = {.fd = sock, .events = POLLIN};
    int n = recvmmsg(sock, in_msg, BATCH, MSG_DONTWAIT, NULL);
    if (n <= 0) {
      if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) die("recvmmsg");
      poll(&p, 1, 10);
    }
    uint64_t at = now_ns();
    for (int i = 0; i < n; i += 1) {
      const uint8_t *data = in_data[i];
      size_t length = in_msg[i].msg_len;
      uint32_t xid = dhcp_xid(data, length);
      struct slot *s = slots + (xid & (MAX_OUTSTANDING - 1));
      if (xid == 0 || s->request.xid != xid) {
        stray += 1;
        continue;
      }
      const char *reason = check(data, length, s);
      if (reason == NULL && conf.dora && s->request.type == DHCP_DISCOVER) {
        s->request.type = DHCP_REQUEST;
        transmit(s, at);
        continue;
      }
      if (reason == NULL) latency_us[received++] = (uint32_t)((at - s->begun_ns) / 1000);
      else if (bad++ == 0) snprintf(first_bad, sizeof first_bad, "%s (machine %u)", reason, s->request.machine);
      last_ns = at;
      s->request.xid = 0;
      if (may_begin(started, at)) begin(s, at);
      else active -= 1;
    }
    flush();
    if (at < next_scan) continue;
    next_scan = at + 20000000;
    for (uint32_t i = 0; i < conf.outstanding; i += 1) {
      struct slot *s = slots + i;
      if (s->request.xid == 0 || at - s->sent_ns < conf.timeout_ns) continue;
      lost += 1;
      s->request.xid = 0;
      if (may_begin(started, at)) begin(s, at);
      else active -= 1;
    }
    flush();
  }
  double seconds = (double)(last_ns - started) / 1e9;
  qsort(latency_us, received, sizeof *latency_us, by_value);
  printf("{\"sent\":%lu,\"received\":%lu,\"lost\":%lu,\"bad\":%lu,\"firstBad\":\"%s\",\"stray\":%lu,\"relayLast\":%lu,"
         "\"seconds\":%.4f,\"perSecond\":%.0f,\"p50us\":%u,\"p99us\":%u,\"maxUs\":%u,\"rssKb\":%ld}\n",
         begun, received, lost, bad, first_bad, stray, relay_last, seconds,
         seconds > 0 ? (double)received / seconds : 0.0, percentile(0.5), percentile(0.99), percentile(1), rss_kb());
  return 0;
}
