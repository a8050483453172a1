/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus host: network cards.
 *
 * Directions are the guest's, here and in the guest's driver: "tx" is guest to
 * host, "rx" is host to guest. The host's net_device sees it the other way
 * round: what it transmits is the guest's rx. And so do the channel's rings,
 * which are named for the host: tx entries come out of ch->rx, rx entries go
 * into ch->tx.
 *
 *	guest -- ch->rx --> net_tx.c --> netif_receive_skb_list()
 *	guest <-- ch->tx -- net_rx.c <-- backlog <-- ndo_start_xmit()
 *
 * A queue of the card is a channel and a queue of the net_device. The channel's
 * worker serves both directions; all of a queue's fields belong to it, but for
 * what ndo_start_xmit() needs.
 *
 * The net_device has all its queues from beginning to end, because their number
 * cannot change without rtnl, which is not to be had under vm->lock; packets
 * for a queue that is not open are directed to one that is.
 */
#ifndef PVBUS_HOST_NET_H
#define PVBUS_HOST_NET_H

#include <linux/netdevice.h>
#include <linux/timer.h>
#include <linux/u64_stats_sync.h>

#include <linux/pvbus_net.h>

#include "host.h"
#include "net_flow.h"
#include "net_parse.h"

struct pvh_net;

/* Packets of the stack that wait for the worker; a power of two. */
#define PVH_NET_BACKLOG		512
/* How long a guest may leave packets waiting for buffers, in jiffies. */
#define PVH_NET_STALL		HZ
/* Packets to take meanwhile, for one that is slow and no more than that. */
#define PVH_NET_TRICKLE		64
/*
 * Bytes of packets after which a turn ends, the last one not counted. TCP leaves no
 * more than a megabyte of a socket to the layers below it: were all of that taken
 * before its sender hears of any of it, both sides would work by turns, and not at
 * the same time.
 */
#define PVH_NET_TURN_BYTES	SZ_256K

/* What is counted, per queue; directions are the guest's. */
enum pvh_net_counter {
	PVH_NET_TX_PACKETS,	/* from the guest, to the stack */
	PVH_NET_TX_BYTES,
	PVH_NET_TX_ERRORS,	/* bad metadata, or the host lacked memory */
	PVH_NET_TX_DROPPED,	/* the net_device was down */
	PVH_NET_RX_PACKETS,	/* from the stack, to the guest */
	PVH_NET_RX_BYTES,
	PVH_NET_RX_DROPPED,	/* the guest had no buffers for it */
	PVH_NET_COUNTERS
};

/**
 * struct pvh_net_stats - what a queue did since the card was created
 * @sync: makes 64-bit counters whole on 32-bit machines
 * @count: counters
 *
 * Written by the worker, with bottom halves off, or when there is none.
 */
struct pvh_net_stats {
	struct u64_stats_sync	sync;
	u64_stats_t		count[PVH_NET_COUNTERS];
};

/**
 * struct pvh_net_drops - packets of the stack that did not reach the worker
 * @sync: as in struct pvh_net_stats
 * @dropped: their number
 *
 * Written in ndo_start_xmit(), under the lock of the net_device's queue.
 */
struct pvh_net_drops {
	struct u64_stats_sync	sync;
	u64_stats_t		dropped;
};

/**
 * struct pvh_net_backlog - packets from the stack to the worker
 * @skb: ring of PVH_NET_BACKLOG packets, index modulo size
 * @head: next to fill; written under the lock of the net_device's queue
 * @tail: next to take; written by the worker
 *
 * Single producer, single consumer: @head is released after the packet is in
 * place, @tail after it was taken out. Indices run free.
 */
struct pvh_net_backlog {
	struct sk_buff	**skb;
	u32		head ____cacheline_aligned_in_smp;
	u32		tail ____cacheline_aligned_in_smp;
};

/**
 * struct pvh_net_bufs - empty buffers that the guest has given
 * @buf: ring of @nr buffers
 * @nr: size, a power of two
 * @head: next to use
 * @count: buffers in the ring
 */
struct pvh_net_bufs {
	struct pvh_net_buf	*buf;
	u32			nr;
	u32			head;
	u32			count;
};

/* How many a queue keeps, of 32 KiB each: what one sender has on its way, and more. */
#define PVH_NET_PAGES		64

/**
 * struct pvh_net_pages - pages of big packets from the guest, which may still have them
 * @page: those with a reference of ours; or NULL
 * @next: which one to look at next, modulo their number
 *
 * Worker only, or when there is none.
 */
struct pvh_net_pages {
	struct page	*page[PVH_NET_PAGES];
	unsigned int	next;
};

/**
 * struct pvh_net_queue - a queue of a card
 * @net: the card
 * @txq: the net_device's queue
 * @index: number of both
 * @ch: channel, or NULL when it is not open or broken. Changes under the lock
 *	of @txq, and under that it can be woken.
 * @drops: packets that never got here
 * @backlog: packets for the guest
 * @stats: counters
 * @bufs: the guest's buffers
 * @done: notices of taken packets that are still to be sent
 * @pkt: packet being taken
 * @table: its table of segments
 * @pages: memory for big ones
 * @hurry: packets were given that the guest was not told of yet; it may be told
 *	of anything else later
 * @blocked: packets wait, but buffers or room in the ring are missing
 * @stalling: that has been so, and the guest has taken few since
 * @stalling_since: when it began, in jiffies
 * @trickle: packets that it has taken since
 * @stall: wakes the worker when it has lasted for PVH_NET_STALL
 */
struct pvh_net_queue {
	struct pvh_net		*net;
	struct netdev_queue	*txq;
	u16			index;
	struct pvh_channel	*ch;
	struct pvh_net_drops	drops;

	struct pvh_net_backlog	backlog;

	struct pvh_net_stats	stats;
	struct pvh_net_bufs	bufs;
	struct {
		unsigned int		count;
		struct pvbus_net_done	entry[PVBUS_NET_DONE_MAX];
	} done;
	struct pvh_net_pkt	pkt;
	struct pvbus_net_seg	table[PVBUS_NET_MAX_SEGS];
	struct pvh_net_pages	pages;
	bool			hurry;
	bool			blocked;
	bool			stalling;
	unsigned long		stalling_since;
	unsigned int		trickle;
	struct timer_list	stall;
};

/**
 * struct pvh_net - a card; the net_device's private area
 * @dev: its net_device
 * @pdev: the device of the bus
 * @config: the blob; rtnl
 * @features: PVBUS_NET_F_* that the guest accepted in the last open
 * @open: queues with a channel, bit by queue; vm->lock
 * @map: for each queue, which one to use; written under vm->lock, read anywhere
 * @nr_open: bits set in @open; as @map
 * @flows: which queue the guest sends from; only used with two queues or more
 * @nr_queues: entries of @queue, and queues of @dev
 * @queue: the queues
 */
struct pvh_net {
	struct net_device	*dev;
	struct pvh_dev		*pdev;
	struct pvbus_net_config	config;
	u64			features;
	unsigned long		open;
	u8			map[PVH_MAX_QUEUES];
	unsigned int		nr_open;
	struct pvh_net_flows	flows;
	unsigned int		nr_queues;
	struct pvh_net_queue	queue[];
};

/* net.c: room for an entry in ch->tx? 1, 0 or -PVBUS_ST_PROTO. */
int pvh_net_room(struct pvh_channel *ch);

/* net_tx.c: guest to host */
int pvh_net_tx(struct pvh_net_queue *q, unsigned int budget);
int pvh_net_flush_done(struct pvh_net_queue *q);

/* net_pages.c: memory for what comes from the guest */
bool pvh_net_pages_suit(u32 len);
bool pvh_net_pages_add(struct pvh_net_pages *p, struct sk_buff *skb, u32 len);
void pvh_net_pages_free(struct pvh_net_pages *p);

/* net_rx.c: host to guest */
netdev_tx_t pvh_net_start_xmit(struct sk_buff *skb, struct net_device *dev);
int pvh_net_rx_open(struct pvh_net_queue *q, struct pvh_channel *ch);
void pvh_net_rx_stop(struct pvh_net_queue *q);
void pvh_net_rx_close(struct pvh_net_queue *q);
int pvh_net_rx_bufs(struct pvh_net_queue *q, const struct pvbus_net_bufs *e);
int pvh_net_rx(struct pvh_net_queue *q, unsigned int budget);
bool pvh_net_rx_pending(struct pvh_net_queue *q);

#endif /* PVBUS_HOST_NET_H */
