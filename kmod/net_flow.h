/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus host: which queue a flow's packets go to: the one that the guest last
 * sent packets of that flow from, as the CPU that did that has its data at hand.
 *
 * A table of fixed size, indexed by the flow's hash. Each entry is one word that
 * is read and written at once, so there is no lock, and nothing to free: a flow
 * takes the place of another, and whoever is not found goes by hash. The guest
 * can fill it with what it likes: all that it decides is which of its queues its
 * packets come in.
 */
#ifndef PVBUS_HOST_NET_FLOW_H
#define PVBUS_HOST_NET_FLOW_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/types.h>
#else
#include <pvbus/user.h>
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#endif

#define PVH_NET_FLOWS		2048
/* The low bits of an entry are the queue and 1; the hash is above them. */
#define PVH_NET_FLOW_QUEUE	0x1fU

static_assert(PVH_NET_FLOWS > PVH_NET_FLOW_QUEUE,
	      "the index tells the bits of the hash that an entry does not");

/**
 * struct pvh_net_flows - flows of a card
 * @entry: 0: none
 */
struct pvh_net_flows {
	__u32	entry[PVH_NET_FLOWS];
};

/**
 * pvh_net_flow_set() - a packet of a flow came from a queue
 * @f: flows
 * @hash: of the flow, the same in both directions
 * @queue: below PVH_NET_FLOW_QUEUE
 *
 * Context: any.
 */
static inline void pvh_net_flow_set(struct pvh_net_flows *f, __u32 hash,
				    unsigned int queue)
{
	__u32 entry = (hash & ~PVH_NET_FLOW_QUEUE) | (queue + 1);
	__u32 *at = &f->entry[hash % PVH_NET_FLOWS];

	/* usually so: leave the line to those who read it */
	if (READ_ONCE(*at) != entry)
		WRITE_ONCE(*at, entry);
}

/**
 * pvh_net_flow_get() - where do packets of a flow go?
 * @f: flows
 * @hash: as above
 *
 * Context: any.
 * Return: queue, or -1 when the flow is not known.
 */
static inline int pvh_net_flow_get(const struct pvh_net_flows *f, __u32 hash)
{
	__u32 entry = READ_ONCE(f->entry[hash % PVH_NET_FLOWS]);

	if ((entry ^ hash) & ~PVH_NET_FLOW_QUEUE)
		return -1;
	return (int)(entry & PVH_NET_FLOW_QUEUE) - 1;
}

#endif /* PVBUS_HOST_NET_FLOW_H */
