// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: the handshake.
 *
 * The guest says how far its RAM extends below and above 4 GiB and puts random
 * values at addresses in both, and on each NUMA node: with them the host proves that
 * it looks at the right memory, before anything is read or written in it.
 */
#include <linux/dma-mapping.h>
#include <linux/ioport.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/random.h>
#include <linux/sizes.h>

#include "bus_internal.h"

#define PVBUS_PROOFS_PER_RANGE	2
/* Pages to allocate until one lies where it is wanted. */
#define PVBUS_PROOF_TRIES	8

static unsigned int pvbus_protocol_min = PVBUS_VERSION_MIN;
module_param_named(protocol_min, pvbus_protocol_min, uint, 0444);
MODULE_PARM_DESC(protocol_min, "lowest protocol version to speak (for tests)");

static unsigned int pvbus_protocol_max = PVBUS_VERSION_MAX;
module_param_named(protocol_max, pvbus_protocol_max, uint, 0444);
MODULE_PARM_DESC(protocol_max, "highest protocol version to speak (for tests)");

/* Allocations of several buses change the same device's mask and node on loopback. */
static DEFINE_MUTEX(pvbus_mask_lock);

/**
 * pvbus_params_check() - are the module's parameters good?
 *
 * Return: 0, or -EINVAL (logged).
 */
int pvbus_params_check(void)
{
	if (pvbus_protocol_min && pvbus_protocol_min <= pvbus_protocol_max &&
	    pvbus_protocol_max <= U16_MAX)
		return 0;
	pr_err("pvbus: protocol_min=%u protocol_max=%u is no range of versions: give 1 <= protocol_min <= protocol_max <= %u\n",
	       pvbus_protocol_min, pvbus_protocol_max, U16_MAX);
	return -EINVAL;
}

/**
 * pvbus_pick_version() - the highest protocol version that both sides speak
 * @bus: the bus
 *
 * Return: the version, or 0.
 */
u16 pvbus_pick_version(const struct pvbus *bus)
{
	u16 lo = le16_to_cpu(READ_ONCE(bus->host->version_min));
	u16 hi = le16_to_cpu(READ_ONCE(bus->host->version_max));
	u16 version = min_t(u16, hi, pvbus_protocol_max);

	if (!lo || lo > hi || version < lo || version < pvbus_protocol_min)
		return 0;
	return version;
}

/**
 * pvbus_report_mismatch() - say that pvbus_pick_version() found none
 * @bus: the bus
 */
void pvbus_report_mismatch(struct pvbus *bus)
{
	u16 lo = le16_to_cpu(READ_ONCE(bus->host->version_min));
	u16 hi = le16_to_cpu(READ_ONCE(bus->host->version_max));

	dev_err(bus->parent,
		"pvbus%d: no common protocol version: the host speaks %u to %u, this driver %u to %u: update pvbus %s\n",
		bus->index, lo, hi, pvbus_protocol_min, pvbus_protocol_max,
		lo > pvbus_protocol_max ? "in this guest" : "on the host");
}

/* Extent of RAM, as ends of the ranges that begin at 0 and at 4 GiB. */
struct pvbus_extent {
	u64	low_end;
	u64	high_end;
};

static int pvbus_extend(struct resource *res, void *arg)
{
	struct pvbus_extent *ext = arg;
	u64 end = (u64)res->end + 1;

	if (res->start < SZ_4G)
		ext->low_end = max_t(u64, ext->low_end, min_t(u64, end, SZ_4G));
	if (end > SZ_4G)
		ext->high_end = max(ext->high_end, end);
	return 0;
}

static void pvbus_free_page(struct pvbus *bus, const struct pvbus_proof *proof)
{
	dma_free_coherent(bus->parent, PVBUS_PAGE_SIZE, proof->page,
			  proof->dma);
}

static bool pvbus_proof_on(const struct pvbus_proof *proof, int nid)
{
	return page_to_nid(virt_to_page(proof->page)) == nid;
}

static bool pvbus_proof_fits(const struct pvbus_proof *proof, u64 start, u64 end,
			     int nid)
{
	return proof->dma >= start && proof->dma <= end - PVBUS_PAGE_SIZE &&
	       (nid == NUMA_NO_NODE || pvbus_proof_on(proof, nid));
}

/* Get one page in [start, end) of that node or any, if the allocator has one to give. */
static bool pvbus_proof_find(struct pvbus *bus, u64 start, u64 end, int nid)
{
	struct pvbus_proof try[PVBUS_PROOF_TRIES];
	unsigned int n = 0;
	bool found = false;

	while (!found && n < PVBUS_PROOF_TRIES) {
		try[n].page = dma_alloc_coherent(bus->parent, PVBUS_PAGE_SIZE,
						 &try[n].dma,
						 GFP_KERNEL | __GFP_NOWARN);
		if (!try[n].page)
			break;
		found = pvbus_proof_fits(&try[n], start, end, nid);
		n++;
	}
	if (found)
		bus->proof[bus->nr_proofs++] = try[--n];
	while (n--)
		pvbus_free_page(bus, &try[n]);
	return found;
}

static bool pvbus_node_proven(const struct pvbus *bus, int nid)
{
	unsigned int i;

	for (i = 0; i < bus->nr_proofs; i++)
		if (pvbus_proof_on(&bus->proof[i], nid))
			return true;
	return false;
}

/*
 * First one on each node that has none yet, as QEMU may keep the memory of each in
 * a place of its own; then what is wanted in any case. The allocator prefers the
 * node that it is asked for, even if all of its memory is elsewhere: ask for each.
 */
static unsigned int pvbus_proofs_on_nodes(struct pvbus *bus, u64 start, u64 end,
					  unsigned int most)
{
	unsigned int wanted = min_t(unsigned int, most, PVBUS_PROOFS_PER_RANGE);
	struct device *dev = bus->parent;
	int node = dev_to_node(dev);
	unsigned int n = 0;
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		set_dev_node(dev, nid);
		if (n < most && !pvbus_node_proven(bus, nid) &&
		    pvbus_proof_find(bus, start, end, nid))
			n++;
	}
	for_each_node_state(nid, N_MEMORY) {
		set_dev_node(dev, nid);
		while (n < wanted &&
		       pvbus_proof_find(bus, start, end, NUMA_NO_NODE))
			n++;
	}
	set_dev_node(dev, node);
	return n;
}

static unsigned int pvbus_proofs_alloc(struct pvbus *bus, u64 start, u64 end,
				       unsigned int most)
{
	struct device *dev = bus->parent;
	unsigned int n = 0;
	u64 mask;

	if (end < start + PVBUS_PAGE_SIZE)
		return 0;
	mutex_lock(&pvbus_mask_lock);
	mask = dev->coherent_dma_mask;
	if (!dma_set_coherent_mask(dev, DMA_BIT_MASK(start ? 64 : 32)))
		n = pvbus_proofs_on_nodes(bus, start, end, most);
	dma_set_coherent_mask(dev, mask);
	mutex_unlock(&pvbus_mask_lock);
	return n;
}

/**
 * pvbus_hello_free() - free the nonces
 * @bus: the bus
 *
 * Context: ctl_work, or when that does not run any more.
 */
void pvbus_hello_free(struct pvbus *bus)
{
	while (bus->nr_proofs)
		pvbus_free_page(bus, &bus->proof[--bus->nr_proofs]);
}

/* Fill in nonces that were allocated since the hello had @nr_nonces. */
static void pvbus_hello_nonces(struct pvbus *bus, struct pvbus_hello *hello)
{
	while (hello->nr_nonces < bus->nr_proofs) {
		struct pvbus_proof *proof = &bus->proof[hello->nr_nonces];
		struct pvbus_nonce *nonce = &hello->nonce[hello->nr_nonces++];

		get_random_bytes(nonce->value, sizeof(nonce->value));
		memcpy(proof->page, nonce->value, sizeof(nonce->value));
		nonce->addr = cpu_to_le64(proof->dma);
	}
}

/* @most: proofs at most */
static void pvbus_hello_range(struct pvbus *bus, struct pvbus_hello *hello,
			      u64 start, u64 end, unsigned int most)
{
	struct pvbus_range *range = &hello->range[hello->nr_ranges];

	if (end <= start)
		return;
	if (!pvbus_proofs_alloc(bus, start, end, most)) {
		dev_warn(bus->parent,
			 "pvbus%d: no memory is free in %#llx-%#llx to prove it with: I/O there will fail; free some and load pvbus again\n",
			 bus->index, start, end - 1);
		return;
	}
	range->start = cpu_to_le64(start);
	range->size = cpu_to_le64(end - start);
	hello->nr_ranges++;
	pvbus_hello_nonces(bus, hello);
}

static int pvbus_hello_memory(struct pvbus *bus, struct pvbus_hello *hello)
{
	struct pvbus_extent ext = {};

	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1,
			    &ext, pvbus_extend);
	/* what is above needs one at least */
	pvbus_hello_range(bus, hello, 0,
			  round_down(ext.low_end, PVBUS_PAGE_SIZE),
			  PVBUS_MAX_NONCES - (ext.high_end ? 1 : 0));
	pvbus_hello_range(bus, hello, SZ_4G,
			  round_down(ext.high_end, PVBUS_PAGE_SIZE),
			  PVBUS_MAX_NONCES - bus->nr_proofs);
	if (hello->nr_ranges)
		return 0;
	dev_err(bus->parent,
		"pvbus%d: no memory to prove guest RAM with: free some and load pvbus again\n",
		bus->index);
	return -ENOMEM;
}

static int pvbus_hello_fill(struct pvbus *bus, struct pvbus_hello *hello)
{
	bus->features = le64_to_cpu(READ_ONCE(bus->host->features)) &
			PVBUS_F_ALL;
	hello->version = cpu_to_le16(bus->version);
	hello->vectors = cpu_to_le32(bus->max_vectors);
	hello->features = cpu_to_le64(bus->features);
	return pvbus_hello_memory(bus, hello);
}

/**
 * pvbus_hello_send() - send HELLO
 * @bus: the bus, whose mailboxes are fresh
 *
 * Without a common version, it holds the lowest of the driver's and nothing else,
 * so that the host can report it: that field has its place in all versions.
 *
 * Context: ctl_work.
 * Return: 0 or a negative error code (logged).
 */
int pvbus_hello_send(struct pvbus *bus)
{
	struct pvbus_hello hello = {};
	int err;

	if (bus->version) {
		err = pvbus_hello_fill(bus, &hello);
		if (err)
			return err;
	} else {
		hello.version = cpu_to_le16(pvbus_protocol_min);
	}
	return pvbus_ctl_send(bus, PVBUS_MSG_HELLO, &hello, sizeof(hello));
}

static void pvbus_hello_refused(struct pvbus *bus, u32 status, u32 vectors)
{
	switch (status) {
	case PVBUS_ST_VERSION:
		/* said before, with both ranges, when it was known before */
		if (bus->version)
			dev_err(bus->parent,
				"pvbus%d: the host refuses protocol version %u that it offered: update pvbus on the host\n",
				bus->index, bus->version);
		break;
	case PVBUS_ST_RAM:
		dev_err(bus->parent,
			"pvbus%d: the host could not prove guest memory: the log of pvbusd on the host says why\n",
			bus->index);
		break;
	case PVBUS_ST_VECTORS:
		dev_err(bus->parent,
			"pvbus%d: the host requires %u vectors, this guest has %u: start QEMU with -device ivshmem-doorbell,vectors=%u,...\n",
			bus->index, vectors, bus->max_vectors, vectors);
		break;
	default:
		dev_err(bus->parent,
			"pvbus%d: the host refuses this guest: %s (status %u): the host's kernel log says why\n",
			bus->index, pvbus_status_name(status), status);
	}
	pvbus_refuse(bus);
}

static int pvbus_hello_check(struct pvbus *bus,
			     const struct pvbus_hello_ack *ack)
{
	u32 vectors = le32_to_cpu(ack->vectors);
	u64 features = le64_to_cpu(ack->features);

	/* a host that none is in common with has nothing to accept */
	if (!bus->version || le16_to_cpu(ack->version) != bus->version)
		return pvbus_violation(bus, "protocol version in HELLO_ACK",
				       le16_to_cpu(ack->version));
	if (!vectors || vectors > bus->max_vectors)
		return pvbus_violation(bus, "vectors in HELLO_ACK", vectors);
	if (features & ~bus->features)
		return pvbus_violation(bus, "features in HELLO_ACK", features);
	return 0;
}

/**
 * pvbus_on_hello_ack() - the host has answered HELLO
 * @bus: the bus
 * @body: copy of struct pvbus_hello_ack
 *
 * Context: ctl_work.
 * Return: 0, or -EPROTO when the host broke the protocol (logged).
 */
int pvbus_on_hello_ack(struct pvbus *bus, const void *body)
{
	const struct pvbus_hello_ack *ack = body;
	u32 status = le32_to_cpu(ack->status);
	int err;

	if (ack->reserved || ack->reserved2)
		return pvbus_violation(bus, "reserved field of HELLO_ACK",
				       le32_to_cpu(ack->reserved2));
	if (status) {
		pvbus_hello_refused(bus, status, le32_to_cpu(ack->vectors));
		return 0;
	}
	err = pvbus_hello_check(bus, ack);
	if (err)
		return err;
	pvbus_hello_free(bus);
	bus->features = le64_to_cpu(ack->features);
	WRITE_ONCE(bus->vectors, le32_to_cpu(ack->vectors));
	pvbus_set_state(bus, PVBUS_S_RUNNING);
	return 0;
}
