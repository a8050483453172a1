/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: what QEMU's command line tells. Pure functions over strings.
 */
#ifndef PVBUSD_QEMU_ARGS_H
#define PVBUSD_QEMU_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/pvbus.h>

/* Blocks of RAM: as many as a guest has nonces to prove them with. */
#define QEMU_MAX_BLOCKS		PVBUS_MAX_NONCES

/**
 * struct qemu_ram - the blocks of guest RAM, in the order in which the guest sees them
 * @size: bytes of each
 * @nr: their number; 0: not known; more than QEMU_MAX_BLOCKS: too many
 */
struct qemu_ram {
	uint64_t	size[QEMU_MAX_BLOCKS];
	unsigned int	nr;
};

/**
 * struct qemu_hints - what a command line tells; hints, never proofs
 * @found: an ivshmem-doorbell device is there
 * @vectors: its vectors
 * @ram: as with -numa, -m or in the only memory backend
 * @cpus: as with -smp, at least 1
 */
struct qemu_hints {
	bool		found;
	unsigned int	vectors;
	struct qemu_ram	ram;
	unsigned int	cpus;
};

void qemu_args_parse(const char *cmdline, size_t len, const char *sock_path,
		     struct qemu_hints *hints);
int qemu_args_read(int pid, const char *sock_path, struct qemu_hints *hints);

#endif /* PVBUSD_QEMU_ARGS_H */
