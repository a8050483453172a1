// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: where guest RAM is in QEMU, proven by the guest's nonces.
 *
 * QEMU's x86 machines have one block of RAM, in two pieces when it does not
 * fit below the hole under 4 GiB: [0, L) and [4 GiB, 4 GiB + size - L). Only
 * QEMU knows L. It follows from the end of high RAM when the guest sees all
 * of it; else the values that QEMU's machines use are tried, then every MiB.
 * A wrong L fails the nonces above 4 GiB.
 *
 * Whatever is found here, the module reads the nonces again through the table
 * before it believes it.
 */
#include "proof.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "util.h"

#define MIB	(1ULL << 20)

/* Where x86 machines of QEMU end low RAM: i440fx, q35, and both when small. */
static const uint64_t low_ends[] = {
	0xc0000000, 0x80000000, 0xb0000000, 0xe0000000,
};

static bool range_valid(uint64_t start, uint64_t size, uint64_t last_end)
{
	return size && start >= last_end && start + size > start &&
	       (start >= RAM_HIGH || start + size <= RAM_HIGH);
}

/* Is there a nonce between @from and @to? */
static bool nonce_between(const struct pvbus_ioc_vm_info *info, uint64_t from,
			  uint64_t to)
{
	uint32_t i;

	for (i = 0; i < info->hello_nonces; i++)
		if (info->nonce_addr[i] >= from && info->nonce_addr[i] < to)
			return true;
	return false;
}

/**
 * proof_claim - sum up what a hello claims
 * @info: the VM with its hello
 * @claim: result
 * @err: why it cannot be QEMU's RAM
 *
 * Returns 0 or -1.
 */
int proof_claim(const struct pvbus_ioc_vm_info *info,
		struct proof_claim *claim, struct pv_err *err)
{
	uint64_t end = 0;
	uint32_t i;

	claim->low_end = 0;
	claim->high_end = RAM_HIGH;
	if (!info->hello_ranges || info->hello_ranges > PVBUS_MAX_RANGES ||
	    !info->hello_nonces || info->hello_nonces > PVBUS_MAX_NONCES)
		return pv_err(err, "the guest's hello is malformed");
	for (i = 0; i < info->hello_ranges; i++) {
		uint64_t start = info->range[i].start;

		if (!range_valid(start, info->range[i].size, end))
			return pv_err(err,
				      "range %u of RAM that the guest claims (%#llx, %#llx bytes) is not possible on x86",
				      i, (unsigned long long)start,
				      (unsigned long long)info->range[i].size);
		end = start + info->range[i].size;
		if (!nonce_between(info, start, end))
			return pv_err(err,
				      "range %u of RAM that the guest claims has no nonce",
				      i);
		if (start < RAM_HIGH)
			claim->low_end = end;
		else
			claim->high_end = end;
	}
	if (!claim->low_end)
		return pv_err(err, "the guest claims no RAM below 4 GiB");
	return 0;
}

/**
 * proof_claimed - how much RAM a hello claims at least
 * @claim: the claim
 *
 * Returns bytes: from 0 to the end of low RAM and from 4 GiB to that of high
 * RAM. What QEMU has cannot be less.
 */
uint64_t proof_claimed(const struct proof_claim *claim)
{
	return claim->low_end + (claim->high_end - RAM_HIGH);
}

static bool nonce_at(const struct proof_reader *reader,
		     const struct pvbus_ioc_vm_info *info, uint32_t i,
		     const struct map_range *cand, uint64_t offset)
{
	uint8_t value[PVBUS_NONCE_SIZE];

	if (offset > cand->size || sizeof(value) > cand->size - offset)
		return false;
	if (reader->read(reader->ctx, cand->start + offset, value,
			 sizeof(value)))
		return false;
	return !memcmp(value, info->nonce[i], sizeof(value));
}

/* Are the nonces of low RAM where they should be? That needs no L. */
static bool low_proven(const struct proof_reader *reader,
		       const struct pvbus_ioc_vm_info *info,
		       const struct map_range *cand)
{
	uint32_t i;

	for (i = 0; i < info->hello_nonces; i++)
		if (info->nonce_addr[i] < RAM_HIGH &&
		    !nonce_at(reader, info, i, cand, info->nonce_addr[i]))
			return false;
	return true;
}

/* Are those above, if low RAM ends at @low? */
static bool high_proven(const struct proof_reader *reader,
			const struct pvbus_ioc_vm_info *info,
			const struct proof_claim *claim,
			const struct map_range *cand, uint64_t low)
{
	uint32_t i;

	if (low < claim->low_end || low > cand->size || low > RAM_HIGH ||
	    low % MIB || claim->high_end - RAM_HIGH > cand->size - low)
		return false;
	for (i = 0; i < info->hello_nonces; i++) {
		uint64_t addr = info->nonce_addr[i];

		if (addr >= RAM_HIGH &&
		    !nonce_at(reader, info, i, cand, addr - RAM_HIGH + low))
			return false;
	}
	return true;
}

/* Find where low RAM ends; 0 if the nonces fit nowhere. */
static uint64_t find_low(const struct proof_reader *reader,
			 const struct pvbus_ioc_vm_info *info,
			 const struct proof_claim *claim,
			 const struct map_range *cand)
{
	uint64_t low = cand->size - (claim->high_end - RAM_HIGH);
	size_t i;

	if (high_proven(reader, info, claim, cand, low))
		return low;
	for (i = 0; i < ARRAY_SIZE(low_ends); i++)
		if (high_proven(reader, info, claim, cand, low_ends[i]))
			return low_ends[i];
	low = (claim->low_end + MIB - 1) / MIB * MIB;
	for (; low <= RAM_HIGH && low <= cand->size; low += MIB)
		if (high_proven(reader, info, claim, cand, low))
			return low;
	return 0;
}

static void set_region(struct pvbus_ioc_vm_set_mem *table, uint64_t gpa,
		       uint64_t hva, uint64_t size)
{
	uint32_t i;

	if (!size)
		return;
	i = table->nr_regions++;
	table->region[i].gpa = gpa;
	table->region[i].hva = hva;
	table->region[i].size = size;
}

/* All RAM is below the hole, or what is above it is not claimed. */
static void set_low_only(const struct proof_claim *claim,
			 const struct map_range *cand,
			 struct pvbus_ioc_vm_set_mem *table)
{
	uint64_t low = cand->size;

	/* more than fits below the hole: believe no more than was claimed */
	if (low > 0xe0000000)
		low = (claim->low_end + MIB - 1) / MIB * MIB;
	if (low > cand->size)
		low = cand->size;
	set_region(table, 0, cand->start, low);
}

/**
 * proof_try - test whether a mapping is guest RAM
 * @reader: how QEMU's memory is read
 * @info: the VM with its hello
 * @claim: what the hello claims
 * @cand: the mapping
 * @table: result, if it is
 *
 * Returns whether all nonces were found.
 */
bool proof_try(const struct proof_reader *reader,
	       const struct pvbus_ioc_vm_info *info,
	       const struct proof_claim *claim, const struct map_range *cand,
	       struct pvbus_ioc_vm_set_mem *table)
{
	uint64_t low;

	memset(table, 0, sizeof(*table));
	if (proof_claimed(claim) > cand->size ||
	    !low_proven(reader, info, cand))
		return false;
	if (claim->high_end == RAM_HIGH) {
		set_low_only(claim, cand, table);
		return true;
	}
	low = find_low(reader, info, claim, cand);
	if (!low)
		return false;
	set_region(table, 0, cand->start, low);
	set_region(table, RAM_HIGH, cand->start + low, cand->size - low);
	return true;
}

/**
 * struct process - QEMU
 * @pid: process
 * @error: errno of a read that was not permitted, or 0
 */
struct process {
	int	pid;
	int	error;
};

static int read_process(void *ctx, uint64_t hva, void *buf, size_t len)
{
	struct process *process = ctx;
	struct iovec local = { .iov_base = buf, .iov_len = len };
	struct iovec remote = {
		.iov_base = (void *)(uintptr_t)hva, .iov_len = len,
	};
	ssize_t n = process_vm_readv(process->pid, &local, 1, &remote, 1, 0);

	if (n == (ssize_t)len)
		return 0;
	if (n < 0 && (errno == EPERM || errno == ESRCH))
		process->error = errno;
	return n < 0 ? -errno : -EFAULT;
}

static int not_found(const struct pvbus_ioc_vm_info *info, uint64_t claimed,
		     uint64_t ram_size, size_t tried, int error,
		     struct pv_err *err)
{
	if (error)
		return pv_err(err,
			      "memory of QEMU (pid %d) cannot be read (%s): run pvbusd as root, in QEMU's pid namespace",
			      info->qemu_pid, strerror(error));
	if (ram_size && claimed > ram_size)
		return pv_err(err,
			      "RAM of the guest cannot be proven: it claims %llu MiB, QEMU (pid %d) was started with %llu MiB: start QEMU with all RAM in -m, without DIMMs",
			      (unsigned long long)(claimed / MIB),
			      info->qemu_pid,
			      (unsigned long long)(ram_size / MIB));
	return pv_err(err,
		      "RAM of the guest cannot be proven: it claims %llu MiB, and of QEMU's mappings (pid %d) %zu could be that and were tried: start QEMU with RAM in one block (-m SIZE, without NUMA nodes and DIMMs)",
		      (unsigned long long)(claimed / MIB), info->qemu_pid,
		      tried);
}

/**
 * proof_find - find guest RAM in QEMU
 * @info: the VM with its pending hello
 * @ram_size: bytes of RAM that QEMU was given, or 0 if that is not known
 * @table: result; no regions when RAM cannot be proven
 * @err: why it cannot
 *
 * Returns 0 or -1.
 */
int proof_find(const struct pvbus_ioc_vm_info *info, uint64_t ram_size,
	       struct pvbus_ioc_vm_set_mem *table, struct pv_err *err)
{
	struct process process = { .pid = info->qemu_pid };
	struct proof_reader reader = { .read = read_process, .ctx = &process };
	struct map_range cand[MAPS_MAX_CANDIDATES];
	struct proof_claim claim;
	struct pv_err why;
	struct map_list list;
	size_t nr, i;

	memset(table, 0, sizeof(*table));
	if (proof_claim(info, &claim, &why))
		return pv_err(err,
			      "RAM of the guest of QEMU (pid %d) cannot be proven: %.400s: use a guest driver of this version",
			      info->qemu_pid, why.text);
	if (maps_read(info->qemu_pid, &list))
		return pv_err(err,
			      "mappings of QEMU (pid %d) cannot be read (%s): run pvbusd as root, in QEMU's pid namespace",
			      info->qemu_pid, strerror(errno));
	nr = maps_candidates(&list, ram_size, proof_claimed(&claim), cand);
	maps_free(&list);
	for (i = 0; i < nr; i++)
		if (proof_try(&reader, info, &claim, &cand[i], table))
			return 0;
	memset(table, 0, sizeof(*table));
	return not_found(info, proof_claimed(&claim), ram_size, nr,
			 process.error, err);
}
