/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: giving up privileges.
 */
#ifndef PVBUSD_PRIVILEGES_H
#define PVBUSD_PRIVILEGES_H

#include "err.h"

/**
 * enum privileges - what is kept
 * @PRIVILEGES_SEARCH: what finding guest RAM in QEMU takes, and serving
 * @PRIVILEGES_SERVE: what serving a guest takes, adding devices included
 * @PRIVILEGES_NONE: nothing; for a thread
 */
enum privileges {
	PRIVILEGES_SEARCH,
	PRIVILEGES_SERVE,
	PRIVILEGES_NONE,
};

int privileges_keep(enum privileges what, struct pv_err *err);
int privileges_keep_thread(enum privileges what, struct pv_err *err);

#endif /* PVBUSD_PRIVILEGES_H */
