/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: what it says. Each message is one line; errors and warnings go to
 * stderr, the rest to stdout.
 */
#ifndef PVBUSD_LOG_H
#define PVBUSD_LOG_H

#include <stdbool.h>
#include <stdint.h>

void log_verbose(bool verbose);
bool log_allowed(int64_t *last, int seconds);
void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* PVBUSD_LOG_H */
