// SPDX-License-Identifier: GPL-2.0
/* SOURCES: kmod/net_parse.c */
/*
 * The host's checks of what a guest says about packets and buffers: each check
 * has an entry that only it rejects, and random bytes never lead out of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/virtio_net.h>

#include "net_parse.h"

#define TAGS		512
#define RANDOM_RUNS	200000

/* for checks that change nothing in what is good */
#define NOTHING		((void)0)

#define TSO_ALL		(PVBUS_NET_F_HOST_CSUM | PVBUS_NET_F_HOST_TSO4 | \
			 PVBUS_NET_F_HOST_TSO6)

/* -- packets: inline segments ------------------------------------------------ */

static struct pvbus_net_tx good_tx(void)
{
	struct pvbus_net_tx e = {
		.type = PVBUS_NET_TX,
		.nr_segs = cpu_to_le16(2),
		.tag = cpu_to_le16(TAGS - 1),
		.cookie = cpu_to_le16(0xbeef),
		.len = cpu_to_le32(1000),
		.seg_len = { cpu_to_le16(54), cpu_to_le16(946) },
		.addr = { cpu_to_le64(0x12345), cpu_to_le64(0xabcdef) },
	};

	return e;
}

static int parse(const struct pvbus_net_tx *e)
{
	struct pvh_net_pkt pkt;

	return pvh_net_parse_tx(e, TAGS, &pkt);
}

static void tx_is_taken(void **state)
{
	struct pvbus_net_tx e = good_tx();
	struct pvh_net_pkt pkt;

	assert_int_equal(pvh_net_parse_tx(&e, TAGS, &pkt), 0);
	assert_int_equal(pkt.len, 1000);
	assert_int_equal(pkt.nr_segs, 2);
	assert_int_equal(pkt.table, 0);
	assert_int_equal(le16_to_cpu(pkt.done.tag), TAGS - 1);
	assert_int_equal(le16_to_cpu(pkt.done.cookie), 0xbeef);
	assert_int_equal(pkt.seg[0].addr, 0x12345);
	assert_int_equal(pkt.seg[0].len, 54);
	assert_int_equal(pkt.seg[1].addr, 0xabcdef);
	assert_int_equal(pkt.seg[1].len, 946);
}

#define assert_tx_rejected(change)				\
	do {							\
		struct pvbus_net_tx e = good_tx();		\
								\
		change;						\
		assert_int_equal(parse(&e), -PVBUS_ST_PROTO);	\
	} while (0)

static void tx_is_rejected(void **state)
{
	assert_tx_rejected(e.type = PVBUS_NET_BUFS);
	assert_tx_rejected(e.flags = 2);
	assert_tx_rejected(e.reserved = cpu_to_le64(1));
	assert_tx_rejected(e.tag = cpu_to_le16(TAGS));
	assert_tx_rejected(e.len = 0);
	assert_tx_rejected(e.len = cpu_to_le32(999));
	assert_tx_rejected(e.len = cpu_to_le32(PVBUS_NET_MAX_LEN + 1));
	assert_tx_rejected(e.nr_segs = 0);
	assert_tx_rejected(e.nr_segs = cpu_to_le16(4));
	assert_tx_rejected(e.nr_segs = cpu_to_le16(PVBUS_NET_MAX_SEGS + 1));
	/* unused segments */
	assert_tx_rejected(e.seg_len[2] = cpu_to_le16(1));
	assert_tx_rejected(e.addr[2] = cpu_to_le64(1));
	/* a used one of nothing, with a sum that is right */
	assert_tx_rejected(e.seg_len[0] = 0; e.seg_len[1] = cpu_to_le16(1000));
	/* end of the address space */
	assert_tx_rejected(e.addr[0] = cpu_to_le64(~0ULL - 53));
}

/* -- packets: a table of segments -------------------------------------------- */

static struct pvbus_net_tx indirect_tx(unsigned int nr)
{
	struct pvbus_net_tx e = {
		.type = PVBUS_NET_TX,
		.flags = PVBUS_NET_TX_INDIRECT,
		.nr_segs = cpu_to_le16(nr),
		.len = cpu_to_le32(nr * 100),
		.seg_len = { cpu_to_le16(nr * 16) },
		.addr = { cpu_to_le64(0x1000000) },
	};

	return e;
}

#define assert_indirect(result, change)				\
	do {							\
		struct pvbus_net_tx e = indirect_tx(32);	\
								\
		change;						\
		assert_int_equal(parse(&e), result);		\
	} while (0)

static void table_address(void **state)
{
	assert_indirect(0, NOTHING);
	assert_indirect(0, e = indirect_tx(1));
	assert_indirect(0, e.addr[0] = cpu_to_le64(0x1000e00));
	/* crosses a page; not aligned; not there */
	assert_indirect(-PVBUS_ST_PROTO, e.addr[0] = cpu_to_le64(0x1000e10));
	assert_indirect(-PVBUS_ST_PROTO, e.addr[0] = cpu_to_le64(0x1000008));
	assert_indirect(-PVBUS_ST_PROTO, e.addr[0] = 0);
	assert_indirect(-PVBUS_ST_PROTO, e.seg_len[0] = cpu_to_le16(16));
	assert_indirect(-PVBUS_ST_PROTO, e.seg_len[1] = cpu_to_le16(1));
	assert_indirect(-PVBUS_ST_PROTO, e.addr[1] = cpu_to_le64(1));
}

static void fill_table(struct pvbus_net_seg *table, unsigned int nr)
{
	unsigned int i;

	memset(table, 0, nr * sizeof(*table));
	for (i = 0; i < nr; i++) {
		table[i].addr = cpu_to_le64(0x1000 * i);
		table[i].len = cpu_to_le32(100);
	}
}

#define assert_table(result, change)					\
	do {								\
		struct pvbus_net_tx e = indirect_tx(32);		\
		struct pvbus_net_seg t[32];				\
		struct pvh_net_pkt pkt;					\
									\
		fill_table(t, 32);					\
		change;							\
		assert_int_equal(pvh_net_parse_tx(&e, TAGS, &pkt), 0);	\
		assert_int_equal(pvh_net_parse_table(t, &pkt), result);	\
	} while (0)

static void table_contents(void **state)
{
	assert_table(0, NOTHING);
	assert_table(-PVBUS_ST_PROTO, t[31].len = cpu_to_le32(101));
	assert_table(-PVBUS_ST_PROTO, t[7].reserved = cpu_to_le32(1));
	assert_table(-PVBUS_ST_PROTO, t[7].len = 0;
		     t[8].len = cpu_to_le32(200));
	assert_table(-PVBUS_ST_PROTO, t[0].addr = cpu_to_le64(~0ULL));
	/* lengths whose sum wraps around to what is right */
	assert_table(-PVBUS_ST_PROTO, t[0].len = cpu_to_le32(0x80000064);
		     t[1].len = cpu_to_le32(0x80000064));
}

/* -- buffers --------------------------------------------------------------------- */

static struct pvbus_net_bufs good_bufs(void)
{
	struct pvbus_net_bufs e = {
		.type = PVBUS_NET_BUFS,
		.count = cpu_to_le16(3),
		.len = cpu_to_le16(2048),
		.id = { cpu_to_le16(7), cpu_to_le16(8), cpu_to_le16(9) },
		.addr = { cpu_to_le64(0x1000), cpu_to_le64(0x2800),
			  cpu_to_le64(0x3400) },
	};

	return e;
}

#define assert_bufs(result, change)					\
	do {								\
		struct pvbus_net_bufs e = good_bufs();			\
		struct pvh_net_buf buf[PVBUS_NET_BUFS_MAX];		\
									\
		change;							\
		assert_int_equal(pvh_net_parse_bufs(&e, buf), result);	\
	} while (0)

static void buffers(void **state)
{
	struct pvbus_net_bufs e = good_bufs();
	struct pvh_net_buf buf[PVBUS_NET_BUFS_MAX];

	assert_int_equal(pvh_net_parse_bufs(&e, buf), 3);
	assert_int_equal(buf[1].addr, 0x2800);
	assert_int_equal(buf[1].len, 2048);
	assert_int_equal(le16_to_cpu(buf[1].id), 8);

	assert_bufs(-PVBUS_ST_PROTO, e.type = PVBUS_NET_TX);
	assert_bufs(-PVBUS_ST_PROTO, e.flags = 1);
	assert_bufs(-PVBUS_ST_PROTO, e.reserved = cpu_to_le32(1));
	assert_bufs(-PVBUS_ST_PROTO, e.count = 0);
	assert_bufs(-PVBUS_ST_PROTO, e.count = cpu_to_le16(6));
	assert_bufs(-PVBUS_ST_PROTO, e.len = cpu_to_le16(255));
	assert_bufs(-PVBUS_ST_PROTO, e.len = cpu_to_le16(4097));
	/* crosses a page by a byte */
	assert_bufs(-PVBUS_ST_PROTO, e.addr[1] = cpu_to_le64(0x2801));
	assert_bufs(-PVBUS_ST_PROTO, e.addr[3] = cpu_to_le64(0x1000));
	assert_bufs(-PVBUS_ST_PROTO, e.id[4] = cpu_to_le16(1));
}

/* -- how long entries may wait ------------------------------------------------ */

#define assert_coalesce(result, change)					\
	do {								\
		struct pvh_net_coalesce coalesce;			\
		struct pvbus_net_coalesce e = {				\
			.type = PVBUS_NET_COALESCE,			\
			.flags = PVBUS_NET_COALESCE_ALL,		\
			.rx_usecs = cpu_to_le32(PVBUS_NET_MAX_USECS),	\
			.tx_usecs = cpu_to_le32(7),			\
		};							\
									\
		change;							\
		assert_int_equal(pvh_net_parse_coalesce(&e, &coalesce),	\
				 result);				\
	} while (0)

static void coalesce_is_rejected(void **state)
{
	assert_coalesce(0, NOTHING);
	assert_coalesce(-PVBUS_ST_PROTO, e.type = PVBUS_NET_BUFS);
	assert_coalesce(-PVBUS_ST_PROTO, e.flags = 4);
	assert_coalesce(-PVBUS_ST_PROTO, e.reserved = cpu_to_le16(1));
	assert_coalesce(-PVBUS_ST_PROTO, e.reserved2[0] = 1);
	assert_coalesce(-PVBUS_ST_PROTO, e.reserved2[47] = 1);
	assert_coalesce(-PVBUS_ST_PROTO,
			e.rx_usecs = cpu_to_le32(PVBUS_NET_MAX_USECS + 1));
	assert_coalesce(-PVBUS_ST_PROTO, e.tx_usecs = cpu_to_le32(~0U));
	/* a time without its flag */
	assert_coalesce(-PVBUS_ST_PROTO, e.flags = PVBUS_NET_COALESCE_TX);
	assert_coalesce(-PVBUS_ST_PROTO, e.flags = PVBUS_NET_COALESCE_RX);
}

static void coalesce_is_taken(void **state)
{
	struct pvbus_net_coalesce e = { .type = PVBUS_NET_COALESCE };
	struct pvh_net_coalesce coalesce = { 0 };

	assert_int_equal(pvh_net_parse_coalesce(&e, &coalesce), 0);
	assert_int_equal(coalesce.rx_us, -1);
	assert_int_equal(coalesce.tx_us, -1);
	e.flags = PVBUS_NET_COALESCE_RX;
	e.rx_usecs = cpu_to_le32(PVBUS_NET_MAX_USECS);
	assert_int_equal(pvh_net_parse_coalesce(&e, &coalesce), 0);
	assert_int_equal(coalesce.rx_us, PVBUS_NET_MAX_USECS);
	assert_int_equal(coalesce.tx_us, -1);
	e.flags = PVBUS_NET_COALESCE_ALL;
	e.rx_usecs = 0;
	e.tx_usecs = cpu_to_le32(3);
	assert_int_equal(pvh_net_parse_coalesce(&e, &coalesce), 0);
	assert_int_equal(coalesce.rx_us, 0);
	assert_int_equal(coalesce.tx_us, 3);
}

/* -- metadata -------------------------------------------------------------------- */

/* an IPv4 TCP packet to segment, 14 + 20 + 20 of headers */
static struct pvbus_net_hdr tso_hdr(void)
{
	struct pvbus_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = cpu_to_le16(54),
		.gso_size = cpu_to_le16(1460),
		.csum_start = cpu_to_le16(34),
		.csum_offset = cpu_to_le16(16),
	};

	return hdr;
}

#define assert_hdr(result, length, features, change)			\
	do {								\
		struct pvbus_net_hdr h = tso_hdr();			\
									\
		change;							\
		assert_int_equal(pvh_net_hdr_ok(&h, length, features),	\
				 result);				\
	} while (0)

static void metadata(void **state)
{
	struct pvbus_net_hdr none = {};

	assert_true(pvh_net_hdr_ok(&none, 14, 0));
	assert_false(pvh_net_hdr_ok(&none, 13, 0));

	assert_hdr(true, 60000, TSO_ALL, NOTHING);
	assert_hdr(false, 60000, TSO_ALL & ~PVBUS_NET_F_HOST_TSO4, NOTHING);
	assert_hdr(false, 60000, TSO_ALL & ~PVBUS_NET_F_HOST_CSUM, NOTHING);
	assert_hdr(false, 60000, TSO_ALL & ~PVBUS_NET_F_HOST_TSO6,
		   h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	assert_hdr(true, 60000, TSO_ALL, h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	assert_hdr(false, 60000, TSO_ALL, h.gso_type = VIRTIO_NET_HDR_GSO_UDP);
	assert_hdr(false, 60000, TSO_ALL,
		   h.gso_type |= VIRTIO_NET_HDR_GSO_ECN);
	assert_hdr(false, 60000, TSO_ALL, h.gso_size = 0);
	assert_hdr(false, 60000, TSO_ALL, h.gso_size = cpu_to_le16(7));
	assert_hdr(false, 1460, TSO_ALL, NOTHING);
	assert_hdr(false, 60000, TSO_ALL, h.flags = 0);
	assert_hdr(false, 60000, TSO_ALL, h.flags |= 0x80);
	assert_hdr(false, 60000, TSO_ALL,
		   h.flags |= VIRTIO_NET_HDR_F_DATA_VALID);
	assert_hdr(false, 60000, TSO_ALL, h.csum_start = cpu_to_le16(13));

	/* a checksum alone: its place ends with the packet */
	assert_hdr(true, 52, TSO_ALL, h.gso_type = 0);
	assert_hdr(false, 51, TSO_ALL, h.gso_type = 0);
	assert_hdr(false, 60000, TSO_ALL, h.gso_type = 0;
		   h.csum_offset = cpu_to_le16(0xffff));
}

/* -- what is segmented ------------------------------------------------------------ */

#define PACKET	256

static void tcp_at(__u8 *data, __u32 at)
{
	data[at + 12] = 5 << 4;
}

static void ipv4_packet(__u8 *data, __u32 at)
{
	data[at - 2] = 0x08;
	data[at - 1] = 0x00;
	data[at] = 0x45;
	data[at + 9] = 6;
	tcp_at(data, at + 20);
}

static void ipv6_packet(__u8 *data, __u32 at)
{
	data[at - 2] = 0x86;
	data[at - 1] = 0xdd;
	data[at] = 0x60;
	data[at + 6] = 6;
	tcp_at(data, at + 40);
}

#define assert_gso(result, length, change)				\
	do {								\
		struct pvbus_net_hdr h = tso_hdr();			\
		__u8 p[PACKET] = {};					\
									\
		ipv4_packet(p, 14);					\
		change;							\
		assert_int_equal(pvh_net_gso_ok(&h, p, length), result);\
	} while (0)

static void segmentation_ipv4(void **state)
{
	assert_gso(true, PACKET, NOTHING);
	assert_gso(true, 54, NOTHING);
	assert_gso(false, 53, NOTHING);
	assert_gso(false, PACKET, p[12] = 0x09);
	assert_gso(false, PACKET, p[14] = 0x65);
	assert_gso(false, PACKET, p[14] = 0x44);
	assert_gso(false, PACKET, p[14] = 0x46);
	assert_gso(false, PACKET, p[23] = 17);
	/* fragments: more to come; an offset; not "don't fragment" */
	assert_gso(false, PACKET, p[20] = 0x20);
	assert_gso(false, PACKET, p[21] = 1);
	assert_gso(true, PACKET, p[20] = 0x40);
	assert_gso(false, PACKET, p[46] = 4 << 4);
	assert_gso(true, 74, p[46] = 10 << 4);
	assert_gso(false, 73, p[46] = 10 << 4);
	assert_gso(false, PACKET, h.csum_start = cpu_to_le16(36));
	assert_gso(false, PACKET, h.csum_offset = cpu_to_le16(6));
	assert_gso(false, PACKET, h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
}

static void segmentation_vlan(void **state)
{
	assert_gso(true, PACKET, memset(p, 0, sizeof(p)); p[12] = 0x81;
		   ipv4_packet(p, 18); h.csum_start = cpu_to_le16(38));
	assert_gso(true, PACKET, memset(p, 0, sizeof(p)); p[12] = 0x88;
		   p[13] = 0xa8; p[16] = 0x81; ipv4_packet(p, 22);
		   h.csum_start = cpu_to_le16(42));
	/* one tag too many */
	assert_gso(false, PACKET, memset(p, 0, sizeof(p)); p[12] = 0x81;
		   p[16] = 0x81; p[20] = 0x81; ipv4_packet(p, 26);
		   h.csum_start = cpu_to_le16(46));
}

#define assert_gso6(result, length, change)				\
	assert_gso(result, length, memset(p, 0, sizeof(p));		\
		   h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;		\
		   h.csum_start = cpu_to_le16(54);			\
		   ipv6_packet(p, 14); change)

static void segmentation_ipv6(void **state)
{
	assert_gso6(true, PACKET, NOTHING);
	assert_gso6(true, 74, NOTHING);
	assert_gso6(false, 73, NOTHING);
	assert_gso6(false, PACKET, p[14] = 0x45);
	assert_gso6(false, PACKET, p[20] = 17);
	/* hop-by-hop options of 16 bytes, then TCP */
	assert_gso6(true, PACKET, p[20] = 0; p[54] = 6; p[55] = 1;
		    h.csum_start = cpu_to_le16(70); tcp_at(p, 70));
	/* longer than what is there */
	assert_gso6(false, PACKET, p[20] = 0; p[54] = 6; p[55] = 255;
		    h.csum_start = cpu_to_le16(54 + 2048));
	/* fragment header; headers without end */
	assert_gso6(false, PACKET, p[20] = 44; p[54] = 6;
		    h.csum_start = cpu_to_le16(62); tcp_at(p, 62));
	assert_gso6(false, PACKET, p[20] = 0; memset(p + 54, 0, 200));
}

/* -- anything ---------------------------------------------------------------------- */

static void random_bytes(void *p, size_t len)
{
	__u8 *byte = p;

	while (len--)
		*byte++ = (__u8)(rand() % 4 ? rand() % 8 : rand());
}

/* What is accepted holds what net_parse.h promises. */
static void check_pkt(const struct pvh_net_pkt *pkt)
{
	__u64 sum = 0;
	__u32 i;

	for (i = 0; i < pkt->nr_segs; i++) {
		assert_true(pkt->seg[i].len);
		assert_true(pkt->seg[i].addr + pkt->seg[i].len >
			    pkt->seg[i].addr);
		sum += pkt->seg[i].len;
	}
	assert_int_equal(sum, pkt->len);
	assert_true(pkt->len <= PVBUS_NET_MAX_LEN);
}

static void random_entries(void **state)
{
	struct pvbus_net_seg table[PVBUS_NET_MAX_SEGS];
	struct pvh_net_buf buf[PVBUS_NET_BUFS_MAX];
	struct pvh_net_pkt pkt;
	struct pvbus_net_tx e;
	int i;

	srand(1);
	for (i = 0; i < RANDOM_RUNS; i++) {
		random_bytes(&e, sizeof(e));
		e.type = PVBUS_NET_TX;
		e.reserved = 0;
		if (!pvh_net_parse_tx(&e, TAGS, &pkt)) {
			random_bytes(table, sizeof(table));
			if (!pkt.table || !pvh_net_parse_table(table, &pkt))
				check_pkt(&pkt);
		}
		random_bytes(&e, sizeof(e));
		pvh_net_parse_bufs((struct pvbus_net_bufs *)&e, buf);
	}
}

/* The sanitizer sees a look beyond the end: the memory is of exactly @len. */
static void random_packets(void **state)
{
	struct pvbus_net_hdr hdr;
	__u8 packet[PACKET];
	int i;

	srand(2);
	for (i = 0; i < RANDOM_RUNS; i++) {
		__u32 len = (__u32)rand() % 128;
		__u8 *data = malloc(len + !len);

		random_bytes(packet, sizeof(packet));
		ipv6_packet(packet, 14);
		packet[20] = (__u8)(rand() % 2 ? 6 : 0);
		memcpy(data, packet, len);
		random_bytes(&hdr, sizeof(hdr));
		hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
		hdr.csum_start = cpu_to_le16(54 + rand() % 4 * 8);
		hdr.csum_offset = cpu_to_le16(16);
		pvh_net_hdr_ok(&hdr, len, TSO_ALL);
		pvh_net_gso_ok(&hdr, data, len);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tx_is_taken),
		cmocka_unit_test(tx_is_rejected),
		cmocka_unit_test(table_address),
		cmocka_unit_test(table_contents),
		cmocka_unit_test(buffers),
		cmocka_unit_test(coalesce_is_rejected),
		cmocka_unit_test(coalesce_is_taken),
		cmocka_unit_test(metadata),
		cmocka_unit_test(segmentation_ipv4),
		cmocka_unit_test(segmentation_vlan),
		cmocka_unit_test(segmentation_ipv6),
		cmocka_unit_test(random_entries),
		cmocka_unit_test(random_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
