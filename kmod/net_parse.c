// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: network cards, the checks of what the guest says. See
 * net_parse.h; nothing here reads shared memory.
 */
#include "net_parse.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/nospec.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_net.h>
#else
#include <linux/virtio_net.h>
/* a test has nobody to hide from */
#define array_index_nospec(index, size)	((void)(size), (index))
#endif

/* Of Ethernet, IP and TCP, only what is looked at. */
#define ETH_ADDRS		12
#define ETH_HDR			14
#define VLAN_TAG		4
#define VLAN_TAGS_MAX		2
#define TYPE_IPV4		0x0800
#define TYPE_VLAN		0x8100
#define TYPE_IPV6		0x86dd
#define TYPE_QINQ		0x88a8
#define IPV4_MIN_HDR		20
#define IPV4_FRAG		0x3fff	/* more fragments, or an offset */
#define IPV6_HDR		40
#define IPV6_EXT_MAX		4
#define PROTO_HOPOPTS		0
#define PROTO_TCP		6
#define PROTO_ROUTING		43
#define PROTO_DSTOPTS		60
#define TCP_MIN_HDR		20
#define TCP_CHECK		16	/* offset of the checksum */
/* Linux' smallest: smaller ones would only multiply packets. */
#define MIN_GSO_SIZE		8
#define NO_OFFSET		0	/* no header begins there */

static bool pvh_net_seg_set(struct pvh_net_seg *seg, __u64 addr, __u32 len)
{
	if (!len || len > PVBUS_NET_MAX_LEN || addr > ~0ULL - len)
		return false;
	seg->addr = addr;
	seg->len = len;
	return true;
}

/* Do the segments make up the packet? Each was checked: no sum overflows. */
static bool pvh_net_sum_ok(const struct pvh_net_pkt *pkt)
{
	__u32 sum = 0;
	__u32 i;

	for (i = 0; i < pkt->nr_segs; i++)
		sum += pkt->seg[i].len;
	return sum == pkt->len;
}

/* Fields for inline segments from @first on are not used: 0. */
static bool pvh_net_unused_ok(const struct pvbus_net_tx *e, __u32 first)
{
	__u32 i;

	for (i = first; i < PVBUS_NET_INLINE_SEGS; i++)
		if (e->seg_len[i] || e->addr[i])
			return false;
	return true;
}

static int pvh_net_parse_inline(const struct pvbus_net_tx *e,
				struct pvh_net_pkt *pkt)
{
	__u32 i;

	if (pkt->nr_segs > PVBUS_NET_INLINE_SEGS ||
	    !pvh_net_unused_ok(e, pkt->nr_segs))
		return -PVBUS_ST_PROTO;
	for (i = 0; i < pkt->nr_segs; i++)
		if (!pvh_net_seg_set(&pkt->seg[i], le64_to_cpu(e->addr[i]),
				     le16_to_cpu(e->seg_len[i])))
			return -PVBUS_ST_PROTO;
	pkt->table = 0;
	return pvh_net_sum_ok(pkt) ? 0 : -PVBUS_ST_PROTO;
}

static int pvh_net_parse_indirect(const struct pvbus_net_tx *e,
				  struct pvh_net_pkt *pkt)
{
	__u64 addr = le64_to_cpu(e->addr[0]);
	__u32 size = le16_to_cpu(e->seg_len[0]);

	if (size != pkt->nr_segs * sizeof(struct pvbus_net_seg) ||
	    !pvh_net_unused_ok(e, 1))
		return -PVBUS_ST_PROTO;
	/* address 0 is not a table: @table says whether there is one */
	if (!addr || addr % sizeof(struct pvbus_net_seg) ||
	    size > PVBUS_PAGE_SIZE - addr % PVBUS_PAGE_SIZE)
		return -PVBUS_ST_PROTO;
	pkt->table = addr;
	return 0;
}

/**
 * pvh_net_parse_tx() - check an entry of type PVBUS_NET_TX
 * @e: private copy of it
 * @tags: tags are below this
 * @pkt: the packet; when @pkt->table is not 0, its segments come from there
 *	with pvh_net_parse_table()
 *
 * Return: 0, or -PVBUS_ST_PROTO.
 */
int pvh_net_parse_tx(const struct pvbus_net_tx *e, __u32 tags,
		     struct pvh_net_pkt *pkt)
{
	if (e->type != PVBUS_NET_TX || e->flags & ~PVBUS_NET_TX_INDIRECT ||
	    e->reserved)
		return -PVBUS_ST_PROTO;

	pkt->len = le32_to_cpu(e->len);
	pkt->nr_segs = le16_to_cpu(e->nr_segs);
	if (!pkt->len || pkt->len > PVBUS_NET_MAX_LEN ||
	    !pkt->nr_segs || pkt->nr_segs > PVBUS_NET_MAX_SEGS ||
	    le16_to_cpu(e->tag) >= tags)
		return -PVBUS_ST_PROTO;

	pkt->hdr = e->hdr;
	pkt->done.tag = e->tag;
	pkt->done.cookie = e->cookie;
	if (e->flags & PVBUS_NET_TX_INDIRECT)
		return pvh_net_parse_indirect(e, pkt);
	return pvh_net_parse_inline(e, pkt);
}

/**
 * pvh_net_parse_table() - check a packet's table of segments
 * @table: private copy of it, @pkt->nr_segs entries
 * @pkt: packet as pvh_net_parse_tx() left it; its segments are filled in
 *
 * Return: 0, or -PVBUS_ST_PROTO.
 */
int pvh_net_parse_table(const struct pvbus_net_seg *table,
			struct pvh_net_pkt *pkt)
{
	__u32 i;

	for (i = 0; i < pkt->nr_segs; i++)
		if (table[i].reserved ||
		    !pvh_net_seg_set(&pkt->seg[i], le64_to_cpu(table[i].addr),
				     le32_to_cpu(table[i].len)))
			return -PVBUS_ST_PROTO;
	return pvh_net_sum_ok(pkt) ? 0 : -PVBUS_ST_PROTO;
}

/**
 * pvh_net_parse_bufs() - check an entry of type PVBUS_NET_BUFS
 * @e: private copy of it
 * @buf: the buffers
 *
 * Return: number of buffers, or -PVBUS_ST_PROTO.
 */
int pvh_net_parse_bufs(const struct pvbus_net_bufs *e,
		       struct pvh_net_buf buf[PVBUS_NET_BUFS_MAX])
{
	__u32 count = le16_to_cpu(e->count);
	__u32 len = le16_to_cpu(e->len);
	__u32 i;

	if (e->type != PVBUS_NET_BUFS || e->flags || e->reserved ||
	    !count || count > PVBUS_NET_BUFS_MAX ||
	    len < PVBUS_NET_MIN_BUF || len > PVBUS_PAGE_SIZE)
		return -PVBUS_ST_PROTO;

	for (i = 0; i < count; i++) {
		buf[i].addr = le64_to_cpu(e->addr[i]);
		buf[i].len = (__u16)len;
		buf[i].id = e->id[i];
		if (len > PVBUS_PAGE_SIZE - buf[i].addr % PVBUS_PAGE_SIZE)
			return -PVBUS_ST_PROTO;
	}
	for (; i < PVBUS_NET_BUFS_MAX; i++)
		if (e->addr[i] || e->id[i])
			return -PVBUS_ST_PROTO;
	return (int)count;
}

/* A time that is given only with its flag, and below the bound. */
static bool pvh_net_usecs_ok(__u8 flags, __u8 flag, __u32 usecs)
{
	return usecs <= (flags & flag ? PVBUS_NET_MAX_USECS : 0);
}

/**
 * pvh_net_parse_coalesce() - check an entry of type PVBUS_NET_COALESCE
 * @e: private copy of it
 * @coalesce: what it says
 *
 * Return: 0, or -PVBUS_ST_PROTO.
 */
int pvh_net_parse_coalesce(const struct pvbus_net_coalesce *e,
			   struct pvh_net_coalesce *coalesce)
{
	__u32 rx = le32_to_cpu(e->rx_usecs);
	__u32 tx = le32_to_cpu(e->tx_usecs);
	__u32 i;

	if (e->type != PVBUS_NET_COALESCE || e->reserved ||
	    e->flags & ~PVBUS_NET_COALESCE_ALL ||
	    !pvh_net_usecs_ok(e->flags, PVBUS_NET_COALESCE_RX, rx) ||
	    !pvh_net_usecs_ok(e->flags, PVBUS_NET_COALESCE_TX, tx))
		return -PVBUS_ST_PROTO;
	for (i = 0; i < sizeof(e->reserved2); i++)
		if (e->reserved2[i])
			return -PVBUS_ST_PROTO;
	coalesce->rx_us = e->flags & PVBUS_NET_COALESCE_RX ? (int)rx : -1;
	coalesce->tx_us = e->flags & PVBUS_NET_COALESCE_TX ? (int)tx : -1;
	return 0;
}

/* Was this kind of segmentation negotiated? */
static bool pvh_net_gso_type_ok(__u8 type, __u64 features)
{
	switch (type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return features & PVBUS_NET_F_HOST_TSO4;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return features & PVBUS_NET_F_HOST_TSO6;
	default:
		return false;
	}
}

/**
 * pvh_net_hdr_ok() - do the metadata of a packet to send make sense?
 * @hdr: private copy of them
 * @len: bytes of the packet
 * @features: PVBUS_NET_F_* that the guest accepted
 *
 * The checksum's place is within the packet and behind the Ethernet header; a
 * packet to be segmented has its checksum left open too, for the kernel's
 * segmentation warns when it finds otherwise.
 */
bool pvh_net_hdr_ok(const struct pvbus_net_hdr *hdr, __u32 len,
		    __u64 features)
{
	__u32 start = le16_to_cpu(hdr->csum_start);
	__u32 end = start + le16_to_cpu(hdr->csum_offset) + 2;

	if (len < ETH_HDR)
		return false;
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (hdr->flags != VIRTIO_NET_HDR_F_NEEDS_CSUM ||
		    !(features & PVBUS_NET_F_HOST_CSUM) ||
		    start < ETH_HDR || end > len)
			return false;
	} else if (hdr->flags & ~VIRTIO_NET_HDR_F_DATA_VALID) {
		return false;
	}
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	return hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
	       le16_to_cpu(hdr->gso_size) >= MIN_GSO_SIZE &&
	       le16_to_cpu(hdr->gso_size) < len &&
	       pvh_net_gso_type_ok(hdr->gso_type, features);
}

static __u32 pvh_net_be16(const __u8 *data)
{
	return (__u32)data[0] << 8 | data[1];
}

/* Type of what Ethernet carries, and at which offset; tags are skipped. */
static __u32 pvh_net_ethertype(const __u8 *data, __u32 len, __u32 *offset)
{
	__u32 at = ETH_ADDRS;
	__u32 type = 0;
	int tags;

	for (tags = 0; tags <= VLAN_TAGS_MAX; tags++, at += VLAN_TAG) {
		if (len < at + 2)
			return 0;
		type = pvh_net_be16(data + at);
		if (type != TYPE_VLAN && type != TYPE_QINQ)
			break;
	}
	*offset = at + 2;
	return type;
}

/* Offset of the TCP header in an IPv4 packet at @at, or NO_OFFSET. */
static __u32 pvh_net_tcp_in_ipv4(const __u8 *data, __u32 len, __u32 at)
{
	__u32 ihl;

	if (len < at + IPV4_MIN_HDR)
		return NO_OFFSET;
	ihl = (data[at] & 0xf) * 4;
	if (data[at] >> 4 != 4 || ihl < IPV4_MIN_HDR ||
	    pvh_net_be16(data + at + 6) & IPV4_FRAG ||
	    data[at + 9] != PROTO_TCP)
		return NO_OFFSET;
	return at + ihl;
}

/* Offset of the TCP header in an IPv6 packet at @at, or NO_OFFSET. */
static __u32 pvh_net_tcp_in_ipv6(const __u8 *data, __u32 len, __u32 at)
{
	__u8 next;
	int i;

	if (len < at + IPV6_HDR || data[at] >> 4 != 6)
		return NO_OFFSET;
	next = data[at + 6];
	at += IPV6_HDR;
	for (i = 0; i < IPV6_EXT_MAX && next != PROTO_TCP; i++) {
		if (next != PROTO_HOPOPTS && next != PROTO_ROUTING &&
		    next != PROTO_DSTOPTS)
			return NO_OFFSET;
		if (len < at + 8)
			return NO_OFFSET;
		/* the packet says where the next header is */
		at = array_index_nospec(at, len);
		next = data[at];
		at += (data[at + 1] + 1u) * 8;
	}
	return next == PROTO_TCP ? at : NO_OFFSET;
}

/**
 * pvh_net_gso_ok() - is this a packet that the kernel can cut up?
 * @hdr: metadata, for which pvh_net_hdr_ok() holds, with a gso_type
 * @data: private copy of the beginning of the packet
 * @len: bytes of @data
 *
 * What comes out here is an unfragmented TCP packet of the IP version that
 * @hdr names, whose checksum is TCP's and whose headers @data holds in full.
 */
bool pvh_net_gso_ok(const struct pvbus_net_hdr *hdr, const __u8 *data,
		    __u32 len)
{
	__u32 at, type, tcp = NO_OFFSET;

	type = pvh_net_ethertype(data, len, &at);
	if (type == TYPE_IPV4 && hdr->gso_type == VIRTIO_NET_HDR_GSO_TCPV4)
		tcp = pvh_net_tcp_in_ipv4(data, len, at);
	else if (type == TYPE_IPV6 && hdr->gso_type == VIRTIO_NET_HDR_GSO_TCPV6)
		tcp = pvh_net_tcp_in_ipv6(data, len, at);

	if (tcp == NO_OFFSET || tcp != le16_to_cpu(hdr->csum_start) ||
	    le16_to_cpu(hdr->csum_offset) != TCP_CHECK ||
	    len < tcp + TCP_MIN_HDR)
		return false;
	tcp = array_index_nospec(tcp, len);
	return data[tcp + 12] >> 4 >= TCP_MIN_HDR / 4 &&
	       len - tcp >= (data[tcp + 12] >> 4) * 4u;
}
