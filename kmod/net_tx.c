// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: network cards, guest to host. Entries are taken out of the ring,
 * packets copied once, straight from the guest's pages into an skb, and given
 * to the stack in batches. As the copy is made at once, no packet of the guest
 * is ever in flight here: its name goes back as soon as the batch is done.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/minmax.h>
#include <linux/skbuff.h>

#include <pvbus/net_hdr.h>

#include "host_trace.h"
#include "net.h"

/* What the stack gets at once: a batch ends behind these many. */
#define PVH_NET_BATCH_PACKETS	32
/* Of a packet that does not fit a page, what lies before the page fragments. */
#define PVH_NET_HEAD		256
#define PVH_NET_HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)
/* Bytes in a packet, on average, from which on they are a bulk of data. */
#define PVH_NET_BULK		SZ_16K

/**
 * struct pvh_net_batch - packets on their way to the stack
 * @skbs: the packets
 * @packets: their number
 * @bytes: their bytes
 * @errors: packets that were lost
 */
struct pvh_net_batch {
	struct list_head	skbs;
	unsigned int		packets;
	unsigned int		bytes;
	unsigned int		errors;
};

/* An entry whose type is not known yet. */
union pvh_net_entry {
	struct pvbus_net_tx	tx;
	struct pvbus_net_bufs	bufs;
	struct pvbus_net_coalesce coalesce;
};

/* -- to the stack ------------------------------------------------------------ */

static void pvh_net_count_batch(struct pvh_net_queue *q,
				const struct pvh_net_batch *b, bool up)
{
	struct pvh_net_stats *s = &q->stats;

	u64_stats_update_begin(&s->sync);
	if (up) {
		u64_stats_add(&s->count[PVH_NET_TX_PACKETS], b->packets);
		u64_stats_add(&s->count[PVH_NET_TX_BYTES], b->bytes);
	} else {
		u64_stats_add(&s->count[PVH_NET_TX_DROPPED], b->packets);
	}
	u64_stats_add(&s->count[PVH_NET_TX_ERRORS], b->errors);
	u64_stats_update_end(&s->sync);
}

static void pvh_net_discard(struct list_head *skbs)
{
	struct sk_buff *skb, *next;

	list_for_each_entry_safe(skb, next, skbs, list) {
		skb_list_del_init(skb);
		kfree_skb(skb);
	}
}

/* Give a batch to the stack and begin a new one. */
static void pvh_net_deliver(struct pvh_net_queue *q, struct pvh_net_batch *b)
{
	struct pvh_stats *stats = &q->ch->stats;
	bool up;

	/* who takes the interface down waits for this section, and moves it then */
	local_bh_disable();
	up = READ_ONCE(q->net->dev->flags) & IFF_UP;
	pvh_net_count_batch(q, b, up);
	if (up)
		netif_receive_skb_list(&b->skbs);
	else
		pvh_net_discard(&b->skbs);
	local_bh_enable();

	if (b->packets)
		q->ch->bulk = b->bytes >= (u64)b->packets * PVH_NET_BULK;
	stats->requests += b->packets + b->errors;
	stats->bytes_in += b->bytes;
	stats->errors += b->errors;
	memset(b, 0, sizeof(*b));
	INIT_LIST_HEAD(&b->skbs);
}

/* -- one packet ---------------------------------------------------------------- */

/* The headers, and @frags bytes in pages of whatever size there is. */
static struct sk_buff *pvh_net_alloc_head(u32 frags)
{
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(PVH_NET_HEADROOM + PVH_NET_HEAD, frags,
				   PAGE_ALLOC_COSTLY_ORDER, &err, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, PVH_NET_HEADROOM);
	skb_put(skb, PVH_NET_HEAD);
	skb->data_len = frags;
	skb->len += frags;
	return skb;
}

/* Small packets in one piece, big ones with their headers in front of pages. */
static struct sk_buff *pvh_net_alloc(struct pvh_net_queue *q, u32 len)
{
	struct sk_buff *skb;

	if (len <= SKB_MAX_HEAD(PVH_NET_HEADROOM)) {
		skb = __netdev_alloc_skb_ip_align(q->net->dev, len, GFP_KERNEL);
		if (skb)
			skb_put(skb, len);
		return skb;
	}
	len -= PVH_NET_HEAD;
	if (pvh_net_pages_suit(len)) {
		skb = pvh_net_alloc_head(0);
		if (!skb || pvh_net_pages_add(&q->pages, skb, len))
			return skb;
		kfree_skb(skb);
	}
	return pvh_net_alloc_head(len);
}

/*
 * Copy the segments into @skb, which has exactly as many bytes in its linear
 * part and its fragments. 0, or as pvh_copy_from_guest().
 */
static int pvh_net_copy_in(struct pvh_channel *ch, struct sk_buff *skb,
			   const struct pvh_net_pkt *pkt)
{
	const skb_frag_t *frag = skb_shinfo(skb)->frags;
	u32 room = skb_headlen(skb);
	u8 *to = skb->data;
	u32 i, part, off;
	int err;

	for (i = 0; i < pkt->nr_segs; i++) {
		for (off = 0; off < pkt->seg[i].len; off += part) {
			if (!room) {
				to = skb_frag_address(frag);
				room = skb_frag_size(frag++);
			}
			part = min(pkt->seg[i].len - off, room);
			err = pvh_copy_from_guest(ch, to,
						  pkt->seg[i].addr + off, part);
			if (err)
				return err;
			to += part;
			room -= part;
		}
	}
	return 0;
}

/* Packets of this flow to the guest go to the queue that this one came from. */
static void pvh_net_learn_flow(struct pvh_net_queue *q, struct sk_buff *skb)
{
	if (READ_ONCE(q->net->nr_open) < 2)
		return;
	skb_reset_network_header(skb);
	pvh_net_flow_set(&q->net->flows, __skb_get_hash_symmetric(skb),
			 q->index);
}

/* Make the metadata the skb's. False: they do not fit what the packet is. */
static bool pvh_net_set_meta(struct pvh_net_queue *q, struct sk_buff *skb,
			     const struct pvbus_net_hdr *hdr)
{
	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE &&
	    !pvh_net_gso_ok(hdr, skb->data, skb_headlen(skb)))
		return false;
	if (pvbus_net_hdr_to_skb(hdr, skb))
		return false;
	skb->protocol = eth_type_trans(skb, q->net->dev);
	skb_record_rx_queue(skb, q->index);
	pvh_net_learn_flow(q, skb);
	return true;
}

/*
 * Read the packet that q->pkt describes. Return: the skb, or NULL when the
 * packet is to be dropped; or ERR_PTR(-EFAULT): its address is not guest RAM.
 */
static struct sk_buff *pvh_net_read(struct pvh_net_queue *q)
{
	const struct pvh_net_pkt *pkt = &q->pkt;
	struct sk_buff *skb;
	int err;

	if (!pvh_net_hdr_ok(&pkt->hdr, pkt->len, q->ch->features))
		return NULL;
	skb = pvh_net_alloc(q, pkt->len);
	if (!skb)
		return NULL;
	err = pvh_net_copy_in(q->ch, skb, pkt);
	if (!err && pvh_net_set_meta(q, skb, &pkt->hdr))
		return skb;
	kfree_skb(skb);
	return err == -EFAULT ? ERR_PTR(err) : NULL;
}

/* Read the table of segments of q->pkt, once, and check the copy. */
static int pvh_net_read_table(struct pvh_net_queue *q)
{
	struct pvh_net_pkt *pkt = &q->pkt;
	int err;

	err = pvh_copy_from_guest(q->ch, q->table, pkt->table,
				  pkt->nr_segs * sizeof(*q->table));
	if (err)
		return err;
	return pvh_net_parse_table(q->table, pkt) ? -EPROTO : 0;
}

/*
 * Take a packet, whatever becomes of it. What the guest cannot help, such as
 * the host being short of memory, costs the packet; else -PVBUS_ST_*.
 */
static int pvh_net_take(struct pvh_net_queue *q, const struct pvbus_net_tx *e,
			struct pvh_net_batch *b)
{
	struct sk_buff *skb = NULL;
	int err = 0;

	if (pvh_net_parse_tx(e, q->ch->rx_slots, &q->pkt))
		return -PVBUS_ST_PROTO;
	if (q->pkt.table)
		err = pvh_net_read_table(q);
	if (!err)
		skb = pvh_net_read(q);
	if (err == -EPROTO)
		return -PVBUS_ST_PROTO;
	if (err == -EFAULT || IS_ERR(skb))
		return -PVBUS_ST_FAULT;

	q->done.entry[q->done.count++] = q->pkt.done;
	if (skb) {
		trace_pvbus_host_net_take(q->ch, skb->len);
		list_add_tail(&skb->list, &b->skbs);
		b->packets++;
		b->bytes += q->pkt.len;
	} else {
		b->errors++;
	}
	return 0;
}

/* -- the ring ------------------------------------------------------------------- */

/**
 * pvh_net_flush_done() - send the notices of taken packets
 * @q: queue
 *
 * What finds no room in the ring stays for the next time. Worker context.
 *
 * Return: 0, or -PVBUS_ST_PROTO.
 */
int pvh_net_flush_done(struct pvh_net_queue *q)
{
	struct pvbus_net_tx_done e = { .type = PVBUS_NET_TX_DONE };
	int room;

	if (!q->done.count)
		return 0;
	room = pvh_net_room(q->ch);
	if (room <= 0)
		return room;
	/* the guest may take a notice as leave to use the slot again */
	pvring_cons_publish(&q->ch->rx);
	e.count = cpu_to_le16(q->done.count);
	memcpy(e.done, q->done.entry, q->done.count * sizeof(*e.done));
	pvring_put(&q->ch->tx, &e, sizeof(e));
	pvh_channel_lazy(q->ch);
	q->done.count = 0;
	return 0;
}

/* How long the guest may be kept waiting. */
static int pvh_net_coalesce(struct pvh_net_queue *q,
			    const struct pvbus_net_coalesce *e)
{
	struct pvh_net_coalesce coalesce;

	if (!(q->ch->features & PVBUS_NET_F_COALESCE) ||
	    pvh_net_parse_coalesce(e, &coalesce))
		return -PVBUS_ST_PROTO;
	q->ch->rx_us = coalesce.rx_us;
	q->ch->lazy_us = coalesce.tx_us;
	return 0;
}

static int pvh_net_entry(struct pvh_net_queue *q, const union pvh_net_entry *e,
			 struct pvh_net_batch *b)
{
	switch (e->tx.type) {
	case PVBUS_NET_TX:
		return pvh_net_take(q, &e->tx, b);
	case PVBUS_NET_BUFS:
		return pvh_net_rx_bufs(q, &e->bufs);
	case PVBUS_NET_COALESCE:
		return pvh_net_coalesce(q, &e->coalesce);
	default:
		return -PVBUS_ST_PROTO;
	}
}

/* Is there room to remember one more packet that was taken? */
static int pvh_net_done_room(struct pvh_net_queue *q)
{
	int err = 0;

	if (q->done.count == PVBUS_NET_DONE_MAX)
		err = pvh_net_flush_done(q);
	return err ? err : q->done.count < PVBUS_NET_DONE_MAX;
}

static int pvh_net_take_all(struct pvh_net_queue *q, unsigned int budget,
			    struct pvh_net_batch *b)
{
	union pvh_net_entry e;
	unsigned int n, bytes = 0;
	int err;

	for (n = 0; n < budget && bytes < PVH_NET_TURN_BYTES; n++) {
		err = pvh_net_done_room(q);
		if (err < 0)
			return err;
		/* until there is room, which pvh_net_pending() sees */
		q->ch->rx_held = !err;
		if (!err || !pvring_get(&q->ch->rx, &e, sizeof(e)))
			break;
		/* buffers are no packet */
		q->pkt.len = 0;
		err = pvh_net_entry(q, &e, b);
		if (err)
			return err;
		bytes += q->pkt.len;
		/* at its limit of memory each packet waits: one is enough */
		if (b->errors)
			return n + 1;
		if (b->packets >= PVH_NET_BATCH_PACKETS)
			pvh_net_deliver(q, b);
	}
	return n;
}

/**
 * pvh_net_tx() - take what the guest has put into its ring
 * @q: queue
 * @budget: most entries to take
 *
 * Packets go to the stack, buffers to q->bufs, times to the channel. The caller
 * sends the notices of taken packets, with pvh_net_flush_done(). Worker context;
 * sleeps.
 *
 * Return: entries taken, or -PVBUS_ST_* when the guest broke the protocol; what
 * came before that is delivered.
 */
int pvh_net_tx(struct pvh_net_queue *q, unsigned int budget)
{
	struct pvh_net_batch b = {};
	int n;

	INIT_LIST_HEAD(&b.skbs);
	n = pvh_net_take_all(q, budget, &b);
	pvring_cons_publish(&q->ch->rx);
	if (b.packets || b.errors)
		pvh_net_deliver(q, &b);
	return n;
}
