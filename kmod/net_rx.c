// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: network cards, host to guest. The stack's packets go into a
 * bounded backlog, from which the worker copies them, once, into buffers that
 * the guest has given.
 *
 * A guest that gives none, or hardly any, holds up its own packets only, and those
 * not for long: after PVH_NET_STALL they are dropped, and so is what it cannot take of
 * those that follow, until it has taken a good many.
 */
#include <linux/highmem.h>
#include <linux/if_ether.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include <pvbus/net_hdr.h>

#include "host_trace.h"
#include "net.h"

/* GSO types that can be told to the guest. DODGY: it checks for itself. */
#define PVH_NET_GSO_TYPES	(SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_DODGY)

/* What became of a packet; negative values are -PVBUS_ST_*. */
enum pvh_net_verdict {
	PVH_NET_GIVEN,
	PVH_NET_DROPPED,
	PVH_NET_BLOCKED,
	PVH_NET_NOMEM,
};

/**
 * struct pvh_net_reaped - packets that left the backlog
 * @skbs: they
 * @bytes: bytes of all
 * @given: packets that the guest got
 * @given_bytes: their bytes
 */
struct pvh_net_reaped {
	struct sk_buff_head	skbs;
	unsigned int		bytes;
	unsigned int		given;
	unsigned int		given_bytes;
};

/* -- the backlog --------------------------------------------------------------- */

/* Packets in it, as its producer sees it: never fewer than there are. */
static u32 pvh_net_backlog_used(const struct pvh_net_backlog *bl)
{
	/* pairs with pvh_net_backlog_pop() */
	return bl->head - smp_load_acquire(&bl->tail);
}

static void pvh_net_backlog_put(struct pvh_net_backlog *bl, struct sk_buff *skb)
{
	bl->skb[bl->head % PVH_NET_BACKLOG] = skb;
	/* pairs with pvh_net_backlog_peek() */
	smp_store_release(&bl->head, bl->head + 1);
}

static struct sk_buff *pvh_net_backlog_peek(const struct pvh_net_backlog *bl)
{
	/* pairs with pvh_net_backlog_put() */
	if (smp_load_acquire(&bl->head) == bl->tail)
		return NULL;
	return bl->skb[bl->tail % PVH_NET_BACKLOG];
}

static void pvh_net_backlog_pop(struct pvh_net_backlog *bl)
{
	/* pairs with pvh_net_backlog_used() */
	smp_store_release(&bl->tail, bl->tail + 1);
}

/* -- from the stack --------------------------------------------------------------- */

/*
 * Finish what the guest has not asked to get unfinished. The stack did that
 * already, by ndo_features_check(), unless the guest changed its mind since.
 */
static bool pvh_net_finish(struct sk_buff *skb, u64 features)
{
	unsigned int type = skb_shinfo(skb)->gso_type;

	if (skb->len < ETH_HLEN || skb->len > PVBUS_NET_MAX_LEN)
		return false;
	if (skb_is_gso(skb)) {
		if (type & ~PVH_NET_GSO_TYPES ||
		    skb->ip_summed != CHECKSUM_PARTIAL)
			return false;
		if (type & SKB_GSO_TCPV4)
			return features & PVBUS_NET_F_GUEST_TSO4;
		return features & PVBUS_NET_F_GUEST_TSO6;
	}
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    !(features & PVBUS_NET_F_GUEST_CSUM))
		return !skb_checksum_help(skb);
	return true;
}

/* No room: wait until half of the backlog is empty, if that is not so now. */
static void pvh_net_stop(struct pvh_net_queue *q)
{
	netif_tx_stop_queue(q->txq);
	/* pairs with that in pvh_net_restart(): one of both sees the other */
	smp_mb();
	if (pvh_net_backlog_used(&q->backlog) <= PVH_NET_BACKLOG / 2)
		netif_tx_start_queue(q->txq);
}

static void pvh_net_restart(struct pvh_net_queue *q)
{
	/* see pvh_net_stop() */
	smp_mb();
	if (netif_tx_queue_stopped(q->txq) &&
	    READ_ONCE(q->backlog.head) - q->backlog.tail <= PVH_NET_BACKLOG / 2)
		netif_tx_wake_queue(q->txq);
}

static void pvh_net_drop(struct pvh_net_queue *q, struct sk_buff *skb)
{
	u64_stats_update_begin(&q->drops.sync);
	u64_stats_inc(&q->drops.dropped);
	u64_stats_update_end(&q->drops.sync);
	dev_kfree_skb_any(skb);
}

/**
 * pvh_net_start_xmit() - ndo_start_xmit()
 * @skb: packet for the guest, never left to the caller
 * @dev: net_device
 *
 * Context: bottom halves off, the lock of the net_device's queue held.
 * Return: NETDEV_TX_OK.
 */
netdev_tx_t pvh_net_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct pvh_net *net = netdev_priv(dev);
	struct pvh_net_queue *q = &net->queue[skb_get_queue_mapping(skb)];
	bool more = netdev_xmit_more();

	if (!q->ch || pvh_net_backlog_used(&q->backlog) >= PVH_NET_BACKLOG ||
	    !pvh_net_finish(skb, q->ch->features)) {
		pvh_net_drop(q, skb);
		goto out;
	}
	skb_tx_timestamp(skb);
	trace_pvbus_host_net_xmit(q->ch, skb->len);
	/* it may wait here for long: hold up nobody's state */
	nf_reset_ct(skb);
	/* before the worker can report it as sent */
	more = !__netdev_tx_sent_queue(q->txq, skb->len, more);
	pvh_net_backlog_put(&q->backlog, skb);
	if (pvh_net_backlog_used(&q->backlog) >= PVH_NET_BACKLOG)
		pvh_net_stop(q);
out:
	if (q->ch && (!more || netif_xmit_stopped(q->txq)))
		pvh_channel_wake(q->ch);
	return NETDEV_TX_OK;
}

/* -- buffers ---------------------------------------------------------------------- */

/**
 * pvh_net_rx_bufs() - take buffers from the guest
 * @q: queue
 * @e: private copy of an entry of type PVBUS_NET_BUFS
 *
 * Context: worker.
 * Return: 0, or -PVBUS_ST_*.
 */
int pvh_net_rx_bufs(struct pvh_net_queue *q, const struct pvbus_net_bufs *e)
{
	struct pvh_vm *vm = q->net->pdev->vm;
	struct pvh_net_bufs *bufs = &q->bufs;
	struct pvh_net_buf buf[PVBUS_NET_BUFS_MAX];
	int i, count;

	count = pvh_net_parse_bufs(e, buf);
	if (count < 0)
		return count;
	if (count > bufs->nr - bufs->count)
		return -PVBUS_ST_PROTO;
	for (i = 0; i < count; i++) {
		if (!vm->transport->ram(vm, buf[i].addr, buf[i].len))
			return -PVBUS_ST_FAULT;
		bufs->buf[(bufs->head + bufs->count++) & (bufs->nr - 1)] =
			buf[i];
	}
	return 0;
}

static struct pvh_net_buf *pvh_net_buf(const struct pvh_net_bufs *bufs, u32 i)
{
	return &bufs->buf[(bufs->head + i) & (bufs->nr - 1)];
}

/*
 * Buffers that a packet of @len bytes takes. 0: more than there are;
 * PVBUS_NET_RX_BUFS_MAX + 1: more than there may be.
 */
static u32 pvh_net_bufs_for(const struct pvh_net_bufs *bufs, u32 len)
{
	u32 sum = 0;
	u32 i;

	for (i = 0; i < PVBUS_NET_RX_BUFS_MAX; i++) {
		if (i == bufs->count)
			return 0;
		sum += pvh_net_buf(bufs, i)->len;
		if (sum >= len)
			return i + 1;
	}
	return i + 1;
}

/* -- to the guest ------------------------------------------------------------------- */

/* Copy @len bytes at @off of the packet to the guest's @addr, in one page. */
static int pvh_net_copy_out(struct pvh_channel *ch, const struct sk_buff *skb,
			    u32 off, u64 addr, u32 len)
{
	struct pvh_pin *pin = pvh_pin_get(ch, addr);
	void *page;
	int err;

	if (IS_ERR(pin))
		return PTR_ERR(pin);
	page = kmap_local_page(pin->page);
	err = skb_copy_bits(skb, off, page + offset_in_page(addr), len);
	kunmap_local(page);
	pvh_pin_put(ch, pin);
	return err ? -EIO : 0;
}

/* Fill the first @nr buffers with the packet. */
static int pvh_net_fill(struct pvh_net_queue *q, const struct sk_buff *skb,
			u32 nr, struct pvbus_net_rx *e)
{
	u32 off = 0;
	u32 i, part;
	int err;

	for (i = 0; i < nr; i++, off += part) {
		const struct pvh_net_buf *buf = pvh_net_buf(&q->bufs, i);

		part = min_t(u32, buf->len, skb->len - off);
		err = pvh_net_copy_out(q->ch, skb, off, buf->addr, part);
		if (err)
			return err;
		e->id[i] = buf->id;
	}
	return 0;
}

/* Try to give the guest a packet. enum pvh_net_verdict, or -PVBUS_ST_*. */
static int pvh_net_give(struct pvh_net_queue *q, const struct sk_buff *skb)
{
	struct pvbus_net_rx e = { .type = PVBUS_NET_RX };
	int room = pvh_net_room(q->ch);
	u32 nr = pvh_net_bufs_for(&q->bufs, skb->len);
	int err;

	if (room < 0)
		return room;
	if (nr > PVBUS_NET_RX_BUFS_MAX)
		return PVH_NET_DROPPED;
	if (!room || !nr)
		return PVH_NET_BLOCKED;

	if (pvbus_net_hdr_from_skb(&e.hdr, skb,
				   q->ch->features & PVBUS_NET_F_GUEST_CSUM))
		return PVH_NET_DROPPED;
	err = pvh_net_fill(q, skb, nr, &e);
	/* its buffers stay ours, and the next packet's */
	if (err == -EFAULT)
		return -PVBUS_ST_FAULT;
	if (err)
		return err == -ENOMEM ? PVH_NET_NOMEM : PVH_NET_DROPPED;

	e.nr_bufs = cpu_to_le16(nr);
	e.len = cpu_to_le32(skb->len);
	pvring_put(&q->ch->tx, &e, sizeof(e));
	trace_pvbus_host_net_give(q->ch, skb->len);
	q->bufs.head += nr;
	q->bufs.count -= nr;
	return PVH_NET_GIVEN;
}

/* Has the guest taken too little for too long? Then what it cannot take is dropped. */
static bool pvh_net_dropping(const struct pvh_net_queue *q)
{
	return q->stalling &&
	       time_after_eq(jiffies, q->stalling_since + PVH_NET_STALL);
}

/* A packet cannot be given: for how long not? True when it is too long. */
static bool pvh_net_stalled(struct pvh_net_queue *q)
{
	q->blocked = true;
	if (!q->stalling) {
		q->stalling = true;
		q->stalling_since = jiffies;
		q->trickle = 0;
		mod_timer(&q->stall, jiffies + PVH_NET_STALL);
	}
	return pvh_net_dropping(q);
}

/*
 * A packet was given, and has left the backlog. A guest that gives a buffer every
 * now and then would hold up its senders' sockets for ever: it has to take what
 * waits, or a good deal of it. Once packets are dropped it has to be a good deal:
 * that nothing waits is then not the guest's doing.
 */
static void pvh_net_flows(struct pvh_net_queue *q)
{
	q->blocked = false;
	if (!q->stalling)
		return;
	if (++q->trickle >= PVH_NET_TRICKLE ||
	    (!pvh_net_dropping(q) && !pvh_net_backlog_peek(&q->backlog)))
		q->stalling = false;
}

static void pvh_net_stall_timer(struct timer_list *t)
{
	struct pvh_net_queue *q = container_of(t, struct pvh_net_queue, stall);

	/* it ends before that is cleared, see pvh_net_rx_stop() */
	pvh_channel_wake(q->ch);
}

/* Account for packets that left the backlog, and free them. */
static void pvh_net_reap(struct pvh_net_queue *q, struct pvh_net_reaped *r)
{
	unsigned int packets = skb_queue_len(&r->skbs);
	struct pvh_net_stats *s = &q->stats;
	struct sk_buff *skb;

	q->ch->stats.completions += r->given;
	q->ch->stats.bytes_out += r->given_bytes;
	q->ch->stats.dropped += packets - r->given;

	local_bh_disable();
	u64_stats_update_begin(&s->sync);
	u64_stats_add(&s->count[PVH_NET_RX_PACKETS], r->given);
	u64_stats_add(&s->count[PVH_NET_RX_BYTES], r->given_bytes);
	u64_stats_add(&s->count[PVH_NET_RX_DROPPED], packets - r->given);
	u64_stats_update_end(&s->sync);
	netdev_tx_completed_queue(q->txq, packets, r->bytes);
	pvh_net_restart(q);
	while ((skb = __skb_dequeue(&r->skbs)))
		napi_consume_skb(skb, 1);
	local_bh_enable();
}

/**
 * pvh_net_rx() - give the guest what waits for it
 * @q: queue
 * @budget: most packets to take from the backlog
 *
 * Context: worker; sleeps.
 * Return: packets taken, or -PVBUS_ST_*.
 */
int pvh_net_rx(struct pvh_net_queue *q, unsigned int budget)
{
	struct pvh_net_reaped r = {};
	struct sk_buff *skb;
	unsigned int n = 0;
	int verdict = 0;

	__skb_queue_head_init(&r.skbs);
	while (n < budget && r.bytes < PVH_BUDGET_BYTES &&
	       (skb = pvh_net_backlog_peek(&q->backlog))) {
		/* at the VM's limit each packet waits in vain: one in a turn is enough */
		if (verdict != PVH_NET_NOMEM)
			verdict = pvh_net_give(q, skb);
		if (verdict < 0 ||
		    (verdict == PVH_NET_BLOCKED && !pvh_net_stalled(q)))
			break;
		pvh_net_backlog_pop(&q->backlog);
		__skb_queue_tail(&r.skbs, skb);
		r.bytes += skb->len;
		n++;
		if (verdict == PVH_NET_GIVEN) {
			pvh_net_flows(q);
			r.given++;
			r.given_bytes += skb->len;
		}
	}
	if (n)
		pvh_net_reap(q, &r);
	return verdict < 0 ? verdict : n;
}

/**
 * pvh_net_rx_pending() - is there something that pvh_net_rx() would do?
 * @q: queue
 *
 * Context: worker, about to sleep: does not.
 */
bool pvh_net_rx_pending(struct pvh_net_queue *q)
{
	const struct sk_buff *skb = pvh_net_backlog_peek(&q->backlog);

	if (!skb)
		return false;
	if (!q->blocked || pvh_net_stalled(q))
		return true;
	return pvh_net_bufs_for(&q->bufs, skb->len) && pvh_net_room(q->ch);
}

/* -- open and close ---------------------------------------------------------------- */

/**
 * pvh_net_rx_open() - have the stack's packets come in
 * @q: queue, with @ch not set
 * @ch: its channel, which can be woken from now on
 *
 * Context: process, vm->lock held.
 * Return: 0 or -ENOMEM.
 */
int pvh_net_rx_open(struct pvh_net_queue *q, struct pvh_channel *ch)
{
	struct pvh_net_bufs *bufs = &q->bufs;

	memset(bufs, 0, sizeof(*bufs));
	bufs->nr = ch->tx_slots;
	bufs->buf = kvcalloc(bufs->nr, sizeof(*bufs->buf), GFP_KERNEL_ACCOUNT);
	q->backlog.skb = kvcalloc(PVH_NET_BACKLOG, sizeof(*q->backlog.skb),
				  GFP_KERNEL_ACCOUNT);
	if (!bufs->buf || !q->backlog.skb) {
		kvfree(bufs->buf);
		kvfree(q->backlog.skb);
		return -ENOMEM;
	}
	q->backlog.head = 0;
	q->backlog.tail = 0;
	q->blocked = false;
	q->stalling = false;
	timer_setup(&q->stall, pvh_net_stall_timer, 0);

	__netif_tx_lock_bh(q->txq);
	q->ch = ch;
	__netif_tx_unlock_bh(q->txq);
	return 0;
}

/* Drop what the guest did not get any more. */
static void pvh_net_drain(struct pvh_net_queue *q)
{
	struct sk_buff *skb;
	unsigned int n;

	for (n = 0; (skb = pvh_net_backlog_peek(&q->backlog)); n++) {
		pvh_net_backlog_pop(&q->backlog);
		dev_kfree_skb_any(skb);
	}
	local_bh_disable();
	u64_stats_update_begin(&q->stats.sync);
	u64_stats_add(&q->stats.count[PVH_NET_RX_DROPPED], n);
	u64_stats_update_end(&q->stats.sync);
	local_bh_enable();
}

/**
 * pvh_net_rx_stop() - the guest gets nothing any more
 * @q: queue
 *
 * What comes from the stack afterwards is dropped. May be called again.
 *
 * Context: worker in its last call, or process when it has ended.
 */
void pvh_net_rx_stop(struct pvh_net_queue *q)
{
	timer_delete_sync(&q->stall);
	__netif_tx_lock_bh(q->txq);
	q->ch = NULL;
	__netif_tx_unlock_bh(q->txq);

	/* nothing is put into the backlog any more */
	pvh_net_drain(q);
	netdev_tx_reset_queue(q->txq);
	netif_tx_wake_queue(q->txq);
	/*
	 * A queue that the stack had stopped is scheduled by neither, and nothing
	 * else may go to it any more: drop what waits there.
	 */
	netif_schedule_queue(q->txq);
}

/**
 * pvh_net_rx_close() - undo pvh_net_rx_open()
 * @q: queue whose worker has ended
 *
 * Context: process, vm->lock held.
 */
void pvh_net_rx_close(struct pvh_net_queue *q)
{
	pvh_net_rx_stop(q);
	kvfree(q->backlog.skb);
	kvfree(q->bufs.buf);
}
