/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: where guest RAM is in QEMU, proven by the guest's nonces.
 */
#ifndef PVBUSD_PROOF_H
#define PVBUSD_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/pvbus_ioctl.h>

#include "err.h"
#include "maps.h"
#include "qemu_args.h"

#define RAM_HIGH	(4ULL << 30)	/* where RAM goes on above the hole */

/**
 * struct proof_claim - what a hello claims
 * @low_end: behind the last RAM below 4 GiB
 * @high_end: behind the last RAM above 4 GiB, or RAM_HIGH
 */
struct proof_claim {
	uint64_t	low_end;
	uint64_t	high_end;
};

/**
 * struct proof_reader - how QEMU's memory is read
 * @read: read 16 bytes at @hva; returns 0, or a negative errno
 * @ctx: first argument of @read
 */
struct proof_reader {
	int	(*read)(void *ctx, uint64_t hva, void *buf, size_t len);
	void	*ctx;
};

/**
 * struct proof_block - a block of guest RAM
 * @size: bytes of it
 * @cand: mappings that may be it
 * @nr_cand: their number
 */
struct proof_block {
	uint64_t		size;
	const struct map_range	*cand;
	size_t			nr_cand;
};

int proof_claim(const struct pvbus_ioc_vm_info *info,
		struct proof_claim *claim, struct pv_err *err);
uint64_t proof_claimed(const struct proof_claim *claim);
bool proof_try(const struct proof_reader *reader,
	       const struct pvbus_ioc_vm_info *info,
	       const struct proof_claim *claim,
	       const struct proof_block *block, unsigned int nr,
	       struct pvbus_ioc_vm_set_mem *table);
int proof_find(const struct pvbus_ioc_vm_info *info, const struct qemu_ram *ram,
	       struct pvbus_ioc_vm_set_mem *table, struct pv_err *err);

#endif /* PVBUSD_PROOF_H */
