/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: opening what backs a disk, which may not answer.
 */
#ifndef PVBUSD_OPENING_H
#define PVBUSD_OPENING_H

#include "control.h"
#include "spec.h"

struct control_job *opening_start(const struct disk_spec *disk,
				  char *(*done)(void *ctx,
						const struct disk_spec *disk,
						int fd, const char *error),
				  void *ctx);

#endif /* PVBUSD_OPENING_H */
