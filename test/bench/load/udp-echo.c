// The least that a DHCP server can do: turns each request around into an answer of the right type, with an address, by
// batched system calls. What dhcp-load reaches against it is the load generator's own ceiling.
//
//   gcc -O2 -o udp-echo udp-echo.c
//   udp-echo 10.9.0.1
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, PACKET = 1500, YIADDR = 16, OPTIONS = 240 };

static uint8_t data[BATCH][PACKET];
static struct sockaddr_in from[BATCH];
static struct iovec iov[BATCH];
static struct mmsghdr in[BATCH], out[BATCH];

int main(int argc, char **argv) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(67)};
  if (argc != 2 || inet_pton(AF_INET, argv[1], &own.sin_addr) != 1) {
    fprintf(stderr, "usage: udp-echo IP\n");
    return 64;
  }
  int sock = socket(AF_INET, SOCK_DGRAM, 0), buffer = 8 << 20;
  setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (bind(sock, (struct sockaddr *)&own, sizeof own) != 0) {
    perror("udp-echo: bind");
    return 1;
  }
  printf("listening\n");
  fflush(stdout);
  for (unsigned i = 0; i < BATCH; i += 1) iov[i].iov_base = data[i];
  for (;;) {
    for (unsigned i = 0; i < BATCH; i += 1) {
      iov[i].iov_len = PACKET;
      in[i].msg_hdr = (struct msghdr){
          .msg_name = from + i, .msg_namelen = sizeof from[i], .msg_iov = iov + i, .msg_iovlen = 1};
    }
    int n = recvmmsg(sock, in, BATCH, MSG_WAITFORONE, NULL), answers = 0;
    for (int i = 0; i < n; i += 1) {
      // dhcp-load puts option 53 first.
      if (in[i].msg_len < OPTIONS + 3 || data[i][OPTIONS] != 53) continue;
      data[i][0] = 2;
      data[i][OPTIONS + 2] = data[i][OPTIONS + 2] == 1 ? 2 : 5;
      memcpy(data[i] + YIADDR, "\x0a\x09\x40\x01", 4);
      iov[i].iov_len = in[i].msg_len;
      out[answers++].msg_hdr = (struct msghdr){
          .msg_name = from + i, .msg_namelen = sizeof from[i], .msg_iov = iov + i, .msg_iovlen = 1};
    }
    for (int sent = 0; sent < answers;) {
      int m = sendmmsg(sock, out + sent, (unsigned)(answers - sent), 0);
      if (m <= 0) break;
      sent += m;
    }
  }
}
