/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libpvbus: error messages. Whoever finds an error words it, as one line that
 * says what was wrong with which value and what to do; callers pass it on.
 */
#ifndef PVBUS_ERR_H
#define PVBUS_ERR_H

#include <stddef.h>

/**
 * struct pv_err - words for a failure
 * @text: one line without a newline; empty until something failed
 */
struct pv_err {
	char text[1024];
};

int pv_err(struct pv_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void pv_line_clean(char *text);

#endif /* PVBUS_ERR_H */
