#define _GNU_SOURCE
#include "Confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

void cf_blank_variable(const char *name) {
  size_t length = strlen(name);
  for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
    if (strncmp(*entry, name, length) != 0 || (*entry)[length] != '=') continue;
    char *value = *entry + length + 1;
    memset(value, 0, strlen(value));
  }
}

// The same numbers on all architectures (Linux 5.13). Own names: the build machine's headers may be older than the kernel.
enum { create_ruleset = 444, add_rule = 445, restrict_self = 446 };
enum { ask_version = 1, path_beneath = 1 };

#define BIT(number) (UINT64_C(1) << (number))
static const uint64_t execute = BIT(0), write_file = BIT(1), read_file = BIT(2), read_dir = BIT(3);
static const uint64_t make_char = BIT(6), make_block = BIT(11);
static const uint64_t truncate_file = BIT(14), ioctl_device = BIT(15);
static const uint64_t scope_abstract_sockets = BIT(0), scope_signals = BIT(1);

struct ruleset {
  uint64_t files, network, scopes;
};

struct beneath {
  uint64_t allowed;
  int32_t folder;
} __attribute__((packed));

/// The file rights that a version knows: 13 in the first, then moving between folders, truncating, and device commands.
static uint64_t known(int abi) {
  int count = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
  return BIT(count) - 1;
}

int cf_landlock_abi(void) {
  long abi = syscall(create_ruleset, NULL, (size_t)0, ask_version);
  return abi < 0 ? 0 : (int)abi;
}

int cf_landlock_new(int abi) {
  struct ruleset rules = {.files = known(abi)};
  if (abi >= 6) rules.scopes = scope_abstract_sockets | scope_signals;
  size_t size = abi >= 6 ? sizeof rules : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
  long made = syscall(create_ruleset, &rules, size, 0);
  return made < 0 ? -errno : (int)made;
}

int cf_landlock_allow(int rules, int abi, const char *path, int what, int keep) {
  int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0) return errno;
  struct stat info;
  int reason = fstat(place, &info) == 0 ? 0 : errno;
  uint64_t rights = execute | read_file | read_dir;
  if (what == cf_may_write) rights = known(5) & ~(make_char | make_block);
  if (what == cf_may_use_device) rights = read_file | read_dir | write_file | truncate_file | ioctl_device;
  if (!S_ISDIR(info.st_mode)) rights &= execute | read_file | write_file | truncate_file | ioctl_device;
  struct beneath rule = {.allowed = rights & known(abi), .folder = place};
  if (reason == 0 && syscall(add_rule, rules, path_beneath, &rule, 0) != 0) reason = errno;
  if (reason != 0 || !keep) close(place);
  return reason;
}

int cf_landlock_enter(int rules) {
  int reason = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
  if (reason == 0 && syscall(restrict_self, rules, 0) != 0) reason = errno;
  close(rules);
  return reason;
}

// capability.h of the kernel, version 3: two words a set.
struct capability_header {
  uint32_t version;
  int pid;
};
struct capability_sets {
  uint32_t effective, permitted, inheritable;
};
enum { capabilities_v3 = 0x20080522 };

// DAC_READ_SEARCH (files by handle), SYS_MODULE, SYS_RAWIO, SYS_CHROOT, SYS_PTRACE, SYS_BOOT, SYS_TIME, MKNOD, AUDIT_CONTROL,
// SETFCAP, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, PERFMON, BPF, CHECKPOINT_RESTORE.
static const int given_up[] = {2, 16, 17, 18, 19, 22, 25, 27, 30, 31, 32, 33, 34, 38, 39, 40};

int cf_give_up_capabilities(void) {
  struct capability_header header = {.version = capabilities_v3, .pid = 0};
  struct capability_sets sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) return errno;
  if ((sets[0].permitted | sets[1].permitted) == 0) return 0;
  for (size_t index = 0; index < sizeof given_up / sizeof *given_up; index++) {
    int number = given_up[index];
    // One that this kernel does not know (EINVAL), or that may not be dropped (EPERM), is none to lose.
    prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
    struct capability_sets *set = &sets[number / 32];
    uint32_t others = ~(UINT32_C(1) << (number % 32));
    set->effective &= others;
    set->permitted &= others;
    set->inheritable &= others;
  }
  return syscall(SYS_capset, &header, sets) == 0 ? 0 : errno;
}

void cf_close_memory(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
