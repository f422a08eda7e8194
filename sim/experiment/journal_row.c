/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/journal_row.h"
#include <string.h>
#include <zlib.h>

/* CRC-32 as zlib and PNG have it (reflected polynomial 0xedb88320). */
uint32_t sim_journal_crc(uint32_t crc, const void *data, size_t n) {
  return (uint32_t)crc32_z(crc, data, n);
}

uint32_t sim_journal_row_crc(const int64_t place[4], const void *blob, size_t n) {
  return sim_journal_crc(sim_journal_crc(0, place, 4 * sizeof *place), blob, n);
}

size_t sim_journal_base(const struct sim_layout *l) {
  return sizeof(uint64_t) + sizeof(uint32_t) + l->columns * sizeof(double) + l->series * l->samples * sizeof(uint16_t);
}

void sim_journal_encode(unsigned char *p, const struct sim_layout *l, const struct sim_row *row) {
  uint32_t length = (uint32_t)strlen(row->error);
  memcpy(p, &row->events, sizeof row->events), p += sizeof row->events;
  memcpy(p, &length, sizeof length), p += sizeof length;
  memcpy(p, row->error, length), p += length;
  memcpy(p, row->columns, l->columns * sizeof(double)), p += l->columns * sizeof(double);
  memcpy(p, row->samples, l->series * l->samples * sizeof(uint16_t));
}

bool sim_journal_fits(const unsigned char *p, size_t n, const struct sim_layout *l) {
  uint32_t length;
  if (n < sim_journal_base(l)) return false;
  memcpy(&length, p + sizeof(uint64_t), sizeof length);
  return length < sizeof((struct sim_row *)0)->error && n == sim_journal_base(l) + length;
}

void sim_journal_decode(const unsigned char *p, const struct sim_layout *l, struct sim_row *row) {
  uint32_t length;
  memcpy(&row->events, p, sizeof row->events), p += sizeof row->events;
  memcpy(&length, p, sizeof length), p += sizeof length;
  memcpy(row->error, p, length), row->error[length] = 0, p += length;
  memcpy(row->columns, p, l->columns * sizeof(double)), p += l->columns * sizeof(double);
  memcpy(row->samples, p, l->series * l->samples * sizeof(uint16_t));
}
