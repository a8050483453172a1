// SPDX-License-Identifier: GPL-2.0
/*
 * pvblk: a request of the block layer becomes one on the wire, and ends.
 */
#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>

#include "blk.h"
#include "blk_trace.h"

/* -- mapping ---------------------------------------------------------------------- */

static void pvblk_unmap(struct request *rq)
{
	struct pvblk_queue *q = pvblk_queue_of(rq->mq_hctx);
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);
	const dma_addr_t *addr = req->table ? req->table->addr : req->addr;
	const u32 *len = req->table ? req->table->len : req->len;
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		dma_unmap_page(q->blk->dma_dev, addr[i], len[i],
			       rq_dma_dir(rq));
	req->nr_segs = 0;
	pvblk_put_table(q, req->table);
	req->table = NULL;
}

static blk_status_t pvblk_map_bvec(struct pvblk *blk, struct request *rq,
				   struct bio_vec bv, unsigned int room)
{
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);
	dma_addr_t *addr = req->table ? req->table->addr : req->addr;
	u32 *lens = req->table ? req->table->len : req->len;

	while (bv.bv_len) {
		u32 len = min(bv.bv_len, blk->max_segment);
		dma_addr_t dma;

		/* the block layer counted as we do: it does not happen */
		if (req->nr_segs == room)
			return BLK_STS_IOERR;
		dma = dma_map_page(blk->dma_dev, bv.bv_page, bv.bv_offset, len,
				   rq_dma_dir(rq));
		if (dma_mapping_error(blk->dma_dev, dma))
			return BLK_STS_RESOURCE;
		addr[req->nr_segs] = dma;
		lens[req->nr_segs] = len;
		req->nr_segs++;
		bv.bv_offset += len;
		bv.bv_len -= len;
	}
	return BLK_STS_OK;
}

/* BLK_STS_RESOURCE: the block layer tries again after a while. */
static blk_status_t pvblk_map(struct pvblk_queue *q, struct request *rq)
{
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);
	unsigned int room = PVBUS_BLK_INLINE_SEGS;
	blk_status_t status = BLK_STS_OK;
	struct req_iterator iter;
	struct bio_vec bv;

	if (blk_rq_nr_phys_segments(rq) > PVBUS_BLK_INLINE_SEGS) {
		room = q->blk->cfg.max_segments;
		req->table = pvblk_get_table(q);
		if (!req->table)
			return BLK_STS_RESOURCE;
	}
	rq_for_each_bvec(bv, rq, iter) {
		status = pvblk_map_bvec(q->blk, rq, bv, room);
		if (status)
			break;
	}
	if (status)
		pvblk_unmap(rq);
	return status;
}

/**
 * pvblk_keep_pages() - the host did not let go of a request that is to end
 * @rq: request, still whole
 * @ended: what is done to its pages is counted here
 *
 * A host that still reads is let read. Pages that it may still write to are
 * given a reference that nobody drops, so that they do not become somebody
 * else's memory when the request's owner frees them; for as long as he does not,
 * he may find in them what he did not ask for. That does not help with objects of
 * the slab, which are freed and used again all the same, nor with pages that have
 * no count of their own, behind the first of a larger allocation.
 *
 * Context: process
 */
void pvblk_keep_pages(struct request *rq, struct pvblk_ended *ended)
{
	struct req_iterator iter;
	struct bio_vec bv;

	if (req_op(rq) != REQ_OP_READ)
		return;
	/* a page, or less, at a time */
	rq_for_each_segment(bv, rq, iter) {
		struct folio *folio = page_folio(bv.bv_page);

		if (!folio_test_slab(folio) && folio_try_get(folio))
			ended->pages++;
		else
			ended->unkept++;
	}
}

/* -- the wire --------------------------------------------------------------------- */

static void pvblk_put_segs(const struct pvblk_req *req,
			   struct pvbus_blk_req *wire)
{
	struct pvblk_table *table = req->table;
	unsigned int i;

	wire->nr_segs = cpu_to_le16(req->nr_segs);
	if (!table) {
		for (i = 0; i < req->nr_segs; i++) {
			wire->addr[i] = cpu_to_le64(req->addr[i]);
			wire->seg_len[i] = cpu_to_le32(req->len[i]);
		}
		return;
	}
	for (i = 0; i < req->nr_segs; i++) {
		table->wire[i].addr = cpu_to_le64(table->addr[i]);
		table->wire[i].len = cpu_to_le32(table->len[i]);
		table->wire[i].reserved = 0;
	}
	wire->flags |= PVBUS_BLK_REQ_INDIRECT;
	wire->addr[0] = cpu_to_le64(table->wire_dma);
	wire->seg_len[0] = cpu_to_le32(req->nr_segs *
				       sizeof(struct pvbus_blk_seg));
}

static blk_status_t pvblk_set_op(const struct request *rq,
				 struct pvblk_req *req)
{
	req->flags = 0;
	switch (req_op(rq)) {
	case REQ_OP_READ:
		req->op = PVBUS_BLK_READ;
		break;
	case REQ_OP_WRITE:
		req->op = PVBUS_BLK_WRITE;
		if (rq->cmd_flags & REQ_FUA)
			req->flags |= PVBUS_BLK_REQ_FUA;
		break;
	case REQ_OP_FLUSH:
		req->op = PVBUS_BLK_FLUSH;
		break;
	case REQ_OP_DISCARD:
		req->op = PVBUS_BLK_DISCARD;
		break;
	case REQ_OP_WRITE_ZEROES:
		req->op = PVBUS_BLK_WRITE_ZEROES;
		if (rq->cmd_flags & REQ_NOUNMAP)
			req->flags |= PVBUS_BLK_REQ_NOUNMAP;
		break;
	default:
		return BLK_STS_NOTSUPP;
	}
	return BLK_STS_OK;
}

/* Everything that takes time, or may fail, before the ring is locked. */
static blk_status_t pvblk_prepare(struct pvblk_queue *q, struct request *rq)
{
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);
	blk_status_t status;

	trace_pvblk_queue(q, rq);
	if (!(rq->rq_flags & RQF_DONTPREP)) {
		rq->rq_flags |= RQF_DONTPREP;
		req->retries = 0;
	}
	req->expiries = 0;
	req->kept = false;
	req->nr_segs = 0;
	req->table = NULL;
	/* for good: it must not wait for memory, be it for bounce buffers that are
	 * lost to a host that has not let go of them
	 */
	if (READ_ONCE(q->dead))
		return BLK_STS_IOERR;
	status = pvblk_set_op(rq, req);
	if (status)
		return status;
	if (req->op != PVBUS_BLK_READ && req->op != PVBUS_BLK_WRITE)
		return BLK_STS_OK;
	return pvblk_map(q, rq);
}

static void pvblk_fill(const struct request *rq, const struct pvblk_req *req,
		       struct pvbus_blk_req *wire)
{
	memset(wire, 0, sizeof(*wire));
	wire->tag = cpu_to_le16(rq->tag);
	wire->op = req->op;
	wire->flags = req->flags;
	if (req->op != PVBUS_BLK_FLUSH) {
		wire->sector = cpu_to_le64(blk_rq_pos(rq));
		wire->len = cpu_to_le32(blk_rq_bytes(rq));
	}
	if (req->nr_segs)
		pvblk_put_segs(req, wire);
}

/* tx_lock held. There is a slot for each tag, so a full ring is the host's. */
static bool pvblk_room(struct pvblk_queue *q)
{
	int room;

	if (READ_ONCE(q->dead) || READ_ONCE(q->ch->broken))
		return false;
	room = pvring_prod_room(&q->ch->tx, 1);
	if (room < 1)
		pvblk_fail(q, q->ch, "no room in the ring of requests", room);
	return room > 0;
}

/* tx_lock held, and there is room */
static void pvblk_put(struct pvblk_queue *q, struct request *rq)
{
	struct pvblk_slot *slot = &q->slot[rq->tag];
	u16 cookie = (slot->state >> 1) + 1;
	struct pvbus_blk_req wire;

	pvblk_fill(rq, blk_mq_rq_to_pdu(rq), &wire);
	wire.cookie = cpu_to_le16(cookie);
	WRITE_ONCE(slot->rq, rq);
	blk_mq_start_request(rq);
	/* before it can be completed: see pvblk_arm_count() */
	WRITE_ONCE(q->issued, q->issued + 1);
	/* pairs with cmpxchg() in pvblk_claim() */
	smp_store_release(&slot->state, pvblk_state(cookie));
	trace_pvblk_put(q, rq->tag, cookie);
	pvring_put(&q->ch->tx, &wire, sizeof(wire));
}

/*
 * tx_lock held: announce what has been put. Return: true when the ring of
 * completions should be looked at, which costs less now than by an interrupt.
 */
static bool pvblk_commit(struct pvblk_queue *q)
{
	if (READ_ONCE(q->dead))
		return false;
	pvbus_channel_kick(q->ch);
	if (q->polled)
		return false;
	pvbus_channel_expect(q->ch);
	/* a hint: who owns that ring may be reading it */
	return data_race(pvring_pending(&q->ch->rx));
}

static blk_status_t pvblk_queue_rq(struct blk_mq_hw_ctx *hctx,
				   const struct blk_mq_queue_data *bd)
{
	struct pvblk_queue *q = pvblk_queue_of(hctx);
	blk_status_t status;
	bool look = false;

	status = pvblk_prepare(q, bd->rq);
	if (status)
		return status;
	spin_lock(&q->tx_lock);
	if (pvblk_room(q)) {
		pvblk_put(q, bd->rq);
		if (bd->last)
			look = pvblk_commit(q);
	} else {
		status = BLK_STS_IOERR;
	}
	spin_unlock(&q->tx_lock);
	if (status)
		pvblk_unmap(bd->rq);
	if (look)
		pvblk_look(q);
	return status;
}

/* The last of a batch did not come: announce what has been put. */
static void pvblk_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct pvblk_queue *q = pvblk_queue_of(hctx);
	bool look;

	spin_lock(&q->tx_lock);
	look = pvblk_commit(q);
	spin_unlock(&q->tx_lock);
	if (look)
		pvblk_look(q);
}

/*
 * Prepare those at the head of @chain that are for the same queue, and take them
 * off. What fails goes @back to the block layer, which tries it by itself.
 */
static struct request *pvblk_cut_batch(struct request **chain,
				       pvbus_rq_list_t *back)
{
	struct blk_mq_hw_ctx *hctx = (*chain)->mq_hctx;
	struct request *batch = NULL, **tail = &batch;
	struct request *rq;

	while ((rq = *chain) && rq->mq_hctx == hctx) {
		*chain = rq->rq_next;
		if (pvblk_prepare(pvblk_queue_of(hctx), rq)) {
			pvbus_rq_list_put(back, rq);
			continue;
		}
		*tail = rq;
		tail = &rq->rq_next;
	}
	*tail = NULL;
	return batch;
}

/* One lock and one kick for all that has been prepared. */
static void pvblk_put_batch(struct pvblk_queue *q, struct request *batch,
			    pvbus_rq_list_t *back)
{
	struct request *rq;
	bool look;

	spin_lock(&q->tx_lock);
	while ((rq = batch) && pvblk_room(q)) {
		/* once it is put, it may end */
		batch = rq->rq_next;
		pvblk_put(q, rq);
	}
	look = pvblk_commit(q);
	spin_unlock(&q->tx_lock);
	while ((rq = batch)) {
		batch = rq->rq_next;
		pvblk_unmap(rq);
		pvbus_rq_list_put(back, rq);
	}
	if (look)
		pvblk_look(q);
}

/* All that was plugged, in the order in which it came. */
static void pvblk_queue_rqs(pvbus_rq_list_t *list)
{
	struct request *chain = pvbus_rq_list_take(list);

	while (chain) {
		struct pvblk_queue *q = pvblk_queue_of(chain->mq_hctx);
		struct request *batch = pvblk_cut_batch(&chain, list);

		if (batch)
			pvblk_put_batch(q, batch, list);
	}
}

/* -- the end of a request ---------------------------------------------------------- */

static const blk_status_t pvblk_status[] = {
	[PVBUS_BLK_ST_OK]	= BLK_STS_OK,
	[PVBUS_BLK_ST_IOERR]	= BLK_STS_IOERR,
	[PVBUS_BLK_ST_INVAL]	= BLK_STS_IOERR,
	[PVBUS_BLK_ST_RANGE]	= BLK_STS_IOERR,
	[PVBUS_BLK_ST_READONLY]	= BLK_STS_IOERR,
	[PVBUS_BLK_ST_UNSUPP]	= BLK_STS_NOTSUPP,
	[PVBUS_BLK_ST_NOSPC]	= BLK_STS_NOSPC,
	[PVBUS_BLK_ST_FAULT]	= BLK_STS_IOERR,
	[PVBUS_BLK_ST_NOMEM]	= BLK_STS_IOERR,
	[PVBUS_BLK_ST_TIMEOUT]	= BLK_STS_TIMEOUT,
	[PVBLK_ST_DEAD]		= BLK_STS_IOERR,
};

/* What the host blames on us is a bug, here or there: say so. */
static void pvblk_report(struct pvblk *blk, struct request *rq)
{
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);

	if (req->status == PVBUS_BLK_ST_INVAL ||
	    req->status == PVBUS_BLK_ST_FAULT)
		dev_err_ratelimited(disk_to_dev(blk->disk),
				    "the host calls a request malformed: status %u, op %u, sector %llu, %u bytes; please report it\n",
				    req->status, req_op(rq),
				    (u64)blk_rq_pos(rq), blk_rq_bytes(rq));
}

static bool pvblk_retry(struct pvblk *blk, struct request *rq)
{
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);

	if (req->status != PVBUS_BLK_ST_NOMEM ||
	    ++req->retries > PVBLK_RETRIES)
		return false;
	blk_mq_requeue_request(rq, false);
	blk_mq_delay_kick_requeue_list(rq->q, PVBLK_RETRY_MS);
	return true;
}

/* Whatever context has claimed the request, or where the block layer took it. */
static void pvblk_complete(struct request *rq)
{
	struct pvblk_req *req = blk_mq_rq_to_pdu(rq);
	struct pvblk *blk = rq->q->queuedata;

	if (!req->kept)
		pvblk_unmap(rq);
	if (req->status && pvblk_retry(blk, rq))
		return;
	if (req->status)
		pvblk_report(blk, rq);
	/* then the block layer writes zeroes itself, the next time at once */
	if (req->status == PVBUS_BLK_ST_UNSUPP &&
	    req_op(rq) == REQ_OP_WRITE_ZEROES)
		pvbus_disable_write_zeroes(rq->q);
	blk_mq_end_request(rq, pvblk_status[req->status]);
}

static void pvblk_complete_batch(struct io_comp_batch *iob)
{
	struct request *rq;

	rq_list_for_each(&iob->req_list, rq)
		pvblk_unmap(rq);
	blk_mq_end_request_batch(iob);
}

/* Return: true when @iob has it, whose owner ends it. */
static bool pvblk_complete_one(struct pvblk_req *req, struct io_comp_batch *iob)
{
	struct request *rq = blk_mq_rq_from_pdu(req);

	if (blk_mq_complete_request_remote(rq))
		return false;
	if (blk_mq_add_to_batch(rq, iob, req->status, pvblk_complete_batch))
		return true;
	pvblk_complete(rq);
	return false;
}

/**
 * pvblk_complete_list() - end requests that the host has completed
 * @list: they, claimed
 *
 * Context: hard interrupt, or bottom halves off.
 */
void pvblk_complete_list(struct pvblk_req *list)
{
	DEFINE_IO_COMP_BATCH(iob);
	bool batched = false;
	struct pvblk_req *req;

	while ((req = list)) {
		list = req->next;
		batched |= pvblk_complete_one(req, &iob);
	}
	if (batched)
		pvblk_complete_batch(&iob);
}

/**
 * pvblk_complete_polled() - as pvblk_complete_list(), for the block layer's poll
 * @list: requests, claimed
 * @iob: takes those that the block layer is to end, or NULL
 *
 * Context: process
 * Return: their number
 */
int pvblk_complete_polled(struct pvblk_req *list, struct io_comp_batch *iob)
{
	struct pvblk_req *req;
	int nr = 0;

	while ((req = list)) {
		list = req->next;
		pvblk_complete_one(req, iob);
		nr++;
	}
	return nr;
}

/* -- queues ---------------------------------------------------------------------- */

/* CPU n gets queue n, counted round if there are fewer: interrupts of queue n
 * are served by CPU n, so requests end where they came from.
 */
static void pvblk_map_type(struct blk_mq_queue_map *map, unsigned int offset,
			   unsigned int nr)
{
	unsigned int cpu, n = 0;

	map->nr_queues = nr;
	map->queue_offset = offset;
	if (!nr)
		return;
	for_each_possible_cpu(cpu)
		map->mq_map[cpu] = offset + n++ % nr;
}

static void pvblk_map_queues(struct blk_mq_tag_set *set)
{
	struct pvblk *blk = set->driver_data;
	unsigned int nr_default = blk->nr_queues - blk->nr_polled;

	pvblk_map_type(&set->map[HCTX_TYPE_DEFAULT], 0, nr_default);
	if (!blk->nr_polled)
		return;
	pvblk_map_type(&set->map[HCTX_TYPE_READ], 0, 0);
	pvblk_map_type(&set->map[HCTX_TYPE_POLL], nr_default, blk->nr_polled);
}

const struct blk_mq_ops pvblk_mq_ops = {
	.queue_rq	= pvblk_queue_rq,
	.queue_rqs	= pvblk_queue_rqs,
	.commit_rqs	= pvblk_commit_rqs,
	.complete	= pvblk_complete,
	.timeout	= pvblk_timeout,
	.poll		= pvblk_poll,
	.map_queues	= pvblk_map_queues,
};
