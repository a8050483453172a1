// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host, disk: an open channel. Requests are taken from its ring, started,
 * and reaped when the backing store has finished them.
 *
 * The ring of completions cannot be full: it has at least as many slots as the
 * ring of requests, each request takes at most one, and a guest gives a slot
 * back before it uses a tag that was completed in it again. A guest that does
 * not has broken the channel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "blk.h"
#include "host_trace.h"

/* When to say that a channel cannot be closed, and how often pages are let go. */
#define PVH_BLK_CLOSE_WARN	(10 * HZ)
#define PVH_BLK_CLOSE_TURN	HZ

/**
 * pvh_blk_req_done() - the backing store has finished a request
 * @req: request; not the caller's any more
 * @status: PVBUS_BLK_ST_*
 *
 * The worker is woken only when it may sleep: it says that it is @working
 * before it looks at the ring, and looks at @done after it has stopped saying
 * so. The first on the list wakes it for all.
 *
 * Context: any
 */
void pvh_blk_req_done(struct pvh_blk_req *req, u32 status)
{
	struct pvh_blk_queue *q = req->q;

	req->status = status;
	trace_pvbus_host_blk_done(q->ch, req->tag, req->cmd.cookie, status);
	/*
	 * Once on the list, it can be reaped and the channel be closed:
	 * pvh_blk_drain() waits for this section before the queue is freed.
	 */
	rcu_read_lock();
	/* llist_add() is a full barrier, see pvh_blk_work(), pvh_blk_drain() */
	if (llist_add(&req->node, &q->done)) {
		if (READ_ONCE(q->closing))
			wake_up(&q->wait);
		else if (!READ_ONCE(q->working))
			pvh_channel_wake(q->ch);
	}
	rcu_read_unlock();
}

static void pvh_blk_slow(struct work_struct *work)
{
	struct pvh_blk_req *req = container_of(work, struct pvh_blk_req, work);

	/* nothing of it was acknowledged, and nobody listens any more */
	if (READ_ONCE(req->q->closing))
		pvh_blk_req_done(req, PVBUS_BLK_ST_IOERR);
	else
		req->q->blk->backing->slow(req);
}

/**
 * pvh_blk_defer() - leave a request to the workqueue
 * @req: request that would make the worker wait
 */
void pvh_blk_defer(struct pvh_blk_req *req)
{
	INIT_WORK(&req->work, pvh_blk_slow);
	queue_work(req->q->blk->wq, &req->work);
}

static u32 pvh_blk_read_table(struct pvh_blk_queue *q,
			      const struct pvh_blk_cmd *cmd)
{
	int err = pvh_copy_from_guest(q->ch, q->table, cmd->table,
				      pvh_blk_table_size(cmd));

	if (err)
		return pvh_blk_errno(err);
	return pvh_blk_parse_table(q->table, &q->limits, cmd, q->segs);
}

/* Everything is checked here, and nothing is done before. */
static u32 pvh_blk_prepare(struct pvh_blk_req *req,
			   const struct pvbus_blk_req *raw)
{
	struct pvh_blk_queue *q = req->q;
	u32 status;

	status = pvh_blk_parse(raw, &q->limits, &req->cmd, q->segs);
	if (!status && req->cmd.table)
		status = pvh_blk_read_table(q, &req->cmd);
	if (!status && req->cmd.nr_segs)
		status = pvh_blk_map(req);
	return status;
}

/* What it asks to move is added to @bytes. */
static int pvh_blk_start(struct pvh_blk_queue *q,
			 const struct pvbus_blk_req *raw, u64 *bytes)
{
	u32 tag = le16_to_cpu(raw->tag);
	struct pvh_blk_req *req;
	u32 status;

	if (tag >= q->nr_reqs)
		return -PVBUS_ST_PROTO;
	req = &q->reqs[array_index_nospec(tag, q->nr_reqs)];
	if (req->busy)
		return -PVBUS_ST_PROTO;
	req->busy = true;
	q->in_flight++;
	q->ch->stats.requests++;

	trace_pvbus_host_blk_take(q->ch, tag, le16_to_cpu(raw->cookie), 0);
	status = pvh_blk_prepare(req, raw);
	if (req->cmd.nr_segs)
		*bytes += req->cmd.len;
	if (status) {
		/* at its limit of memory each request waits: one is enough */
		if (status == PVBUS_BLK_ST_NOMEM)
			*bytes = PVH_BUDGET_BYTES;
		pvh_blk_req_done(req, status);
		return 0;
	}
	trace_pvbus_host_blk_submit(q->ch, tag, req->cmd.cookie, 0);
	q->blk->backing->submit(req);
	return 0;
}

/*
 * Within the budget, of which one request may be the whole. Returns how many
 * were taken; @err says whether the last broke the channel.
 */
static int pvh_blk_take(struct pvh_blk_queue *q, int *err)
{
	struct pvring_cons *rx = &q->ch->rx;
	struct pvbus_blk_req raw;
	struct blk_plug plug;
	u64 bytes = 0;
	int taken = 0;

	*err = 0;
	/* pairs with pvh_blk_resize() */
	q->limits.capacity = READ_ONCE(q->blk->limits.capacity);
	blk_start_plug(&plug);
	while (!*err && taken < PVH_BUDGET && bytes < PVH_BUDGET_BYTES &&
	       pvring_get(rx, &raw, sizeof(raw))) {
		taken++;
		*err = pvh_blk_start(q, &raw, &bytes);
	}
	blk_finish_plug(&plug);
	/* before a completion lets the guest use a tag, and a slot, again */
	if (taken)
		pvring_cons_publish(rx);
	return taken;
}

static void pvh_blk_account(struct pvh_stats *stats,
			    const struct pvh_blk_req *req)
{
	stats->completions++;
	if (req->status)
		stats->errors++;
	else if (req->cmd.op == PVBUS_BLK_READ)
		stats->bytes_out += req->cmd.len;
	else if (req->cmd.op == PVBUS_BLK_WRITE)
		stats->bytes_in += req->cmd.len;
}

/* Afterwards the tag is free, and what it said has been told. */
static void pvh_blk_finish(struct pvh_blk_req *req,
			   struct pvbus_blk_done *done)
{
	struct pvh_blk_queue *q = req->q;

	if (!req->status && q->blk->backing->reap)
		q->blk->backing->reap(req);
	pvh_blk_unmap(req);
	pvh_blk_account(&q->ch->stats, req);
	trace_pvbus_host_blk_announce(q->ch, req->tag, req->cmd.cookie,
				      req->status);
	done->tag = cpu_to_le16(req->tag);
	done->cookie = cpu_to_le16(req->cmd.cookie);
	done->status = cpu_to_le32(req->status);
	req->busy = false;
	q->in_flight--;
}

static int pvh_blk_announce(struct pvh_blk_queue *q, struct pvbus_blk_cpl *cpl,
			    unsigned int count)
{
	if (pvring_prod_room(&q->ch->tx, 1) < 1)
		return -PVBUS_ST_PROTO;
	memset(cpl->done + count, 0,
	       (PVBUS_BLK_DONE_MAX - count) * sizeof(*cpl->done));
	cpl->count = cpu_to_le16(count);
	cpl->reserved = 0;
	pvring_put(&q->ch->tx, cpl, sizeof(*cpl));
	return 0;
}

/*
 * Finish all that is done and announce it, PVBUS_BLK_DONE_MAX to a slot. When
 * there is no room, because the guest broke the rule above, requests are still
 * finished. @tell is false when nobody listens any more.
 */
static int pvh_blk_reap(struct pvh_blk_queue *q, bool tell, int *err)
{
	struct llist_node *list = llist_del_all(&q->done);
	struct pvh_blk_req *req, *next;
	struct pvbus_blk_cpl cpl;
	unsigned int count = 0;
	int reaped = 0;

	list = llist_reverse_order(list);
	llist_for_each_entry_safe(req, next, list, node) {
		pvh_blk_finish(req, &cpl.done[count]);
		reaped++;
		if (++count == PVBUS_BLK_DONE_MAX) {
			if (tell && !*err)
				*err = pvh_blk_announce(q, &cpl, count);
			count = 0;
		}
	}
	if (count && tell && !*err)
		*err = pvh_blk_announce(q, &cpl, count);
	if (tell && reaped)
		pvh_channel_interrupt(q->ch);
	return reaped;
}

/**
 * pvh_blk_work() - take requests and reap finished ones
 * @ch: channel
 *
 * Context: its worker
 * Return: how much was done, or -PVBUS_ST_PROTO
 */
int pvh_blk_work(struct pvh_channel *ch)
{
	struct pvh_blk_queue *q = ch->priv;
	int err, done;

	WRITE_ONCE(q->working, true);
	done = pvh_blk_take(q, &err);
	WRITE_ONCE(q->working, false);
	/*
	 * Who still saw true, has added to the list before: a full barrier
	 * here and one in llist_add().
	 */
	smp_mb();
	if (!llist_empty(&q->done))
		done += pvh_blk_reap(q, true, &err);
	return err ? err : done;
}

/**
 * pvh_blk_pending() - is there something to reap?
 * @ch: channel
 *
 * Context: its worker, about to sleep
 */
bool pvh_blk_pending(struct pvh_channel *ch)
{
	struct pvh_blk_queue *q = ch->priv;

	return !llist_empty(&q->done);
}

static void pvh_blk_free_queue(struct pvh_blk_queue *q)
{
	kfree(q->table);
	kfree(q->segs);
	kvfree(q->reqs);
	kfree(q);
}

static void pvh_blk_init_reqs(struct pvh_blk_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_reqs; i++) {
		q->reqs[i].q = q;
		q->reqs[i].tag = i;
		q->reqs[i].vec = q->reqs[i].own_vec;
		q->reqs[i].pin = q->reqs[i].own_pin;
	}
}

/**
 * pvh_blk_open() - set up a channel
 * @ch: channel
 *
 * Return: 0, -EINVAL when the rings are too long, or that of completions
 * shorter than that of requests, or -ENOMEM
 */
int pvh_blk_open(struct pvh_channel *ch)
{
	struct pvh_blk *blk = ch->dev->priv;
	struct pvh_blk_queue *q;

	if (ch->rx_slots > PVBUS_BLK_MAX_SLOTS || ch->tx_slots < ch->rx_slots)
		return -EINVAL;
	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return -ENOMEM;
	q->ch = ch;
	q->blk = blk;
	q->limits = blk->limits;
	q->limits.features = ch->features;
	q->nr_reqs = ch->rx_slots;
	init_llist_head(&q->done);
	init_waitqueue_head(&q->wait);
	q->reqs = kvcalloc(q->nr_reqs, sizeof(*q->reqs), GFP_KERNEL_ACCOUNT);
	q->segs = kcalloc(PVBUS_BLK_MAX_SEGS, sizeof(*q->segs),
			  GFP_KERNEL_ACCOUNT);
	q->table = kcalloc(PVBUS_BLK_MAX_SEGS, sizeof(*q->table),
			   GFP_KERNEL_ACCOUNT);
	if (!q->reqs || !q->segs || !q->table) {
		pvh_blk_free_queue(q);
		return -ENOMEM;
	}
	pvh_blk_init_reqs(q);
	ch->priv = q;
	return 0;
}

/**
 * pvh_blk_drain() - wait for what is in flight
 * @ch: channel that closes
 *
 * Guest pages are in the hands of the backing store: there is no way but to
 * wait for it. Each turn ends when something has finished. What has not been
 * announced never is.
 *
 * Context: its worker
 */
void pvh_blk_drain(struct pvh_channel *ch)
{
	struct pvh_blk_queue *q = ch->priv;
	unsigned long start = jiffies;
	bool told = false;
	int err = 0;

	WRITE_ONCE(q->closing, true);
	/* who still saw false, has added to the list before */
	smp_mb();
	while (q->in_flight) {
		pvh_blk_reap(q, false, &err);
		/* QEMU may want back what was cached */
		pvh_pin_sleep(ch);
		if (!q->in_flight)
			break;
		wait_event_idle_timeout(q->wait, !llist_empty(&q->done),
					PVH_BLK_CLOSE_TURN);
		if (told || time_before(jiffies, start + PVH_BLK_CLOSE_WARN))
			continue;
		told = true;
		pr_warn_ratelimited("VM %s, disk %s: %u requests are still with %pD4: check that device; the channel closes when it answers\n",
				    ch->dev->vm->name, ch->dev->id,
				    q->in_flight, q->blk->file);
	}
	/* for those that are still in pvh_blk_req_done() */
	synchronize_rcu();
}

/**
 * pvh_blk_close() - take a channel down
 * @ch: channel with nothing in flight, whose worker has ended
 */
void pvh_blk_close(struct pvh_channel *ch)
{
	pvh_blk_free_queue(ch->priv);
	ch->priv = NULL;
}
