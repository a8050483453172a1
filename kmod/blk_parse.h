/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus host, disk: what is made of a guest's request before anything is done
 * about it. Pure functions on private memory, compiled for the kernel and, for
 * unit tests and fuzzing, for user space.
 *
 * What is whose fault: a request that names no tag of its own (beyond the ring,
 * or in flight already) cannot be answered, so it breaks the channel. Any other
 * mistake in a request is a guest's driver's bug; it gets a completion that
 * says what was wrong, and the channel lives on.
 */
#ifndef PVBUS_BLK_PARSE_H
#define PVBUS_BLK_PARSE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <asm/byteorder.h>
#else
#include <pvbus/user.h>
#endif

#include <linux/pvbus_blk.h>

/**
 * struct pvh_blk_limits - what a disk and a channel allow
 * @capacity: size in sectors of 512 bytes
 * @features: PVBUS_BLK_F_* that the guest accepted
 * @logical_block: bytes, a power of two
 * @alignment: of addresses and lengths of segments, in bytes: a power of two,
 *	at least @logical_block, so that no block is split between segments
 * @max_bytes: most that a read or write may move
 * @max_segments: most segments that it may have, at most PVBUS_BLK_MAX_SEGS
 * @max_discard: most sectors that a discard or write-zeroes may have
 * @readonly: nothing may be changed
 */
struct pvh_blk_limits {
	__u64	capacity;
	__u64	features;
	__u32	logical_block;
	__u32	alignment;
	__u32	max_bytes;
	__u32	max_segments;
	__u32	max_discard;
	bool	readonly;
};

/**
 * struct pvh_blk_cmd - a request that was checked, in host byte order
 * @sector: first sector
 * @len: bytes, of data or of the extent; 0 for a flush
 * @nr_segs: segments, 0 for operations without data
 * @cookie: comes back with the completion
 * @op: PVBUS_BLK_*
 * @fua: write, discard, write-zeroes: durable when complete
 * @nounmap: write-zeroes: keep allocated
 * @table: guest address of the table of segments, 0 if they were inline
 */
struct pvh_blk_cmd {
	__u64	sector;
	__u32	len;
	__u16	nr_segs;
	__u16	cookie;
	__u8	op;
	bool	fua;
	bool	nounmap;
	__u64	table;
};

/**
 * struct pvh_blk_seg - a segment that was checked, in host byte order
 * @addr: guest-physical address
 * @len: bytes, not 0
 */
struct pvh_blk_seg {
	__u64	addr;
	__u32	len;
};

/* Size of the table of a request's segments in bytes. */
static inline __u32 pvh_blk_table_size(const struct pvh_blk_cmd *cmd)
{
	return cmd->nr_segs * (__u32)sizeof(struct pvbus_blk_seg);
}

__u32 pvh_blk_parse(const struct pvbus_blk_req *req,
		    const struct pvh_blk_limits *lim,
		    struct pvh_blk_cmd *cmd, struct pvh_blk_seg *segs);
__u32 pvh_blk_parse_table(const struct pvbus_blk_seg *table,
			  const struct pvh_blk_limits *lim,
			  const struct pvh_blk_cmd *cmd,
			  struct pvh_blk_seg *segs);

#endif /* PVBUS_BLK_PARSE_H */
