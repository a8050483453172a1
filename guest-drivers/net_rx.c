// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: network card, receiving; and NAPI, which also completes what was
 * sent.
 *
 * Buffers are whole pages of a page pool, mapped once. A small packet is copied
 * and its buffer posted again; of a big one the headers are copied and the pages
 * become the skb's fragments.
 */
#define PVBUS_COMPAT_PAGE_POOL

#include <linux/etherdevice.h>
#include <linux/kmemleak.h>
#include <linux/skbuff.h>

#include <pvbus/net_hdr.h>

#include "net.h"
#include "net_trace.h"

/* Packets up to this size are copied; of others, at most this much. */
#define PVNET_COPY		256
/*
 * Pages that a card keeps for what comes next, in all of its queues: those that a
 * reader gives back at once when he takes what waits in his socket.
 */
#define PVNET_POOL_PAGES	2048
/* Entries with buffers that are put into the ring under one lock. */
#define PVNET_REFILL		8
/*
 * When the host knows of fewer buffers, its doorbell is considered. Others it
 * finds by itself: while it has packets for us it looks into its ring. That
 * must leave enough for the longest packet.
 */
#define PVNET_RX_LOW		(PVNET_RX_BUFS / 2)
/* With fewer buffers, do not wait for a packet to try to get more. */
#define PVNET_RX_STARVED	(2 * PVNET_RX_FRAGS)
#define PVNET_REFILL_RETRY	(HZ / 10)
/* Most entries that one poll looks at. */
#define PVNET_POLL_ENTRIES	PVNET_RING_SLOTS

static_assert(PVNET_RX_STARVED < PVNET_RX_LOW);

/* -- buffers --------------------------------------------------------------------- */

/* Take a page for @buf, or the one that it still has. */
static bool pvnet_buf_prepare(struct pvnet_queue *q, struct pvnet_rx_buf *buf)
{
	if (buf->page) {
		dma_sync_single_for_device(q->pn->dma,
					   page_pool_get_dma_addr(buf->page),
					   PVNET_BUF_SIZE, DMA_FROM_DEVICE);
		return true;
	}
	buf->page = page_pool_dev_alloc_pages(q->pool);
	return buf->page;
}

/*
 * Fill an entry with free buffers; only full ones are worth a slot. Return:
 * false when there are too few, or no memory for them.
 */
static bool pvnet_fill_bufs(struct pvnet_queue *q, struct pvbus_net_bufs *e)
{
	unsigned int i;

	if (q->nr_rx_free < PVBUS_NET_BUFS_MAX)
		return false;
	memset(e, 0, sizeof(*e));
	e->type = PVBUS_NET_BUFS;
	e->count = cpu_to_le16(PVBUS_NET_BUFS_MAX);
	e->len = cpu_to_le16(PVNET_BUF_SIZE);
	for (i = 0; i < PVBUS_NET_BUFS_MAX; i++) {
		u16 index = q->rx_free[q->nr_rx_free - 1 - i];
		struct pvnet_rx_buf *buf = &q->rx[index];

		if (!pvnet_buf_prepare(q, buf))
			return false;
		e->id[i] = cpu_to_le16(index | buf->gen);
		e->addr[i] = cpu_to_le64(page_pool_get_dma_addr(buf->page));
	}
	for (i = 0; i < PVBUS_NET_BUFS_MAX; i++)
		q->rx[q->rx_free[--q->nr_rx_free]].posted = true;
	return true;
}

/* Put @nr entries into the ring; the host finds them when it looks. */
static void pvnet_post_bufs(struct pvnet_queue *q,
			    const struct pvbus_net_bufs *e, unsigned int nr)
{
	unsigned int i;

	__netif_tx_lock(q->txq, smp_processor_id());
	if (pvring_prod_room(&q->ch->tx, nr) < (int)nr) {
		pvnet_break(q, "no room in the ring for buffers", nr);
	} else {
		for (i = 0; i < nr; i++)
			pvring_put(&q->ch->tx, &e[i], sizeof(e[i]));
		q->unannounced += nr * PVBUS_NET_BUFS_MAX;
	}
	__netif_tx_unlock(q->txq);
}

/* Does the host know of enough buffers, even if it sleeps? */
static void pvnet_announce_bufs(struct pvnet_queue *q)
{
	u32 posted = PVNET_RX_BUFS - q->nr_rx_free;
	u32 unannounced = READ_ONCE(q->unannounced);

	if (!unannounced || posted >= unannounced + PVNET_RX_LOW)
		return;
	__netif_tx_lock(q->txq, smp_processor_id());
	q->unannounced = 0;
	pvbus_channel_kick(q->ch);
	__netif_tx_unlock(q->txq);
}

/**
 * pvnet_rx_refill() - give the host buffers
 * @q: queue
 *
 * Context: NAPI, or bottom halves off and NAPI not enabled yet.
 */
void pvnet_rx_refill(struct pvnet_queue *q)
{
	struct pvbus_net_bufs e[PVNET_REFILL];
	unsigned int nr;

	do {
		for (nr = 0; nr < PVNET_REFILL; nr++)
			if (!pvnet_fill_bufs(q, &e[nr]))
				break;
		if (nr)
			pvnet_post_bufs(q, e, nr);
	} while (nr == PVNET_REFILL);

	pvnet_announce_bufs(q);
	if (unlikely(PVNET_RX_BUFS - q->nr_rx_free < PVNET_RX_STARVED))
		mod_timer(&q->refill, jiffies + PVNET_REFILL_RETRY);
}

static void pvnet_refill_timer(struct timer_list *t)
{
	struct pvnet_queue *q = container_of(t, struct pvnet_queue, refill);

	napi_schedule(&q->napi);
}

/* The host gives back the buffer that it calls @id. Return: index, or -EPROTO. */
static int pvnet_take_buf(struct pvnet_queue *q, u16 id)
{
	unsigned int index = id & PVNET_ID_INDEX;
	struct pvnet_rx_buf *buf;

	if (index >= PVNET_RX_BUFS) {
		pvnet_break(q, "packet in a buffer that does not exist", id);
		return -EPROTO;
	}
	buf = &q->rx[index];
	if (!buf->posted || (id & ~PVNET_ID_INDEX) != buf->gen) {
		pvnet_break(q, "packet in a buffer that the host does not have",
			    id);
		return -EPROTO;
	}
	buf->posted = false;
	buf->gen += PVNET_ID_GEN;
	q->rx_free[q->nr_rx_free++] = index;
	return index;
}

/* -- packets ----------------------------------------------------------------------- */

static const void *pvnet_buf_read(struct pvnet_queue *q,
				  const struct pvnet_rx_buf *buf, u32 len)
{
	dma_sync_single_for_cpu(q->pn->dma, page_pool_get_dma_addr(buf->page),
				len, DMA_FROM_DEVICE);
	return page_address(buf->page);
}

/* The buffer becomes the skb's, from @off on. */
static void pvnet_add_frag(struct sk_buff *skb, struct pvnet_rx_buf *buf,
			   u32 off, u32 len)
{
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, buf->page, off,
			len - off, PVNET_BUF_SIZE);
	buf->page = NULL;
}

/*
 * Headers to the front, the rest stays where it is. The headers are looked at in
 * the copy: the host can still write to the page.
 */
static void pvnet_build_frags(struct pvnet_queue *q, struct sk_buff *skb,
			      const u16 *index, u32 len)
{
	struct pvnet_rx_buf *buf = &q->rx[index[0]];
	u32 part = min_t(u32, len, PVNET_BUF_SIZE);
	u32 headers;

	memcpy(skb->data, pvnet_buf_read(q, buf, part), PVNET_COPY);
	headers = eth_get_headlen(q->pn->dev, skb->data, PVNET_COPY);
	__skb_put(skb, headers);
	pvnet_add_frag(skb, buf, headers, part);
	while (len -= part) {
		buf = &q->rx[*++index];
		part = min_t(u32, len, PVNET_BUF_SIZE);
		pvnet_buf_read(q, buf, part);
		pvnet_add_frag(skb, buf, 0, part);
	}
	skb_mark_for_recycle(skb);
}

/* Make an skb of the packet in buffers @index. NULL: no memory. */
static struct sk_buff *pvnet_build(struct pvnet_queue *q, const u16 *index,
				   u32 len)
{
	struct sk_buff *skb = napi_alloc_skb(&q->napi, PVNET_COPY);

	if (!skb)
		return NULL;
	if (len <= PVNET_COPY)
		skb_put_data(skb, pvnet_buf_read(q, &q->rx[index[0]], len),
			     len);
	else
		pvnet_build_frags(q, skb, index, len);
	return skb;
}

/* Has the host left unfinished only what we agreed to? */
static bool pvnet_hdr_ok(u64 features, const struct pvbus_net_hdr *hdr)
{
	if (hdr->flags & ~(VIRTIO_NET_HDR_F_NEEDS_CSUM |
			   VIRTIO_NET_HDR_F_DATA_VALID))
		return false;
	if (hdr->flags && !(features & PVBUS_NET_F_GUEST_CSUM))
		return false;
	switch (hdr->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return features & PVBUS_NET_F_GUEST_TSO4 &&
		       hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return features & PVBUS_NET_F_GUEST_TSO6 &&
		       hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	default:
		return false;
	}
}

static bool pvnet_set_meta(struct pvnet_queue *q, struct sk_buff *skb,
			   const struct pvbus_net_hdr *hdr)
{
	struct net_device *dev = q->pn->dev;

	if (!pvnet_hdr_ok(q->pn->features, hdr) ||
	    pvbus_net_hdr_to_skb(hdr, skb))
		return false;
	if (hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID &&
	    skb->ip_summed == CHECKSUM_NONE && dev->features & NETIF_F_RXCSUM)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_record_rx_queue(skb, q->index);
	skb->protocol = eth_type_trans(skb, dev);
	return true;
}

static void pvnet_count_rx(struct pvnet_queue *q, u64_stats_t *counter, u32 len)
{
	struct pvnet_rx_stats *s = &q->rx_stats;

	u64_stats_update_begin(&s->sync);
	u64_stats_inc(counter);
	if (counter == &s->packets)
		u64_stats_add(&s->bytes, len);
	u64_stats_update_end(&s->sync);
}

static void pvnet_rx_packet(struct pvnet_queue *q, const u16 *index, u32 len,
			    const struct pvbus_net_hdr *hdr)
{
	struct sk_buff *skb = pvnet_build(q, index, len);

	if (!skb) {
		pvnet_count_rx(q, &q->rx_stats.drops, len);
	} else if (!pvnet_set_meta(q, skb, hdr)) {
		pvnet_count_rx(q, &q->rx_stats.errors, len);
		dev_kfree_skb_any(skb);
	} else {
		pvnet_count_rx(q, &q->rx_stats.packets, len);
		trace_pvnet_receive(q, len);
		napi_gro_receive(&q->napi, skb);
	}
}

/* An entry of type PVBUS_NET_RX. False: the host broke the protocol. */
static bool pvnet_rx(struct pvnet_queue *q, const struct pvbus_net_rx *e)
{
	u32 len = le32_to_cpu(e->len);
	u32 nr = le16_to_cpu(e->nr_bufs);
	u16 index[PVNET_RX_FRAGS];
	int taken;
	u32 i;

	if (e->flags || e->reserved) {
		pvnet_break(q, "flags of a packet", e->flags);
		return false;
	}
	if (len < ETH_HLEN || len > PVBUS_NET_MAX_LEN) {
		pvnet_break(q, "length of a packet", len);
		return false;
	}
	if (nr != DIV_ROUND_UP(len, PVNET_BUF_SIZE)) {
		pvnet_break(q, "number of buffers of a packet", nr);
		return false;
	}
	for (i = 0; i < nr; i++) {
		taken = pvnet_take_buf(q, le16_to_cpu(e->id[i]));
		if (taken < 0)
			return false;
		index[i] = taken;
	}
	pvnet_rx_packet(q, index, len, &e->hdr);
	return true;
}

/* -- NAPI ------------------------------------------------------------------------- */

/*
 * Next entry, or NULL. Slots are given back before what is in them is used: the
 * host must find room for what comes of that.
 */
static const union pvnet_entry *pvnet_next(struct pvnet_queue *q)
{
	struct pvring_cons *rx = &q->ch->rx;

	if (q->stash_pos == q->stash_nr) {
		q->stash_pos = 0;
		q->stash_nr = 0;
		while (q->stash_nr < PVNET_STASH &&
		       pvring_get(rx, &q->stash[q->stash_nr],
				  sizeof(q->stash[0])))
			q->stash_nr++;
		if (!q->stash_nr)
			return NULL;
		pvring_cons_publish(rx);
	}
	return &q->stash[q->stash_pos];
}

/*
 * Look at entries until @budget packets were received. Return: packets, or
 * -EAGAIN when there may be more entries, or -EPROTO.
 */
static int pvnet_poll_ring(struct pvnet_queue *q, int budget)
{
	const union pvnet_entry *e;
	unsigned int n;
	int work = 0;
	bool ok;

	for (n = 0; n < PVNET_POLL_ENTRIES; n++) {
		e = pvnet_next(q);
		if (!e)
			return work;
		switch (e->rx.type) {
		case PVBUS_NET_RX:
			if (work == budget)
				return -EAGAIN;
			ok = pvnet_rx(q, &e->rx);
			work++;
			break;
		case PVBUS_NET_TX_DONE:
			ok = pvnet_tx_done(q, &e->done, budget);
			break;
		default:
			pvnet_break(q, "type of an entry", e->rx.type);
			ok = false;
		}
		if (!ok)
			return -EPROTO;
		q->stash_pos++;
	}
	return -EAGAIN;
}

/**
 * pvnet_poll() - NAPI's poll
 * @napi: of the queue
 * @budget: most packets to receive; 0 from netpoll
 *
 * The ring is armed while NAPI still owns it. An interrupt that comes between
 * that and napi_complete_done() makes NAPI call again.
 *
 * Return: packets received, less than @budget when there is nothing left.
 */
int pvnet_poll(struct napi_struct *napi, int budget)
{
	struct pvnet_queue *q = container_of(napi, struct pvnet_queue, napi);
	u32 count = READ_ONCE(q->arm_count);
	int work = -EPROTO;

	if (likely(!READ_ONCE(q->ch->broken)))
		work = pvnet_poll_ring(q, budget);
	pvnet_tx_reap(q);
	if (unlikely(work == -EPROTO)) {
		/* nothing is done with it until it is opened anew */
		napi_complete(napi);
		return 0;
	}
	/* netpoll may have interrupted the owner of the lock that this takes */
	if (likely(budget))
		pvnet_rx_refill(q);
	if (work == -EAGAIN || work == budget || !pvbus_channel_arm(q->ch, count ?: 1))
		return budget;
	/* napi_disable() waits for what comes before NAPI is done, only */
	if (work && !count)
		pvbus_channel_expect(q->ch);
	napi_complete_done(napi, work);
	return work;
}

/* -- set-up ------------------------------------------------------------------------ */

static struct page_pool *pvnet_pool_create(struct pvnet *pn)
{
	const struct page_pool_params params = {
		.flags		= PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV,
		.pool_size	= max_t(unsigned int, PVNET_RX_BUFS,
					PVNET_POOL_PAGES / pn->nr_queues),
		.nid		= NUMA_NO_NODE,
		.dev		= pn->dma,
		.dma_dir	= DMA_FROM_DEVICE,
		.max_len	= PVNET_BUF_SIZE,
	};

	return page_pool_create(&params);
}

/**
 * pvnet_rx_alloc() - what it takes to receive
 * @q: queue, closed
 *
 * Return: 0 or a negative errno; pvnet_rx_free() undoes either.
 */
int pvnet_rx_alloc(struct pvnet_queue *q)
{
	unsigned int i;

	timer_setup(&q->refill, pvnet_refill_timer, 0);
	memset(q->rx, 0, sizeof(q->rx));
	for (i = 0; i < PVNET_RX_BUFS; i++)
		q->rx_free[i] = i;
	q->nr_rx_free = PVNET_RX_BUFS;
	q->stash_pos = 0;
	q->stash_nr = 0;
	q->pool = pvnet_pool_create(q->pn);
	if (IS_ERR(q->pool)) {
		int err = PTR_ERR(q->pool);

		q->pool = NULL;
		return err;
	}
	return 0;
}

/**
 * pvnet_rx_free() - undo pvnet_rx_alloc()
 * @q: queue that nobody uses any more
 * @leak: the host may still write to the buffers: they stay, mapped, and so
 *	does the pool, to which pages in use elsewhere come back
 */
void pvnet_rx_free(struct pvnet_queue *q, bool leak)
{
	unsigned int i;

	if (!q->pool)
		return;
	for (i = 0; i < PVNET_RX_BUFS && !leak; i++)
		if (q->rx[i].page)
			page_pool_put_full_page(q->pool, q->rx[i].page, false);
	memset(q->rx, 0, sizeof(q->rx));
	if (leak)
		kmemleak_not_leak(q->pool);
	else
		page_pool_destroy(q->pool);
	q->pool = NULL;
}
