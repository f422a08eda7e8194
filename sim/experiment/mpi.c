/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/mpi.h"
#include "sim/core/mem.h"
#include <stdlib.h>
#include <string.h>

/* Number of processes that a launcher says it started (Open MPI, PMI, PMIx under Slurm), or 1. */
static long launched(void) {
  const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (value) return strtol(value, NULL, 10);
  }
  /* Slurm sets SLURM_NTASKS for a job's script too; in a step of srun there is a step with its own tasks, and the
   * script itself is a step of one task. */
  const char *tasks = getenv("SLURM_STEP_NUM_TASKS"), *process = getenv("SLURM_PROCID");
  return tasks && process ? strtol(tasks, NULL, 10) : 1;
}

#ifdef AIRESIM_MPI
#include <mpi.h>
#include <time.h>

#define NAP_SHORTEST 20000L /* ns between looks for something that is waited for */
#define NAP_LONGEST  1000000L

enum { TAG_ASK = 1, TAG_ANSWER };

struct wire { /* of one message to rank 0; all ranks run the same program */
  uint64_t wanted, made, failed;
  int64_t left, code;
  char why[300];
};

struct sim_mpi {
  int rank, size;
  unsigned others;
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
};

/* MPI's own waiting keeps a core busy; a rank may wait for minutes, while rank 0 reads journals or writes the file. */
static void wait_for(MPI_Request *request) {
  struct timespec nap = {.tv_nsec = NAP_SHORTEST};
  for (;;) {
    int there = 0;
    MPI_Test(request, &there, MPI_STATUS_IGNORE);
    if (there) return;
    nanosleep(&nap, NULL);
    nap.tv_nsec = nap.tv_nsec < NAP_LONGEST / 2 ? 2 * nap.tv_nsec : NAP_LONGEST;
  }
}

int sim_mpi_start(struct sim_mpi **out) {
  *out = NULL;
  if (launched() <= 1) return 0;
  struct sim_mpi *m = sim_calloc(1, sizeof *m);
  if (!m) return SIM_ERR_MEMORY;
  int provided = MPI_THREAD_SINGLE, length = 0;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) {
    sim_free(m);
    return SIM_ERR_LIMIT;
  }
  MPI_Comm_rank(MPI_COMM_WORLD, &m->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &m->size);
  MPI_Get_library_version(m->library, &length);
  m->library[strcspn(m->library, ",\n")] = '\0';
  /* A size of 1 although the launcher started more: this MPI does not understand that launcher. */
  if (provided < MPI_THREAD_SERIALIZED || m->size == 1) {
    sim_mpi_end(m);
    return SIM_ERR_LIMIT;
  }
  *out = m;
  return 0;
}

void sim_mpi_end(struct sim_mpi *m) {
  if (!m) return;
  MPI_Request all;
  MPI_Ibarrier(MPI_COMM_WORLD, &all);
  wait_for(&all);
  MPI_Finalize();
  sim_free(m);
}

unsigned sim_mpi_rank(const struct sim_mpi *m) {
  return m ? (unsigned)m->rank : 0;
}
unsigned sim_mpi_size(const struct sim_mpi *m) {
  return m ? (unsigned)m->size : 1;
}
const char *sim_mpi_library(const struct sim_mpi *m) {
  return m ? m->library : "";
}
unsigned sim_mpi_others(const struct sim_mpi *m) {
  return m && m->rank == 0 ? m->others : 0;
}

int sim_mpi_first_failed(struct sim_mpi *m, int code) {
  if (!m) return code ? 0 : -1;
  int mine = code ? m->rank : m->size, first = mine;
  MPI_Request all;
  MPI_Iallreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &all);
  wait_for(&all);
  return first == m->size ? -1 : first;
}

void sim_mpi_share(struct sim_mpi *m, void *data, size_t n) {
  if (!m) return;
  for (size_t at = 0; at < n;) { /* MPI counts in int */
    size_t piece = n - at < 1u << 30 ? n - at : 1u << 30;
    MPI_Request all;
    MPI_Ibcast((char *)data + at, (int)piece, MPI_BYTE, 0, MPI_COMM_WORLD, &all);
    wait_for(&all);
    at += piece;
  }
}

void sim_mpi_begin(struct sim_mpi *m) {
  if (m) m->others = (unsigned)m->size - 1;
}

struct sim_mpi_range sim_mpi_ask(struct sim_mpi *m, uint64_t wanted, uint64_t made, uint64_t failed) {
  (void)m;
  struct wire w = {.wanted = wanted, .made = made, .failed = failed};
  uint64_t answer[2] = {0, 0};
  MPI_Request heard;
  MPI_Irecv(answer, 2, MPI_UINT64_T, 0, TAG_ANSWER, MPI_COMM_WORLD, &heard);
  MPI_Send(&w, (int)sizeof w, MPI_BYTE, 0, TAG_ASK, MPI_COMM_WORLD);
  wait_for(&heard);
  return (struct sim_mpi_range){answer[0], answer[1]};
}

void sim_mpi_leave(struct sim_mpi *m, int code, const char *why, uint64_t made, uint64_t failed) {
  (void)m;
  struct wire w = {.made = made, .failed = failed, .left = 1, .code = code};
  if (why) strncpy(w.why, why, sizeof w.why - 1);
  MPI_Send(&w, (int)sizeof w, MPI_BYTE, 0, TAG_ASK, MPI_COMM_WORLD);
}

bool sim_mpi_hear(struct sim_mpi *m, struct sim_mpi_message *message) {
  int there = 0;
  MPI_Status status;
  struct wire w;
  MPI_Iprobe(MPI_ANY_SOURCE, TAG_ASK, MPI_COMM_WORLD, &there, &status);
  if (!there) return false;
  MPI_Recv(&w, (int)sizeof w, MPI_BYTE, status.MPI_SOURCE, TAG_ASK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  *message = (struct sim_mpi_message){.wanted = w.wanted,
                                      .made = w.made,
                                      .failed = w.failed,
                                      .left = w.left != 0,
                                      .code = (int)w.code,
                                      .rank = (unsigned)status.MPI_SOURCE};
  memcpy(message->why, w.why, sizeof w.why);
  if (message->left) m->others--;
  return true;
}

void sim_mpi_answer(struct sim_mpi *m, unsigned rank, struct sim_mpi_range range) {
  (void)m;
  uint64_t answer[2] = {range.first, range.count};
  MPI_Send(answer, 2, MPI_UINT64_T, (int)rank, TAG_ANSWER, MPI_COMM_WORLD);
}

#else

int sim_mpi_start(struct sim_mpi **out) {
  *out = NULL;
  return launched() <= 1 ? 0 : SIM_ERR_LIMIT;
}
void sim_mpi_end(struct sim_mpi *m) {
  (void)m;
}
unsigned sim_mpi_rank(const struct sim_mpi *m) {
  (void)m;
  return 0;
}
unsigned sim_mpi_size(const struct sim_mpi *m) {
  (void)m;
  return 1;
}
const char *sim_mpi_library(const struct sim_mpi *m) {
  (void)m;
  return "";
}
unsigned sim_mpi_others(const struct sim_mpi *m) {
  (void)m;
  return 0;
}
int sim_mpi_first_failed(struct sim_mpi *m, int code) {
  (void)m;
  return code ? 0 : -1;
}
void sim_mpi_share(struct sim_mpi *m, void *data, size_t n) {
  (void)m, (void)data, (void)n;
}
void sim_mpi_begin(struct sim_mpi *m) {
  (void)m;
}
struct sim_mpi_range sim_mpi_ask(struct sim_mpi *m, uint64_t wanted, uint64_t made, uint64_t failed) {
  (void)m, (void)wanted, (void)made, (void)failed;
  return (struct sim_mpi_range){0, 0};
}
void sim_mpi_leave(struct sim_mpi *m, int code, const char *why, uint64_t made, uint64_t failed) {
  (void)m, (void)code, (void)why, (void)made, (void)failed;
}
bool sim_mpi_hear(struct sim_mpi *m, struct sim_mpi_message *message) {
  (void)m, (void)message;
  return false;
}
void sim_mpi_answer(struct sim_mpi *m, unsigned rank, struct sim_mpi_range range) {
  (void)m, (void)rank, (void)range;
}
#endif
