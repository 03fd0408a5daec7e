#define _GNU_SOURCE
#include "CSpawn.h"

#include <spawn.h>

int cf_spawn_add_chdir(void *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}

short cf_spawn_setsid_flag(void) { return POSIX_SPAWN_SETSID; }
