// Fetches files by TFTP (RFC 1350, 2347, 2348, 7440), many at a time, and compares every byte with the original.
//
//   tftp-load ADDRESS PORT NAME ORIGINAL CLIENTS TRANSFERS BLKSIZE WINDOWSIZE ACK_DELAY_US
//   tftp-load serve ADDRESS PORT ORIGINAL
//
// The first prints "SECONDS BYTES REPEATS WINDOWSIZE" on one line: how long all transfers took together, how many bytes
// arrived, how often a packet had to be repeated, and the window that the server granted. It fails when anything is
// missing or differs. The second is the barest server there can be, to measure the client's own ceiling: no file
// system, no timers, no loss; it never ends by itself.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { BATCH = 64, MAX_PACKET = 4 + 1468, PATIENCE_MS = 1000, MAX_REPEATS = 20 };

static const uint8_t *original;
static size_t size;

static void fail(const char *what) {
  fprintf(stderr, "tftp-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void refuse(const char *what) {
  fprintf(stderr, "tftp-load: %s\n", what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void map_original(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) fail(path);
  size = status.st_size;
  original = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (original == MAP_FAILED) fail("mmap");
}

static uint8_t packets[BATCH][MAX_PACKET + 4];
static struct iovec vectors[BATCH];
static struct mmsghdr headers[BATCH];
static struct sockaddr_in names[BATCH];

static void prepare_batch(void) {
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){packets[i], sizeof packets[i]};
    headers[i].msg_hdr = (struct msghdr){.msg_name = &names[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
  }
}

static int receive_batch(int fd, int flags) {
  for (int i = 0; i < BATCH; i++) headers[i].msg_hdr.msg_namelen = sizeof names[i];
  return recvmmsg(fd, headers, BATCH, flags, NULL);
}

// ---- the client

struct client {
  int fd;
  struct sockaddr_in peer;
  uint8_t last[512];  // what to repeat
  size_t last_length;
  uint64_t received;  // blocks
  unsigned blksize, windowsize, since_ack;
  int has_peer, is_done, reported_gap, repeats;
  double repeat_at;
};

static struct sockaddr_in server;
static const char *name;
static unsigned want_blksize, want_windowsize, granted = 1;
static long ack_delay_us;
static uint64_t total_repeats, total_bytes;

static void transmit(struct client *c) {
  if (sendto(c->fd, c->last, c->last_length, 0, (struct sockaddr *)&c->peer, sizeof c->peer) < 0 && errno != ECONNREFUSED)
    fail("sendto");
  c->repeat_at = now() + PATIENCE_MS / 1e3;
}

static void acknowledge(struct client *c) {
  if (ack_delay_us > 0) {
    struct timespec pause = {0, ack_delay_us * 1000};
    nanosleep(&pause, NULL);
  }
  c->since_ack = 0;
  c->last[0] = 0;
  c->last[1] = 4;
  c->last[2] = c->received >> 8;
  c->last[3] = c->received;
  c->last_length = 4;
  transmit(c);
}

static void begin(struct client *c, int epoll, int index) {
  memset(c, 0, sizeof *c);
  c->fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (c->fd < 0) fail("socket");
  int bytes = 4 << 20;
  setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  struct timeval patience = {0, 100000};
  setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (epoll >= 0) {
    struct epoll_event event = {EPOLLIN, {.u32 = index}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
  }
  c->peer = server;
  c->blksize = 512;
  c->windowsize = 1;
  size_t n = 2;
  c->last[1] = 1;
  n += sprintf((char *)c->last + n, "%s", name) + 1;
  n += sprintf((char *)c->last + n, "octet") + 1;
  if (want_blksize != 512) {
    n += sprintf((char *)c->last + n, "blksize") + 1;
    n += sprintf((char *)c->last + n, "%u", want_blksize) + 1;
  }
  if (want_windowsize > 1) {
    n += sprintf((char *)c->last + n, "windowsize") + 1;
    n += sprintf((char *)c->last + n, "%u", want_windowsize) + 1;
  }
  c->last_length = n;
  transmit(c);
}

static void take(struct client *c, uint8_t *p, size_t length, const struct sockaddr_in *from) {
  if (c->is_done || length < 4) return;
  if (!c->has_peer) {
    c->peer = *from;
    c->has_peer = 1;
  } else if (from->sin_port != c->peer.sin_port) return;
  if (p[1] == 5) refuse((char *)p + 4);
  if (p[1] == 6) {
    if (c->received > 0) return;
    p[length] = 0;
    for (size_t at = 2; at < length;) {
      const char *key = (char *)p + at;
      at += strlen(key) + 1;
      if (at >= length) break;
      unsigned value = atoi((char *)p + at);
      at += strlen((char *)p + at) + 1;
      if (strcasecmp(key, "blksize") == 0) c->blksize = value;
      if (strcasecmp(key, "windowsize") == 0) granted = c->windowsize = value;
    }
    if (c->blksize > MAX_PACKET - 4) refuse("the server grants more than was asked for");
    acknowledge(c);
    return;
  }
  if (p[1] != 3) return;
  unsigned block = p[2] << 8 | p[3];
  if (block != ((c->received + 1) & 0xffff)) {
    if (!c->reported_gap && c->windowsize > 1) acknowledge(c);
    c->reported_gap = 1;
    return;
  }
  size_t at = c->received * c->blksize, count = length - 4;
  size_t expected = size - at < c->blksize ? size - at : c->blksize;
  if (count != expected || memcmp(p + 4, original + at, count) != 0) refuse("the content differs");
  c->received++;
  c->since_ack++;
  c->reported_gap = 0;
  c->repeats = 0;
  int is_last = count < c->blksize;
  if (is_last || c->since_ack == c->windowsize) acknowledge(c);
  if (is_last) {
    if (at + count != size) refuse("the file is too short");
    total_bytes += size;
    c->is_done = 1;
  }
}

static void repeat_if_late(struct client *c, double time) {
  if (c->is_done || time < c->repeat_at) return;
  if (++c->repeats > MAX_REPEATS) refuse("the server does not answer");
  total_repeats++;
  transmit(c);
}

static void fetch(unsigned clients, unsigned transfers) {
  struct client *all = calloc(clients, sizeof *all);
  int epoll = clients > 1 ? epoll_create1(0) : -1;
  unsigned started = 0, finished = 0;
  double start = now(), looked = start;
  for (unsigned i = 0; i < clients && started < transfers; i++, started++) begin(&all[i], epoll, i);
  while (finished < transfers) {
    struct epoll_event events[BATCH];
    int ready = 1;
    if (epoll >= 0) {
      ready = epoll_wait(epoll, events, BATCH, 100);
      if (ready < 0) fail("epoll_wait");
    }
    for (int e = 0; e < ready; e++) {
      unsigned index = epoll >= 0 ? events[e].data.u32 : 0;
      struct client *c = &all[index];
      int count;
      if (c->windowsize == 1) {
        // A call for one packet is cheaper, and more than one does not come.
        socklen_t length = sizeof names[0];
        ssize_t got = recvfrom(c->fd, packets[0], MAX_PACKET, 0, (struct sockaddr *)&names[0], &length);
        headers[0].msg_len = got < 0 ? 0 : got;
        count = got < 0 ? 0 : 1;
      } else
        count = receive_batch(c->fd, epoll >= 0 ? MSG_DONTWAIT : MSG_WAITFORONE);
      for (int i = 0; i < count; i++) take(c, packets[i], headers[i].msg_len, &names[i]);
      if (!c->is_done) continue;
      finished++;
      close(c->fd);
      if (started < transfers) {
        started++;
        begin(c, epoll, index);
      } else c->repeat_at = 1e18;
    }
    double time = now();
    if (time - looked < 0.05) continue;
    looked = time;
    for (unsigned i = 0; i < clients; i++)
      if (all[i].fd > 0) repeat_if_late(&all[i], time);
  }
  printf("%.6f %llu %llu %u\n", now() - start, (unsigned long long)total_bytes, (unsigned long long)total_repeats,
         granted);
}

// ---- the ceiling

struct session {
  struct sockaddr_in peer;
  unsigned blksize, windowsize;
  uint64_t acknowledged;
  unsigned last_wire;
};

static void send_window(int fd, struct session *s) {
  static uint8_t heads[64][4];
  static struct iovec parts[128];
  uint64_t last = size / s->blksize + 1;
  uint64_t from = s->acknowledged + 1, until = from + s->windowsize - 1;
  if (until > last) until = last;
  unsigned most = 65000 / (s->blksize + 4);
  if (most > 64) most = 64;
  while (from <= until) {
    unsigned n = 0;
    for (; n < most && from <= until; n++, from++) {
      size_t at = (from - 1) * s->blksize;
      heads[n][1] = 3;
      heads[n][2] = from >> 8;
      heads[n][3] = from;
      parts[n * 2] = (struct iovec){heads[n], 4};
      parts[n * 2 + 1] = (struct iovec){(void *)(original + at), size - at < s->blksize ? size - at : s->blksize};
    }
    char control[CMSG_SPACE(2)] = {0};
    struct msghdr message = {.msg_name = &s->peer, .msg_namelen = sizeof s->peer, .msg_iov = parts, .msg_iovlen = n * 2};
    if (n > 1) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      struct cmsghdr *c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_UDP;
      c->cmsg_type = UDP_SEGMENT;
      c->cmsg_len = CMSG_LEN(2);
      uint16_t segment = s->blksize + 4;
      memcpy(CMSG_DATA(c), &segment, 2);
    }
    if (sendmsg(fd, &message, 0) < 0) fail("sendmsg");
  }
}

static void serve(void) {
  struct session *sessions = calloc(65536, sizeof *sessions);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int bytes = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (bind(fd, (struct sockaddr *)&server, sizeof server) < 0) fail("bind");
  puts("ready");
  fflush(stdout);
  for (;;) {
    int count = receive_batch(fd, MSG_WAITFORONE);
    for (int i = 0; i < count; i++) {
      uint8_t *p = packets[i];
      struct session *s = &sessions[ntohs(names[i].sin_port)];
      if (p[1] == 1) {
        p[headers[i].msg_len] = 0;
        *s = (struct session){.peer = names[i], .blksize = 512, .windowsize = 1};
        char answer[128] = {0, 6};
        size_t n = 2, at = 2 + strlen((char *)p + 2) + 1;
        for (at += strlen((char *)p + at) + 1; at < headers[i].msg_len;) {
          const char *key = (char *)p + at, *value = key + strlen(key) + 1;
          at += strlen(key) + strlen(value) + 2;
          if (strcmp(key, "blksize") == 0) s->blksize = atoi(value);
          if (strcmp(key, "windowsize") == 0) s->windowsize = atoi(value);
          n += sprintf(answer + n, "%s", key) + 1;
          n += sprintf(answer + n, "%s", value) + 1;
        }
        if (n > 2) sendto(fd, answer, n, 0, (struct sockaddr *)&s->peer, sizeof s->peer);
        else send_window(fd, s);
      } else if (p[1] == 4 && s->blksize > 0) {
        unsigned block = p[2] << 8 | p[3];
        s->acknowledged += (block - (unsigned)(s->acknowledged & 0xffff)) & 0xffff;
        if (s->acknowledged <= size / s->blksize) send_window(fd, s);
      }
    }
  }
}

int main(int argc, char **argv) {
  prctl(PR_SET_TIMERSLACK, 1);
  prepare_batch();
  server.sin_family = AF_INET;
  if (argc == 5 && strcmp(argv[1], "serve") == 0) {
    if (inet_pton(AF_INET, argv[2], &server.sin_addr) != 1) refuse("write an IPv4 address");
    server.sin_port = htons(atoi(argv[3]));
    map_original(argv[4]);
    serve();
  }
  if (argc != 10) refuse("see the comment at the top for the arguments");
  if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) refuse("write an IPv4 address");
  server.sin_port = htons(atoi(argv[2]));
  name = argv[3];
  map_original(argv[4]);
  want_blksize = atoi(argv[7]);
  want_windowsize = atoi(argv[8]);
  ack_delay_us = atol(argv[9]);
  if (strlen(name) > 128 || want_blksize > MAX_PACKET - 4) refuse("the name or the block is too long");
  fetch(atoi(argv[5]), atoi(argv[6]));
  return 0;
}
