/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/lanes.h"
#include <stdatomic.h>

static _Atomic int known = -1; /* -1: the CPU was not asked yet; threads that ask at once get the same answer */

static int ask(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return SIM_LANES_AVX512;
  if (__builtin_cpu_supports("avx2")) return SIM_LANES_AVX2;
  if (__builtin_cpu_supports("avx")) return SIM_LANES_AVX;
#endif
  return SIM_LANES_NONE;
}

enum sim_lanes sim_lanes(void) {
  int lanes = atomic_load_explicit(&known, memory_order_relaxed);
  if (lanes < 0) {
    lanes = ask();
    atomic_store_explicit(&known, lanes, memory_order_relaxed);
  }
  return (enum sim_lanes)lanes;
}

void sim_lanes_limit(enum sim_lanes most) {
  int widest = ask();
  atomic_store_explicit(&known, widest < (int)most ? widest : (int)most, memory_order_relaxed);
}
