/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: what QEMU's command line tells. Pure functions over strings.
 */
#ifndef PVBUSD_QEMU_ARGS_H
#define PVBUSD_QEMU_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct qemu_hints - what a command line tells; hints, never proofs
 * @found: an ivshmem-doorbell device is there
 * @vectors: its vectors
 * @ram_size: bytes of RAM as with -m or in the only memory backend, or 0
 * @cpus: as with -smp, at least 1
 */
struct qemu_hints {
	bool		found;
	unsigned int	vectors;
	uint64_t	ram_size;
	unsigned int	cpus;
};

void qemu_args_parse(const char *cmdline, size_t len, const char *sock_path,
		     struct qemu_hints *hints);
int qemu_args_read(int pid, const char *sock_path, struct qemu_hints *hints);

#endif /* PVBUSD_QEMU_ARGS_H */
