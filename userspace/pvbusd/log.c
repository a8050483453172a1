// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: what it says.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "err.h"

static bool show_debug;

/**
 * log_verbose - choose what is said
 * @verbose: debug messages too
 */
void log_verbose(bool verbose)
{
	show_debug = verbose;
}

/**
 * log_allowed - limit how often something is said that others can cause
 * @last: when it was said last; 0 at first
 * @seconds: how long to be silent then
 *
 * Returns whether to say it now.
 */
bool log_allowed(int64_t *last, int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (*last && now.tv_sec - *last < seconds)
		return false;
	*last = now.tv_sec;
	return true;
}

static void __attribute__((format(printf, 3, 0)))
say(FILE *to, const char *prefix, const char *fmt, va_list ap)
{
	char line[1200];

	vsnprintf(line, sizeof(line), fmt, ap);
	pv_line_clean(line);
	fprintf(to, "%s%s\n", prefix, line);
	fflush(to);
}

/**
 * log_err - say why something failed
 * @fmt: as printf's
 */
void log_err(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(stderr, "pvbusd: ", fmt, ap);
	va_end(ap);
}

/**
 * log_warning - say what should be looked at
 * @fmt: as printf's
 */
void log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(stderr, "pvbusd: warning: ", fmt, ap);
	va_end(ap);
}

/**
 * log_info - say what happened
 * @fmt: as printf's
 */
void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(stdout, "", fmt, ap);
	va_end(ap);
}

/**
 * log_debug - say what only --verbose shows
 * @fmt: as printf's
 */
void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!show_debug)
		return;
	va_start(ap, fmt);
	say(stderr, "pvbusd: debug: ", fmt, ap);
	va_end(ap);
}
