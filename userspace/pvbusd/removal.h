/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: removing a device, which the guest may delay.
 */
#ifndef PVBUSD_REMOVAL_H
#define PVBUSD_REMOVAL_H

#include "control.h"

struct control_job *removal_start(int dev, const char *id,
				  unsigned int timeout_ms,
				  char *(*done)(void *ctx, const char *id,
						const char *error),
				  void *ctx);

#endif /* PVBUSD_REMOVAL_H */
