// SPDX-License-Identifier: GPL-2.0
/* SOURCES: kmod/net_parse.c */
/*
 * What a guest puts into the ring of a network card, the metadata of packets
 * and their headers: what is accepted is within bounds, and what the kernel is
 * to cut up is TCP all through.
 */
#include <net_parse.h>
#include <linux/virtio_net.h>

#include "fuzz.h"

#define TAGS		256
#define MAX_HEADERS	512

#define MEND_SUM	0x01	/* the length is the segments' */
#define MEND_TABLE	0x02	/* the size of the table is that of its entries */

static __u32 sum_of(const struct pvbus_net_tx *e,
		    const struct pvbus_net_seg *table, unsigned int nr)
{
	__u32 sum = 0;
	unsigned int i;

	for (i = 0; i < nr && i < PVBUS_NET_MAX_SEGS; i++)
		if (e->flags & PVBUS_NET_TX_INDIRECT)
			sum += le32_to_cpu(table[i].len);
		else if (i < PVBUS_NET_INLINE_SEGS)
			sum += le16_to_cpu(e->seg_len[i]);
	return sum;
}

static void check_pkt(const struct pvh_net_pkt *pkt)
{
	__u32 sum = 0;
	__u64 end;
	__u32 i;

	must(pkt->nr_segs && pkt->nr_segs <= PVBUS_NET_MAX_SEGS);
	for (i = 0; i < pkt->nr_segs; i++) {
		must(pkt->seg[i].len && pkt->seg[i].len <= PVBUS_NET_MAX_LEN);
		must(!__builtin_add_overflow(pkt->seg[i].addr, pkt->seg[i].len,
					     &end));
		sum += pkt->seg[i].len;
	}
	must(sum == pkt->len && pkt->len <= PVBUS_NET_MAX_LEN);
	must(le16_to_cpu(pkt->done.tag) < TAGS);
}

static void fuzz_tx(void)
{
	struct pvbus_net_seg all[PVBUS_NET_MAX_SEGS], *table;
	struct pvbus_net_tx e;
	struct pvh_net_pkt pkt;
	__u8 how = fuzz_u8();
	unsigned int nr;
	size_t size;

	fuzz_bytes(&e, sizeof(e));
	fuzz_bytes(all, sizeof(all));
	nr = le16_to_cpu(e.nr_segs);
	if (how & MEND_TABLE)
		e.seg_len[0] = cpu_to_le16(nr * sizeof(*table));
	if (how & MEND_SUM)
		e.len = cpu_to_le32(sum_of(&e, all, nr));
	memset(&pkt, 0xa5, sizeof(pkt));
	if (pvh_net_parse_tx(&e, TAGS, &pkt))
		return;
	must(!e.reserved && e.type == PVBUS_NET_TX);
	if (pkt.table) {
		size = pkt.nr_segs * sizeof(*table);
		must(size <= sizeof(all));
		must(pkt.table % PVBUS_PAGE_SIZE + size <= PVBUS_PAGE_SIZE);
		table = malloc(size);
		memcpy(table, all, size);
		nr = pvh_net_parse_table(table, &pkt);
		free(table);
		if (nr)
			return;
	}
	check_pkt(&pkt);
}

static void fuzz_bufs(void)
{
	struct pvh_net_buf buf[PVBUS_NET_BUFS_MAX];
	struct pvbus_net_bufs e;
	int i, n;

	fuzz_bytes(&e, sizeof(e));
	n = pvh_net_parse_bufs(&e, buf);
	must(n == -PVBUS_ST_PROTO || (n > 0 && n <= PVBUS_NET_BUFS_MAX));
	for (i = 0; i < n; i++) {
		must(buf[i].len >= PVBUS_NET_MIN_BUF);
		must(buf[i].addr % PVBUS_PAGE_SIZE + buf[i].len <=
		     PVBUS_PAGE_SIZE);
	}
}

static void fuzz_coalesce(void)
{
	struct pvh_net_coalesce c;
	struct pvbus_net_coalesce e;

	fuzz_bytes(&e, sizeof(e));
	if (pvh_net_parse_coalesce(&e, &c))
		return;
	must(c.rx_us >= -1 && c.rx_us <= PVBUS_NET_MAX_USECS);
	must(c.tx_us >= -1 && c.tx_us <= PVBUS_NET_MAX_USECS);
}

/* The headers are there in full, and the checksum is TCP's. */
static void check_gso(const struct pvbus_net_hdr *hdr, const __u8 *data,
		      __u32 len)
{
	__u32 tcp = le16_to_cpu(hdr->csum_start);

	must(tcp >= 14 + 20 && tcp + 20 <= len);
	must(tcp + (data[tcp + 12] >> 4) * 4 <= len);
	must(le16_to_cpu(hdr->csum_offset) == 16);
}

static void fuzz_headers(void)
{
	__u64 features = fuzz_u8() & PVBUS_NET_F_ALL;
	struct pvbus_net_hdr hdr;
	__u32 len, total;
	__u8 *data;

	fuzz_bytes(&hdr, sizeof(hdr));
	total = fuzz_below(PVBUS_NET_MAX_LEN + 1);
	len = fuzz_left() < MAX_HEADERS ? fuzz_left() : MAX_HEADERS;
	if (total < len)
		total = len;
	if (!pvh_net_hdr_ok(&hdr, total, features))
		return;
	if (hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		must(le16_to_cpu(hdr.csum_start) +
		     le16_to_cpu(hdr.csum_offset) + 2 <= (int)total &&
		     features & PVBUS_NET_F_HOST_CSUM);
	if (hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	must(le16_to_cpu(hdr.gso_size) &&
	     hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
	data = malloc(len);
	fuzz_bytes(data, len);
	if (pvh_net_gso_ok(&hdr, data, len))
		check_gso(&hdr, data, len);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	switch (fuzz_below(4)) {
	case 0:
		fuzz_tx();
		break;
	case 1:
		fuzz_bufs();
		break;
	case 2:
		fuzz_coalesce();
		break;
	case 3:
		fuzz_headers();
		break;
	}
	return 0;
}
