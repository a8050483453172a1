/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus host, disk: a disk, its queues and its requests.
 *
 * A request goes: taken from the ring and checked (blk_parse.c), guest pages
 * held and laid out as bio_vecs (blk.c), submitted to the backing store
 * (blk_bdev.c, blk_file.c), finished in whatever context the store has, put on
 * the queue's list, and reaped by the worker, which drops the pages and
 * announces the completion (blk.c).
 */
#ifndef PVBUS_BLK_H
#define PVBUS_BLK_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/sizes.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "blk_parse.h"
#include "host.h"

struct pvh_blk;
struct pvh_blk_queue;
struct pvh_blk_req;

/* Pages for which a request has room of its own; more are allocated. */
#define PVH_BLK_INLINE_PAGES	8

/* Most that one read or write may move. */
#define PVH_BLK_MAX_BYTES	SZ_1M

/*
 * Most sectors that one discard or write-zeroes may have, 64 MiB: a store that
 * has to write the zeroes is still done with it in reasonable time.
 */
#define PVH_BLK_MAX_DISCARD	(SZ_64M / PVBUS_BLK_SECTOR)

/**
 * struct pvh_blk_backing - a kind of backing store
 * @name: for messages
 * @setup: look at @blk->file, fill @blk->config and @blk->features; errors as
 *	those of PVBUS_IOC_DEV_ADD. Process context.
 * @size: of @blk->file, now, in bytes. Process context.
 * @submit: start a checked request whose pages are held. Worker context. Ends,
 *	now or later, with pvh_blk_req_done().
 * @slow: what @submit has left to the workqueue with pvh_blk_defer(); ends with
 *	pvh_blk_req_done(), now or later. Process context, may sleep long.
 * @reap: the request has finished; NULL if there is nothing to do. Worker
 *	context, or that of ->close().
 */
struct pvh_blk_backing {
	const char *name;
	int	(*setup)(struct pvh_blk *blk);
	u64	(*size)(const struct pvh_blk *blk);
	void	(*submit)(struct pvh_blk_req *req);
	void	(*slow)(struct pvh_blk_req *req);
	void	(*reap)(struct pvh_blk_req *req);
};

extern const struct pvh_blk_backing pvh_blk_bdev;
extern const struct pvh_blk_backing pvh_blk_file;

/**
 * struct pvh_blk_geometry - what a backing store is like
 * @size: bytes
 * @logical_block: smallest unit of access in bytes
 * @physical_block: unit of access that costs nothing extra, in bytes
 * @io_min: preferred smallest access in bytes, or 0
 * @io_opt: preferred access in bytes, or 0
 * @mem_align: alignment of memory in bytes
 * @rotational: seeks cost time
 */
struct pvh_blk_geometry {
	u64	size;
	u32	logical_block;
	u32	physical_block;
	u32	io_min;
	u32	io_opt;
	u32	mem_align;
	bool	rotational;
};

/**
 * struct pvh_blk - a disk; constant once created, but for its size
 * @backing: kind of store
 * @file: the store, open; held for the life of the disk
 * @bdev: the block device behind @file, or NULL if it is a regular file
 * @geo: what it is like; its size changes under vm->lock
 * @features: PVBUS_BLK_F_* offered
 * @limits: what requests are checked against; the capacity changes under
 *	vm->lock
 * @readonly: the guest may not write
 * @serial: serial number, terminated
 * @wq: for what would make a worker wait
 */
struct pvh_blk {
	const struct pvh_blk_backing	*backing;
	struct file			*file;
	struct block_device		*bdev;
	struct pvh_blk_geometry		geo;
	u64				features;
	struct pvh_blk_limits		limits;
	bool				readonly;
	char				serial[PVBUS_BLK_SERIAL];
	struct workqueue_struct		*wq;
};

/**
 * struct pvh_blk_req - a request, one for each tag
 * @q: queue
 * @node: in @q->done
 * @cmd: what is asked for
 * @tag: the tag
 * @busy: from the ring, and not yet reaped; worker only
 * @status: PVBUS_BLK_ST_*, by pvh_blk_req_done()
 * @nr_pins: entries of @pin
 * @nr_vecs: entries of @vec
 * @charged: pages that @vec counts for when it was allocated
 * @pin: pages held; @own_pin, or allocated behind @vec
 * @vec: data; @own_vec, or allocated
 * @bio: block device
 * @iocb: file
 * @work: deferred to the workqueue
 * @own_pin: for small requests
 * @own_vec: for small requests
 *
 * From submission until pvh_blk_req_done() it belongs to the store, otherwise
 * to the worker.
 */
struct pvh_blk_req {
	struct pvh_blk_queue	*q;
	struct llist_node	node;
	struct pvh_blk_cmd	cmd;
	u16			tag;
	bool			busy;
	u32			status;
	unsigned int		nr_pins;
	unsigned int		nr_vecs;
	unsigned int		charged;
	struct pvh_pin		**pin;
	struct bio_vec		*vec;
	union {
		struct bio	bio;
		struct kiocb	iocb;
	};
	struct work_struct	work;
	struct pvh_pin		*own_pin[PVH_BLK_INLINE_PAGES];
	struct bio_vec		own_vec[PVH_BLK_INLINE_PAGES];
};

/**
 * struct pvh_blk_queue - an open channel of a disk
 * @ch: the channel
 * @blk: the disk
 * @limits: of the disk, with the features that the guest accepted
 * @reqs: requests by tag
 * @nr_reqs: their number
 * @in_flight: of them, those that are busy; worker only
 * @segs: scratch of the worker: segments of the request being started
 * @table: scratch of the worker: private copy of its table
 * @done: finished requests; any context adds, the worker empties
 * @working: the worker will look at @done before it sleeps
 * @closing: ->close() waits for requests
 * @wait: it waits here
 */
struct pvh_blk_queue {
	struct pvh_channel	*ch;
	struct pvh_blk		*blk;
	struct pvh_blk_limits	limits;
	struct pvh_blk_req	*reqs;
	u32			nr_reqs;
	unsigned int		in_flight;
	struct pvh_blk_seg	*segs;
	struct pvbus_blk_seg	*table;

	struct llist_head	done ____cacheline_aligned_in_smp;
	bool			working;
	bool			closing;
	wait_queue_head_t	wait;
};

/* blk.c */
int pvh_blk_create(struct pvh_dev *dev, struct pvbus_ioc_dev *args);
void pvh_blk_destroy(struct pvh_dev *dev);
int pvh_blk_resize(struct pvh_dev *dev, u64 *capacity);
void pvh_blk_info(struct pvh_dev *dev, struct pvbus_ioc_dev *args);

/* blk_queue.c */
int pvh_blk_open(struct pvh_channel *ch);
void pvh_blk_drain(struct pvh_channel *ch);
void pvh_blk_close(struct pvh_channel *ch);
int pvh_blk_work(struct pvh_channel *ch);
bool pvh_blk_pending(struct pvh_channel *ch);
void pvh_blk_req_done(struct pvh_blk_req *req, u32 status);
void pvh_blk_defer(struct pvh_blk_req *req);

/* blk_map.c */
u32 pvh_blk_errno(int err);
u32 pvh_blk_map(struct pvh_blk_req *req);
void pvh_blk_unmap(struct pvh_blk_req *req);

#endif /* PVBUS_BLK_H */
