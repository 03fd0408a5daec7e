#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int cf_spawn_add_chdir(void *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}

short cf_spawn_setsid_flag(void) { return POSIX_SPAWN_SETSID; }

int cf_pipe(int ends[2]) {
  return pipe2(ends, O_CLOEXEC);
}

// The number is the same on all architectures (since Linux 5.3); glibc has a name for it only since 2.36.
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static int open_process(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int cf_wait_for_end(int pid, int milliseconds) {
  int process = open_process(pid);
  if (process >= 0) {
    struct pollfd entry = {.fd = process, .events = POLLIN};
    int found = poll(&entry, 1, milliseconds);
    int reason = errno;
    close(process);
    errno = reason;
    // Interrupted by a signal: the caller looks again with what is left of its time.
    return found < 0 && reason == EINTR ? 0 : found;
  }
  for (int waited = 0; waited < 2 * milliseconds; waited++) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return -1;
    if (info.si_pid == pid) return 1;
    usleep(500);
  }
  return 0;
}

unsigned long long cf_opaque(unsigned long long value) {
  __asm__ volatile("" : "+r"(value));
  return value;
}

int cf_fork_and_wait(const char *path, char *const argv[], long *peak) {
  pid_t pid = fork();
  if (pid == 0) {
    execv(path, argv);
    _exit(127);
  }
  if (pid < 0) {
    *peak = errno;
    return -1;
  }
  int status;
  struct rusage usage;
  while (wait4(pid, &status, 0, &usage) < 0) {
    if (errno == EINTR) continue;
    *peak = errno;
    return -1;
  }
  *peak = usage.ru_maxrss;
  return status;
}

int cf_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : errno; }

int cf_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? 0 : errno; }
static int write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  ssize_t count = write(file, text, strlen(text));
  int reason = count < 0 ? errno : 0;
  close(file);
  return reason;
}

static int bring_loopback_up(void) {
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return errno;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int reason = ioctl(control, SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
  close(control);
  return reason;
}

int cf_affinity_get(int *cpus, int room) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
  int count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE && count < room; cpu++) {
    if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
  }
  return count;
}

int cf_affinity_set(const int *cpus, int count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int index = 0; index < count; index++) {
    if (cpus[index] < 0 || cpus[index] >= CPU_SETSIZE) return EINVAL;
    CPU_SET(cpus[index], &set);
  }
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

int cf_enter_private_network(void) {
  if (unshare(CLONE_NEWNET) != 0) {
    char map[64];
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return errno;
    // user_namespaces(7): a group map needs setgroups(2) to be given up first.
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    int reason = write_file("/proc/self/uid_map", map);
    if (reason == 0) {
      snprintf(map, sizeof map, "%u %u 1", gid, gid);
      reason = write_file("/proc/self/gid_map", map);
    }
    if (reason != 0) return reason;
  }
  return bring_loopback_up();
}

static int join(int pid, const char *name, int kind, int optional) {
  char theirs[64], ours[64];
  struct stat their, our;
  snprintf(theirs, sizeof theirs, "/proc/%d/ns/%s", pid, name);
  snprintf(ours, sizeof ours, "/proc/self/ns/%s", name);
  if (stat(theirs, &their) != 0 || stat(ours, &our) != 0) return optional ? 0 : errno;
  if (their.st_ino == our.st_ino) return 0;
  int file = open(theirs, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  int reason = setns(file, kind) == 0 ? 0 : errno;
  close(file);
  return reason;
}

int cf_join_network(int pid) {
  int reason = join(pid, "user", CLONE_NEWUSER, 1);
  return reason != 0 ? reason : join(pid, "net", CLONE_NEWNET, 0);
}
