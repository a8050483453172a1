/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metadata of packets to and from socket buffers, for both ends of a card. The
 * kernel's own code for virtio does the work: struct pvbus_net_hdr is struct
 * virtio_net_hdr of the 1.x format, whose fields are little-endian.
 */
#ifndef PVBUS_NET_HDR_H
#define PVBUS_NET_HDR_H

#include <linux/skbuff.h>
#include <linux/virtio_net.h>

#include <linux/pvbus_net.h>

/**
 * pvbus_net_hdr_from_skb() - what is left for the receiver to do
 * @hdr: metadata to fill in
 * @skb: packet
 * @data_valid: the receiver may be told that the checksum was verified
 *
 * Return: 0, or -EINVAL for a kind of packet that cannot be told.
 */
static inline int pvbus_net_hdr_from_skb(struct pvbus_net_hdr *hdr,
					 const struct sk_buff *skb,
					 bool data_valid)
{
	struct virtio_net_hdr vhdr;
	int err;

	err = virtio_net_hdr_from_skb(skb, &vhdr, true, data_valid, 0);
	if (err)
		return err;
	hdr->flags = vhdr.flags;
	hdr->gso_type = vhdr.gso_type;
	hdr->hdr_len = (__force __le16)vhdr.hdr_len;
	hdr->gso_size = (__force __le16)vhdr.gso_size;
	hdr->csum_start = (__force __le16)vhdr.csum_start;
	hdr->csum_offset = (__force __le16)vhdr.csum_offset;
	return 0;
}

/**
 * pvbus_net_hdr_to_skb() - make metadata the packet's
 * @hdr: private copy, whose flags and type the caller has agreed to
 * @skb: packet, from the Ethernet header on
 *
 * Return: 0, or -EINVAL when they do not fit the packet.
 */
static inline int pvbus_net_hdr_to_skb(const struct pvbus_net_hdr *hdr,
				       struct sk_buff *skb)
{
	const struct virtio_net_hdr vhdr = {
		.flags = hdr->flags,
		.gso_type = hdr->gso_type,
		.hdr_len = (__force __virtio16)hdr->hdr_len,
		.gso_size = (__force __virtio16)hdr->gso_size,
		.csum_start = (__force __virtio16)hdr->csum_start,
		.csum_offset = (__force __virtio16)hdr->csum_offset,
	};

	return virtio_net_hdr_to_skb(skb, &vhdr, true);
}

#endif /* PVBUS_NET_HDR_H */
