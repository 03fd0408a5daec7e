#ifndef CF_BENCH_CSPAWN_H
#define CF_BENCH_CSPAWN_H

/// `posix_spawn_file_actions_addchdir_np`: glibc (2.29) shows it only with `_GNU_SOURCE`, which Swift's importer does not set.
/// `actions` is a `posix_spawn_file_actions_t *`: named `void *` so that this header pulls in no system header, whose types
/// Swift would then take for ours.
int cf_spawn_add_chdir(void *actions, const char *path);

/// The flag that starts the child as leader of a new session; POSIX_SPAWN_SETSID is hidden behind `_GNU_SOURCE` too (glibc 2.26).
short cf_spawn_setsid_flag(void);

#endif
