// Many machines that are switched on within a second, each from its firmware's DISCOVER to the last byte of its initrd:
// DHCP through a relay, the loader by TFTP (every other machine: by UEFI HTTP boot), DHCP again as iPXE, the script,
// kernel and initrd over HTTP, and the configuration if the script names one. Prints one line of JSON.
//
//   gcc -O2 -o power-on power-on.c
//   power-on --server 10.9.0.1 --from 10.9.0.2 --machines 1000 --loader F --kernel F --initrd F
//
// Every machine uses the address that it was leased: those must be local (`ip route add local <pool> dev lo`). Bodies
// are thrown away in the kernel (MSG_TRUNC), but for every --verify-th machine, whose bytes are compared with the files.
// Patience is that of EDK2 and iPXE: DHCP after 4, 8, 16 and 32 s, TFTP six times after 4 s, kernel and initrd five tries.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "dhcp-packet.h"

enum { MAX_MACHINES = 20000, TEXT = 12288, BLKSIZE = 1468, WINDOW = 4, RELAY = UINT32_MAX };

enum phase { OFF, LEASE, LOADER, IPXE_LEASE, SCRIPT, KERNEL, INITRD, READY, CONFIG, DONE, FAILED, PHASES };
static const char *const phase_name[PHASES] = {"off",    "lease", "loader", "ipxeLease", "script", "kernel",
                                               "initrd", "ready", "config", "done",      "failed"};

struct file {
  const uint8_t *data;
  size_t size;
};

struct machine {
  enum phase phase;
  struct dhcp_request request;
  double on_at, phase_at, wake_at, took[PHASES];
  uint32_t tries, address;
  int fd;
  /// TFTP: the server's port, blocks received in order, and since the last acknowledgement.
  struct sockaddr_in peer;
  uint32_t blocks, unacknowledged, blksize, gap_reported;
  /// HTTP: `text` holds the request, then the response's head or, of the script, all of it.
  struct sockaddr_in to;
  int connected, in_body;
  size_t text_length, body_length, received;
  char path[512], url[4][512];
  char *text;
};

static struct {
  struct in_addr server, from;
  uint32_t machines, verify_every;
  double within, deadline;
} conf = {.machines = 100, .verify_every = 50, .within = 1, .deadline = 300};
enum { URL_KERNEL, URL_INITRD, URL_READY, URL_CONFIG };

static struct machine machines[MAX_MACHINES];
static struct file loader, kernel, initrd;
static int relay, poller;
static uint32_t done, failed;
static uint64_t bytes, verified, dhcp_again, tftp_again, http_again;
static char failures[2048];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "power-on: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint32_t index_of(const struct machine *m) { return (uint32_t)(m - machines); }
static int is_verified(const struct machine *m) { return index_of(m) % conf.verify_every == 0; }

static void hang_up(struct machine *m) {
  if (m->fd >= 0) close(m->fd);
  m->fd = -1;
}

/// The first few reasons are printed, as text that needs no escapes.
static void fail(struct machine *m, const char *format, ...) {
  char reason[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  for (char *c = reason; *c != '\0'; c += 1)
    if (!isprint((unsigned char)*c) || *c == '"' || *c == '\\') *c = '?';
  size_t length = strlen(failures);
  snprintf(failures + length, sizeof failures - length, "%s\"machine %u, %s: %s\"", length > 0 ? "," : "", index_of(m),
           phase_name[m->phase], reason);
  // A cut entry would not be JSON.
  if (length + strlen(reason) + 64 > sizeof failures) failures[length] = '\0';
  hang_up(m);
  m->phase = FAILED;
  failed += 1;
}

static void enter(struct machine *m, enum phase phase, double at) {
  m->took[m->phase] = at - m->phase_at;
  m->phase = phase;
  m->phase_at = at;
  m->tries = 0;
}

static void watch(struct machine *m, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u32 = index_of(m)};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, m->fd, &event) != 0) die("epoll");
}

static int own_socket(struct machine *m, int type) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = m->address};
  int on = 1;
  m->fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
  if (m->fd < 0) die("socket");
  if (type == SOCK_STREAM) setsockopt(m->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  return bind(m->fd, (struct sockaddr *)&own, sizeof own);
}

// DHCP ---------------------------------------------------------------------------------------------------------------

static void send_dhcp(struct machine *m, double at) {
  uint8_t packet[DHCP_PACKET];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(67), .sin_addr = conf.server};
  size_t length = dhcp_build(&m->request, packet);
  if (m->tries > 0) dhcp_again += 1;
  // What cannot be sent is as good as lost.
  (void)!sendto(relay, packet, length, 0, (struct sockaddr *)&to, sizeof to);
  m->wake_at = at + (double)(4u << m->tries);
  m->tries += 1;
}

static void discover(struct machine *m, enum phase phase, double at) {
  enter(m, phase, at);
  uint32_t generation = phase == LEASE ? 1 : 2;
  m->request = (struct dhcp_request){.xid = generation << 16 | (index_of(m) + 1),
                                     .machine = index_of(m),
                                     .giaddr = conf.from.s_addr,
                                     .type = DHCP_DISCOVER,
                                     .client = phase == IPXE_LEASE ? IPXE : index_of(m) % 2 == 0 ? UEFI_PXE : UEFI_HTTP};
  send_dhcp(m, at);
}

// TFTP ---------------------------------------------------------------------------------------------------------------

static void send_tftp(struct machine *m, double at) {
  uint8_t packet[600];
  size_t length = 4;
  if (m->peer.sin_port == htons(69)) {
    length = (size_t)snprintf((char *)packet, sizeof packet, "%c%c%s%coctet%ctsize%c0%cblksize%c%d%cwindowsize%c%d", 0, 1,
                              m->path, 0, 0, 0, 0, 0, BLKSIZE, 0, 0, WINDOW) + 1;
  } else {
    uint16_t words[2] = {htons(4), htons((uint16_t)m->blocks)};
    memcpy(packet, words, 4);
  }
  (void)!sendto(m->fd, packet, length, 0, (struct sockaddr *)&m->peer, sizeof m->peer);
  m->unacknowledged = 0;
  m->wake_at = at + 4;
}

static void fetch_tftp(struct machine *m, uint32_t siaddr, double at) {
  m->peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(69), .sin_addr.s_addr = siaddr};
  m->blocks = 0;
  m->received = 0;
  m->blksize = 512;
  m->gap_reported = UINT32_MAX;
  if (own_socket(m, SOCK_DGRAM) != 0) return fail(m, "cannot use its address");
  watch(m, EPOLLIN);
  send_tftp(m, at);
}

static void on_tftp(struct machine *m) {
  uint8_t packet[BLKSIZE + 4];
  struct sockaddr_in source;
  socklen_t source_length = sizeof source;
  for (;;) {
    ssize_t length = recvfrom(m->fd, packet, sizeof packet, 0, (struct sockaddr *)&source, &source_length);
    if (length < 4) return;
    double at = now();
    if (m->peer.sin_port == htons(69)) m->peer = source;
    if (source.sin_port != m->peer.sin_port || source.sin_addr.s_addr != m->peer.sin_addr.s_addr) continue;
    uint16_t words[2];
    memcpy(words, packet, 4);
    uint16_t opcode = ntohs(words[0]), block = ntohs(words[1]);
    m->tries = 0;
    if (opcode == 5) return fail(m, "TFTP error %u", block);
    if (opcode == 6) {
      // The loader is short of 65,536 blocks, and these are the sizes that every server here grants.
      m->blksize = BLKSIZE;
      send_tftp(m, at);
      continue;
    }
    if (opcode != 3) continue;
    if (block != (uint16_t)(m->blocks + 1)) {
      if (m->gap_reported != m->blocks) send_tftp(m, at);
      m->gap_reported = m->blocks;
      continue;
    }
    size_t size = (size_t)length - 4;
    if (is_verified(m) && (m->received + size > loader.size || memcmp(packet + 4, loader.data + m->received, size) != 0))
      return fail(m, "wrong bytes at %zu", m->received);
    m->received += size;
    bytes += size;
    m->blocks += 1;
    m->unacknowledged += 1;
    m->wake_at = at + 4;
    if (size == m->blksize && m->unacknowledged < WINDOW) continue;
    send_tftp(m, at);
    if (size == m->blksize) continue;
    if (m->received != loader.size) return fail(m, "%zu of %zu bytes", m->received, loader.size);
    hang_up(m);
    return discover(m, IPXE_LEASE, at);
  }
}

// HTTP ---------------------------------------------------------------------------------------------------------------

static void fetch_http(struct machine *m, const char *url, double at) {
  unsigned a, b, c, d, port = 80;
  int path_at = 0;
  char address[32];
  m->to = (struct sockaddr_in){.sin_family = AF_INET};
  if (sscanf(url, "http://%u.%u.%u.%u:%u%n", &a, &b, &c, &d, &port, &path_at) != 5 &&
      sscanf(url, "http://%u.%u.%u.%u%n", &a, &b, &c, &d, &path_at) != 4)
    return fail(m, "no URL: %s", url);
  snprintf(address, sizeof address, "%u.%u.%u.%u", a & 255, b & 255, c & 255, d & 255);
  inet_pton(AF_INET, address, &m->to.sin_addr);
  m->to.sin_port = htons((uint16_t)port);
  m->text_length = (size_t)snprintf(m->text, TEXT, "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: power-on\r\n\r\n",
                                    url + path_at, address, port);
  m->connected = m->in_body = 0;
  m->received = m->body_length = 0;
  m->wake_at = at + 60;
  if (own_socket(m, SOCK_STREAM) != 0) return fail(m, "cannot use its address");
  if (connect(m->fd, (struct sockaddr *)&m->to, sizeof m->to) != 0 && errno != EINPROGRESS)
    return fail(m, "connect: %s", strerror(errno));
  watch(m, EPOLLIN | EPOLLOUT);
}

static void fetch_again(struct machine *m, double at) {
  const int url[PHASES] = {[KERNEL] = URL_KERNEL, [INITRD] = URL_INITRD, [READY] = URL_READY, [CONFIG] = URL_CONFIG};
  fetch_http(m, m->url[url[m->phase]], at);
}

static void load(struct machine *m, enum phase phase, double at) {
  enter(m, phase, at);
  fetch_again(m, at);
}

/// iPXE repeats kernel and initrd after 2 s, five times, and the agent its configuration; else once is all.
static void try_again(struct machine *m, double at, const char *why) {
  hang_up(m);
  if ((m->phase != KERNEL && m->phase != INITRD && m->phase != CONFIG) || ++m->tries >= 5) return fail(m, "%s", why);
  http_again += 1;
  m->wake_at = at + 2;
}

/// The first URL on a line of the script that begins with `command`.
static void find_url(const char *script, const char *command, char out[512]) {
  out[0] = '\0';
  for (const char *line = script; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, command, strlen(command)) != 0) continue;
    const char *url = strstr(line, "http://");
    if (url == NULL || memchr(line, '\n', (size_t)(url - line)) != NULL) continue;
    sscanf(url, "%511[^ \n|]", out);
    return;
  }
}

static void read_script(struct machine *m, double at) {
  const char *config = strstr(m->text, "PIXIE_API_URL=");
  find_url(m->text, "kernel ", m->url[URL_KERNEL]);
  find_url(m->text, "initrd ", m->url[URL_INITRD]);
  find_url(m->text, "imgfetch ", m->url[URL_READY]);
  if (config == NULL || sscanf(config, "PIXIE_API_URL=%511[^ \n]", m->url[URL_CONFIG]) != 1) m->url[URL_CONFIG][0] = '\0';
  if (m->url[URL_KERNEL][0] == '\0' || m->url[URL_INITRD][0] == '\0') return fail(m, "no kernel and initrd in %.120s", m->text);
  load(m, KERNEL, at);
}

static void arrive(struct machine *m, double at) {
  enter(m, DONE, at);
  done += 1;
  verified += (uint64_t)is_verified(m);
}

static void on_body(struct machine *m, double at) {
  hang_up(m);
  switch (m->phase) {
    case LOADER: return discover(m, IPXE_LEASE, at);
    case SCRIPT: return read_script(m, at);
    case KERNEL: return load(m, INITRD, at);
    case INITRD:
      if (m->url[URL_READY][0] != '\0') return load(m, READY, at);
      // fall through
    case READY:
      if (m->url[URL_CONFIG][0] != '\0') return load(m, CONFIG, at);
      // fall through
    default: return arrive(m, at);
  }
}

static const struct file *expected(const struct machine *m) {
  return m->phase == LOADER ? &loader : m->phase == KERNEL ? &kernel : m->phase == INITRD ? &initrd : NULL;
}

/// Reads the head; what came of the body with it is left in `text`.
static void on_head(struct machine *m, double at) {
  ssize_t length = recv(m->fd, m->text + m->text_length, TEXT - 1 - m->text_length, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) return try_again(m, at, length == 0 ? "the connection was closed" : strerror(errno));
  m->text_length += (size_t)length;
  m->text[m->text_length] = '\0';
  char *end = strstr(m->text, "\r\n\r\n");
  if (end == NULL) {
    if (m->text_length == TEXT - 1) fail(m, "a head without an end");
    return;
  }
  const char *size = strcasestr(m->text, "\r\ncontent-length:");
  unsigned status = 0;
  if (sscanf(m->text, "HTTP/1.1 %u", &status) != 1 || status != 200)
    return try_again(m, at, status == 0 ? "no HTTP" : end + 4);
  if (size == NULL || size > end || sscanf(size + 17, "%zu", &m->body_length) != 1) return fail(m, "no content-length");
  const struct file *file = expected(m);
  if (file != NULL && file->size != m->body_length) return fail(m, "%zu bytes announced", m->body_length);
  if (file == NULL && m->body_length > TEXT / 2) return fail(m, "%zu bytes of text", m->body_length);
  m->in_body = 1;
  m->received = m->text_length - (size_t)(end + 4 - m->text);
  bytes += m->received;
  if (file != NULL && is_verified(m) && memcmp(end + 4, file->data, m->received) != 0) return fail(m, "wrong bytes at 0");
  memmove(m->text, end + 4, m->received + 1);
  if (m->received == m->body_length) on_body(m, at);
}

static void on_http(struct machine *m) {
  static uint8_t data[1 << 18];
  double at = now();
  m->wake_at = at + 60;
  if (!m->connected) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(m->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return try_again(m, at, strerror(error));
    if (send(m->fd, m->text, m->text_length, MSG_NOSIGNAL) != (ssize_t)m->text_length) return try_again(m, at, "send");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index_of(m)};
    epoll_ctl(poller, EPOLL_CTL_MOD, m->fd, &event);
    m->connected = 1;
    m->text_length = 0;
    return;
  }
  if (!m->in_body) return on_head(m, at);
  const struct file *file = expected(m);
  // Few machines' bytes are looked at; TCP throws the others' away when it is told to truncate.
  int is_thrown_away = file != NULL && !is_verified(m);
  for (size_t taken = 0; m->received < m->body_length && taken < 4u << 20;) {
    size_t left = m->body_length - m->received;
    ssize_t length;
    if (file == NULL) length = recv(m->fd, m->text + m->received, left, 0);
    else length = recv(m->fd, data, is_thrown_away || left < sizeof data ? left : sizeof data, is_thrown_away ? MSG_TRUNC : 0);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) return try_again(m, at, length == 0 ? "the body was cut" : strerror(errno));
    if (file != NULL && !is_thrown_away && memcmp(data, file->data + m->received, (size_t)length) != 0)
      return fail(m, "wrong bytes at %zu", m->received);
    m->received += (size_t)length;
    bytes += (uint64_t)length;
    taken += (size_t)length;
  }
  if (m->received < m->body_length) return;
  if (file == NULL) m->text[m->received] = '\0';
  on_body(m, at);
}

// ---------------------------------------------------------------------------------------------------------------------

static void on_relay(void) {
  uint8_t packet[DHCP_PACKET];
  for (;;) {
    ssize_t length = recv(relay, packet, sizeof packet, 0);
    if (length <= 0) return;
    double at = now();
    uint32_t xid = dhcp_xid(packet, (size_t)length), index = (xid & 0xffff) - 1;
    if (index >= conf.machines || machines[index].request.xid != xid) continue;
    struct machine *m = machines + index;
    if (m->phase != LEASE && m->phase != IPXE_LEASE) continue;
    struct dhcp_answer answer;
    const char *reason = dhcp_read(packet, (size_t)length, &m->request, &answer);
    if (reason != NULL) {
      fail(m, "%s", reason);
      continue;
    }
    if (answer.type == DHCP_OFFER && m->request.type == DHCP_DISCOVER) {
      m->request.type = DHCP_REQUEST;
      m->request.yiaddr = answer.yiaddr;
      m->request.server_id = answer.server_id;
      m->tries = 0;
      send_dhcp(m, at);
      continue;
    }
    if (m->request.type != DHCP_REQUEST || answer.type == DHCP_OFFER) continue;
    if (answer.type != DHCP_ACK) {
      fail(m, "message type %u", answer.type);
      continue;
    }
    if (answer.file[0] == '\0') {
      fail(m, "nothing to boot");
      continue;
    }
    m->address = answer.yiaddr;
    snprintf(m->path, sizeof m->path, "%s", answer.file);
    enter(m, m->phase == LEASE ? LOADER : SCRIPT, at);
    if (m->phase == LOADER && m->request.client == UEFI_PXE) fetch_tftp(m, answer.siaddr, at);
    else fetch_http(m, m->path, at);
  }
}

static void on_time(struct machine *m, double at) {
  if (m->phase == OFF) {
    if (at >= m->on_at) {
      m->phase_at = m->on_at;
      discover(m, LEASE, at);
    }
    return;
  }
  if (m->phase >= DONE) return;
  if (at - m->on_at > conf.deadline) return fail(m, "not within %.0f s", conf.deadline);
  if (at < m->wake_at) return;
  if (m->phase == LEASE || m->phase == IPXE_LEASE) {
    if (m->tries == 4) return fail(m, "no answer to %s", m->request.type == DHCP_DISCOVER ? "DISCOVER" : "REQUEST");
    return send_dhcp(m, at);
  }
  if (m->phase == LOADER && m->request.client == UEFI_PXE) {
    if (++m->tries == 6) return fail(m, "TFTP: silence after %u blocks", m->blocks);
    tftp_again += 1;
    return send_tftp(m, at);
  }
  if (m->fd >= 0) return try_again(m, at, "silence for 60 s");
  fetch_again(m, at);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_percentiles(const char *name, double *values, uint32_t count) {
  qsort(values, count, sizeof *values, by_value);
  if (count == 0) return;
  printf(",\"%s\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", name, values[count / 2], values[(uint32_t)(0.99 * (count - 1))],
         values[count - 1]);
}

static struct file map_file(const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) die(path);
  void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) die(path);
  close(fd);
  return (struct file){data, (size_t)status.st_size};
}

int main(int argc, char **argv) {
  static const struct option names[] = {
      {"server", 1, NULL, 's'}, {"from", 1, NULL, 'f'},   {"machines", 1, NULL, 'm'}, {"within", 1, NULL, 'w'}, {"deadline", 1, NULL, 'd'},
      {"loader", 1, NULL, 'l'}, {"kernel", 1, NULL, 'k'}, {"initrd", 1, NULL, 'i'},   {"verify", 1, NULL, 'v'}, {NULL, 0, NULL, 0}};
  int c;
  while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (c == 's' && inet_pton(AF_INET, optarg, &conf.server) == 1) continue;
    if (c == 'f' && inet_pton(AF_INET, optarg, &conf.from) == 1) continue;
    if (c == 'm') conf.machines = (uint32_t)atoi(optarg);
    else if (c == 'w') conf.within = atof(optarg);
    else if (c == 'd') conf.deadline = atof(optarg);
    else if (c == 'v') conf.verify_every = (uint32_t)atoi(optarg);
    else if (c == 'l') loader = map_file(optarg);
    else if (c == 'k') kernel = map_file(optarg);
    else if (c == 'i') initrd = map_file(optarg);
    else return 64;
  }
  if (conf.server.s_addr == 0 || conf.from.s_addr == 0 || loader.data == NULL || kernel.data == NULL || initrd.data == NULL ||
      conf.machines < 1 || conf.machines > MAX_MACHINES || conf.verify_every < 1) {
    fprintf(stderr, "usage: power-on --server IP --from IP --loader FILE --kernel FILE --initrd FILE [--machines 100]\n"
                    "  [--within 1] [--deadline 300] [--verify 50]\n");
    return 64;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(67), .sin_addr = conf.from};
  int buffer = 8 << 20;
  relay = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  setsockopt(relay, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (bind(relay, (struct sockaddr *)&own, sizeof own) != 0) die("port 67 of --from");
  poller = epoll_create1(0);
  struct epoll_event relay_event = {.events = EPOLLIN, .data.u32 = RELAY};
  epoll_ctl(poller, EPOLL_CTL_ADD, relay, &relay_event);
  double started = now(), next_scan = 0;
  for (uint32_t i = 0; i < conf.machines; i += 1) {
    machines[i].fd = -1;
    machines[i].text = malloc(TEXT);
    if (machines[i].text == NULL) die("memory");
    machines[i].on_at = started + conf.within * i / conf.machines;
  }
  while (done + failed < conf.machines) {
    struct epoll_event events[64];
    int n = epoll_wait(poller, events, 64, 1);
    for (int i = 0; i < n; i += 1) {
      if (events[i].data.u32 == RELAY) {
        on_relay();
        continue;
      }
      struct machine *m = machines + events[i].data.u32;
      if (m->fd < 0) continue;
      if (m->phase == LOADER && m->request.client == UEFI_PXE) on_tftp(m);
      else on_http(m);
    }
    double at = now();
    if (at < next_scan) continue;
    next_scan = at + 0.001;
    for (uint32_t i = 0; i < conf.machines; i += 1) on_time(machines + i, at);
  }
  double seconds = now() - started;
  printf("{\"machines\":%u,\"booted\":%u,\"failed\":%u,\"failures\":[%s],\"seconds\":%.3f,\"bytes\":%lu,\"verified\":%lu,"
         "\"dhcpAgain\":%lu,\"tftpAgain\":%lu,\"httpAgain\":%lu",
         conf.machines, done, failed, failures, seconds, bytes, verified, dhcp_again, tftp_again, http_again);
  static double values[MAX_MACHINES];
  uint32_t count = 0;
  for (uint32_t i = 0; i < conf.machines; i += 1)
    if (machines[i].phase == DONE) values[count++] = machines[i].phase_at - machines[i].on_at;
  print_percentiles("boot", values, count);
  for (enum phase phase = LEASE; phase < DONE; phase += 1) {
    count = 0;
    for (uint32_t i = 0; i < conf.machines; i += 1)
      if (machines[i].took[phase] > 0) values[count++] = machines[i].took[phase];
    print_percentiles(phase_name[phase], values, count);
  }
  printf("}\n");
  return 0;
}
