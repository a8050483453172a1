/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: opening and locking what backs a disk.
 */
#ifndef PVBUSD_DISK_H
#define PVBUSD_DISK_H

#include <stdbool.h>

#include "err.h"
#include "spec.h"

int disk_open(const struct disk_spec *disk, struct pv_err *err);
bool disk_is_free(const struct disk_spec *disk);
int disk_check_paths(const struct disk_spec *disks, size_t nr,
		     struct pv_err *err);

#endif /* PVBUSD_DISK_H */
