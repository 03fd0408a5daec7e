#ifndef CF_BENCH_CSPAWN_H
#define CF_BENCH_CSPAWN_H

#include "Confine.h"

/// `posix_spawn_file_actions_addchdir_np`: glibc (2.29) shows it only with `_GNU_SOURCE`, which Swift's importer does not set.
/// `actions` is a `posix_spawn_file_actions_t *`: named `void *` so that this header pulls in no system header, whose types
/// Swift would then take for ours.
int cf_spawn_add_chdir(void *actions, const char *path);

/// The flag that starts the child as leader of a new session; POSIX_SPAWN_SETSID is hidden behind `_GNU_SOURCE` too (glibc 2.26).
short cf_spawn_setsid_flag(void);

/// `pipe2(O_CLOEXEC)`, which is hidden behind `_GNU_SOURCE`. Returns 0 or -1, as pipe(2) does.
int cf_pipe(int ends[2]);

/// Returns `value`. The optimiser can't look inside: it must have made the value by then, and knows nothing of the result.
unsigned long long cf_opaque(unsigned long long value);

/// Runs a program by `fork` and `execv` to its end, with this process's environment, folder and descriptors.
///
/// Returns its status as waitpid(2) tells it with its peak resident set, in KiB, in `*peak`;
/// or -1 with the reason (an `errno`) in `*peak`.
int cf_fork_and_wait(const char *path, char *const argv[], long *peak);

/// Waits until child `pid` has ended, without reaping it, for at most `milliseconds`. Sleeps in the kernel all the while
/// where the system has pidfd_open(2) (Linux 5.3), and looks every half millisecond elsewhere.
///
/// Returns 1 when it has ended, 0 when the time is over, or -1 with `errno` set.
int cf_wait_for_end(int pid, int milliseconds);

/// Makes this process the one that orphans among its descendants come to (PR_SET_CHILD_SUBREAPER of prctl(2), which takes a
/// variable number of arguments). Returns 0 or an `errno`.
int cf_adopt_orphans(void);

/// Has the kernel kill this process (SIGKILL) when the thread that started it ends (PR_SET_PDEATHSIG). A parent that ended
/// before the call is not noticed: look at getppid(2) after it. Returns 0 or an `errno`.
int cf_die_with_parent(void);

/// The CPUs on which the calling thread may run, in rising order, at most `room` of them (sched_getaffinity(2), whose set
/// is made of macros). Returns how many, or -1 where the kernel does not tell.
int cf_affinity_get(int *cpus, int room);

/// Keeps the calling thread, and what it starts from now on, to these CPUs. Returns 0 or an `errno`.
int cf_affinity_set(const int *cpus, int count);

/// Puts this process, which must have one thread, into a network namespace of its own, where nothing but the loopback
/// interface is, and that is up. Uses a user namespace too where the caller is not root.
///
/// Returns 0, or the `errno` of the step that was not permitted.
int cf_enter_private_network(void);

/// Puts this process, which must have one thread, into the network namespace (and user namespace, where it is another) of
/// process `pid`. Returns 0 or an `errno`.
int cf_join_network(int pid);

#endif
