/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libpvbus: the control device of the host module, /dev/pvbus.
 *
 * Functions return 0 (or a file descriptor), or a negative errno with words in
 * @err. The words suit an administrator; the number is for the program.
 */
#ifndef PVBUS_DEVICE_H
#define PVBUS_DEVICE_H

#include <stdint.h>

#include <linux/pvbus_ioctl.h>

#include "err.h"

#define PVBUS_DEVICE		"/dev/pvbus"

int device_open(struct pv_err *err);
int device_vm_create(int fd, struct pvbus_ioc_vm_create *args,
		     struct pv_err *err);
int device_vm_adopt(int fd, const char *name, struct pv_err *err);
int device_vm_attach(int fd, const struct pvbus_ioc_vm_attach *args,
		     struct pv_err *err);
int device_vm_info(int fd, struct pvbus_ioc_vm_info *info, struct pv_err *err);
int device_vm_set_mem(int fd, const struct pvbus_ioc_vm_set_mem *args,
		      struct pv_err *err);
int device_vm_destroy(int fd, struct pv_err *err);
int device_add(int fd, struct pvbus_ioc_dev *dev, struct pv_err *err);
int device_remove(int fd, const char *id, unsigned int timeout_ms,
		  struct pv_err *err);
int device_resize(int fd, const char *id, uint64_t *capacity,
		  struct pv_err *err);
int device_next(int fd, struct pvbus_ioc_dev *dev, struct pv_err *err);
int device_chan_stats(int fd, struct pvbus_ioc_chan_stats *stats,
		      struct pv_err *err);

#endif /* PVBUS_DEVICE_H */
