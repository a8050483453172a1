/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusctl: text in aligned columns.
 */
#ifndef PVBUSCTL_TABLE_H
#define PVBUSCTL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS	20

/**
 * struct table - rows of text
 * @columns: columns of each row
 * @right: bit set for each column that is aligned to the right
 * @cell: allocated strings, row by row; the first row is the header
 * @nr: cells in use
 */
struct table {
	unsigned int	columns;
	uint32_t	right;
	char		**cell;
	size_t		nr;
};

void table_init(struct table *t, unsigned int columns, uint32_t right,
		const char * const *header);
void table_add(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void table_print(const struct table *t);
void table_free(struct table *t);
void table_size(char *text, size_t len, uint64_t bytes);

#endif /* PVBUSCTL_TABLE_H */
