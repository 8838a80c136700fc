// A decision source as pixiecore's HTTP API is one: answers every request after the same while with the same plan. In C,
// so that what it costs does not count, and as root ahead of everybody else, as on a host of its own: where it waits for a
// processor that the server has, 5 ms become 5.4, and 64 questions at once 11,700 answers a second instead of 12,800.
//
//   gcc -O2 -o slow-api slow-api.c
//   slow-api 127.0.0.1 4777 5        (milliseconds)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, WAITING = 65536 };

/// Answers are due in the order in which they were asked for: the delay is the same for all.
struct waiting {
  int fd;
  uint32_t generation;
  double due;
};

static struct waiting queue[WAITING];
static uint32_t head, tail, generations[CONNECTIONS];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  static const char body[] = "{\"kernel\":\"file:///boot/vmlinuz\",\"initrd\":[\"file:///boot/initrd.img\"],\"cmdline\":\"quiet\"}";
  char answer[512];
  struct sockaddr_in own = {.sin_family = AF_INET};
  if (argc != 4 || inet_pton(AF_INET, argv[1], &own.sin_addr) != 1) {
    fprintf(stderr, "usage: slow-api IP PORT MILLISECONDS\n");
    return 64;
  }
  own.sin_port = htons((uint16_t)atoi(argv[2]));
  double delay = atof(argv[3]) / 1000;
  int length = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", sizeof body - 1, body);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, poller = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, 1024) != 0) {
    perror("slow-api: listen");
    return 1;
  }
  prctl(PR_SET_TIMERSLACK, 1);
  struct sched_param first = {.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) perror("slow-api: answers may be late: SCHED_FIFO");
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  printf("listening\n");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[128];
    double wait = head == tail ? 1 : queue[head % WAITING].due - now();
    if (wait < 0) wait = 0;
    struct timespec timeout = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
    int n = epoll_pwait2(poller, events, 128, &timeout, NULL);
    for (int i = 0; i < n; i += 1) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          if (fd >= CONNECTIONS) {
            close(fd);
            continue;
          }
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          generations[fd] += 1;
          event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
          epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        }
        continue;
      }
      // A request of a few hundred bytes comes in one piece over loopback.
      char data[16384];
      ssize_t size = recv(fd, data, sizeof data - 1, 0);
      if (size <= 0) {
        generations[fd] += 1;
        close(fd);
        continue;
      }
      data[size] = '\0';
      for (char *at = data; (at = strstr(at, "\r\n\r\n")) != NULL && tail - head < WAITING; at += 4)
        queue[tail++ % WAITING] = (struct waiting){fd, generations[fd], now() + delay};
    }
    for (double at = now(); head != tail && queue[head % WAITING].due <= at; head += 1) {
      const struct waiting *one = &queue[head % WAITING];
      if (generations[one->fd] == one->generation) (void)!send(one->fd, answer, (size_t)length, MSG_NOSIGNAL);
    }
  }
}
