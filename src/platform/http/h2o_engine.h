/* platform/http/h2o_engine.h - the one place that names H2O's headers (libh2o-evloop 2.2.5).
 *
 * Only files of this folder include it. The macros choose the variant that Debian's library was
 * built as. */
#pragma once

#pragma GCC system_header

#define H2O_USE_EPOLL 1
#define H2O_USE_LIBUV 0

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/version.h>

/* sentry.c and loop.c rest on how this version behaves; read them again before allowing another. */
#if H2O_LIBRARY_VERSION_MAJOR != 0 || H2O_LIBRARY_VERSION_MINOR != 13
#error "platform/http was written for libh2o 0.13 (H2O 2.2)"
#endif
