/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvblk: a disk of the pvbus host.
 *
 *	blk_main.c	probe and remove
 *	blk_config.c	what the host says about the disk
 *	blk_queue.c	channels: completions in, silence, the end of a disk
 *	blk_request.c	a request of the block layer becomes one on the wire
 *
 * Who may end a request. Each tag has a state, its cookie and whether it is
 * with the host. Whoever changes that from "with the host", by cmpxchg, ends
 * the request: who finds its completion, or pvblk_stop(). So no request ends
 * twice, whatever the host writes.
 *
 * Queues for polling come after the others. Nobody is interrupted for them: who
 * has asked for a request to be polled looks for its completion, see
 * pvblk_poll(); should he not, the request's timer does, or who removes the disk.
 */
#ifndef PVBLK_H
#define PVBLK_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/dmapool.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <linux/pvbus_blk.h>

#include "pvbus.h"

/* Requests of a queue, and slots of each of its rings. */
#define PVBLK_DEPTH		128

/* Fewer with the host, and each completion is worth an interrupt. */
#define PVBLK_FEW		8

/* Partitions have minors of their own, beyond that dynamic ones. */
#define PVBLK_PART_BITS		4

/* Times that a request's timer expires before the disk is given up. */
#define PVBLK_PATIENCE		4

/* When the host is short of memory: how often and when to try again. */
#define PVBLK_RETRIES		100
#define PVBLK_RETRY_MS		50

/* A disk that was taken away is looked at so often, and given up when nothing
 * has moved for so many times: 5 s.
 */
#define PVBLK_WATCH		(HZ / 2)
#define PVBLK_WATCH_IDLE	10

/* And after this even if something moves: a host serves it for a minute at most
 * (pvbusctl remove --timeout), and whoever removes it waits.
 */
#define PVBLK_GONE_TIME		(120 * HZ)

/* Our own end of a request, beside those of the wire. */
#define PVBLK_ST_DEAD		PVBUS_BLK_ST_COUNT

/**
 * struct pvblk_config - what the host says about the disk, checked
 * @capacity: sectors of 512 bytes
 * @logical_block: bytes
 * @physical_block: bytes
 * @io_min: bytes, or 0
 * @io_opt: bytes, or 0
 * @max_bytes: of a read or write
 * @max_segments: of a read or write
 * @max_discard: sectors, or 0
 * @dma_alignment: bytes
 * @readonly: writes fail
 * @rotational: seeks cost time
 * @serial: serial number, terminated
 */
struct pvblk_config {
	u64	capacity;
	u32	logical_block;
	u32	physical_block;
	u32	io_min;
	u32	io_opt;
	u32	max_bytes;
	u32	max_segments;
	u32	max_discard;
	u32	dma_alignment;
	bool	readonly;
	bool	rotational;
	char	serial[PVBUS_BLK_SERIAL];
};

/**
 * struct pvblk_table - segments of a request that has more than fit its slot
 * @wire: what the host sees: one page
 * @wire_dma: its address
 * @addr: our own copy of the addresses, for unmapping
 * @len: our own copy of the lengths
 */
struct pvblk_table {
	struct pvbus_blk_seg	*wire;
	dma_addr_t		wire_dma;
	dma_addr_t		addr[PVBUS_BLK_MAX_SEGS];
	u32			len[PVBUS_BLK_MAX_SEGS];
};

/**
 * struct pvblk_req - private part of a request
 * @next: in the list of those that one look at the ring has completed
 * @table: segments, if they do not fit @addr
 * @addr: addresses of few segments
 * @len: their lengths
 * @nr_segs: segments mapped
 * @op: PVBUS_BLK_READ ...
 * @flags: PVBUS_BLK_REQ_*
 * @status: PVBUS_BLK_ST_* or PVBLK_ST_DEAD
 * @retries: times that it was issued again
 * @expiries: times that its timer expired
 * @kept: the host did not let go of its pages: they stay mapped for ever
 */
struct pvblk_req {
	struct pvblk_req	*next;
	struct pvblk_table	*table;
	dma_addr_t		addr[PVBUS_BLK_INLINE_SEGS];
	u32			len[PVBUS_BLK_INLINE_SEGS];
	u16			nr_segs;
	u8			op;
	u8			flags;
	u8			status;
	u8			retries;
	u8			expiries;
	bool			kept;
};

/**
 * struct pvblk_slot - a tag
 * @rq: its request; valid while it is with the host
 * @state: PVBLK_BUSY and the cookie, see pvblk_state()
 */
struct pvblk_slot {
	struct request	*rq;
	u32		state;
};

#define PVBLK_BUSY	1U

/**
 * struct pvblk_ended - what was ended with a disk
 * @requests: requests
 * @pages: pages of theirs that are not freed any more, as the host has them
 * @unkept: pages that it has, too, and of which that cannot be said
 */
struct pvblk_ended {
	unsigned int	requests;
	unsigned int	pages;
	unsigned int	unkept;
};

static inline u32 pvblk_state(u16 cookie)
{
	return (u32)cookie << 1 | PVBLK_BUSY;
}

/**
 * struct pvblk_queue - a hardware queue
 * @blk: disk
 * @ch: channel; NULL when it is closed, which is after @dead was set
 * @polled: the host does not interrupt for it
 * @dma_pool: pages of tables
 * @tables: struct pvblk_table, with a reserve so that writing back memory
 *	never waits for memory
 * @tx_lock: serializes the ring to the host: put, kick; never taken with
 *	interrupts disabled, or together with @rx_lock
 * @issued: requests that were put, or are just being put; written under @tx_lock
 * @dead: no more is put or read; whoever uses @ch holds one of the locks and
 *	looks here first
 * @rx_lock: serializes the ring from the host; taken in hard interrupt context
 * @completed: requests that the host has completed; written under @rx_lock
 * @slot: by tag
 */
struct pvblk_queue {
	struct pvblk		*blk;
	struct pvbus_channel	*ch;
	bool			polled;
	struct dma_pool		*dma_pool;
	mempool_t		*tables;
	spinlock_t		tx_lock ____cacheline_aligned_in_smp;
	bool			dead;
	unsigned long		issued;
	spinlock_t		rx_lock ____cacheline_aligned_in_smp;
	unsigned long		completed;
	struct pvblk_slot	slot[PVBLK_DEPTH];
};

/**
 * struct pvblk - a disk
 * @pdev: device of the bus; not to be used once remove() has returned
 * @dma_dev: for the DMA API
 * @disk: its face to the block layer, whose release frees this structure
 * @set: tags
 * @queue: hardware queues
 * @nr_queues: their number
 * @nr_polled: of them, the last ones, those for polling
 * @index: number of the disk: pvda is 0
 * @features: PVBUS_BLK_F_* accepted
 * @cfg: configuration at probe
 * @max_segment: most bytes that one mapping may have
 * @stop_lock: serializes pvblk_stop()
 * @stopped: pvblk_stop() was there
 * @kept: some pages stay mapped for ever
 * @fail_work: gives up the disk
 * @watch_work: gives it up when it was taken away and nothing moves, or for too
 *	long
 * @watched: sum of @completed when it looked last
 * @idle: times that it found the same, with requests in flight
 * @until: in jiffies, when it gives up a disk that was taken away
 */
struct pvblk {
	struct pvbus_device	*pdev;
	struct device		*dma_dev;
	struct gendisk		*disk;
	struct blk_mq_tag_set	set;
	struct pvblk_queue	*queue;
	unsigned int		nr_queues;
	unsigned int		nr_polled;
	int			index;
	u64			features;
	struct pvblk_config	cfg;
	u32			max_segment;
	struct mutex		stop_lock;	/* see above */
	bool			stopped;
	bool			kept;
	struct work_struct	fail_work;
	struct delayed_work	watch_work;
	unsigned long		watched;
	unsigned int		idle;
	unsigned long		until;
};

/* blk_config.c */
int pvblk_read_config(struct pvbus_device *pdev, struct pvblk_config *cfg);

/* blk_queue.c */
int pvblk_init_wq(void);
void pvblk_exit_wq(void);
int pvblk_open_queues(struct pvblk *blk);
void pvblk_stop(struct pvblk *blk);
void pvblk_fail(struct pvblk_queue *q, struct pvbus_channel *ch,
		const char *what, u64 value);
void pvblk_watch(struct pvblk *blk);
void pvblk_init_works(struct pvblk *blk);
enum blk_eh_timer_return pvblk_timeout(struct request *rq);
bool pvblk_look(struct pvblk_queue *q);
int pvblk_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob);

static inline struct pvblk_queue *pvblk_queue_of(struct blk_mq_hw_ctx *hctx)
{
	struct pvblk *blk = hctx->queue->queuedata;

	return &blk->queue[hctx->queue_num];
}

/* blk_request.c */
extern const struct blk_mq_ops pvblk_mq_ops;
void pvblk_keep_pages(struct request *rq, struct pvblk_ended *ended);
void pvblk_complete_list(struct pvblk_req *list);
int pvblk_complete_polled(struct pvblk_req *list, struct io_comp_batch *iob);

/* blk_table.c */
struct pvblk_table *pvblk_get_table(struct pvblk_queue *q);
void pvblk_put_table(struct pvblk_queue *q, struct pvblk_table *table);
int pvblk_init_tables(struct pvblk *blk);
void pvblk_free_tables(struct pvblk *blk);

#endif /* PVBLK_H */
