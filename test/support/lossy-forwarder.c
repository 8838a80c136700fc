// A bad cable between two network namespaces: makes a tap in each and carries Ethernet frames between them, losing,
// doubling and delaying some of them. Taps, because frames out of a veth still lack their checksums. Which frames
// suffer is a function of --seed, the direction and the frame's number only. The taps are gone with the process.
//
//   gcc -O2 -o lossy-forwarder lossy-forwarder.c
//   lossy-forwarder --a leaf:eth0 --b server:eth0 --drop 5 --duplicate 1 --reorder 1 --seed 7 [--delay-us 100]
//
// Prints "ready" when both taps are there, and its counts as JSON when it is ended by SIGTERM or SIGINT.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 9216, HELD = 4096 };
/// How long a frame is kept back to be overtaken: a window of 64 TFTP blocks passes meanwhile, no client gives up.
static const uint64_t REORDER_NS = 3000000;

struct held {
  uint64_t due_ns, order;
  uint32_t length;
  uint8_t *data;
};

/// One way through the cable.
struct direction {
  int from, to;
  uint64_t random, frames, dropped, duplicated, reordered, overflowed;
  struct held heap[HELD];
  uint32_t held;
};

static struct direction ways[2];
static double drop_share, duplicate_share, reorder_share;
static uint64_t delay_ns, order;
static volatile sig_atomic_t ended;

static void end(int signal) {
  (void)signal;
  ended = 1;
}

static void die(const char *what) {
  fprintf(stderr, "lossy-forwarder: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/// splitmix64, as 0 to 1.
static double chance(struct direction *way) {
  uint64_t z = (way->random += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static int is_before(const struct held *a, const struct held *b) {
  return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void hold(struct direction *way, const uint8_t *data, uint32_t length, uint64_t due_ns) {
  if (way->held == HELD) {
    way->overflowed += 1;
    return;
  }
  struct held one = {due_ns, order++, length, malloc(length)};
  if (one.data == NULL) die("memory");
  memcpy(one.data, data, length);
  uint32_t at = way->held++;
  for (; at > 0 && is_before(&one, &way->heap[(at - 1) / 2]); at = (at - 1) / 2) way->heap[at] = way->heap[(at - 1) / 2];
  way->heap[at] = one;
}

static void pass(struct direction *way, const uint8_t *data, uint32_t length) {
  // EIO while an end is down, EAGAIN when its queue is full: a cable does not wait either.
  if (write(way->to, data, length) < 0) way->overflowed += 1;
}

static void release_due(struct direction *way, uint64_t at_ns) {
  while (way->held > 0 && way->heap[0].due_ns <= at_ns) {
    struct held first = way->heap[0], last = way->heap[--way->held];
    uint32_t at = 0;
    for (;;) {
      uint32_t child = 2 * at + 1;
      if (child >= way->held) break;
      if (child + 1 < way->held && is_before(&way->heap[child + 1], &way->heap[child])) child += 1;
      if (!is_before(&way->heap[child], &last)) break;
      way->heap[at] = way->heap[child];
      at = child;
    }
    way->heap[at] = last;
    pass(way, first.data, first.length);
    free(first.data);
  }
}

static void carry(struct direction *way) {
  static uint8_t data[FRAME];
  for (int i = 0; i < 64; i += 1) {
    ssize_t length = read(way->from, data, sizeof data);
    if (length <= 0) return;
    way->frames += 1;
    // All three are drawn for every frame, so that one share does not shift what the others hit.
    int is_dropped = chance(way) < drop_share, is_doubled = chance(way) < duplicate_share,
        is_late = chance(way) < reorder_share;
    if (is_dropped) {
      way->dropped += 1;
      continue;
    }
    way->duplicated += (uint64_t)is_doubled;
    way->reordered += (uint64_t)is_late;
    uint64_t wait_ns = delay_ns + (is_late ? REORDER_NS : 0);
    for (int copy = 0; copy <= is_doubled; copy += 1) {
      if (wait_ns > 0) hold(way, data, (uint32_t)length, now_ns() + wait_ns);
      else pass(way, data, (uint32_t)length);
    }
  }
}

/// `namespace:interface`; the namespace is one of `ip netns`.
static int open_tap(const char *text) {
  char netns[128];
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  const char *colon = strchr(text, ':');
  if (colon == NULL || strlen(colon + 1) == 0 || strlen(colon + 1) >= IFNAMSIZ) {
    fprintf(stderr, "lossy-forwarder: write namespace:interface, not %s\n", text);
    exit(64);
  }
  snprintf(netns, sizeof netns, "/run/netns/%.*s", (int)(colon - text), text);
  strcpy(request.ifr_name, colon + 1);
  int ns = open(netns, O_RDONLY | O_CLOEXEC);
  if (ns < 0 || setns(ns, CLONE_NEWNET) != 0) die(netns);
  close(ns);
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) die(text);
  // The cable loses what --drop says, not what a queue of 1,000 cannot take while this process waits for a processor.
  int control = socket(AF_INET, SOCK_DGRAM, 0);
  request.ifr_qlen = 20000;
  if (ioctl(control, SIOCSIFTXQLEN, &request) != 0) die("queue of the tap");
  request.ifr_flags = 0;
  if (ioctl(control, SIOCGIFFLAGS, &request) != 0) die("flags of the tap");
  request.ifr_flags |= IFF_UP;
  if (ioctl(control, SIOCSIFFLAGS, &request) != 0) die("bringing the tap up");
  close(control);
  return fd;
}

static double share(const char *text) {
  char *stop;
  double percent = strtod(text, &stop);
  if (*stop != '\0' || stop == text || percent < 0 || percent > 100) {
    fprintf(stderr, "lossy-forwarder: %s is no percentage\n", text);
    exit(64);
  }
  return percent / 100;
}

static void print_counts(const char *name, const struct direction *way, const char *after) {
  printf("\"%s\":{\"frames\":%lu,\"dropped\":%lu,\"duplicated\":%lu,\"reordered\":%lu,\"overflowed\":%lu}%s", name,
         way->frames, way->dropped, way->duplicated, way->reordered, way->overflowed, after);
}

int main(int argc, char **argv) {
  static const struct option names[] = {{"a", 1, NULL, 'a'},       {"b", 1, NULL, 'b'},    {"drop", 1, NULL, 'd'},
                                        {"duplicate", 1, NULL, 'u'}, {"reorder", 1, NULL, 'r'}, {"seed", 1, NULL, 's'},
                                        {"delay-us", 1, NULL, 'l'}, {NULL, 0, NULL, 0}};
  const char *a = NULL, *b = NULL;
  uint64_t seed = 1;
  int c;
  while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (c == 'a') a = optarg;
    else if (c == 'b') b = optarg;
    else if (c == 'd') drop_share = share(optarg);
    else if (c == 'u') duplicate_share = share(optarg);
    else if (c == 'r') reorder_share = share(optarg);
    else if (c == 's') seed = strtoull(optarg, NULL, 10);
    else if (c == 'l') delay_ns = strtoull(optarg, NULL, 10) * 1000;
    else exit(64);
  }
  if (a == NULL || b == NULL) {
    fprintf(stderr, "usage: lossy-forwarder --a namespace:interface --b namespace:interface [--drop %%] [--duplicate %%]"
                    " [--reorder %%] [--seed n] [--delay-us n]\n");
    return 64;
  }
  struct sigaction on_end = {.sa_handler = end};
  sigaction(SIGTERM, &on_end, NULL);
  sigaction(SIGINT, &on_end, NULL);
  prctl(PR_SET_TIMERSLACK, 1);
  int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  ways[0].from = ways[1].to = open_tap(a);
  if (setns(home, CLONE_NEWNET) != 0) die("own namespace");
  ways[0].to = ways[1].from = open_tap(b);
  ways[0].random = seed;
  ways[1].random = seed ^ 0x5851f42d4c957f2dull;
  printf("ready\n");
  fflush(stdout);
  while (!ended) {
    uint64_t at = now_ns(), next = UINT64_MAX;
    for (int i = 0; i < 2; i += 1) {
      release_due(&ways[i], at);
      if (ways[i].held > 0 && ways[i].heap[0].due_ns < next) next = ways[i].heap[0].due_ns;
    }
    struct pollfd fds[2] = {{.fd = ways[0].from, .events = POLLIN}, {.fd = ways[1].from, .events = POLLIN}};
    uint64_t wait_ns = next == UINT64_MAX ? 1000000000ull : next > at ? next - at : 0;
    struct timespec wait = {(time_t)(wait_ns / 1000000000ull), (long)(wait_ns % 1000000000ull)};
    if (ppoll(fds, 2, &wait, NULL) <= 0) continue;
    for (int i = 0; i < 2; i += 1) {
      // An end that its namespace took away says so for ever.
      if (fds[i].revents & (POLLERR | POLLHUP | POLLNVAL)) return 1;
      if (fds[i].revents & POLLIN) carry(&ways[i]);
    }
  }
  printf("{");
  print_counts("aToB", &ways[0], ",");
  print_counts("bToA", &ways[1], "}\n");
  return 0;
}
