/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus host: network cards, the checks of what the guest says. Pure functions
 * on private copies, compiled for the kernel and for user space (tests,
 * fuzzers).
 *
 * Two kinds of wrong are told apart: an entry that no driver can have meant
 * breaks the channel (-PVBUS_ST_PROTO), a packet whose metadata make no sense
 * is dropped (false), because a guest's user can send those through a correct
 * driver.
 */
#ifndef PVBUS_HOST_NET_PARSE_H
#define PVBUS_HOST_NET_PARSE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <pvbus/user.h>
#endif

#include <linux/pvbus_net.h>

/**
 * struct pvh_net_seg - a piece of a packet in guest memory
 * @addr: guest-physical address, not yet known to be RAM; @addr + @len does
 *	not overflow
 * @len: bytes, never 0
 */
struct pvh_net_seg {
	__u64	addr;
	__u32	len;
};

/**
 * struct pvh_net_pkt - a packet to send, checked, host byte order
 * @len: bytes: the sum of the segments', 1 to PVBUS_NET_MAX_LEN
 * @nr_segs: entries of @seg, 1 to PVBUS_NET_MAX_SEGS
 * @table: address of the table of segments, or 0 when @seg is filled in
 * @hdr: metadata, still to be checked with pvh_net_hdr_ok()
 * @done: name of the packet, as it goes back to the guest
 * @seg: the segments
 */
struct pvh_net_pkt {
	__u32			len;
	__u32			nr_segs;
	__u64			table;
	struct pvbus_net_hdr	hdr;
	struct pvbus_net_done	done;
	struct pvh_net_seg	seg[PVBUS_NET_MAX_SEGS];
};

/**
 * struct pvh_net_buf - an empty buffer of the guest
 * @addr: guest-physical address, not yet known to be RAM
 * @len: bytes, PVBUS_NET_MIN_BUF to a page; within one page
 * @id: its name, opaque, as it goes back to the guest
 */
struct pvh_net_buf {
	__u64	addr;
	__u16	len;
	__le16	id;
};

/**
 * struct pvh_net_coalesce - how long entries may wait, checked
 * @rx_us: while the guest's event index is ahead; negative: the host's own time
 * @tx_us: notices of packets taken; likewise
 */
struct pvh_net_coalesce {
	int	rx_us;
	int	tx_us;
};

int pvh_net_parse_tx(const struct pvbus_net_tx *e, __u32 tags,
		     struct pvh_net_pkt *pkt);
int pvh_net_parse_table(const struct pvbus_net_seg *table,
			struct pvh_net_pkt *pkt);
int pvh_net_parse_bufs(const struct pvbus_net_bufs *e,
		       struct pvh_net_buf buf[PVBUS_NET_BUFS_MAX]);
int pvh_net_parse_coalesce(const struct pvbus_net_coalesce *e,
			   struct pvh_net_coalesce *coalesce);
bool pvh_net_hdr_ok(const struct pvbus_net_hdr *hdr, __u32 len,
		    __u64 features);
bool pvh_net_gso_ok(const struct pvbus_net_hdr *hdr, const __u8 *data,
		    __u32 len);

#endif /* PVBUS_HOST_NET_PARSE_H */
