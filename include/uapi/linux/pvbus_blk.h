/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pvbus disks: configuration blob, requests and completions.
 * Documentation/protocol.rst, "Disk".
 */
#ifndef _UAPI_LINUX_PVBUS_BLK_H
#define _UAPI_LINUX_PVBUS_BLK_H

#include <linux/pvbus.h>

#define PVBUS_BLK_SECTOR	512
#define PVBUS_BLK_SERIAL	32

/* Features (struct pvbus_offer, struct pvbus_open) */
#define PVBUS_BLK_F_FLUSH		(1ULL << 0)	/* volatile cache: FLUSH */
#define PVBUS_BLK_F_FUA			(1ULL << 1)	/* writes may carry FUA */
#define PVBUS_BLK_F_DISCARD		(1ULL << 2)
#define PVBUS_BLK_F_WRITE_ZEROES	(1ULL << 3)
#define PVBUS_BLK_F_ALL			(PVBUS_BLK_F_FLUSH | PVBUS_BLK_F_FUA | \
					 PVBUS_BLK_F_DISCARD | \
					 PVBUS_BLK_F_WRITE_ZEROES)

/* Flags of the disk, in the blob */
#define PVBUS_BLK_READONLY	(1U << 0)
#define PVBUS_BLK_ROTATIONAL	(1U << 1)

/**
 * struct pvbus_blk_config - the blob of a disk
 * @capacity: size in sectors of 512 bytes
 * @logical_block: smallest unit of access in bytes, a power of two,
 *	512 to 4096
 * @physical_block: unit of access that costs nothing extra, in bytes
 * @io_min: preferred smallest access in bytes, or 0
 * @io_opt: preferred access in bytes, or 0
 * @max_bytes: most that one read or write may move
 * @max_segments: most segments that one read or write may have
 * @max_discard: most sectors that one discard or write-zeroes may have, or 0
 * @flags: PVBUS_BLK_READONLY, PVBUS_BLK_ROTATIONAL
 * @dma_alignment: addresses and lengths of segments are multiples of this,
 *	a power of two, at least @logical_block and at most 4096
 * @reserved: 0
 * @serial: serial number, NUL-terminated, empty if there is none
 */
struct pvbus_blk_config {
	__le64	capacity;
	__le32	logical_block;
	__le32	physical_block;
	__le32	io_min;
	__le32	io_opt;
	__le32	max_bytes;
	__le32	max_segments;
	__le32	max_discard;
	__le32	flags;
	__le32	dma_alignment;
	__le32	reserved;
	__u8	serial[PVBUS_BLK_SERIAL];
};

/* Operations */
#define PVBUS_BLK_READ		1
#define PVBUS_BLK_WRITE		2
#define PVBUS_BLK_FLUSH		3
#define PVBUS_BLK_DISCARD	4
#define PVBUS_BLK_WRITE_ZEROES	5

/* Flags of a request */
#define PVBUS_BLK_REQ_FUA	(1U << 0)	/* WRITE: durable when complete */
#define PVBUS_BLK_REQ_INDIRECT	(1U << 1)	/* segments are in a table */
#define PVBUS_BLK_REQ_NOUNMAP	(1U << 2)	/* WRITE_ZEROES: keep allocated */

#define PVBUS_BLK_INLINE_SEGS	3
#define PVBUS_BLK_MAX_SEGS	256

/**
 * struct pvbus_blk_seg - entry of a table of segments
 * @addr: guest-physical (DMA) address
 * @len: bytes, not 0
 * @reserved: 0
 */
struct pvbus_blk_seg {
	__le64	addr;
	__le32	len;
	__le32	reserved;
};

/**
 * struct pvbus_blk_req - a request, guest to host
 * @seq: ring sequence
 * @tag: names the request until its completion; below the number of slots of
 *	the ring from guest to host
 * @cookie: comes back with the completion; tells uses of a tag apart
 * @op: PVBUS_BLK_READ ...
 * @flags: PVBUS_BLK_REQ_*
 * @nr_segs: number of segments; 0 for operations without data
 * @len: bytes: the sum of the segments', or the extent of a discard or
 *	write-zeroes; 0 for a flush
 * @sector: first sector of 512 bytes; 0 for a flush
 * @addr: addresses of up to three segments; with PVBUS_BLK_REQ_INDIRECT,
 *	@addr[0] is that of a table, page-aligned; the rest is 0
 * @seg_len: their lengths; with PVBUS_BLK_REQ_INDIRECT, @seg_len[0] is the
 *	size of the table; the rest is 0
 * @reserved: 0
 */
struct pvbus_blk_req {
	__le32	seq;
	__le16	tag;
	__le16	cookie;
	__u8	op;
	__u8	flags;
	__le16	nr_segs;
	__le32	len;
	__le64	sector;
	__le64	addr[PVBUS_BLK_INLINE_SEGS];
	__le32	seg_len[PVBUS_BLK_INLINE_SEGS];
	__le32	reserved;
};

/*
 * Rings: the one from guest to host has at most PVBUS_BLK_MAX_SLOTS, the other
 * at least as many slots. The guest gives the slot of a completion back before
 * it uses one of its tags again, so that the host always has room.
 */
#define PVBUS_BLK_MAX_SLOTS	1024

/* Status of a completion */
#define PVBUS_BLK_ST_OK		0
#define PVBUS_BLK_ST_IOERR	1	/* the device failed */
#define PVBUS_BLK_ST_INVAL	2	/* malformed; nothing was done */
#define PVBUS_BLK_ST_RANGE	3	/* beyond the end of the disk */
#define PVBUS_BLK_ST_READONLY	4
#define PVBUS_BLK_ST_UNSUPP	5	/* operation not offered */
#define PVBUS_BLK_ST_NOSPC	6
#define PVBUS_BLK_ST_FAULT	7	/* an address is not guest RAM */
#define PVBUS_BLK_ST_NOMEM	8	/* host is short of memory: try again */
#define PVBUS_BLK_ST_TIMEOUT	9	/* the device did not answer in time */
#define PVBUS_BLK_ST_COUNT	10

/**
 * struct pvbus_blk_done - one completed request
 * @tag: as in the request
 * @cookie: as in the request
 * @status: PVBUS_BLK_ST_*
 */
struct pvbus_blk_done {
	__le16	tag;
	__le16	cookie;
	__le32	status;
};

#define PVBUS_BLK_DONE_MAX	7

/**
 * struct pvbus_blk_cpl - completions, host to guest
 * @seq: ring sequence
 * @count: entries of @done in use, 1 to PVBUS_BLK_DONE_MAX
 * @reserved: 0
 * @done: completions, in any order
 */
struct pvbus_blk_cpl {
	__le32	seq;
	__le16	count;
	__le16	reserved;
	struct pvbus_blk_done	done[PVBUS_BLK_DONE_MAX];
};

static_assert(sizeof(struct pvbus_blk_config) <= PVBUS_BLOB_SIZE, "wire size");
static_assert(sizeof(struct pvbus_blk_config) == 80, "wire size");
static_assert(sizeof(struct pvbus_blk_seg) == 16, "wire size");
static_assert(sizeof(struct pvbus_blk_req) == PVBUS_SLOT_SIZE, "wire size");
static_assert(sizeof(struct pvbus_blk_cpl) == PVBUS_SLOT_SIZE, "wire size");

#endif /* _UAPI_LINUX_PVBUS_BLK_H */
