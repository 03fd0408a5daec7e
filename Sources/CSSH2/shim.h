#ifndef CF_BENCH_CSSH2_SHIM_H
#define CF_BENCH_CSSH2_SHIM_H

#include <libssh2.h>

#endif
