/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/bench.h"

static const struct cli_command *const parts[] = {&bench_propagation, &bench_queue, &bench_servers, &bench_random,
                                                  NULL};

const struct cli_command cli_cmd_bench = {
    .name = "bench",
    .arguments = "PART",
    .purpose = "measure the speed of this machine's build",
    .about = "CPU time of one thread, without planning (the building of the graph), with the beginning and the end of\n"
             "each replicate. Absolute times depend on the machine and on what else it does: compare within one run.\n"
             "docs/bench.md.",
    .examples = "  airesim bench propagation --nodes 1000000 --peer igraph\n"
                "  airesim bench queue --json\n"
                "  airesim bench propagation --help",
    .parts = parts,
};
