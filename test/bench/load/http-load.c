/*
 * Downloads one path over N connections at once, each `--requests` times in a row on its connection, and checks status
 * and length of every answer. Bodies are received with MSG_TRUNC: the kernel drops the bytes without copying them, so
 * that the client costs as little as a client can. `busy` is the processor time of this program by wall time: below 1
 * its single thread waits for data, and the server or the processors it is given are the limit.
 *
 * With `--from` each connection has an address of its own, counted up from there.
 *
 *     http-load --server 10.9.0.1 --port 8080 --path /f --connections 50 --requests 1 --bytes 209715200
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_BYTES 8192
#define STALL_MS 20000

struct connection {
  int fd;
  int done;
  int in_body;
  long long left;
  size_t header_length;
  char header[HEADER_BYTES];
};

static char discard[1 << 20];
static const char *server = "127.0.0.1", *path = "/", *from = NULL;
static int port = 80, connections = 1, requests = 1;
static long long expected = -1, received, answers, bad;
static char first_bad[256];
static char request[4096];
static int request_length, open_connections;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void wrong(struct connection *c, const char *why) {
  bad += 1;
  if (first_bad[0] == 0) snprintf(first_bad, sizeof first_bad, "%.200s", why);
  close(c->fd);
  c->fd = -1;
  open_connections -= 1;
}

static void ask(struct connection *c) {
  c->in_body = 0;
  c->header_length = 0;
  if (send(c->fd, request, request_length, MSG_NOSIGNAL) != request_length) wrong(c, "a request could not be sent");
}

static void answered(struct connection *c) {
  answers += 1;
  c->done += 1;
  if (c->done < requests) {
    ask(c);
    return;
  }
  close(c->fd);
  c->fd = -1;
  open_connections -= 1;
}

/* Reads the header without a byte of the body: its end is looked for in a peek. */
static void read_header(struct connection *c) {
  ssize_t n = recv(c->fd, c->header, HEADER_BYTES - 1, MSG_PEEK);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    wrong(c, "closed before the answer");
    return;
  }
  c->header[n] = 0;
  char *end = strstr(c->header, "\r\n\r\n");
  if (end == NULL) {
    if (n == HEADER_BYTES - 1) wrong(c, "no end of the header");
    return;
  }
  size_t length = end + 4 - c->header;
  if (recv(c->fd, c->header, length, 0) != (ssize_t)length) fail("recv");
  c->header[length] = 0;
  char *field = strcasestr(c->header, "\r\ncontent-length:");
  if (strncmp(c->header, "HTTP/1.1 200", 12) != 0 || field == NULL) {
    c->header[strcspn(c->header, "\r")] = 0;
    wrong(c, c->header);
    return;
  }
  c->left = atoll(field + 17);
  if (expected >= 0 && c->left != expected) {
    wrong(c, "another length than expected");
    return;
  }
  c->in_body = 1;
}

static void read_body(struct connection *c) {
  while (c->left > 0) {
    size_t want = c->left < (long long)sizeof discard ? (size_t)c->left : sizeof discard;
    ssize_t n = recv(c->fd, discard, want, MSG_TRUNC);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      wrong(c, "closed within the body");
      return;
    }
    c->left -= n;
    received += n;
    /* One read a turn: no connection waits for another's whole body. */
    if (n < (ssize_t)want) return;
    break;
  }
  if (c->left == 0) answered(c);
}

int main(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--server") == 0) server = argv[i + 1];
    else if (strcmp(argv[i], "--port") == 0) port = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--path") == 0) path = argv[i + 1];
    else if (strcmp(argv[i], "--connections") == 0) connections = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--requests") == 0) requests = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--from") == 0) from = argv[i + 1];
    else if (strcmp(argv[i], "--bytes") == 0) expected = atoll(argv[i + 1]);
    else {
      fprintf(stderr, "unknown argument %s\n", argv[i]);
      return 2;
    }
  }
  request_length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, server);
  struct connection *all = calloc(connections, sizeof *all);
  int epoll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (all == NULL || epoll < 0 || inet_pton(AF_INET, server, &address.sin_addr) != 1) fail("start");
  for (int i = 0; i < connections; i += 1) {
    struct connection *c = &all[i];
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (from != NULL) {
      struct sockaddr_in own = {.sin_family = AF_INET};
      if (inet_pton(AF_INET, from, &own.sin_addr) != 1) fail("--from");
      own.sin_addr.s_addr = htonl(ntohl(own.sin_addr.s_addr) + i);
      if (bind(c->fd, (struct sockaddr *)&own, sizeof own) < 0) fail("bind");
    }
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  }
  open_connections = connections;
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  double started = now();
  for (int i = 0; i < connections; i += 1) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) < 0) fail("epoll_ctl");
    ask(&all[i]);
  }
  struct epoll_event events[256];
  while (open_connections > 0) {
    int n = epoll_wait(epoll, events, 256, STALL_MS);
    if (n < 0 && errno != EINTR) fail("epoll_wait");
    if (n == 0) {
      snprintf(first_bad, sizeof first_bad, "nothing came for %d s", STALL_MS / 1000);
      bad += open_connections;
      break;
    }
    for (int i = 0; i < n; i += 1) {
      struct connection *c = events[i].data.ptr;
      if (c->fd >= 0 && !c->in_body) read_header(c);
      if (c->fd >= 0 && c->in_body) read_body(c);
    }
  }
  double seconds = now() - started;
  getrusage(RUSAGE_SELF, &after);
  double cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) + (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
               (after.ru_stime.tv_sec - before.ru_stime.tv_sec) + (after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
  printf("{\"answers\":%lld,\"bytes\":%lld,\"bad\":%lld,\"firstBad\":\"%s\",\"seconds\":%.4f,\"mbPerSecond\":%.1f,\"busy\":%.3f}\n",
         answers, received, bad, first_bad, seconds, received / 1e6 / seconds, cpu / seconds);
  return 0;
}
