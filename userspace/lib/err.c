// SPDX-License-Identifier: GPL-2.0
/*
 * libpvbus: error messages.
 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>

/**
 * pv_line_clean - make sure that text is one harmless line
 * @text: NUL-terminated; control characters become '?'
 *
 * Values from the command line and from peers are quoted in messages: they
 * must not break lines nor drive a terminal.
 */
void pv_line_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/**
 * pv_err - word an error
 * @err: where to
 * @fmt: as printf's
 *
 * Returns -1, to be returned by the caller.
 */
int pv_err(struct pv_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	pv_line_clean(err->text);
	return -1;
}
