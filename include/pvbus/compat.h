/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that pvbus builds for: Debian's 6.1 and
 * 6.12, and what lies between. Where the kernel shows a difference in a macro,
 * that is asked; otherwise the version is, and only here.
 */
#ifndef PVBUS_COMPAT_H
#define PVBUS_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/uio.h>
#include <linux/version.h>

/* 6.8 dropped the count, which was always 1. */
static inline void pvbus_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

/* 6.5 dropped the vmas, which nobody wanted. mmap_lock of @mm is held. */
static inline long pvbus_pin_user_pages_remote(struct mm_struct *mm,
					       unsigned long start,
					       unsigned long nr,
					       unsigned int gup_flags,
					       struct page **pages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return pin_user_pages_remote(mm, start, nr, gup_flags, pages, NULL,
				     NULL);
#else
	return pin_user_pages_remote(mm, start, nr, gup_flags, pages, NULL);
#endif
}

/* Callbacks of bus_type: 6.3 made the device of uevent() const, 6.11 the driver
 * of match().
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define PVBUS_UEVENT_CONST
#else
#define PVBUS_UEVENT_CONST	const
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define PVBUS_MATCH_CONST
#else
#define PVBUS_MATCH_CONST	const
#endif

/* A bus type is const where the pointer to it in a device is: since 6.4. */
#define pvbus_bus_type_t	typeof(*((struct device *)NULL)->bus)

/**
 * struct pvbus_disk_limits - limits and features of a disk's queue
 * @logical_block_size: smallest unit of access, in bytes
 * @physical_block_size: unit of access that costs nothing extra, in bytes
 * @io_min: preferred smallest access, in bytes
 * @io_opt: preferred access, in bytes, or 0
 * @max_hw_sectors: most that a request may move, in sectors of 512 bytes
 * @max_segments: most segments of a request
 * @max_segment_size: longest segment, in bytes
 * @dma_alignment: mask that addresses and lengths of segments have clear
 * @max_discard_sectors: most that one discard may have, or 0 for none
 * @max_write_zeroes_sectors: most that one write-zeroes may have, or 0
 * @write_cache: the disk has a volatile cache
 * @fua: a write may carry FUA
 * @rotational: seeking costs time
 *
 * As struct queue_limits of new kernels, whose fields have the same names; the
 * flags are BLK_FEAT_* there.
 */
struct pvbus_disk_limits {
	unsigned int	logical_block_size;
	unsigned int	physical_block_size;
	unsigned int	io_min;
	unsigned int	io_opt;
	unsigned int	max_hw_sectors;
	unsigned int	max_segments;
	unsigned int	max_segment_size;
	unsigned int	dma_alignment;
	unsigned int	max_discard_sectors;
	unsigned int	max_write_zeroes_sectors;
	bool		write_cache;
	bool		fua;
	bool		rotational;
};

/* 6.9 gave the limits to the allocation, 6.11 the features, too. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
static inline struct gendisk *
pvbus_alloc_disk(struct blk_mq_tag_set *set,
		 const struct pvbus_disk_limits *lim, void *data)
{
	struct gendisk *disk = blk_mq_alloc_disk(set, data);
	struct request_queue *q;

	if (IS_ERR(disk))
		return disk;
	q = disk->queue;
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_physical_block_size(q, lim->physical_block_size);
	blk_queue_io_min(q, lim->io_min);
	blk_queue_io_opt(q, lim->io_opt);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_dma_alignment(q, lim->dma_alignment);
	q->limits.discard_granularity = lim->max_discard_sectors ?
					lim->physical_block_size : 0;
	blk_queue_max_discard_sectors(q, lim->max_discard_sectors);
	blk_queue_max_write_zeroes_sectors(q, lim->max_write_zeroes_sectors);
	blk_queue_write_cache(q, lim->write_cache, lim->fua);
	if (!lim->rotational)
		blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	return disk;
}
#else
static inline struct gendisk *
pvbus_alloc_disk(struct blk_mq_tag_set *set,
		 const struct pvbus_disk_limits *lim, void *data)
{
	struct queue_limits ql = {
		.logical_block_size = lim->logical_block_size,
		.physical_block_size = lim->physical_block_size,
		.io_min = lim->io_min,
		.io_opt = lim->io_opt,
		.max_hw_sectors = lim->max_hw_sectors,
		.max_segments = lim->max_segments,
		.max_segment_size = lim->max_segment_size,
		.dma_alignment = lim->dma_alignment,
		.max_hw_discard_sectors = lim->max_discard_sectors,
		.max_write_zeroes_sectors = lim->max_write_zeroes_sectors,
	};
	struct gendisk *disk;

#ifdef BLK_FEAT_WRITE_CACHE
	if (lim->write_cache)
		ql.features |= BLK_FEAT_WRITE_CACHE;
	if (lim->fua)
		ql.features |= BLK_FEAT_FUA;
	if (lim->rotational)
		ql.features |= BLK_FEAT_ROTATIONAL;
#endif
	disk = blk_mq_alloc_disk(set, &ql, data);
#ifndef BLK_FEAT_WRITE_CACHE
	if (IS_ERR(disk))
		return disk;
	blk_queue_write_cache(disk->queue, lim->write_cache, lim->fua);
	if (!lim->rotational)
		blk_queue_flag_set(QUEUE_FLAG_NONROT, disk->queue);
#endif
	return disk;
}
#endif

/*
 * Lists of requests became a structure late in the life of 6.12, and begin with
 * the oldest since. Before, the newest came first, and who takes requests from
 * one had to enter them among those in use.
 */
#ifdef rq_list_add
#define pvbus_rq_list_t	struct request *
#else
#define pvbus_rq_list_t	struct rq_list
#endif

/* Empties @list, for queue_rqs(). Returns what was in it, joined by rq_next,
 * the oldest first.
 */
static inline struct request *pvbus_rq_list_take(pvbus_rq_list_t *list)
{
#ifdef rq_list_add
	struct request *rq, *chain = NULL;

	while ((rq = rq_list_pop(list))) {
		rq->mq_hctx->tags->rqs[rq->tag] = rq;
		rq->rq_next = chain;
		chain = rq;
	}
#else
	struct request *chain = rq_list_peek(list);

	rq_list_init(list);
#endif
	return chain;
}

/* Give the block layer a request back; those given before are older. */
static inline void pvbus_rq_list_put(pvbus_rq_list_t *list, struct request *rq)
{
#ifdef rq_list_add
	rq_list_add(list, rq);
#else
	rq_list_add_tail(list, rq);
#endif
}

static inline void pvbus_disable_write_zeroes(struct request_queue *q)
{
#ifdef BLK_FEAT_WRITE_CACHE
	blk_queue_disable_write_zeroes(q);
#else
	blk_queue_max_write_zeroes_sectors(q, 0);
#endif
}

/* 6.6 split the page pool's header. Only for who needs it: it is a large one. */
#ifdef PVBUS_COMPAT_PAGE_POOL
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#include <net/page_pool.h>
#else
#include <net/page_pool/helpers.h>
#endif
#endif

#endif /* PVBUS_COMPAT_H */
