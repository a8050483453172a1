// SPDX-License-Identifier: GPL-2.0
/*
 * pvblk: channels. Completions come in, the host is silent for too long, the
 * disk ends.
 */
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "blk.h"
#include "blk_trace.h"

/* What ends a disk, and with it requests that memory may be waiting for. */
static struct workqueue_struct *pvblk_wq;

/* -- completions -------------------------------------------------------------- */

/* Take back a tag from the host: true for the one that may end its request. */
static bool pvblk_claim(struct pvblk_slot *slot, u32 state)
{
	return cmpxchg(&slot->state, state, state & ~PVBLK_BUSY) == state;
}

/* Why is this completion not to be believed? NULL if it is. */
static const char *pvblk_doubt(const struct pvblk_queue *q,
			       const struct pvbus_blk_done *done)
{
	u16 tag = le16_to_cpu(done->tag);
	u32 state;

	if (tag >= PVBLK_DEPTH)
		return "completion of a tag that does not exist";
	state = READ_ONCE(q->slot[tag].state);
	if (!(state & PVBLK_BUSY))
		return "completion of a tag that is not in use";
	if (state != pvblk_state(le16_to_cpu(done->cookie)))
		return "completion of an earlier use of a tag";
	if (le32_to_cpu(done->status) >= PVBUS_BLK_ST_COUNT)
		return "completion with an unknown status, tag";
	return NULL;
}

/* rx_lock held. The first entry that is wrong ends it: -EPROTO. */
static int pvblk_take_cpl(struct pvblk_queue *q, struct pvbus_channel *ch,
			  const struct pvbus_blk_cpl *cpl,
			  struct pvblk_req **list)
{
	unsigned int i, count = le16_to_cpu(cpl->count);

	if (!count || count > PVBUS_BLK_DONE_MAX || cpl->reserved) {
		pvblk_fail(q, ch, "slot of completions with count", count);
		return -EPROTO;
	}
	for (i = 0; i < count; i++) {
		const struct pvbus_blk_done *done = &cpl->done[i];
		const char *doubt = pvblk_doubt(q, done);
		struct pvblk_slot *slot;
		struct pvblk_req *req;

		if (doubt) {
			pvblk_fail(q, ch, doubt, le16_to_cpu(done->tag));
			return -EPROTO;
		}
		slot = &q->slot[le16_to_cpu(done->tag)];
		if (!pvblk_claim(slot, pvblk_state(le16_to_cpu(done->cookie))))
			continue;
		trace_pvblk_done(q, le16_to_cpu(done->tag),
				 le16_to_cpu(done->cookie));
		req = blk_mq_rq_to_pdu(slot->rq);
		req->status = le32_to_cpu(done->status);
		req->next = *list;
		*list = req;
		WRITE_ONCE(q->completed, q->completed + 1);
	}
	return 0;
}

/*
 * rx_lock held. How many entries are worth an interrupt? Who has many requests
 * with the host has others to work on meanwhile, and looks at the ring whenever he
 * issues more; the host does not let him wait for long.
 */
static u32 pvblk_arm_count(const struct pvblk_queue *q)
{
	unsigned long with_host = READ_ONCE(q->issued) - q->completed;

	return with_host < PVBLK_FEW ? 1 : with_host / 2;
}

/*
 * rx_lock held. Bounded: a slot that is accepted takes tags back from the host,
 * and none of them is given to it again before the list is completed.
 */
static struct pvblk_req *pvblk_read_ring(struct pvblk_queue *q,
					 struct pvbus_channel *ch)
{
	struct pvblk_req *list = NULL;
	struct pvbus_blk_cpl cpl;

	if (READ_ONCE(q->dead) || READ_ONCE(ch->broken))
		return NULL;
	do {
		while (pvring_get(&ch->rx, &cpl, sizeof(cpl))) {
			if (pvblk_take_cpl(q, ch, &cpl, &list))
				return list;
		}
		/* before one of the tags can be used again: the host's room */
		pvring_cons_publish(&ch->rx);
	} while (!q->polled && !pvbus_channel_arm(ch, pvblk_arm_count(q)));
	return list;
}

/* Hard interrupt, from before pvbus_channel_open() returns. */
static void pvblk_interrupt(struct pvbus_channel *ch)
{
	struct pvblk_queue *q = ch->priv;
	struct pvblk_req *list;
	unsigned long flags;

	spin_lock_irqsave(&q->rx_lock, flags);
	list = pvblk_read_ring(q, ch);
	spin_unlock_irqrestore(&q->rx_lock, flags);
	pvblk_complete_list(list);
}

/**
 * pvblk_look() - take completions without an interrupt
 * @q: queue
 *
 * Context: any but hard interrupt; process, if the queue is polled.
 * Return: true when there were any.
 */
bool pvblk_look(struct pvblk_queue *q)
{
	struct pvblk_req *list = NULL;
	unsigned long flags;

	spin_lock_irqsave(&q->rx_lock, flags);
	/* then q->ch may be gone */
	if (!READ_ONCE(q->dead))
		list = pvblk_read_ring(q, q->ch);
	spin_unlock_irqrestore(&q->rx_lock, flags);
	/* a polled bio must end in a process, as far as its memory is concerned */
	if (q->polled)
		return pvblk_complete_polled(list, NULL);
	/* what is left to the softirq is to be done at once */
	local_bh_disable();
	pvblk_complete_list(list);
	local_bh_enable();
	return list;
}

/**
 * pvblk_poll() - look for completions of a queue for polling
 * @hctx: queue
 * @iob: where requests may be put that the block layer then ends, or NULL
 *
 * Whoever else looks at the ring takes ours, too: there is nothing to wait for.
 *
 * Context: process
 * Return: how many there were
 */
int pvblk_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob)
{
	struct pvblk_queue *q = pvblk_queue_of(hctx);
	struct pvblk_req *list = NULL;
	unsigned long flags;

	if (!spin_trylock_irqsave(&q->rx_lock, flags))
		return 0;
	/* as in pvblk_look() */
	if (!READ_ONCE(q->dead) && pvring_pending(&q->ch->rx))
		list = pvblk_read_ring(q, q->ch);
	spin_unlock_irqrestore(&q->rx_lock, flags);
	return pvblk_complete_polled(list, iob);
}

static void pvblk_look_idle(struct pvbus_channel *ch)
{
	pvblk_look(ch->priv);
}

static bool pvblk_expects(struct pvbus_channel *ch)
{
	struct pvblk_queue *q = ch->priv;

	return READ_ONCE(q->issued) != READ_ONCE(q->completed);
}

/* -- silence ---------------------------------------------------------------------- */

/* It may just have ended: one that is to be issued again has no tag meanwhile. */
static bool pvblk_with_host(struct pvblk_queue *q, struct request *rq)
{
	int tag = READ_ONCE(rq->tag);

	return tag >= 0 && READ_ONCE(q->slot[tag].state) & PVBLK_BUSY &&
	       READ_ONCE(q->slot[tag].rq) == rq;
}

/**
 * pvblk_timeout() - a request's timer has expired
 * @rq: request
 *
 * The host's storage may be slow, and the host may be: that is no reason to
 * lose a disk. After PVBLK_PATIENCE times it is given up. The request cannot be
 * ended before the host has let go of its pages, so the timer goes on.
 *
 * It is also what finds completions when nobody polls any more.
 */
enum blk_eh_timer_return pvblk_timeout(struct request *rq)
{
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);
	struct pvblk *blk = rq->q->queuedata;
	struct pvblk_queue *q = pvblk_queue_of(rq->mq_hctx);
	unsigned int seconds;

	if (pvblk_look(q) && !q->polled)
		dev_warn_ratelimited(disk_to_dev(blk->disk),
				     "queue %u: completions without an interrupt\n",
				     rq->mq_hctx->queue_num);
	if (!pvblk_with_host(q, rq))
		return BLK_EH_DONE;
	seconds = ++req->expiries * rq->timeout / HZ;
	if (req->expiries < PVBLK_PATIENCE) {
		dev_warn_ratelimited(disk_to_dev(blk->disk),
				     "queue %u: the host has not answered for %u s; still waiting\n",
				     rq->mq_hctx->queue_num, seconds);
	} else {
		dev_err_ratelimited(disk_to_dev(blk->disk),
				    "queue %u: the host has not answered for %u s: the disk is given up; look at the host's storage, then remove the disk and add it again\n",
				    rq->mq_hctx->queue_num, seconds);
		queue_work(pvblk_wq, &blk->fail_work);
	}
	return BLK_EH_RESET_TIMER;
}

static unsigned long pvblk_sum_completed(struct pvblk *blk)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < blk->nr_queues; i++)
		sum += READ_ONCE(blk->queue[i].completed);
	return sum;
}

static bool pvblk_idle_queue(const struct pvblk_queue *q)
{
	unsigned int tag;

	for (tag = 0; tag < PVBLK_DEPTH; tag++) {
		if (READ_ONCE(q->slot[tag].state) & PVBLK_BUSY)
			return false;
	}
	return true;
}

/*
 * Is there a request that nobody will answer, or has not for long, or was the disk
 * taken away so long ago that it does not matter? stop_lock held: the channels are
 * there.
 */
static bool pvblk_hopeless(struct pvblk *blk)
{
	unsigned long sum = pvblk_sum_completed(blk);
	bool busy = false, broken = false;
	unsigned int i;

	for (i = 0; i < blk->nr_queues; i++) {
		struct pvblk_queue *q = &blk->queue[i];

		if (pvblk_idle_queue(q))
			continue;
		busy = true;
		broken |= READ_ONCE(q->ch->broken);
	}
	blk->idle = busy && sum == blk->watched ? blk->idle + 1 : 0;
	blk->watched = sum;
	if (!READ_ONCE(blk->pdev->gone)) {
		blk->until = jiffies + PVBLK_GONE_TIME;
		return false;
	}
	return broken || blk->idle >= PVBLK_WATCH_IDLE ||
	       time_after_eq(jiffies, blk->until);
}

/* Who polled may have stopped, and the disk waits for his requests. */
static void pvblk_look_polled(struct pvblk *blk)
{
	unsigned int i;

	for (i = blk->nr_queues - blk->nr_polled; i < blk->nr_queues; i++)
		pvblk_look(&blk->queue[i]);
}

static void pvblk_watch_work(struct work_struct *work)
{
	struct pvblk *blk = container_of(to_delayed_work(work), struct pvblk,
					 watch_work);
	bool hopeless;

	pvblk_look_polled(blk);
	mutex_lock(&blk->stop_lock);
	hopeless = blk->stopped || pvblk_hopeless(blk);
	mutex_unlock(&blk->stop_lock);
	if (hopeless)
		pvblk_stop(blk);
	else
		queue_delayed_work(pvblk_wq, &blk->watch_work, PVBLK_WATCH);
}

/**
 * pvblk_watch() - should the disk be taken away, or have been, give it up as
 *	soon as the host stops answering, or after PVBLK_GONE_TIME
 * @blk: disk; cancel its watch_work when nothing waits for I/O any more
 */
void pvblk_watch(struct pvblk *blk)
{
	blk->idle = 0;
	blk->until = jiffies + PVBLK_GONE_TIME;
	queue_delayed_work(pvblk_wq, &blk->watch_work, PVBLK_WATCH);
}

/* -- the end ------------------------------------------------------------------------ */

/*
 * The locks are taken in turn: an interrupt that waits for rx_lock may have hit
 * the holder of tx_lock. Who takes either afterwards sees the queue dead.
 */
static void pvblk_kill_queue(struct pvblk_queue *q)
{
	spin_lock_irq(&q->rx_lock);
	WRITE_ONCE(q->dead, true);
	spin_unlock_irq(&q->rx_lock);
	spin_lock(&q->tx_lock);
	spin_unlock(&q->tx_lock);
}

/* The queue is dead, so what is with the host is all there will be. */
static void pvblk_end_requests(struct pvblk_queue *q, bool let_go,
			       struct pvblk_ended *ended)
{
	unsigned int tag;

	for (tag = 0; tag < PVBLK_DEPTH; tag++) {
		struct pvblk_slot *slot = &q->slot[tag];
		u32 state = READ_ONCE(slot->state);
		struct pvblk_req *req;

		if (!(state & PVBLK_BUSY) || !pvblk_claim(slot, state))
			continue;
		req = blk_mq_rq_to_pdu(slot->rq);
		req->status = PVBLK_ST_DEAD;
		req->kept = !let_go;
		if (req->kept)
			pvblk_keep_pages(slot->rq, ended);
		blk_mq_complete_request(slot->rq);
		ended->requests++;
	}
}

static void pvblk_stop_queue(struct pvblk_queue *q, struct pvblk_ended *ended)
{
	bool let_go;

	if (!q->ch)
		return;
	let_go = pvbus_channel_close_end(q->ch);
	q->ch = NULL;
	if (!let_go)
		q->blk->kept = true;
	pvblk_end_requests(q, let_go, ended);
}

static void pvblk_report_ended(struct pvblk *blk,
			       const struct pvblk_ended *ended)
{
	struct device *dev = disk_to_dev(blk->disk);

	if (!blk->kept)
		dev_err_ratelimited(dev,
				    "stopped: %u requests in flight have failed; their memory is free again\n",
				    ended->requests);
	else
		dev_err(dev,
			"stopped: %u requests in flight have failed; the host did not let go of their memory: %u pages that it may write to are lost until this system restarts\n",
			ended->requests, ended->pages);
	if (ended->unkept)
		dev_crit(dev,
			 "the host may write to %u pages that will be used for something else: restart this system\n",
			 ended->unkept);
}

/**
 * pvblk_stop() - no more I/O: close the channels and end all requests
 * @blk: disk
 *
 * Requests end with an error once the host has let go of their pages. If it
 * does not say so in time, it may still read and write them: they then stay
 * mapped, so that bounce buffers at least are not used again, and those that it
 * may write to are not freed any more.
 *
 * Context: process, sleeps in bounded time. May be called again.
 */
void pvblk_stop(struct pvblk *blk)
{
	struct pvblk_ended ended = {};
	unsigned int i;

	mutex_lock(&blk->stop_lock);
	if (!blk->stopped) {
		blk->stopped = true;
		for (i = 0; i < blk->nr_queues; i++)
			pvblk_kill_queue(&blk->queue[i]);
		/* a host that does not answer is waited for once */
		for (i = 0; i < blk->nr_queues; i++)
			if (blk->queue[i].ch)
				pvbus_channel_close_begin(blk->queue[i].ch);
		for (i = 0; i < blk->nr_queues; i++)
			pvblk_stop_queue(&blk->queue[i], &ended);
	}
	mutex_unlock(&blk->stop_lock);
	if (ended.requests)
		pvblk_report_ended(blk, &ended);
}

static void pvblk_fail_work(struct work_struct *work)
{
	pvblk_stop(container_of(work, struct pvblk, fail_work));
}

/**
 * pvblk_fail() - the host broke the protocol: give up the disk
 * @q: queue
 * @ch: its channel
 * @what: what was wrong, for the log
 * @value: the value that was
 *
 * Context: any, with rx_lock or tx_lock held
 */
void pvblk_fail(struct pvblk_queue *q, struct pvbus_channel *ch,
		const char *what, u64 value)
{
	pvbus_channel_break(ch, what, value);
	queue_work(pvblk_wq, &q->blk->fail_work);
}

/**
 * pvblk_init_wq() - make the workqueue for what ends disks
 *
 * Return: 0 or -ENOMEM
 */
int pvblk_init_wq(void)
{
	pvblk_wq = alloc_workqueue("pvblk", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return pvblk_wq ? 0 : -ENOMEM;
}

/**
 * pvblk_exit_wq() - undo pvblk_init_wq(); there is no disk
 */
void pvblk_exit_wq(void)
{
	destroy_workqueue(pvblk_wq);
}

/**
 * pvblk_init_works() - set up what ends a disk
 * @blk: disk
 */
void pvblk_init_works(struct pvblk *blk)
{
	INIT_WORK(&blk->fail_work, pvblk_fail_work);
	INIT_DELAYED_WORK(&blk->watch_work, pvblk_watch_work);
}

/*
 * From before it is open, the host may break the protocol of a channel. So the
 * disk may have been given up meanwhile, by who found no channel to close here.
 */
static int pvblk_keep_channel(struct pvblk *blk, unsigned int queue,
			      struct pvbus_channel *ch)
{
	int err = 0;

	mutex_lock(&blk->stop_lock);
	if (!blk->stopped)
		blk->queue[queue].ch = ch;
	else
		err = -EIO;
	mutex_unlock(&blk->stop_lock);
	/* no request was in it */
	if (err)
		pvbus_channel_close(ch);
	return err;
}

/**
 * pvblk_open_queues() - open the channels
 * @blk: disk
 *
 * Context: process
 * Return: 0, or the error of the channel that could not be opened, or -EIO when
 * the host has broken one already; none is open then
 */
int pvblk_open_queues(struct pvblk *blk)
{
	struct pvbus_channel *ch;
	unsigned int i;
	int err;

	for (i = 0; i < blk->nr_queues; i++) {
		struct pvbus_channel_config cfg = {
			.queue = i,
			.g2h_slots = PVBLK_DEPTH,
			.h2g_slots = PVBLK_DEPTH,
			.features = blk->features,
			.priv = &blk->queue[i],
		};

		if (!blk->queue[i].polled) {
			cfg.handler = pvblk_interrupt;
			cfg.look = pvblk_look_idle;
			cfg.expects = pvblk_expects;
		}
		ch = pvbus_channel_open(blk->pdev, &cfg);
		if (IS_ERR(ch)) {
			pvblk_stop(blk);
			return PTR_ERR(ch);
		}
		err = pvblk_keep_channel(blk, i, ch);
		if (err)
			return err;
	}
	return 0;
}
