/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pvbus wire protocol: the window, the handshake and the control messages.
 *
 * Everything in this file that the guest and the host exchange is
 * little-endian, explicitly padded and asserted. Documentation/protocol.rst
 * says what the fields mean and in which order things happen; this file and
 * that document agree, and the document is changed first. Device types have
 * headers of their own (pvbus_blk.h, pvbus_net.h); the control device of the
 * host has pvbus_ioctl.h.
 */
#ifndef _UAPI_LINUX_PVBUS_H
#define _UAPI_LINUX_PVBUS_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

/* Protocol versions that this header can describe, and that both sides of
 * this source speak: a side picks the highest that both have.
 */
#define PVBUS_VERSION_MIN	1
#define PVBUS_VERSION_MAX	1

/* Bus feature bits; a side sends only what it knows, an unknown bit in an
 * acceptance is a protocol violation.
 */
#define PVBUS_F_ALL		0ULL

/*
 * The window: BAR2 of the ivshmem device, PVBUS_WIN_SIZE bytes.
 */
#define PVBUS_WIN_SIZE		0x10000
#define PVBUS_WIN_HOST		0x0000	/* struct pvbus_win_host */
#define PVBUS_WIN_GUEST		0x1000	/* struct pvbus_win_guest */
#define PVBUS_WIN_G2H		0x4000	/* mailbox ring, guest to host */
#define PVBUS_WIN_H2G		0x8000	/* mailbox ring, host to guest */

#define PVBUS_MBOX_SLOTS	32
#define PVBUS_MBOX_SLOT_SIZE	256

#define PVBUS_MAGIC		0x4e49575355425650ULL	/* "PVBUSWIN" */

/* Vector and doorbell of the control mailbox; channels may share it. */
#define PVBUS_VECTOR_CTL	0
#define PVBUS_MAX_VECTORS	64

/* enum pvbus_host_state, in struct pvbus_win_host */
#define PVBUS_HOST_DOWN		0	/* nobody serves this window */
#define PVBUS_HOST_READY	1	/* resets are answered */

/**
 * struct pvbus_win_host - host's registers; the guest only reads them
 * @magic: PVBUS_MAGIC, written last when the window is set up
 * @version_min: lowest protocol version that the host speaks
 * @version_max: highest protocol version that the host speaks
 * @state: PVBUS_HOST_*
 * @features: PVBUS_F_* that the host offers
 * @peer: ivshmem peer number to ring for the host
 * @vectors: doorbells in each direction that the host has set up
 * @generation: the guest generation for which the mailboxes were last reset
 * @reserved: 0
 */
struct pvbus_win_host {
	__le64	magic;
	__le16	version_min;
	__le16	version_max;
	__le32	state;
	__le64	features;
	__le32	peer;
	__le32	vectors;
	__le32	generation;
	__le32	reserved[7];
};

/**
 * struct pvbus_win_guest - guest's registers; the host only reads them
 * @generation: 0, no driver is attached; any other value names one attachment
 *	of a driver, and a new value asks the host to forget the one before
 * @reserved: 0
 */
struct pvbus_win_guest {
	__le32	generation;
	__le32	reserved[15];
};

/*
 * Control messages. G: sent by the guest, H: sent by the host.
 */
#define PVBUS_MSG_HELLO		1	/* G: version, features, RAM */
#define PVBUS_MSG_HELLO_ACK	2	/* H */
#define PVBUS_MSG_OFFER		3	/* H: a device is there */
#define PVBUS_MSG_OFFERS_DONE	4	/* H: all initial offers were sent */
#define PVBUS_MSG_UPDATE	5	/* H: the blob of an offer changed */
#define PVBUS_MSG_RESCIND	6	/* H: a device goes */
#define PVBUS_MSG_RESCIND_ACK	7	/* G: and is not used any more */
#define PVBUS_MSG_OPEN		8	/* G: open a channel */
#define PVBUS_MSG_OPEN_ACK	9	/* H */
#define PVBUS_MSG_CLOSE		10	/* G: close a channel */
#define PVBUS_MSG_CLOSE_ACK	11	/* H: its memory is the guest's again */
#define PVBUS_MSG_BROKEN	12	/* H: a channel was stopped by a fault */
#define PVBUS_MSG_TYPES		13

/* Status in acknowledgements. 0 is success. */
#define PVBUS_ST_OK		0
#define PVBUS_ST_VERSION	1	/* no common protocol version */
#define PVBUS_ST_RAM		2	/* guest RAM could not be proven */
#define PVBUS_ST_VECTORS	3	/* fewer vectors than the host requires */
#define PVBUS_ST_INVAL		4	/* a field was wrong */
#define PVBUS_ST_NOENT		5	/* no such offer, queue or channel */
#define PVBUS_ST_BUSY		6	/* already open */
#define PVBUS_ST_NOMEM		7	/* the host is out of memory or quota */
#define PVBUS_ST_FEATURES	8	/* a feature was not offered */
#define PVBUS_ST_FAULT		9	/* an address is not guest RAM */
#define PVBUS_ST_PROTO		10	/* the ring was broken by its peer */
#define PVBUS_ST_GONE		11	/* the device was removed */

#define PVBUS_MSG_BODY		240

/**
 * struct pvbus_msg - one mailbox slot
 * @seq: ring sequence
 * @type: PVBUS_MSG_*
 * @len: bytes of the body, which is exactly the size of the type's structure
 * @generation: generation for which it was sent; others are dropped
 * @reserved: 0
 * @body: the type's structure, zero behind it
 */
struct pvbus_msg {
	__le32	seq;
	__le16	type;
	__le16	len;
	__le32	generation;
	__le32	reserved;
	__u8	body[PVBUS_MSG_BODY];
};

#define PVBUS_MAX_RANGES	4
#define PVBUS_MAX_NONCES	4
#define PVBUS_NONCE_SIZE	16

/**
 * struct pvbus_range - a range of guest-physical addresses
 * @start: first address
 * @size: bytes; 0, the entry is not used
 */
struct pvbus_range {
	__le64	start;
	__le64	size;
};

/**
 * struct pvbus_nonce - proof that an address is where the guest says
 * @addr: guest-physical (DMA) address, a multiple of 16
 * @value: what the guest wrote there, random and fresh
 */
struct pvbus_nonce {
	__le64	addr;
	__u8	value[PVBUS_NONCE_SIZE];
};

/**
 * struct pvbus_hello - body of PVBUS_MSG_HELLO
 * @version: protocol version that the guest chose
 * @nr_ranges: entries of @range in use, 1 to PVBUS_MAX_RANGES
 * @nr_nonces: entries of @nonce in use, at least one in each range
 * @vectors: MSI-X vectors that the guest has
 * @features: PVBUS_F_* accepted, a subset of what the host offered
 * @range: extent of RAM below and above the 4 GiB hole, ascending
 * @nonce: proofs
 * @reserved: 0
 */
struct pvbus_hello {
	__le16	version;
	__u8	nr_ranges;
	__u8	nr_nonces;
	__le32	vectors;
	__le64	features;
	struct pvbus_range	range[PVBUS_MAX_RANGES];
	struct pvbus_nonce	nonce[PVBUS_MAX_NONCES];
	__le64	reserved[2];
};

/**
 * struct pvbus_hello_ack - body of PVBUS_MSG_HELLO_ACK
 * @status: PVBUS_ST_*
 * @version: protocol version in force
 * @reserved: 0
 * @vectors: doorbells that may be used in each direction; with
 *	PVBUS_ST_VECTORS, how many the host requires
 * @reserved2: 0
 * @features: PVBUS_F_* in force
 */
struct pvbus_hello_ack {
	__le32	status;
	__le16	version;
	__le16	reserved;
	__le32	vectors;
	__le32	reserved2;
	__le64	features;
};

#define PVBUS_ID_SIZE		32	/* instance id, NUL-terminated */
#define PVBUS_BLOB_SIZE		128

/* Device types */
#define PVBUS_TYPE_BLK		1
#define PVBUS_TYPE_NET		2

/**
 * struct pvbus_offer - body of PVBUS_MSG_OFFER and PVBUS_MSG_UPDATE
 * @offer: number of the offer, never 0, unique while the host lives
 * @type: PVBUS_TYPE_*
 * @max_queues: channels that may be opened, queue 0 to @max_queues - 1
 * @id: instance id: [A-Za-z0-9][A-Za-z0-9._-]*, unique in the VM
 * @blob_len: bytes of @blob in use
 * @reserved: 0
 * @features: features of the device, defined by its type
 * @blob: what the device's type defines, zero behind @blob_len
 */
struct pvbus_offer {
	__le32	offer;
	__le16	type;
	__le16	max_queues;
	__u8	id[PVBUS_ID_SIZE];
	__le32	blob_len;
	__le32	reserved;
	__le64	features;
	__u8	blob[PVBUS_BLOB_SIZE];
};

/**
 * struct pvbus_offer_ref - body of PVBUS_MSG_RESCIND and _RESCIND_ACK
 * @offer: number of the offer
 * @reserved: 0
 */
struct pvbus_offer_ref {
	__le32	offer;
	__le32	reserved;
};

#define PVBUS_PAGE_SIZE		4096
/* One page of addresses: also the limit of a channel's ring memory. */
#define PVBUS_MAX_GPADL		(PVBUS_PAGE_SIZE / 8)

/**
 * struct pvbus_open - body of PVBUS_MSG_OPEN
 * @offer: number of the offer
 * @queue: which of its channels
 * @vector: doorbell of the channel in both directions, below the number of
 *	vectors in force
 * @gpadl: address of a page of __le64 page addresses (the GPA descriptor
 *	list) that make up the ring memory, in order
 * @nr_pages: addresses in it: exactly what the two rings take
 * @g2h_slots: slots of the ring from guest to host; it begins at byte 0
 * @h2g_slots: slots of the ring from host to guest; it begins at the first
 *	page boundary behind the other one
 * @reserved: 0
 * @features: features of the device that the driver accepted, a subset of the
 *	offer's, the same in all channels of the offer
 *
 * Slots of both rings have PVBUS_SLOT_SIZE bytes.
 */
struct pvbus_open {
	__le32	offer;
	__le16	queue;
	__le16	vector;
	__le64	gpadl;
	__le32	nr_pages;
	__le32	g2h_slots;
	__le32	h2g_slots;
	__le32	reserved;
	__le64	features;
};

#define PVBUS_SLOT_SIZE		64

/**
 * struct pvbus_chan_ref - body of _OPEN_ACK, _CLOSE, _CLOSE_ACK and _BROKEN
 * @offer: number of the offer
 * @queue: which of its channels
 * @reserved: 0
 * @status: PVBUS_ST_*; 0 in _CLOSE
 * @reserved2: 0
 */
struct pvbus_chan_ref {
	__le32	offer;
	__le16	queue;
	__le16	reserved;
	__le32	status;
	__le32	reserved2;
};

static_assert(sizeof(struct pvbus_win_host) == 64, "wire size");
static_assert(sizeof(struct pvbus_win_guest) == 64, "wire size");
static_assert(sizeof(struct pvbus_msg) == PVBUS_MBOX_SLOT_SIZE, "wire size");
static_assert(sizeof(struct pvbus_range) == 16, "wire size");
static_assert(sizeof(struct pvbus_nonce) == 24, "wire size");
static_assert(sizeof(struct pvbus_hello) == 192, "wire size");
static_assert(sizeof(struct pvbus_hello_ack) == 24, "wire size");
static_assert(sizeof(struct pvbus_offer) == 184, "wire size");
static_assert(sizeof(struct pvbus_offer_ref) == 8, "wire size");
static_assert(sizeof(struct pvbus_open) == 40, "wire size");
static_assert(sizeof(struct pvbus_chan_ref) == 16, "wire size");

#endif /* _UAPI_LINUX_PVBUS_H */
