/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libpvbus: what user space lacks.
 */
#ifndef PVBUS_UTIL_H
#define PVBUS_UTIL_H

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#endif /* PVBUS_UTIL_H */
