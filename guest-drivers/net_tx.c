// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: network card, sending. A packet is mapped piece by piece, put
 * into the ring under a free tag, and freed when the host names the tag.
 */
#include <linux/etherdevice.h>
#include <linux/kmemleak.h>
#include <linux/slab.h>

#include <net/dst.h>

#include <pvbus/net_hdr.h>

#include "net.h"
#include "net_trace.h"

/* -- tags ---------------------------------------------------------------------- */

/* Free tags, as their taker sees it: never more than there are. */
static u32 pvnet_tags_free(const struct pvnet_queue *q)
{
	/* pairs with pvnet_tag_give() */
	return smp_load_acquire(&q->tag_tail) - q->tag_head;
}

static void pvnet_tag_give(struct pvnet_queue *q, u16 tag)
{
	q->tag[q->tag_tail % PVNET_TX_TAGS] = tag;
	/* pairs with pvnet_tags_free() */
	smp_store_release(&q->tag_tail, q->tag_tail + 1);
}

/* -- memory --------------------------------------------------------------------- */

static void pvnet_tx_unmap(struct pvnet_queue *q, struct pvnet_tx_info *info)
{
	struct device *dma = q->pn->dma;
	unsigned int i;

	dma_unmap_single(dma, info->seg[0].addr, info->seg[0].len,
			 DMA_TO_DEVICE);
	for (i = 1; i < info->nr_segs; i++)
		dma_unmap_page(dma, info->seg[i].addr, info->seg[i].len,
			       DMA_TO_DEVICE);
	info->nr_segs = 0;
}

static int pvnet_tx_add(struct pvnet_queue *q, struct pvnet_tx_info *info,
			dma_addr_t addr, u32 len)
{
	if (dma_mapping_error(q->pn->dma, addr))
		return -ENOMEM;
	info->seg[info->nr_segs].addr = addr;
	info->seg[info->nr_segs++].len = len;
	return 0;
}

static int pvnet_tx_map_frags(struct pvnet_queue *q, struct pvnet_tx_info *info,
			      const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int i;
	int err;

	for (i = 0; i < shinfo->nr_frags; i++) {
		const skb_frag_t *frag = &shinfo->frags[i];
		u32 len = skb_frag_size(frag);

		/* a piece of nothing is not an address for the host */
		if (!len)
			continue;
		err = pvnet_tx_add(q, info,
				   skb_frag_dma_map(q->pn->dma, frag, 0, len,
						    DMA_TO_DEVICE), len);
		if (err)
			return err;
	}
	return 0;
}

/* Map the packet for the host. On error nothing is mapped. */
static int pvnet_tx_map(struct pvnet_queue *q, struct pvnet_tx_info *info,
			struct sk_buff *skb)
{
	struct device *dma = q->pn->dma;
	u32 len;
	int err;

	if (skb_shinfo(skb)->nr_frags >= PVNET_TX_SEGS && skb_linearize(skb))
		return -ENOMEM;
	len = skb_headlen(skb);
	if (!len)
		return -EINVAL;
	info->nr_segs = 0;
	err = pvnet_tx_add(q, info, dma_map_single(dma, skb->data, len,
						   DMA_TO_DEVICE), len);
	if (err)
		return err;
	err = pvnet_tx_map_frags(q, info, skb);
	if (err)
		pvnet_tx_unmap(q, info);
	return err;
}

/* -- the entry -------------------------------------------------------------------- */

static bool pvnet_tx_fits_inline(const struct pvnet_tx_info *info)
{
	unsigned int i;

	for (i = 0; i < info->nr_segs; i++)
		if (i >= PVBUS_NET_INLINE_SEGS || info->seg[i].len > U16_MAX)
			return false;
	return true;
}

static void pvnet_tx_inline(const struct pvnet_tx_info *info,
			    struct pvbus_net_tx *e)
{
	unsigned int i;

	for (i = 0; i < info->nr_segs; i++) {
		e->seg_len[i] = cpu_to_le16(info->seg[i].len);
		e->addr[i] = cpu_to_le64(info->seg[i].addr);
	}
}

static void pvnet_tx_indirect(struct pvnet_queue *q, u16 tag,
			      struct pvbus_net_tx *e)
{
	const struct pvnet_table_page *page = &q->table[tag / PVNET_PAGE_TABLES];
	unsigned int n = tag % PVNET_PAGE_TABLES;
	struct pvbus_net_seg *table = page->seg + n * PVBUS_NET_MAX_SEGS;
	const struct pvnet_tx_info *info = &q->tx[tag];
	unsigned int i;

	for (i = 0; i < info->nr_segs; i++) {
		table[i].addr = cpu_to_le64(info->seg[i].addr);
		table[i].len = cpu_to_le32(info->seg[i].len);
		table[i].reserved = 0;
	}
	e->flags = PVBUS_NET_TX_INDIRECT;
	e->seg_len[0] = cpu_to_le16(info->nr_segs * sizeof(*table));
	e->addr[0] = cpu_to_le64(page->dma + n * PVNET_TABLE_SIZE);
}

/* Map @skb and describe it in @e, under @tag. On error nothing has changed. */
static int pvnet_tx_prepare(struct pvnet_queue *q, u16 tag, struct sk_buff *skb,
			    struct pvbus_net_tx *e)
{
	struct pvnet_tx_info *info = &q->tx[tag];
	int err;

	err = pvbus_net_hdr_from_skb(&e->hdr, skb, false);
	if (err)
		return err;
	err = pvnet_tx_map(q, info, skb);
	if (err)
		return err;
	if (pvnet_tx_fits_inline(info))
		pvnet_tx_inline(info, e);
	else
		pvnet_tx_indirect(q, tag, e);
	info->cookie++;
	e->nr_segs = cpu_to_le16(info->nr_segs);
	e->tag = cpu_to_le16(tag);
	e->cookie = cpu_to_le16(info->cookie);
	e->len = cpu_to_le32(skb->len);
	return 0;
}

/* -- sending ------------------------------------------------------------------------ */

/* No tags: wait until some are free again, if that is not so now. */
static void pvnet_tx_stop(struct pvnet_queue *q)
{
	netif_tx_stop_queue(q->txq);
	/* pairs with that in pvnet_tx_restart(): one of both sees the other */
	smp_mb();
	if (pvnet_tags_free(q) >= PVNET_TX_WAKE)
		netif_tx_start_queue(q->txq);
}

static void pvnet_tx_restart(struct pvnet_queue *q)
{
	/* see pvnet_tx_stop() */
	smp_mb();
	if (netif_tx_queue_stopped(q->txq) &&
	    q->tag_tail - READ_ONCE(q->tag_head) >= PVNET_TX_WAKE)
		netif_tx_wake_queue(q->txq);
}

static void pvnet_tx_drop(struct pvnet_queue *q, struct sk_buff *skb)
{
	u64_stats_update_begin(&q->tx_stats.sync);
	u64_stats_inc(&q->tx_stats.drops);
	u64_stats_update_end(&q->tx_stats.sync);
	dev_kfree_skb_any(skb);
}

/*
 * Hand the packet to the host. Once its tag is busy the host may name it, right
 * or wrong, and NAPI free it: the skb is not touched behind that.
 */
static void pvnet_tx_put(struct pvnet_queue *q, u16 tag, struct sk_buff *skb,
			 const struct pvbus_net_tx *e)
{
	struct pvnet_tx_info *info = &q->tx[tag];

	u64_stats_update_begin(&q->tx_stats.sync);
	u64_stats_inc(&q->tx_stats.packets);
	u64_stats_add(&q->tx_stats.bytes, skb->len);
	u64_stats_update_end(&q->tx_stats.sync);
	skb_tx_timestamp(skb);
	trace_pvnet_xmit(q, skb->len);
	info->skb = skb;
	WRITE_ONCE(q->tag_head, q->tag_head + 1);
	/* pairs with pvnet_tx_complete() */
	smp_store_release(&info->busy, true);

	if (pvring_prod_room(&q->ch->tx, 1) < 1)
		pvnet_break(q, "no room in the ring for a packet", tag);
	else
		pvring_put(&q->ch->tx, e, sizeof(*e));
}

/**
 * pvnet_start_xmit() - ndo_start_xmit()
 * @skb: packet, never left to the caller
 * @dev: net_device
 *
 * Context: lock of the tx queue held; bottom halves, with netpoll also
 * interrupts, off.
 * Return: NETDEV_TX_OK.
 */
netdev_tx_t pvnet_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct pvnet *pn = netdev_priv(dev);
	struct pvnet_queue *q = &pn->queue[skb_get_queue_mapping(skb)];
	struct pvbus_net_tx e = { .type = PVBUS_NET_TX };
	bool kick = !netdev_xmit_more();
	u16 tag;

	if (unlikely(!q->ch || READ_ONCE(q->ch->broken) ||
		     !pvnet_tags_free(q))) {
		pvnet_tx_drop(q, skb);
		goto out;
	}
	tag = q->tag[q->tag_head % PVNET_TX_TAGS];
	if (unlikely(skb->len > PVBUS_NET_MAX_LEN ||
		     pvnet_tx_prepare(q, tag, skb, &e))) {
		pvnet_tx_drop(q, skb);
		goto out;
	}
	kick = __netdev_tx_sent_queue(q->txq, skb->len, !kick);
	pvnet_tx_put(q, tag, skb, &e);
	if (!pvnet_tags_free(q))
		pvnet_tx_stop(q);
out:
	if (q->ch && (kick || netif_xmit_stopped(q->txq))) {
		q->unannounced = 0;
		pvbus_channel_kick(q->ch);
		if (!READ_ONCE(q->arm_count))
			pvbus_channel_expect(q->ch);
		/* a hint: NAPI, which owns that ring, may be reading it */
		if (data_race(pvring_pending(&q->ch->rx)))
			napi_schedule(&q->napi);
	}
	return NETDEV_TX_OK;
}

/* -- completion --------------------------------------------------------------------- */

/*
 * The host has taken the packet of this tag. The tag is the caller's to give
 * back. Return: its skb, or NULL when the host has no such packet.
 */
static struct sk_buff *pvnet_tx_complete(struct pvnet_queue *q,
					 const struct pvbus_net_done *done)
{
	u16 tag = le16_to_cpu(done->tag);
	struct pvnet_tx_info *info;
	struct sk_buff *skb;

	if (tag >= PVNET_TX_TAGS) {
		pvnet_break(q, "notice of a tag that does not exist", tag);
		return NULL;
	}
	info = &q->tx[tag];
	/* pairs with pvnet_tx_put() */
	if (!smp_load_acquire(&info->busy)) {
		pvnet_break(q, "notice of a tag that is not in use", tag);
		return NULL;
	}
	if (le16_to_cpu(done->cookie) != info->cookie) {
		pvnet_break(q, "notice with the wrong cookie",
			    le16_to_cpu(done->cookie));
		return NULL;
	}
	skb = info->skb;
	info->skb = NULL;
	pvnet_tx_unmap(q, info);
	/* the tag's next user begins behind pvnet_tag_give() */
	info->busy = false;
	return skb;
}

/**
 * pvnet_tx_done() - packets were taken
 * @q: queue
 * @e: private copy of an entry of type PVBUS_NET_TX_DONE
 * @budget: NAPI's, 0 from netpoll
 *
 * Context: NAPI.
 * Return: false when the host broke the protocol.
 */
bool pvnet_tx_done(struct pvnet_queue *q, const struct pvbus_net_tx_done *e,
		   int budget)
{
	unsigned int count = le16_to_cpu(e->count);
	struct sk_buff *skb;
	unsigned int i;

	if (e->flags || !count || count > PVBUS_NET_DONE_MAX) {
		pvnet_break(q, "number of notices", count);
		return false;
	}
	for (i = 0; i < count; i++) {
		skb = pvnet_tx_complete(q, &e->done[i]);
		if (!skb)
			return false;
		trace_pvnet_sent(q, skb->len);
		q->reaped++;
		q->reaped_bytes += skb->len;
		napi_consume_skb(skb, budget);
		pvnet_tag_give(q, le16_to_cpu(e->done[i].tag));
	}
	return true;
}

/**
 * pvnet_tx_reap() - account for the packets that were taken
 * @q: queue
 *
 * Context: NAPI, once behind all calls of pvnet_tx_done().
 */
void pvnet_tx_reap(struct pvnet_queue *q)
{
	if (!q->reaped)
		return;
	netdev_tx_completed_queue(q->txq, q->reaped, q->reaped_bytes);
	q->reaped = 0;
	q->reaped_bytes = 0;
	pvnet_tx_restart(q);
}

/* -- set-up ----------------------------------------------------------------------- */

static void pvnet_tables_free(struct pvnet_queue *q, bool leak)
{
	unsigned int i;

	for (i = 0; i < PVNET_TABLE_PAGES; i++) {
		if (q->table[i].seg && !leak)
			dma_free_coherent(q->pn->dma, PVBUS_PAGE_SIZE,
					  q->table[i].seg, q->table[i].dma);
		q->table[i].seg = NULL;
	}
}

static int pvnet_tables_alloc(struct pvnet_queue *q)
{
	unsigned int i;

	for (i = 0; i < PVNET_TABLE_PAGES; i++) {
		q->table[i].seg = dma_alloc_coherent(q->pn->dma,
						     PVBUS_PAGE_SIZE,
						     &q->table[i].dma,
						     GFP_KERNEL);
		if (!q->table[i].seg)
			return -ENOMEM;
	}
	return 0;
}

/**
 * pvnet_tx_alloc() - what it takes to send
 * @q: queue, closed
 *
 * Return: 0 or -ENOMEM; pvnet_tx_free() undoes either.
 */
int pvnet_tx_alloc(struct pvnet_queue *q)
{
	unsigned int i;

	q->tx = kvcalloc(PVNET_TX_TAGS, sizeof(*q->tx), GFP_KERNEL);
	if (!q->tx)
		return -ENOMEM;
	for (i = 0; i < PVNET_TX_TAGS; i++)
		q->tag[i] = i;
	q->tag_head = 0;
	q->tag_tail = PVNET_TX_TAGS;
	q->unannounced = 0;
	q->reaped = 0;
	q->reaped_bytes = 0;
	netdev_tx_reset_queue(q->txq);
	return pvnet_tables_alloc(q);
}

/*
 * The data stays for ever; sockets, connections and routes do not stay with it.
 * But who has sent with MSG_ZEROCOPY is not told that his memory is his again, and
 * his socket waits for that: the host may still read it, and a clone of the
 * packet may be sent again.
 */
static void pvnet_tx_leak(struct sk_buff *skb)
{
	skb_orphan(skb);
	nf_reset_ct(skb);
	skb_ext_reset(skb);
	skb_dst_drop(skb);
	kmemleak_not_leak(skb);
}

/**
 * pvnet_tx_free() - undo pvnet_tx_alloc(), drop packets that were not sent
 * @q: queue that nobody uses any more
 * @leak: the host may still read them: their data stays, mapped
 */
void pvnet_tx_free(struct pvnet_queue *q, bool leak)
{
	unsigned int i;

	for (i = 0; q->tx && i < PVNET_TX_TAGS; i++) {
		struct pvnet_tx_info *info = &q->tx[i];

		if (!info->busy)
			continue;
		if (leak) {
			pvnet_tx_leak(info->skb);
			continue;
		}
		pvnet_tx_unmap(q, info);
		dev_kfree_skb_any(info->skb);
	}
	kvfree(q->tx);
	q->tx = NULL;
	pvnet_tables_free(q, leak);
}
