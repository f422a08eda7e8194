/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How wide the vectors of this CPU are. Every form gives the same bits, so which one runs is a matter of speed alone.
 */
#ifndef SIM_CORE_LANES_H
#define SIM_CORE_LANES_H

enum sim_lanes {
  SIM_LANES_NONE,  /* what the compiler may always use */
  SIM_LANES_AVX,   /* four doubles */
  SIM_LANES_AVX2,  /* and four 64-bit integers */
  SIM_LANES_AVX512 /* eight of each: F, DQ and VL */
};

/* The widest that the CPU has, and that the limit allows. */
enum sim_lanes sim_lanes(void);
/* No wider than this from now on; for tests, and to compare. Before threads start. */
void sim_lanes_limit(enum sim_lanes most);
#endif
