// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusctl: text in aligned columns.
 */
#include "table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

/**
 * table_init - begin a table
 * @t: the table; free with table_free()
 * @columns: number of columns, at most TABLE_COLUMNS
 * @right: bit set for each column of numbers
 * @header: titles
 */
void table_init(struct table *t, unsigned int columns, uint32_t right,
		const char * const *header)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->columns = columns;
	t->right = right;
	for (i = 0; i < columns; i++)
		table_add(t, "%s", header[i]);
}

/**
 * table_add - add a cell, from left to right and from top to bottom
 * @t: the table
 * @fmt: as printf's; an empty cell is shown as "-"
 */
void table_add(struct table *t, const char *fmt, ...)
{
	char **more = reallocarray(t->cell, t->nr + 1, sizeof(*more));
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (!more || n < 0) {
		fputs("pvbusctl: out of memory\n", stderr);
		exit(1);
	}
	/* it comes from a daemon, which is trusted to be no more than text */
	pv_line_clean(text);
	t->cell = more;
	t->cell[t->nr++] = text;
}

static const char *cell_text(const struct table *t, size_t i)
{
	return *t->cell[i] ? t->cell[i] : "-";
}

static void measure(const struct table *t, int *width)
{
	size_t i;

	memset(width, 0, TABLE_COLUMNS * sizeof(*width));
	for (i = 0; i < t->nr; i++) {
		int len = (int)strlen(cell_text(t, i));

		if (len > width[i % t->columns])
			width[i % t->columns] = len;
	}
}

/**
 * table_print - print a table
 * @t: the table, all rows complete
 */
void table_print(const struct table *t)
{
	int width[TABLE_COLUMNS];
	size_t i;

	measure(t, width);
	for (i = 0; i < t->nr; i++) {
		unsigned int column = i % t->columns;
		bool last = column == t->columns - 1;

		if (t->right & 1U << column)
			printf("%*s", width[column], cell_text(t, i));
		else
			printf("%-*s", last ? 0 : width[column],
			       cell_text(t, i));
		fputs(last ? "\n" : "  ", stdout);
	}
}

/**
 * table_free - free a table
 * @t: the table
 */
void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->nr; i++)
		free(t->cell[i]);
	free(t->cell);
	memset(t, 0, sizeof(*t));
}

/**
 * table_size - write bytes for humans
 * @text: result, as in 1.5G
 * @len: bytes there
 * @bytes: number
 */
void table_size(char *text, size_t len, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1024;
	int i = 0;

	if (bytes < unit) {
		snprintf(text, len, "%" PRIu64, bytes);
		return;
	}
	while (i < 5 && bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	if (bytes % unit)
		snprintf(text, len, "%.1f%c", (double)bytes / (double)unit,
			 units[i]);
	else
		snprintf(text, len, "%" PRIu64 "%c", bytes / unit, units[i]);
}
