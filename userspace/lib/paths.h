/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libpvbus: where pvbusd and pvbusctl meet.
 */
#ifndef PVBUS_PATHS_H
#define PVBUS_PATHS_H

#define PVBUS_RUN_DIR		"/run/pvbus"
#define PVBUS_CTL_SUFFIX	".ctl"

/* A request or response is one line of JSON, at most so long. */
#define PVBUS_CTL_REQUEST	32768
#define PVBUS_CTL_RESPONSE	(4U << 20)

/* Exit codes of both programs */
#define PVBUS_EXIT_OK		0
#define PVBUS_EXIT_FAILED	1
#define PVBUS_EXIT_USAGE	2

/*
 * How long the guest may take to let go of a device, in milliseconds. The VM
 * cannot end meanwhile, so the most is less than what systemd grants a service
 * to stop.
 */
#define PVBUS_REMOVE_MS		5000
#define PVBUS_REMOVE_MAX_MS	60000

#ifndef PVBUS_RELEASE
#define PVBUS_RELEASE		"unreleased"
#endif

#endif /* PVBUS_PATHS_H */
