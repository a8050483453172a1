// SPDX-License-Identifier: GPL-2.0
/*
 * libpvbus: argp, with one line for a mistake instead of two.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "cmdline.h"

/* argp's ARGP_NO_ERRS silences its help as well as its errors. */
static bool asks_for_help(char **argv)
{
	static const char * const words[] = {
		"--help", "-?", "--usage", "--version", "-V",
	};
	size_t i;

	for (; *argv; argv++)
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (!strcmp(*argv, words[i]))
				return true;
	return false;
}

/**
 * cmdline_parse - parse a command line
 * @argp: what there is to parse
 * @argc: as main()'s
 * @argv: as main()'s
 * @input: the parser's
 * @err: what was wrong
 *
 * Return: 0, or -1 with @err set. Ends the program after --help and its like.
 */
int cmdline_parse(const struct argp *argp, int argc, char **argv, void *input,
		  struct pv_err *err)
{
	unsigned int flags = asks_for_help(argv) ? 0 : ARGP_NO_ERRS;
	int next = 1;

	if (!argp_parse(argp, argc, argv, flags, &next, input))
		return 0;
	return pv_err(err,
		      "'%.100s' is not an option, or lacks its argument: see --help",
		      next > 1 ? argv[next - 1] : argv[argc - 1]);
}
