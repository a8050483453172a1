/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pvbus network cards: configuration blob, packets and buffers.
 * Documentation/protocol.rst, "Network".
 *
 * One channel is a queue pair. Guest to host go packets to send, empty receive
 * buffers and how long the guest may be kept waiting; host to guest go notices of
 * sent packets and received packets. The metadata of a packet is the kernel's
 * struct virtio_net_hdr, little-endian, without num_buffers.
 */
#ifndef _UAPI_LINUX_PVBUS_NET_H
#define _UAPI_LINUX_PVBUS_NET_H

#include <linux/pvbus.h>

/* Features: what the other side may hand over unfinished */
#define PVBUS_NET_F_HOST_CSUM	(1ULL << 0)	/* guest may leave checksums */
#define PVBUS_NET_F_HOST_TSO4	(1ULL << 1)	/* guest may send TCPv4 GSO */
#define PVBUS_NET_F_HOST_TSO6	(1ULL << 2)	/* guest may send TCPv6 GSO */
#define PVBUS_NET_F_GUEST_CSUM	(1ULL << 3)	/* host may leave checksums */
#define PVBUS_NET_F_GUEST_TSO4	(1ULL << 4)	/* host may deliver TCPv4 GSO */
#define PVBUS_NET_F_GUEST_TSO6	(1ULL << 5)	/* host may deliver TCPv6 GSO */
/* How long entries wait for the guest is its choice */
#define PVBUS_NET_F_COALESCE	(1ULL << 6)
#define PVBUS_NET_F_ALL		((1ULL << 7) - 1)

/* Flags of the card, in the blob */
#define PVBUS_NET_LINK_UP	(1U << 0)

#define PVBUS_NET_MIN_MTU	68
#define PVBUS_NET_MAX_MTU	65521	/* and 14 of Ethernet: below 64 KiB */

/**
 * struct pvbus_net_config - the blob of a network card
 * @mac: address of the guest's card
 * @reserved: 0
 * @mtu: MTU of the guest's card in bytes
 * @flags: PVBUS_NET_LINK_UP
 */
struct pvbus_net_config {
	__u8	mac[6];
	__le16	reserved;
	__le32	mtu;
	__le32	flags;
};

/**
 * struct pvbus_net_hdr - metadata of a packet
 * @flags: VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_DATA_VALID
 * @gso_type: VIRTIO_NET_HDR_GSO_*
 * @hdr_len: bytes of headers of a GSO packet
 * @gso_size: bytes of payload in each segment
 * @csum_start: offset at which to begin the checksum
 * @csum_offset: offset behind @csum_start at which to store it
 *
 * Field for field struct virtio_net_hdr of the virtio 1.x format.
 */
struct pvbus_net_hdr {
	__u8	flags;
	__u8	gso_type;
	__le16	hdr_len;
	__le16	gso_size;
	__le16	csum_start;
	__le16	csum_offset;
};

/* Types of entries, in byte 4 of each */
#define PVBUS_NET_TX		1	/* guest to host: a packet */
#define PVBUS_NET_BUFS		2	/* guest to host: empty buffers */
#define PVBUS_NET_TX_DONE	3	/* host to guest: packets taken */
#define PVBUS_NET_RX		4	/* host to guest: a packet */
#define PVBUS_NET_COALESCE	5	/* guest to host: how long entries wait */

/* Flags of a packet to send */
#define PVBUS_NET_TX_INDIRECT	(1U << 0)	/* segments are in a table */

#define PVBUS_NET_INLINE_SEGS	3
#define PVBUS_NET_MAX_SEGS	32
/* Longest packet: a full IP packet, its Ethernet header and a VLAN tag */
#define PVBUS_NET_MAX_LEN	(65535 + 14 + 4)

/**
 * struct pvbus_net_seg - entry of a table of segments
 * @addr: guest-physical (DMA) address
 * @len: bytes, not 0
 * @reserved: 0
 */
struct pvbus_net_seg {
	__le64	addr;
	__le32	len;
	__le32	reserved;
};

/**
 * struct pvbus_net_tx - a packet, guest to host
 * @seq: ring sequence
 * @type: PVBUS_NET_TX
 * @flags: PVBUS_NET_TX_*
 * @nr_segs: number of segments, 1 to PVBUS_NET_MAX_SEGS
 * @tag: names the packet until it was taken; below the number of slots of the
 *	ring from guest to host
 * @cookie: comes back with @tag; tells uses of a tag apart
 * @len: bytes of the packet: the sum of the segments'
 * @hdr: metadata
 * @seg_len: lengths of up to three segments; with PVBUS_NET_TX_INDIRECT,
 *	@seg_len[0] is the size of the table; the rest is 0
 * @addr: their addresses; with PVBUS_NET_TX_INDIRECT, @addr[0] is that of the
 *	table, a multiple of 16, within one page; the rest is 0
 * @reserved: 0
 */
struct pvbus_net_tx {
	__le32	seq;
	__u8	type;
	__u8	flags;
	__le16	nr_segs;
	__le16	tag;
	__le16	cookie;
	__le32	len;
	struct pvbus_net_hdr	hdr;
	__le16	seg_len[PVBUS_NET_INLINE_SEGS];
	__le64	addr[PVBUS_NET_INLINE_SEGS];
	__le64	reserved;
};

#define PVBUS_NET_BUFS_MAX	5
#define PVBUS_NET_MIN_BUF	256

/**
 * struct pvbus_net_bufs - empty buffers, guest to host
 * @seq: ring sequence
 * @type: PVBUS_NET_BUFS
 * @flags: 0
 * @count: buffers, 1 to PVBUS_NET_BUFS_MAX
 * @len: bytes of each, at least PVBUS_NET_MIN_BUF; a buffer does not cross a
 *	page boundary
 * @id: names each until it comes back with a packet; opaque to the host. At
 *	most as many buffers are with the host as the ring from host to guest has
 *	slots
 * @reserved: 0
 * @addr: address of each
 */
struct pvbus_net_bufs {
	__le32	seq;
	__u8	type;
	__u8	flags;
	__le16	count;
	__le16	len;
	__le16	id[PVBUS_NET_BUFS_MAX];
	__le32	reserved;
	__le64	addr[PVBUS_NET_BUFS_MAX];
};

/**
 * struct pvbus_net_done - a packet that was taken
 * @tag: as in struct pvbus_net_tx
 * @cookie: as in struct pvbus_net_tx
 */
struct pvbus_net_done {
	__le16	tag;
	__le16	cookie;
};

#define PVBUS_NET_DONE_MAX	14

/**
 * struct pvbus_net_tx_done - packets that were taken, host to guest
 * @seq: ring sequence
 * @type: PVBUS_NET_TX_DONE
 * @flags: 0
 * @count: entries of @done in use, 1 to PVBUS_NET_DONE_MAX
 * @done: the packets, in any order
 */
struct pvbus_net_tx_done {
	__le32	seq;
	__u8	type;
	__u8	flags;
	__le16	count;
	struct pvbus_net_done	done[PVBUS_NET_DONE_MAX];
};

#define PVBUS_NET_RX_BUFS_MAX	19

/**
 * struct pvbus_net_rx - a packet, host to guest
 * @seq: ring sequence
 * @type: PVBUS_NET_RX
 * @flags: 0
 * @nr_bufs: buffers that it fills, 1 to PVBUS_NET_RX_BUFS_MAX, each but the
 *	last to its end
 * @len: bytes of the packet
 * @hdr: metadata
 * @id: the buffers, in the order of the data
 * @reserved: 0
 */
struct pvbus_net_rx {
	__le32	seq;
	__u8	type;
	__u8	flags;
	__le16	nr_bufs;
	__le32	len;
	struct pvbus_net_hdr	hdr;
	__le16	id[PVBUS_NET_RX_BUFS_MAX];
	__le32	reserved;
};

/* Flags of struct pvbus_net_coalesce: which times are not the host's own */
#define PVBUS_NET_COALESCE_RX	(1U << 0)
#define PVBUS_NET_COALESCE_TX	(1U << 1)
#define PVBUS_NET_COALESCE_ALL	((1U << 2) - 1)

/* Longest time that may be set, in microseconds */
#define PVBUS_NET_MAX_USECS	1000

/**
 * struct pvbus_net_coalesce - how long entries may wait, guest to host
 * @seq: ring sequence
 * @type: PVBUS_NET_COALESCE
 * @flags: PVBUS_NET_COALESCE_*
 * @reserved: 0
 * @rx_usecs: with PVBUS_NET_COALESCE_RX, for how many microseconds an entry may
 *	wait while the guest's event index is ahead; else 0
 * @tx_usecs: with PVBUS_NET_COALESCE_TX, likewise a notice of packets taken,
 *	wherever the event index is; else 0
 * @reserved2: 0
 */
struct pvbus_net_coalesce {
	__le32	seq;
	__u8	type;
	__u8	flags;
	__le16	reserved;
	__le32	rx_usecs;
	__le32	tx_usecs;
	__u8	reserved2[48];
};

static_assert(sizeof(struct pvbus_net_config) == 16, "wire size");
static_assert(sizeof(struct pvbus_net_hdr) == 10, "wire size");
static_assert(sizeof(struct pvbus_net_seg) == 16, "wire size");
static_assert(sizeof(struct pvbus_net_tx) == PVBUS_SLOT_SIZE, "wire size");
static_assert(sizeof(struct pvbus_net_bufs) == PVBUS_SLOT_SIZE, "wire size");
static_assert(sizeof(struct pvbus_net_tx_done) == PVBUS_SLOT_SIZE, "wire size");
static_assert(sizeof(struct pvbus_net_rx) == PVBUS_SLOT_SIZE, "wire size");
static_assert(sizeof(struct pvbus_net_coalesce) == PVBUS_SLOT_SIZE, "wire size");

#endif /* _UAPI_LINUX_PVBUS_NET_H */
