/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus guest: network card.
 *
 * Directions are the guest's: "tx" is guest to host, "rx" is host to guest; so
 * too in the host's backend.
 *
 * A queue of the card is a channel, a tx queue and a NAPI instance. Two contexts
 * use it:
 *
 *   - whoever holds the lock of the tx queue (__netif_tx_lock()) owns the ring
 *     from guest to host and what it takes to send. That is ndo_start_xmit(),
 *     and NAPI while it posts buffers: there is no other lock, so netpoll, which
 *     only tries that one, can call in from anywhere.
 *   - NAPI owns the ring from host to guest, the rx buffers and the completion
 *     of sent packets.
 *
 * Neither ring can be too full for what is put into it. From guest to host, a
 * packet with its tag or PVBUS_NET_BUFS_MAX buffers come with each entry, and
 * there are PVNET_TX_TAGS of the ones and PVNET_RX_BUFS of the others, or it is
 * one that the last one of its kind made room for. From host to
 * guest likewise, as slots are given back before a tag or buffer is used again.
 */
#ifndef PVNET_H
#define PVNET_H

#include <linux/dma-mapping.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>

#include <linux/pvbus_net.h>

#include "pvbus.h"

struct page_pool;
struct pvnet;

#define PVNET_RING_SLOTS	512
#define PVNET_TX_TAGS		256
#define PVNET_RX_BUFS		256
/* and one for what pvnet_coalesce_put() puts, one at a time */
static_assert(PVNET_TX_TAGS + PVNET_RX_BUFS / PVBUS_NET_BUFS_MAX + 1 <=
	      PVNET_RING_SLOTS);
static_assert(PVNET_TX_TAGS + PVNET_RX_BUFS <= PVNET_RING_SLOTS);

/* Most packets that an interrupt waits for: while it does, half of the buffers
 * for small ones are left.
 */
#define PVNET_MAX_FRAMES	(PVNET_RX_BUFS / 2)
static_assert(PVNET_MAX_FRAMES <= PVNET_RING_SLOTS / 2);

/* A stopped tx queue goes on once this many tags are free. */
#define PVNET_TX_WAKE		32
#define PVNET_TX_SEGS		(MAX_SKB_FRAGS + 1 < PVBUS_NET_MAX_SEGS ? \
				 MAX_SKB_FRAGS + 1 : PVBUS_NET_MAX_SEGS)
/* Tables of segments, one for each tag, in pages of coherent memory. */
#define PVNET_TABLE_SIZE	(PVBUS_NET_MAX_SEGS * \
				 sizeof(struct pvbus_net_seg))
#define PVNET_PAGE_TABLES	(PVBUS_PAGE_SIZE / PVNET_TABLE_SIZE)
#define PVNET_TABLE_PAGES	(PVNET_TX_TAGS / PVNET_PAGE_TABLES)

#define PVNET_BUF_SIZE		PVBUS_PAGE_SIZE
/* The longest packet must fit the fragments of one skb, and one entry. */
#define PVNET_RX_FRAGS		DIV_ROUND_UP(PVBUS_NET_MAX_LEN, PVNET_BUF_SIZE)
static_assert(PVNET_RX_FRAGS <= MAX_SKB_FRAGS);
static_assert(PVNET_RX_FRAGS <= PVBUS_NET_RX_BUFS_MAX);
/* id of a buffer: index in the low bits, generation above */
#define PVNET_ID_INDEX		0x0fff
#define PVNET_ID_GEN		0x1000
static_assert(PVNET_RX_BUFS <= PVNET_ID_INDEX + 1);

/* Entries that are taken from the ring before their slots are given back. */
#define PVNET_STASH		16

/* What the host may put into its ring; the types share byte 4. */
union pvnet_entry {
	struct pvbus_net_rx		rx;
	struct pvbus_net_tx_done	done;
};

/**
 * struct pvnet_dma - a mapped piece of a packet
 * @addr: DMA address
 * @len: bytes
 */
struct pvnet_dma {
	dma_addr_t	addr;
	u32		len;
};

/**
 * struct pvnet_tx_info - a tag, and the packet that it names
 * @busy: the host has the packet. Set when all else is in place, and cleared
 *	by NAPI when the host has named the tag.
 * @cookie: tells this use of the tag from others
 * @nr_segs: entries of @seg in use
 * @skb: the packet
 * @seg: its mapped pieces: first the linear part, then the fragments. The
 *	host's copy of this is never read back.
 */
struct pvnet_tx_info {
	bool			busy;
	u16			cookie;
	u16			nr_segs;
	struct sk_buff		*skb;
	struct pvnet_dma	seg[PVNET_TX_SEGS];
};

struct pvnet_table_page {
	struct pvbus_net_seg	*seg;
	dma_addr_t		dma;
};

/**
 * struct pvnet_rx_buf - a buffer
 * @page: its page, or NULL
 * @gen: generation, in the bits of PVNET_ID_GEN and above
 * @posted: the host has it
 */
struct pvnet_rx_buf {
	struct page	*page;
	u16		gen;
	bool		posted;
};

/**
 * struct pvnet_tx_stats - written under the lock of the tx queue
 * @sync: makes 64-bit counters whole on 32-bit machines
 * @packets: packets that were put into the ring
 * @bytes: their bytes
 * @drops: packets that were not
 */
struct pvnet_tx_stats {
	struct u64_stats_sync	sync;
	u64_stats_t		packets;
	u64_stats_t		bytes;
	u64_stats_t		drops;
};

/**
 * struct pvnet_rx_stats - written by NAPI
 * @sync: makes 64-bit counters whole on 32-bit machines
 * @packets: packets that the stack got
 * @bytes: their bytes
 * @drops: packets lost for want of memory
 * @errors: packets with bad metadata
 */
struct pvnet_rx_stats {
	struct u64_stats_sync	sync;
	u64_stats_t		packets;
	u64_stats_t		bytes;
	u64_stats_t		drops;
	u64_stats_t		errors;
};

/**
 * struct pvnet_coalesce - how interrupts are put off; "ethtool -C"
 * @adaptive_rx: an idle CPU looks for what the host sends, for as long as that
 *	pays, and the host's own time holds; @rx_usecs and @rx_frames do not
 * @adaptive_tx: the host's own time holds; @tx_usecs does not
 * @rx_usecs: longest time that a packet may wait; 0: none
 * @rx_frames: packets that wait together at most; 0: PVNET_MAX_FRAMES
 * @tx_usecs: longest time that a notice of packets sent may wait
 */
struct pvnet_coalesce {
	bool	adaptive_rx;
	bool	adaptive_tx;
	u32	rx_usecs;
	u32	rx_frames;
	u32	tx_usecs;
};

/**
 * struct pvnet_queue - a queue of the card
 * @pn: the card
 * @index: its number
 * @arm_count: entries that an interrupt is for; 0: the next, unless an idle CPU
 *	looks at the ring. Written with rtnl, read by both contexts
 * @txq: tx queue of the net_device; its lock owns what is marked [tx]
 * @ch: channel, or NULL when the queue is not open; rtnl, and neither context
 *	runs while it changes
 * @doorbells: doorbells rung on earlier channels; rtnl
 * @interrupts: interrupts that came on earlier channels; rtnl
 * @breaks: earlier channels that the host broke or stopped; rtnl
 * @coalesce: how interrupts are put off; rtnl
 * @tx: tags and their packets
 * @table: tables of segments; [tx]
 * @tag: ring of free tags: taken by [tx], given back by NAPI
 * @tag_head: next tag to take; [tx]
 * @tag_tail: where the next one is given back; NAPI; free running as @tag_head
 * @unannounced: buffers posted since the host's doorbell was last considered;
 *	[tx]
 * @coalesce_at: where in the ring to the host the last of @coalesce ends; [tx]
 * @tx_stats: [tx]
 * @napi: owns all that follows
 * @reaped: packets whose completion is still to be accounted for
 * @reaped_bytes: their bytes
 * @pool: pages for buffers, mapped for the device
 * @rx: buffers
 * @rx_free: indices of those that the host does not have
 * @nr_rx_free: their number
 * @stash: private copies of entries, whose slots were given back
 * @stash_pos: next one to look at
 * @stash_nr: their number
 * @refill: tries again to get memory for buffers
 * @rx_stats: NAPI
 */
struct pvnet_queue {
	struct pvnet		*pn;
	u16			index;
	u32			arm_count;
	struct netdev_queue	*txq;
	struct pvbus_channel	*ch;
	u64			doorbells;
	u64			interrupts;
	u64			breaks;

	struct pvnet_coalesce	coalesce;

	struct pvnet_tx_info	*tx;
	struct pvnet_table_page	table[PVNET_TABLE_PAGES];
	u16			tag[PVNET_TX_TAGS];
	u32			tag_head;
	u32			unannounced;
	u32			coalesce_at;
	struct pvnet_tx_stats	tx_stats;

	struct napi_struct	napi ____cacheline_aligned_in_smp;
	u32			tag_tail;
	unsigned int		reaped;
	unsigned int		reaped_bytes;
	struct page_pool	*pool;
	struct pvnet_rx_buf	rx[PVNET_RX_BUFS];
	u16			rx_free[PVNET_RX_BUFS];
	unsigned int		nr_rx_free;
	union pvnet_entry	stash[PVNET_STASH];
	unsigned int		stash_pos;
	unsigned int		stash_nr;
	struct timer_list	refill;
	struct pvnet_rx_stats	rx_stats;
};

/**
 * struct pvnet - a card; the net_device's private area
 * @dev: its net_device
 * @pdev: the device of the bus
 * @dma: device for the DMA API
 * @features: PVBUS_NET_F_* in use
 * @link: the host says that the cable is plugged in; rtnl
 * @host_mtu: MTU that the host said last; rtnl
 * @nr_open: queues that are open, 0 to @nr_open - 1; rtnl
 * @leaked: it was said that memory is leaked; rtnl
 * @reset: closes and opens all channels
 * @reset_wanted: something is wrong since the channels were opened
 * @reset_after: not before this, in jiffies
 * @resets: resets since there was a quiet time; @reset only
 * @last_reset: when the last one was, in jiffies; @reset only
 * @nr_queues: entries of @queue
 * @queue: the queues
 */
struct pvnet {
	struct net_device	*dev;
	struct pvbus_device	*pdev;
	struct device		*dma;
	u64			features;
	bool			link;
	u32			host_mtu;
	unsigned int		nr_open;
	bool			leaked;
	struct delayed_work	reset;
	bool			reset_wanted;
	unsigned long		reset_after;
	unsigned int		resets;
	unsigned long		last_reset;
	unsigned int		nr_queues;
	struct pvnet_queue	queue[];
};

/* net_main.c */
/* The host broke the protocol: stop the queue, reset the card. NAPI or [tx]. */
void pvnet_break(struct pvnet_queue *q, const char *what, u64 value);
void pvnet_schedule_reset(struct pvnet *pn);

/* net_tx.c */
netdev_tx_t pvnet_start_xmit(struct sk_buff *skb, struct net_device *dev);
int pvnet_tx_alloc(struct pvnet_queue *q);
void pvnet_tx_free(struct pvnet_queue *q, bool leak);
bool pvnet_tx_done(struct pvnet_queue *q, const struct pvbus_net_tx_done *e,
		   int budget);
void pvnet_tx_reap(struct pvnet_queue *q);

/* net_rx.c */
int pvnet_poll(struct napi_struct *napi, int budget);
int pvnet_rx_alloc(struct pvnet_queue *q);
void pvnet_rx_free(struct pvnet_queue *q, bool leak);
void pvnet_rx_refill(struct pvnet_queue *q);

/* net_coalesce.c */
void pvnet_coalesce_init(struct pvnet_queue *q);
void pvnet_coalesce_open(struct pvnet_queue *q);
int pvnet_get_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
		       struct kernel_ethtool_coalesce *kernel_ec,
		       struct netlink_ext_ack *extack);
int pvnet_set_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
		       struct kernel_ethtool_coalesce *kernel_ec,
		       struct netlink_ext_ack *extack);
int pvnet_get_queue_coalesce(struct net_device *dev, u32 queue,
			     struct ethtool_coalesce *ec);
int pvnet_set_queue_coalesce(struct net_device *dev, u32 queue,
			     struct ethtool_coalesce *ec);

/* net_ethtool.c */
extern const struct ethtool_ops pvnet_ethtool_ops;

#endif /* PVNET_H */
