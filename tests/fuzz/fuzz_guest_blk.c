// SPDX-License-Identifier: GPL-2.0
/* KERNEL: yes */
/* SOURCES: tests/fuzz/kernel/bus.c guest-drivers/blk_queue.c */
/* SOURCES: guest-drivers/blk_request.c guest-drivers/blk_table.c */
/*
 * A disk of the guest with a host that completes what it likes: requests come
 * and go, by interrupt, by polling, by their timers, while the host writes both
 * rings at any time. Each request ends once, with a status, and has then no
 * memory mapped; what the host cannot have meant ends the disk.
 */
#include "kernel/bus.h"
#include "guest-drivers/blk.h"

#define STEPS		96
#define NR_REQS		24

static struct pvbus_device pdev;
static struct device parent;
static struct gendisk disk;
static struct request_queue queue;
static struct blk_mq_hw_ctx hctx;
static struct pvblk blk;
static struct pvblk_queue *q;
static struct request reqs[NR_REQS];
static struct page data;
/* references of it that are not to be dropped */
static int kept_pages;

/* the host's ends, and what it was asked last */
static struct pvring_cons asked;
static struct pvring_prod told;
static struct { __le16 tag, cookie; } seen[NR_REQS];
static unsigned int nr_seen;
static bool closed;
/* it breaks the channel before that is open */
static bool early;

/* -- the channel --------------------------------------------------------------------- */

static void break_early(struct pvbus_channel *ch)
{
	const struct pvbus_blk_cpl empty = {};

	if (!early || !ch->handler)
		return;
	pvring_put(&told, &empty, sizeof(empty));
	ch->handler(ch);
	kernel_run();
}

struct pvbus_channel *pvbus_channel_open(struct pvbus_device *dev,
					 const struct pvbus_channel_config *cfg)
{
	struct pvbus_channel *ch = calloc(1, sizeof(*ch));

	ch->pdev = dev;
	ch->mem_size = 2 * (pvring_bytes(PVBLK_DEPTH, PVBUS_SLOT_SIZE));
	ch->mem = dma_alloc_coherent(&parent, ch->mem_size, &ch->mem_dma, 0);
	if (!ch->mem) {
		free(ch);
		return ERR_PTR(-ENOMEM);
	}
	ch->handler = cfg->handler;
	ch->look = cfg->look;
	ch->priv = cfg->priv;
	pvring_prod_init(&ch->tx, ch->mem, PVBLK_DEPTH, PVBUS_SLOT_SIZE);
	pvring_cons_init(&asked, ch->mem, PVBLK_DEPTH, PVBUS_SLOT_SIZE);
	pvring_cons_init(&ch->rx, ch->mem + ch->mem_size / 2, PVBLK_DEPTH,
			 PVBUS_SLOT_SIZE);
	pvring_prod_init(&told, ch->mem + ch->mem_size / 2, PVBLK_DEPTH,
			 PVBUS_SLOT_SIZE);
	closed = false;
	break_early(ch);
	return ch;
}

void pvbus_channel_close_begin(struct pvbus_channel *ch)
{
	must(!closed);
	closed = true;
}

/* Whether the host has let go is up to it. */
bool pvbus_channel_close_end(struct pvbus_channel *ch)
{
	must(closed);
	dma_free_coherent(&parent, ch->mem_size, ch->mem, ch->mem_dma);
	free(ch);
	return fuzz_u8() & 3;
}

bool pvbus_channel_close(struct pvbus_channel *ch)
{
	pvbus_channel_close_begin(ch);
	return pvbus_channel_close_end(ch);
}

void pvbus_channel_kick(struct pvbus_channel *ch)
{
	must(!closed);
	pvring_prod_kick(&ch->tx);
}

void pvbus_channel_break(struct pvbus_channel *ch, const char *what, u64 value)
{
	kernel_say("%s %llu", what, value);
	ch->broken = true;
}

/* -- the block layer ----------------------------------------------------------------- */

static struct pvblk_req *pdu(struct request *rq)
{
	return blk_mq_rq_to_pdu(rq);
}

void blk_mq_start_request(struct request *rq)
{
	must(!rq->with_driver);
	rq->with_driver = true;
}

static void end(struct request *rq)
{
	must(rq->with_driver);
	must(pdu(rq)->status <= PVBLK_ST_DEAD);
	/* what the host did not let go of is lost, but for our half of a table */
	if (pdu(rq)->kept) {
		must(blk.kept);
		if (rq->op == REQ_OP_READ)
			kept_pages += rq->nr_bvecs;
		free(pdu(rq)->table);
		pdu(rq)->table = NULL;
		pdu(rq)->nr_segs = 0;
	}
	must(!pdu(rq)->nr_segs && !pdu(rq)->table);
	must(!(q->slot[rq->tag].state & PVBLK_BUSY));
	rq->with_driver = false;
	rq->rq_flags = 0;
}

void blk_mq_complete_request(struct request *rq)
{
	pvblk_mq_ops.complete(rq);
}

bool blk_mq_complete_request_remote(struct request *rq)
{
	if (fuzz_u8() != 0xff)
		return false;
	pvblk_mq_ops.complete(rq);
	return true;
}

static void (*complete_batch)(struct io_comp_batch *iob);

bool blk_mq_add_to_batch(struct request *rq, struct io_comp_batch *iob,
			 int error, void (*complete)(struct io_comp_batch *))
{
	if (!iob || error)
		return false;
	complete_batch = complete;
	rq->rq_next = iob->req_list;
	iob->req_list = rq;
	return true;
}

void blk_mq_end_request(struct request *rq, blk_status_t status)
{
	must(status <= BLK_STS_IOERR);
	must(status == BLK_STS_OK || pdu(rq)->status);
	end(rq);
}

void blk_mq_end_request_batch(struct io_comp_batch *iob)
{
	struct request *rq, *next;

	for (rq = iob->req_list; rq; rq = next) {
		next = rq->rq_next;
		end(rq);
	}
	iob->req_list = NULL;
}

/* It will come again, which is for the fuzzer to decide. */
void blk_mq_requeue_request(struct request *rq, bool kick)
{
	u32 flags = rq->rq_flags;

	end(rq);
	rq->rq_flags = flags;
}

/* -- requests ------------------------------------------------------------------------ */

static void make_request(struct request *rq)
{
	unsigned int i;

	rq->op = fuzz_below(REQ_OP_OTHER + 1);
	rq->cmd_flags = fuzz_u8() & 1 ? REQ_FUA | REQ_NOUNMAP : 0;
	rq->sector = fuzz_u16();
	rq->nr_bvecs = 1 + fuzz_below(MAX_BVECS);
	for (i = 0; i < rq->nr_bvecs; i++) {
		rq->bvec[i].bv_page = &data;
		rq->bvec[i].bv_len = 512 * (1 + fuzz_below(16));
		rq->bvec[i].bv_offset = 0;
	}
}

static struct request *free_request(void)
{
	struct request *rq = &reqs[fuzz_below(NR_REQS)];

	if (rq->with_driver)
		return NULL;
	if (!rq->rq_flags)
		make_request(rq);
	return rq;
}

static void queue_one(void)
{
	struct blk_mq_queue_data bd = { .rq = free_request() };
	bool dead = q->dead;
	blk_status_t status;

	bd.last = fuzz_u8() & 1;
	if (!bd.rq)
		return;
	status = pvblk_mq_ops.queue_rq(&hctx, &bd);
	if (status)
		must(!bd.rq->with_driver && !pdu(bd.rq)->nr_segs &&
		     !pdu(bd.rq)->table);
	/* nor would it be tried again, for ever */
	must(!dead || (status && status != BLK_STS_RESOURCE));
}

static void queue_batch(void)
{
	unsigned int i, n = 1 + fuzz_below(8);
	struct request *rq, *list = NULL;

	for (i = 0; i < n; i++) {
		rq = free_request();
		/* each but once: they are taken in order of their tags */
		if (rq && (!list || rq->tag > list->tag)) {
			rq->rq_next = list;
			list = rq;
		}
	}
	if (list)
		pvblk_mq_ops.queue_rqs(&list);
	for (; list; list = list->rq_next)
		must(!list->with_driver);
}

/* Small reads, as many as there can be. */
static void queue_all(void)
{
	unsigned int i;

	for (i = 0; i < NR_REQS; i++) {
		struct blk_mq_queue_data bd = { .rq = &reqs[i], .last = true };

		if (reqs[i].with_driver || reqs[i].rq_flags)
			continue;
		reqs[i].op = REQ_OP_READ;
		reqs[i].nr_bvecs = 1;
		reqs[i].bvec[0].bv_page = &data;
		reqs[i].bvec[0].bv_len = PAGE_SIZE;
		pvblk_mq_ops.queue_rq(&hctx, &bd);
	}
}

static void commit(void)
{
	pvblk_mq_ops.commit_rqs(&hctx);
}

/* -- the host ------------------------------------------------------------------------ */

static void read_requests(void)
{
	struct pvbus_blk_req req;

	if (closed)
		return;
	while (pvring_get(&asked, &req, sizeof(req))) {
		seen[nr_seen % NR_REQS].tag = req.tag;
		seen[nr_seen++ % NR_REQS].cookie = req.cookie;
	}
	pvring_cons_publish(&asked);
}

static void put_completions(void)
{
	struct pvbus_blk_cpl cpl = {};
	/* up to one more than there can be, in the order in which they came */
	unsigned int i, count = 1 + fuzz_below(PVBUS_BLK_DONE_MAX + 1);
	unsigned int first = fuzz_u8();

	if (closed)
		return;
	cpl.count = cpu_to_le16(count);
	for (i = 0; i < count && i < PVBUS_BLK_DONE_MAX; i++) {
		unsigned int n = (first + i) % NR_REQS;

		cpl.done[i].tag = seen[n].tag;
		cpl.done[i].cookie = seen[n].cookie;
		cpl.done[i].status = cpu_to_le32(fuzz_u8() & 0x1f);
	}
	/* one word of it may be wrong */
	i = fuzz_u8();
	if (i < sizeof(cpl) / 4)
		((u32 *)&cpl)[i] ^= fuzz_u32();
	pvring_put(&told, &cpl, sizeof(cpl));
}

static void write_ring(void)
{
	u32 at = fuzz_u16();

	if (!closed)
		((__le32 *)q->ch->mem)[at % (q->ch->mem_size / 4)] = fuzz_u32();
}

/* -- how completions are found ------------------------------------------------------- */

static void interrupt(void)
{
	if (!closed && q->ch->handler)
		q->ch->handler(q->ch);
}

static void look(void)
{
	pvblk_look(q);
}

static void poll(void)
{
	struct io_comp_batch iob = {};

	complete_batch = NULL;
	pvblk_mq_ops.poll(&hctx, fuzz_u8() & 1 ? &iob : NULL);
	if (iob.req_list)
		complete_batch(&iob);
}

static void expire(void)
{
	struct request *rq = &reqs[fuzz_below(NR_REQS)];

	if (rq->with_driver)
		pvblk_mq_ops.timeout(rq);
}

static void watch(void)
{
	u8 how = fuzz_u8();
	bool late = how >= 0xf0;

	pdev.gone = how & 1;
	pvblk_watch(&blk);
	jiffies += late ? PVBLK_GONE_TIME + 1 : PVBLK_WATCH;
	kernel_run();
	/* whatever the host has answered meanwhile */
	must(!late || !pdev.gone || blk.stopped);
}

/* -- the disk ------------------------------------------------------------------------ */

static bool begin(void)
{
	unsigned int i;

	memset(&pdev, 0, sizeof(pdev));
	memset(&blk, 0, sizeof(blk));
	memset(reqs, 0, sizeof(reqs));
	memset(seen, 0, sizeof(seen));
	nr_seen = 0;
	data.pins = 0;
	kept_pages = 0;
	blk.pdev = &pdev;
	blk.dma_dev = &parent;
	blk.disk = &disk;
	disk.queue = &queue;
	disk.dev = &parent;
	queue.queuedata = &blk;
	hctx.queue = &queue;
	blk.nr_queues = 1;
	blk.queue = aligned_alloc(64, sizeof(*q));
	memset(blk.queue, 0, sizeof(*q));
	q = blk.queue;
	q->blk = &blk;
	q->polled = fuzz_u8() & 1;
	blk.nr_polled = q->polled;
	blk.cfg.max_segments = fuzz_u8() & 1 ? PVBUS_BLK_MAX_SEGS : 16;
	blk.max_segment = PAGE_SIZE;
	for (i = 0; i < NR_REQS; i++) {
		reqs[i].tag = i * 5;
		reqs[i].q = &queue;
		reqs[i].mq_hctx = &hctx;
		reqs[i].timeout = HZ;
	}
	pvblk_init_works(&blk);
	closed = true;
	early = fuzz_left() % 16 == 9;
	if (pvblk_init_tables(&blk))
		return false;
	if (!pvblk_open_queues(&blk))
		return true;
	must(closed);
	kernel_cancel(&blk.fail_work);
	pvblk_free_tables(&blk);
	return false;
}

static void finish(void)
{
	unsigned int i;

	pvblk_stop(&blk);
	must(closed);
	kernel_cancel(&blk.fail_work);
	kernel_cancel(&blk.watch_work.work);
	for (i = 0; i < NR_REQS; i++)
		must(!reqs[i].with_driver);
	must(data.pins == kept_pages);
	if (blk.kept)
		free(q->dma_pool);
	pvblk_free_tables(&blk);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static void (* const steps[])(void) = {
		queue_one, queue_one, queue_batch, commit, read_requests,
		read_requests, put_completions, put_completions, write_ring,
		interrupt, interrupt, look, poll, expire, watch, kernel_run,
		queue_all,
	};
	unsigned int i;

	fuzz_begin(in, size);
	guest_begin();
	if (begin()) {
		for (i = 0; i < STEPS && fuzz_left(); i++) {
			peer_on();
			steps[fuzz_below(ARRAY_SIZE(steps))]();
			peer_off();
			must(!q->rx_lock.held && !q->tx_lock.held);
		}
		finish();
	}
	must(!guest_end() || blk.kept);
	free(blk.queue);
	return 0;
}
