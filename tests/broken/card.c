// SPDX-License-Identifier: GPL-2.0
/*
 * A broken host: a card, at whose other end somebody answers pings.
 */
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/io.h>
#include <linux/ip.h>
#include <linux/string.h>

#include <net/checksum.h>

#include "broken.h"

#define CARD		(PVBUS_TYPE_NET - 1)

struct ping {
	struct ethhdr	eth;
	struct iphdr	ip;
	struct icmphdr	icmp;
} __packed;

void broken_card_blob(struct pvbus_offer *offer)
{
	struct pvbus_net_config *cfg = (void *)offer->blob;

	offer->blob_len = cpu_to_le32(sizeof(*cfg));
	cfg->mac[0] = 2;
	cfg->mac[5] = 1;
	cfg->mtu = cpu_to_le32(ETH_DATA_LEN);
	cfg->flags = cpu_to_le32(PVBUS_NET_LINK_UP);
}

static u32 card_read(const struct pvbus_net_tx *tx, void *frame)
{
	const struct pvbus_net_seg *seg = NULL;
	unsigned int i, nr = le16_to_cpu(tx->nr_segs);
	u32 len, at = 0;
	u64 addr;

	if (tx->flags & PVBUS_NET_TX_INDIRECT)
		seg = phys_to_virt(le64_to_cpu(tx->addr[0]));
	for (i = 0; i < nr; i++) {
		len = seg ? le32_to_cpu(seg[i].len) :
			    le16_to_cpu(tx->seg_len[i]);
		addr = le64_to_cpu(seg ? seg[i].addr : tx->addr[i]);
		if (len > BROKEN_FRAME - at)
			break;
		memcpy(frame + at, phys_to_virt(addr), len);
		at += len;
	}
	return at;
}

/* Make the answer of a ping; false: it is none. */
static bool card_pong(void *frame, u32 len)
{
	struct ping *p = frame;

	if (len < sizeof(*p) || p->eth.h_proto != htons(ETH_P_IP) ||
	    p->ip.ihl != 5 || p->ip.protocol != IPPROTO_ICMP ||
	    p->icmp.type != ICMP_ECHO)
		return false;
	swap(p->ip.saddr, p->ip.daddr);
	memcpy(p->eth.h_dest, p->eth.h_source, ETH_ALEN);
	p->eth.h_source[5] ^= 0x10;
	p->icmp.type = ICMP_ECHOREPLY;
	csum_replace2(&p->icmp.checksum, htons(ICMP_ECHO << 8), 0);
	return true;
}

/* In one buffer, as none is shorter. */
static void card_give(struct broken *b, const void *frame, u32 len)
{
	struct pvbus_net_rx rx = {
		.type = PVBUS_NET_RX,
		.nr_bufs = cpu_to_le16(1),
		.len = cpu_to_le32(len),
	};
	struct pvbus_net_bufs *bufs = b->bufs;
	unsigned int last;

	if (!b->nr_bufs)
		return;
	last = le16_to_cpu(bufs->count) - 1;
	memcpy(phys_to_virt(le64_to_cpu(bufs->addr[last])), frame, len);
	rx.id[0] = bufs->id[last];
	bufs->count = cpu_to_le16(last);
	if (!last)
		*bufs = b->bufs[--b->nr_bufs];
	broken_put(b, CARD, &rx);
}

static void card_take(struct broken *b, const struct pvbus_net_tx *tx)
{
	struct pvbus_net_tx_done done = {
		.type = PVBUS_NET_TX_DONE,
		.count = cpu_to_le16(1),
		.done[0] = { tx->tag, tx->cookie },
	};
	void *frame = b->frame;
	u32 len = card_read(tx, frame);

	broken_put(b, CARD, &done);
	if (card_pong(frame, len))
		card_give(b, frame, len);
}

void broken_card_serve(struct broken *b)
{
	struct broken_chan *c = &b->chan[CARD];
	struct pvbus_net_tx tx;

	while (pvring_get(&c->rx, &tx, sizeof(tx))) {
		broken_publish(b, CARD);
		if (tx.type == PVBUS_NET_TX)
			card_take(b, &tx);
		else if (tx.type == PVBUS_NET_BUFS &&
			 b->nr_bufs < ARRAY_SIZE(b->bufs))
			memcpy(&b->bufs[b->nr_bufs++], &tx, sizeof(tx));
	}
}

#define RX(name, field, flip) \
	{ name, PVBUS_NET_RX, HOW_ONCE, offsetof(struct pvbus_net_rx, field), \
	  sizeof_field(struct pvbus_net_rx, field), flip }
#define DONE(name, field, flip) \
	{ name, PVBUS_NET_TX_DONE, HOW_ONCE, \
	  offsetof(struct pvbus_net_tx_done, field), \
	  sizeof_field(struct pvbus_net_tx_done, field), flip }

const struct broken_fault broken_card_faults[] = {
	RX("rx-type", type, 0x80),
	RX("rx-flags", flags, 1),
	RX("rx-reserved", reserved, 1),
	RX("rx-bufs-none", nr_bufs, 1),
	RX("rx-bufs-more", nr_bufs, 3),
	RX("rx-bufs-many", nr_bufs, 0xff00),
	RX("rx-len-short", len, 0x60),
	RX("rx-len-more", len, 0x2000),
	RX("rx-len-huge", len, 0x80000000),
	RX("rx-id-high", id[0], 0x0800),
	RX("rx-id-old", id[0], 0x1000),
	RX("rx-hdr-flags", hdr.flags, 0x80),
	RX("rx-hdr-gso", hdr.gso_type, 1),
	{ "rx-twice", PVBUS_NET_RX, HOW_TWICE },
	{ "rx-never", PVBUS_NET_RX, HOW_NEVER },
	DONE("done-tag-high", done[0].tag, 0x8000),
	DONE("done-tag-free", done[0].tag, 0x80),
	DONE("done-cookie", done[0].cookie, 1),
	DONE("done-count-none", count, 1),
	DONE("done-count-high", count, 0x11),
	{ "done-twice", PVBUS_NET_TX_DONE, HOW_TWICE },
	{ "done-never", PVBUS_NET_TX_DONE, HOW_NEVER },
	{}
};
