#ifndef CF_BENCH_CONFINE_H
#define CF_BENCH_CONFINE_H

/// The version of Landlock's interface that this kernel has switched on; 0 for none. See landlock(7).
int cf_landlock_abi(void);

/// What may be done with a file or, for a folder, with all that is in it.
enum { cf_may_read = 1, cf_may_write = 2, cf_may_use_device = 3 };

/// Makes a set of rules in which everything that this version knows is forbidden until ``cf_landlock_allow`` allows it, and
/// signals and abstract sockets don't leave the confinement. Returns a descriptor, or a negative `errno`.
int cf_landlock_new(int abi);

/// Allows something below `path`, which is not followed where it is a symbolic link. With `keep`, the place stays open for
/// the life of this process: the kernel forgets files of /proc and /sys that nobody has open, and the rule with them.
///
/// Returns 0 or an `errno`.
int cf_landlock_allow(int rules, int abi, const char *path, int what, int keep);

/// Puts this process, which must have one thread, and all that it starts under the rules, for good: no setuid program gives
/// more rights from now on. Closes `rules`. Returns 0 or an `errno`.
int cf_landlock_enter(int rules);

/// Gives up, for this process and all that it starts, what root could use to reach around the rules: the memory of other
/// processes, raw devices, kernel modules. Does nothing for others. Returns 0 or an `errno`.
int cf_give_up_capabilities(void);

/// Blanks the value of an environment variable where /proc/PID/environ shows it: in the memory that the kernel laid out at
/// the start of this process. getenv(3) then finds an empty one.
void cf_blank_variable(const char *name);

/// Keeps others of the same user out of this process's memory and environment (PR_SET_DUMPABLE of prctl(2)); a program that
/// it starts is open to them again.
void cf_close_memory(void);

#endif
