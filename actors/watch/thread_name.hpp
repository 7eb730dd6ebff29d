#pragma once

#include <pthread.h>

namespace picket {

/// Names the calling thread, as `top -H` and scripts/bench show it; at most 15 characters. For actors that
/// have a thread of their own.
inline void name_thread(const char* name) noexcept { pthread_setname_np(pthread_self(), name); }

} // namespace picket
