// Runs a program with its output thrown away and prints what that took: wall-clock and processor time in microseconds,
// and the most memory that it, or one of the programs that it waited for, held in KiB.
//
//   gcc -O2 -o run-once run-once.c
//   run-once PROGRAM ARGUMENT...
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long micros(struct timeval t) { return t.tv_sec * 1000000L + t.tv_usec; }

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: run-once PROGRAM ARGUMENT...\n");
    return 64;
  }
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  pid_t child = fork();
  if (child < 0) {
    perror("run-once: fork");
    return 1;
  }
  if (child == 0) {
    int nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, 0);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (wait4(child, &status, 0, &used) != child) {
    perror("run-once: wait4");
    return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &after);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
    fprintf(stderr, "run-once: %s did not run to its end\n", argv[1]);
    return 1;
  }
  long wall = (after.tv_sec - before.tv_sec) * 1000000L + (after.tv_nsec - before.tv_nsec) / 1000;
  printf("%ld %ld %ld\n", wall, micros(used.ru_utime) + micros(used.ru_stime), used.ru_maxrss);
  return 0;
}
