/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows as bytes, for journals: events, length of the error text, the text, columns, samples; in the machine's byte
 * order, with a CRC-32 over the row's place and the bytes. */
#ifndef SIM_EXPERIMENT_JOURNAL_ROW_H
#define SIM_EXPERIMENT_JOURNAL_ROW_H
#include "sim/experiment/layout.h"

/* CRC-32 as zlib has it; start from 0. */
uint32_t sim_journal_crc(uint32_t crc, const void *data, size_t n);
/* place: arm, point, replicate, failed. */
uint32_t sim_journal_row_crc(const int64_t place[4], const void *blob, size_t n);
/* Bytes of a row without the error text. */
size_t sim_journal_base(const struct sim_layout *l);
/* Into sim_journal_base + strlen(row->error) bytes. */
void sim_journal_encode(unsigned char *p, const struct sim_layout *l, const struct sim_row *row);
/* Whether bytes have the form of a row of this layout; decode only such. */
bool sim_journal_fits(const unsigned char *p, size_t n, const struct sim_layout *l);
void sim_journal_decode(const unsigned char *p, const struct sim_layout *l, struct sim_row *row);
#endif
