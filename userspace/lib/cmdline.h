/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libpvbus: argp, with one line for a mistake instead of two.
 */
#ifndef PVBUS_CMDLINE_H
#define PVBUS_CMDLINE_H

#include <argp.h>

#include "err.h"

int cmdline_parse(const struct argp *argp, int argc, char **argv, void *input,
		  struct pv_err *err);

#endif /* PVBUS_CMDLINE_H */
