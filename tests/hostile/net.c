// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: cases on an open channel of a network card.
 */
#include <linux/delay.h>
#include <linux/if_ether.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/virtio_net.h>

#include "hostile.h"

/* Written while it runs, see net_trickle(). */
static unsigned int trickle = 5;
module_param(trickle, uint, 0644);
MODULE_PARM_DESC(trickle, "as many buffers, 400 ms apart, for a card whose packets are not taken otherwise; 0: no more");

#define PACKET		128
#define BUFFER		2048

static void net_frame(struct hostile *h)
{
	struct ethhdr *eth = h->buf;

	memset(h->buf, 0, PACKET);
	eth_broadcast_addr(eth->h_dest);
	eth->h_source[0] = 2;
	eth->h_proto = htons(ETH_P_802_EX1);
}

/* A packet that nobody minds. */
void net_good(struct hostile *h, struct pvbus_net_tx *tx)
{
	net_frame(h);
	h->tag = (h->tag + 1) % HOSTILE_SLOTS;
	*tx = (struct pvbus_net_tx) {
		.type = PVBUS_NET_TX,
		.nr_segs = cpu_to_le16(1),
		.tag = cpu_to_le16(h->tag),
		.cookie = cpu_to_le16(++h->cookie),
		.len = cpu_to_le32(PACKET),
		.seg_len = { cpu_to_le16(PACKET) },
		.addr = { cpu_to_le64(h->dma) },
	};
}

/* Behind what packets are sent from. */
void net_good_bufs(struct hostile *h, struct pvbus_net_bufs *bufs)
{
	*bufs = (struct pvbus_net_bufs) {
		.type = PVBUS_NET_BUFS,
		.count = cpu_to_le16(1),
		.len = cpu_to_le16(BUFFER),
		.addr = { cpu_to_le64(h->dma + HOSTILE_BUF / 2) },
	};
}

static void net_good_coalesce(struct pvbus_net_coalesce *e)
{
	*e = (struct pvbus_net_coalesce) {
		.type = PVBUS_NET_COALESCE,
		.flags = PVBUS_NET_COALESCE_RX,
		.rx_usecs = cpu_to_le32(100),
	};
}

static bool is_done(const struct hostile *h, const struct pvbus_net_tx_done *e)
{
	unsigned int i;

	if (e->type != PVBUS_NET_TX_DONE)
		return false;
	for (i = 0; i < le16_to_cpu(e->count); i++)
		if (le16_to_cpu(e->done[i].tag) == h->tag)
			return true;
	return false;
}

/* 0: it was taken, or GOT_*. */
int net_try(struct hostile *h, struct pvbus_net_tx *tx)
{
	struct pvbus_net_tx_done e = {};
	int got = hostile_put(h, tx);

	while (!got && !is_done(h, &e))
		got = hostile_get(h, &e);
	return got;
}

/* -- packets ------------------------------------------------------------------ */

static void net_spoilt(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_tx tx;

	net_good(h, &tx);
	hostile_got(c, net_try(h, hostile_spoil(h, c, &tx)));
}

/* In a table, which the packet's data follow. */
static void net_indirect(struct hostile *h, struct pvbus_net_tx *tx)
{
	struct pvbus_net_seg *seg = h->table;

	net_good(h, tx);
	memset(h->table, 0, PAGE_SIZE);
	seg[0].addr = cpu_to_le64(h->dma);
	seg[0].len = cpu_to_le32(PACKET / 2);
	seg[1].addr = cpu_to_le64(h->dma + PACKET / 2);
	seg[1].len = cpu_to_le32(PACKET / 2);
	tx->flags = PVBUS_NET_TX_INDIRECT;
	tx->nr_segs = cpu_to_le16(2);
	tx->seg_len[0] = cpu_to_le16(2 * sizeof(*seg));
	tx->addr[0] = cpu_to_le64(h->table_dma);
}

static void net_spoilt_indirect(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_tx tx;

	net_indirect(h, &tx);
	hostile_got(c, net_try(h, hostile_spoil(h, c, &tx)));
}

static void net_spoilt_table(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_tx tx;

	net_indirect(h, &tx);
	hostile_spoil(h, c, h->table);
	hostile_got(c, net_try(h, &tx));
}

/* Metadata that promise a packet to be cut up, which this is not. */
static void net_gso(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_tx tx;

	net_good(h, &tx);
	tx.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	tx.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	tx.hdr.gso_size = cpu_to_le16(64);
	tx.hdr.csum_start = cpu_to_le16(34);
	tx.hdr.csum_offset = cpu_to_le16(16);
	hostile_got(c, net_try(h, hostile_spoil(h, c, &tx)));
}

/* -- buffers and times -------------------------------------------------------- */

static void net_spoilt_bufs(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_bufs bufs;

	net_good_bufs(h, &bufs);
	hostile_put(h, hostile_spoil(h, c, &bufs));
	hostile_got(c, hostile_wait_broken(h));
}

/* More than the other ring has slots, be some of them used meanwhile. */
static void net_bufs_more(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_bufs bufs;
	unsigned int i;

	for (i = 0; i < 4 * HOSTILE_SLOTS && !READ_ONCE(h->ch->broken); i++) {
		net_good_bufs(h, &bufs);
		if (hostile_put(h, &bufs))
			usleep_range(500, 1000);
	}
	hostile_got(c, hostile_wait_broken(h));
}

static void net_spoilt_coalesce(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_coalesce e;

	net_good_coalesce(&e);
	hostile_put(h, hostile_spoil(h, c, &e));
	hostile_got(c, hostile_wait_broken(h));
}

/* -- rings -------------------------------------------------------------------- */

/*
 * More packets than there is room for notices, of which none is read. One notice may
 * be for several packets, and their ring may be full: how many it takes is not known.
 */
static void net_index(struct hostile *h, const struct hostile_case *c)
{
	unsigned long end = jiffies + hostile_patience * HZ;
	struct pvring_hdr *hdr = h->ch->rx.hdr;
	struct pvbus_net_tx tx;

	while (!READ_ONCE(h->ch->broken) && time_before(jiffies, end)) {
		WRITE_ONCE(hdr->index, cpu_to_le32(c->value));
		net_good(h, &tx);
		hostile_put(h, &tx);
		usleep_range(200, 400);
	}
	hostile_got(c, hostile_wait_broken(h));
}

/* A guest that reads nothing is waited for, and goes on when it reads. */
static void net_not_read(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_tx_done e = {};
	struct pvbus_net_tx tx;
	unsigned int i;
	int got = 0;

	for (i = 0; i < 3 * HOSTILE_SLOTS; i++) {
		net_good(h, &tx);
		hostile_put(h, &tx);
		usleep_range(200, 400);
	}
	/* until it has gone on with what fills its own ring */
	while (!got && pvring_prod_room(&h->ch->tx, 1) < 1)
		got = hostile_get(h, &e);
	net_good(h, &tx);
	hostile_got(c, got ? got : net_try(h, &tx));
}

/* A buffer now and then: who sends to this guest is not to wait for it. */
static void net_trickle(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_bufs bufs;
	struct pvbus_net_rx e;
	unsigned int i;
	int err = 0;

	for (i = 0; i < READ_ONCE(trickle) && !err; i++) {
		while (pvring_get(&h->ch->rx, &e, PVBUS_SLOT_SIZE))
			pvring_cons_publish(&h->ch->rx);
		net_good_bufs(h, &bufs);
		err = hostile_put(h, &bufs);
		msleep(400);
	}
	hostile_got(c, READ_ONCE(h->ch->broken) ? GOT_BROKEN : err);
}

static void net_garbage(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_tx tx;
	unsigned int i;

	for (i = HOSTILE_SLOTS; i--;) {
		get_random_bytes(&tx, sizeof(tx));
		if (tx.type == PVBUS_NET_BUFS)
			tx.type = 0;
		hostile_put_at(h, i, &tx);
	}
	hostile_ring(h);
	hostile_got(c, hostile_wait_broken(h));
}

static void net_storm(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_net_tx tx;

	hostile_storm(h, 500);
	net_good(h, &tx);
	hostile_got(c, net_try(h, &tx));
}

#define AT(name, run, type, field, v, want) \
	{ name, run, PVBUS_TYPE_NET, 0, offsetof(type, field), \
	  sizeof_field(type, field), v, 0, want }
#define AT_PLACE(name, run, type, field, place, want) \
	{ name, run, PVBUS_TYPE_NET, 0, offsetof(type, field), \
	  sizeof(__le64), 0, place, want }
#define TX(name, field, v, want) \
	AT(name, net_spoilt, struct pvbus_net_tx, field, v, want)
#define TX_PLACE(name, field, place) \
	AT_PLACE(name, net_spoilt, struct pvbus_net_tx, field, place, \
		 GOT_BROKEN)
#define GSO(name, field, v) \
	AT(name, net_gso, struct pvbus_net_tx, hdr.field, v, 0)
#define INDIRECT(name, field, v) \
	AT(name, net_spoilt_indirect, struct pvbus_net_tx, field, v, \
	   GOT_BROKEN)
#define TABLE(name, field, v) \
	AT(name, net_spoilt_table, struct pvbus_net_seg, field, v, GOT_BROKEN)
#define BUFS(name, field, v) \
	AT(name, net_spoilt_bufs, struct pvbus_net_bufs, field, v, GOT_BROKEN)
#define BUFS_PLACE(name, place) \
	AT_PLACE(name, net_spoilt_bufs, struct pvbus_net_bufs, addr[0], \
		 place, GOT_BROKEN)
#define TIME(name, field, v) \
	AT(name, net_spoilt_coalesce, struct pvbus_net_coalesce, field, v, \
	   GOT_BROKEN)
#define OTHER(name, run, v, want) \
	{ name, run, PVBUS_TYPE_NET, 0, 0, 0, v, 0, want }

const struct hostile_case hostile_net_cases[] = {
	TX("net_type_zero", type, 0, GOT_BROKEN),
	TX("net_type_of_host", type, PVBUS_NET_RX, GOT_BROKEN),
	TX("net_type_unknown", type, 0xff, GOT_BROKEN),
	TX("net_flag_unknown", flags, 0x80, GOT_BROKEN),
	TX("net_reserved", reserved, 1, GOT_BROKEN),
	TX("net_tag_next", tag, HOSTILE_SLOTS, GOT_BROKEN),
	TX("net_tag_last", tag, 0xffff, GOT_BROKEN),
	TX("net_segs_none", nr_segs, 0, GOT_BROKEN),
	TX("net_segs_more", nr_segs, 4, GOT_BROKEN),
	TX("net_segs_many", nr_segs, 0xffff, GOT_BROKEN),
	TX("net_len_zero", len, 0, GOT_BROKEN),
	TX("net_len_more", len, PACKET + 1, GOT_BROKEN),
	TX("net_len_huge", len, U32_MAX, GOT_BROKEN),
	TX("net_seg_len_zero", seg_len[0], 0, GOT_BROKEN),
	TX("net_seg_unused", seg_len[2], 1, GOT_BROKEN),
	TX_PLACE("net_hole", addr[0], PLACE_HOLE),
	TX_PLACE("net_registers", addr[0], PLACE_REGS),
	TX_PLACE("net_window", addr[0], PLACE_WINDOW),
	TX_PLACE("net_rom", addr[0], PLACE_ROM),
	TX_PLACE("net_beyond", addr[0], PLACE_END),
	TX_PLACE("net_far", addr[0], PLACE_FAR),
	TX("net_over_top", addr[0], U64_MAX - 1, GOT_BROKEN),
	TX("net_hdr_flags", hdr.flags, 0xff, 0),
	TX("net_hdr_gso_type", hdr.gso_type, 0xff, 0),
	GSO("net_gso_not_ip", gso_size, 64),
	GSO("net_gso_size_zero", gso_size, 0),
	GSO("net_gso_no_csum", flags, 0),
	GSO("net_gso_type", gso_type, VIRTIO_NET_HDR_GSO_UDP),
	GSO("net_csum_start", csum_start, 0xffff),
	GSO("net_csum_offset", csum_offset, 0xffff),
	INDIRECT("net_table_odd", addr[0], 0x100008),
	INDIRECT("net_table_over_page", addr[0], 0x100ff0),
	INDIRECT("net_table_size", seg_len[0], 48),
	INDIRECT("net_table_segs", nr_segs, 33),
	AT_PLACE("net_table_hole", net_spoilt_indirect, struct pvbus_net_tx,
		 addr[0], PLACE_HOLE, GOT_BROKEN),
	AT_PLACE("net_table_beyond", net_spoilt_indirect, struct pvbus_net_tx,
		 addr[0], PLACE_END, GOT_BROKEN),
	TABLE("net_table_reserved", reserved, 1),
	TABLE("net_table_len", len, PACKET),
	TABLE("net_table_len_huge", len, U32_MAX),
	AT_PLACE("net_table_addr", net_spoilt_table, struct pvbus_net_seg,
		 addr, PLACE_REGS, GOT_BROKEN),
	BUFS("net_bufs_none", count, 0),
	BUFS("net_bufs_count", count, 6),
	BUFS("net_bufs_short", len, 255),
	BUFS("net_bufs_long", len, 4097),
	BUFS("net_bufs_flags", flags, 1),
	BUFS("net_bufs_reserved", reserved, 1),
	BUFS("net_bufs_unused", id[4], 1),
	BUFS("net_bufs_over_page", addr[0], 0x100900),
	BUFS_PLACE("net_bufs_hole", PLACE_HOLE),
	BUFS_PLACE("net_bufs_registers", PLACE_REGS),
	BUFS_PLACE("net_bufs_apic", PLACE_APIC),
	BUFS_PLACE("net_bufs_beyond", PLACE_END),
	OTHER("net_bufs_more", net_bufs_more, 0, GOT_BROKEN),
	TIME("net_time_more", rx_usecs, 1001),
	TIME("net_time_flags", flags, 0xff),
	TIME("net_time_unasked", tx_usecs, 1),
	TIME("net_time_reserved", reserved, 1),
	TIME("net_time_tail", reserved2[47], 1),
	OTHER("net_index_ahead", net_index, 0x40000000, GOT_BROKEN),
	OTHER("net_index_behind", net_index, U32_MAX, GOT_BROKEN),
	OTHER("net_not_read", net_not_read, 0, 0),
	OTHER("net_trickle", net_trickle, 0, 0),
	OTHER("net_garbage", net_garbage, 0, GOT_BROKEN),
	OTHER("net_storm", net_storm, 0, 0),
	{}
};
