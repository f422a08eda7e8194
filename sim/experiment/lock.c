/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* open file description locks: they belong to the descriptor and can be asked about */
#include "sim/experiment/lock.h"
#include "sim/core/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct flock whole(void) {
  return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static int refuse_owner(int fd, const char *output, struct sim_diag *diag) {
  char owner[128] = "";
  ssize_t n = pread(fd, owner, sizeof owner - 1, 0);
  owner[n > 0 ? n : 0] = 0;
  return sim_diag_add(diag, NULL, NULL, "another process is writing %s (%s); wait for it or choose another output",
                      output, *owner ? owner : "unknown");
}

static int write_owner(int fd, const char *path, struct sim_diag *diag) {
  char host[65] = "", owner[128];
  gethostname(host, sizeof host - 1);
  int n = snprintf(owner, sizeof owner, "process %ld on %s", (long)getpid(), host);
  if (ftruncate(fd, 0) == 0 && pwrite(fd, owner, (size_t)n, 0) == n) return 0;
  return sim_diag_add(diag, NULL, NULL, "cannot write %s: %s", path, strerror(errno));
}

/* One attempt: 0, 1 to try again (its owner finished and removed the directory just now), or SIM_ERR_INPUT. */
static int try_lock(int *fd, const char *dir, const char *path, const char *output, struct sim_diag *diag) {
  if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
    return sim_diag_add(diag, NULL, NULL, "cannot write %s: %s (making the directory %s beside it)", output,
                        strerror(errno), dir);
  }
  struct flock range = whole();
  struct stat held, named;
  *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (*fd < 0) {
    if (errno == ENOENT) return 1;
    return sim_diag_add(diag, NULL, NULL, "cannot write %s: %s", path, strerror(errno));
  }
  if (fcntl(*fd, F_OFD_SETLK, &range) != 0) {
    if (errno == EAGAIN || errno == EACCES) return refuse_owner(*fd, output, diag);
    return sim_diag_add(diag, NULL, NULL, "cannot lock %s: %s", path, strerror(errno));
  }
  if (fstat(*fd, &held) != 0 || stat(path, &named) != 0 || held.st_ino != named.st_ino) return 1;
  return write_owner(*fd, path, diag);
}

int sim_lock_take(int *fd, const char *dir, const char *output, struct sim_diag *diag) {
  char *path = sim_strf("%s/lock", dir);
  int ret = path ? 1 : SIM_ERR_MEMORY;
  *fd = -1;
  while (ret == 1) {
    ret = try_lock(fd, dir, path, output, diag);
    if (ret && *fd >= 0) close(*fd), *fd = -1;
  }
  sim_free(path);
  return ret;
}

void sim_lock_remove(const char *dir) {
  char *path = sim_strf("%s/lock", dir);
  if (path) unlink(path);
  rmdir(dir);
  sim_free(path);
}

bool sim_lock_is_held(const char *dir) {
  char *path = sim_strf("%s/lock", dir);
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  struct flock range = whole();
  bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
  if (fd >= 0) close(fd);
  sim_free(path);
  return held;
}
