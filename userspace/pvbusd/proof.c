// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: where guest RAM is in QEMU, proven by the guest's nonces.
 *
 * QEMU's x86 machines have one block of RAM, or one for each NUMA node, one behind
 * the other. What does not fit below the hole under 4 GiB goes on above it: of all
 * RAM, [0, L) is at 0 and the rest at 4 GiB, wherever a block ends. Only
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

/**
 * struct search - what is looked for
 * @reader: how QEMU's memory is read
 * @info: the VM with its hello
 * @claim: what the hello claims
 * @block: the blocks of RAM
 * @nr: their number
 * @total: bytes of all
 */
struct search {
	const struct proof_reader	*reader;
	const struct pvbus_ioc_vm_info	*info;
	const struct proof_claim	*claim;
	const struct proof_block	*block;
	unsigned int			nr;
	uint64_t			total;
};

/* The mapping of each block; NULL: none is proven. */
struct choice {
	const struct map_range	*of[QEMU_MAX_BLOCKS];
};

static bool nonce_at(const struct search *s, uint32_t i,
		     const struct map_range *cand, uint64_t offset)
{
	uint8_t value[PVBUS_NONCE_SIZE];

	if (offset > cand->size || sizeof(value) > cand->size - offset)
		return false;
	if (s->reader->read(s->reader->ctx, cand->start + offset, value,
			    sizeof(value)))
		return false;
	return !memcmp(value, s->info->nonce[i], sizeof(value));
}

static bool chosen(const struct search *s, const struct choice *choice,
		   const struct map_range *cand)
{
	unsigned int b;

	for (b = 0; b < s->nr; b++)
		if (choice->of[b] && choice->of[b]->start == cand->start)
			return true;
	return false;
}

/* Is nonce @i at @offset of all RAM? Chooses a mapping for its block if needed. */
static bool nonce_proven(const struct search *s, uint32_t i, uint64_t offset,
			 struct choice *choice)
{
	const struct proof_block *block = s->block;
	unsigned int b;
	size_t c;

	for (b = 0; b < s->nr && offset >= block[b].size; b++)
		offset -= block[b].size;
	if (b == s->nr)
		return false;
	if (choice->of[b])
		return nonce_at(s, i, choice->of[b], offset);
	for (c = 0; c < block[b].nr_cand; c++)
		if (!chosen(s, choice, &block[b].cand[c]) &&
		    nonce_at(s, i, &block[b].cand[c], offset)) {
			choice->of[b] = &block[b].cand[c];
			return true;
		}
	return false;
}

/* Are the nonces of low RAM where they should be? That needs no L. */
static bool low_proven(const struct search *s, struct choice *choice)
{
	uint32_t i;

	for (i = 0; i < s->info->hello_nonces; i++)
		if (s->info->nonce_addr[i] < RAM_HIGH &&
		    !nonce_proven(s, i, s->info->nonce_addr[i], choice))
			return false;
	return true;
}

/* Are those above, if low RAM ends at @low? Changes @choice only then. */
static bool high_proven(const struct search *s, uint64_t low,
			struct choice *choice)
{
	struct choice try = *choice;
	uint32_t i;

	if (low < s->claim->low_end || low > s->total || low > RAM_HIGH ||
	    low % MIB || s->claim->high_end - RAM_HIGH > s->total - low)
		return false;
	for (i = 0; i < s->info->hello_nonces; i++) {
		uint64_t addr = s->info->nonce_addr[i];

		if (addr >= RAM_HIGH &&
		    !nonce_proven(s, i, addr - RAM_HIGH + low, &try))
			return false;
	}
	*choice = try;
	return true;
}

/* Find where low RAM ends; 0 if the nonces fit nowhere. */
static uint64_t find_low(const struct search *s, struct choice *choice)
{
	uint64_t low = s->total - (s->claim->high_end - RAM_HIGH);
	size_t i;

	if (high_proven(s, low, choice))
		return low;
	for (i = 0; i < ARRAY_SIZE(low_ends); i++)
		if (high_proven(s, low_ends[i], choice))
			return low_ends[i];
	low = (s->claim->low_end + MIB - 1) / MIB * MIB;
	for (; low <= RAM_HIGH && low <= s->total; low += MIB)
		if (high_proven(s, low, choice))
			return low;
	return 0;
}

/* Where low RAM ends when none above is claimed. */
static uint64_t low_only(const struct search *s)
{
	uint64_t low = s->total;

	/* more than fits below the hole: believe no more than was claimed */
	if (low > 0xe0000000)
		low = (s->claim->low_end + MIB - 1) / MIB * MIB;
	return low < s->total ? low : s->total;
}

/*
 * Add what of each proven block is in [@from, @to) of all RAM, which is at @gpa for
 * the guest.
 */
static void set_regions(const struct search *s, const struct choice *choice,
			uint64_t from, uint64_t to, uint64_t gpa,
			struct pvbus_ioc_vm_set_mem *table)
{
	uint64_t base = 0;
	unsigned int b;

	for (b = 0; b < s->nr; base += s->block[b++].size) {
		uint64_t end = base + s->block[b].size;
		uint64_t first = base > from ? base : from;
		uint32_t i = table->nr_regions;

		if (end > to)
			end = to;
		if (!choice->of[b] || first >= end)
			continue;
		table->region[i].gpa = gpa + first - from;
		table->region[i].hva = choice->of[b]->start + first - base;
		table->region[i].size = end - first;
		table->nr_regions++;
	}
}

/* Is all of that in the table? A block without a nonce is not. */
static bool covered(const struct pvbus_ioc_vm_set_mem *table, uint64_t start,
		    uint64_t end)
{
	uint32_t i;

	for (i = 0; i < table->nr_regions; i++)
		if (table->region[i].gpa <= start &&
		    table->region[i].gpa + table->region[i].size > start)
			start = table->region[i].gpa + table->region[i].size;
	return start >= end;
}

/**
 * proof_try - test whether mappings are guest RAM
 * @reader: how QEMU's memory is read
 * @info: the VM with its hello
 * @claim: what the hello claims
 * @block: the blocks of RAM, with the mappings that each may be
 * @nr: their number, at most QEMU_MAX_BLOCKS
 * @table: result, if they are
 *
 * Returns whether all nonces were found, and all that is claimed lies in blocks that
 * have one; the others are not in @table.
 */
bool proof_try(const struct proof_reader *reader,
	       const struct pvbus_ioc_vm_info *info,
	       const struct proof_claim *claim,
	       const struct proof_block *block, unsigned int nr,
	       struct pvbus_ioc_vm_set_mem *table)
{
	struct search s = {
		.reader = reader, .info = info, .claim = claim,
		.block = block, .nr = nr,
	};
	struct choice choice = {};
	uint64_t low;
	unsigned int b;

	memset(table, 0, sizeof(*table));
	for (b = 0; b < nr; b++)
		s.total += block[b].size;
	if (proof_claimed(claim) > s.total || !low_proven(&s, &choice))
		return false;
	if (claim->high_end == RAM_HIGH) {
		set_regions(&s, &choice, 0, low_only(&s), 0, table);
	} else {
		low = find_low(&s, &choice);
		if (!low)
			return false;
		set_regions(&s, &choice, 0, low, 0, table);
		set_regions(&s, &choice, low, s.total, RAM_HIGH, table);
	}
	return covered(table, 0, claim->low_end) &&
	       covered(table, RAM_HIGH, claim->high_end);
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
	if (n < 0 && (errno == EPERM || errno == ESRCH || errno == ENOSYS))
		process->error = errno;
	return n < 0 ? -errno : -EFAULT;
}

static int not_found(const struct pvbus_ioc_vm_info *info, uint64_t claimed,
		     const struct qemu_ram *ram, size_t tried, int error,
		     struct pv_err *err)
{
	uint64_t size = 0;
	unsigned int b;

	for (b = 0; b < ram->nr && b < QEMU_MAX_BLOCKS; b++)
		size += ram->size[b];
	if (error == ENOSYS)
		return pv_err(err,
			      "memory of QEMU (pid %d) cannot be read: this kernel was built without CONFIG_CROSS_MEMORY_ATTACH: use one that has it",
			      info->qemu_pid);
	if (error)
		return pv_err(err,
			      "memory of QEMU (pid %d) cannot be read (%s): run pvbusd as root, in QEMU's pid namespace",
			      info->qemu_pid, strerror(error));
	if (ram->nr > QEMU_MAX_BLOCKS)
		return pv_err(err,
			      "RAM of the guest cannot be proven: QEMU (pid %d) was started with more than %d NUMA nodes that have memory: start it with fewer",
			      info->qemu_pid, QEMU_MAX_BLOCKS);
	if (size && claimed > size)
		return pv_err(err,
			      "RAM of the guest cannot be proven: it claims %llu MiB, QEMU (pid %d) was started with %llu MiB: start QEMU with all RAM in -m, without DIMMs",
			      (unsigned long long)(claimed / MIB),
			      info->qemu_pid, (unsigned long long)(size / MIB));
	return pv_err(err,
		      "RAM of the guest cannot be proven: it claims %llu MiB in %u block%s, and of QEMU's mappings (pid %d) %zu could be that and were tried: start QEMU with its RAM in -m SIZE, or in memory backends of NUMA nodes, without DIMMs",
		      (unsigned long long)(claimed / MIB),
		      ram->nr > 1 ? ram->nr : 1, ram->nr > 1 ? "s" : "",
		      info->qemu_pid, tried);
}

/* One block, whose size may not be known: each candidate by itself. */
static bool find_one(const struct proof_reader *reader,
		     const struct pvbus_ioc_vm_info *info,
		     const struct proof_claim *claim,
		     const struct map_list *list, const struct qemu_ram *ram,
		     struct pvbus_ioc_vm_set_mem *table, size_t *tried)
{
	struct map_range cand[MAPS_MAX_CANDIDATES];
	size_t i;

	*tried = maps_candidates(list, ram->nr ? ram->size[0] : 0,
				 proof_claimed(claim), cand);
	for (i = 0; i < *tried; i++) {
		struct proof_block block = {
			.size = cand[i].size, .cand = &cand[i], .nr_cand = 1,
		};

		if (proof_try(reader, info, claim, &block, 1, table))
			return true;
	}
	return false;
}

static bool find_several(const struct proof_reader *reader,
			 const struct pvbus_ioc_vm_info *info,
			 const struct proof_claim *claim,
			 const struct map_list *list,
			 const struct qemu_ram *ram,
			 struct pvbus_ioc_vm_set_mem *table, size_t *tried)
{
	struct map_range cand[QEMU_MAX_BLOCKS][MAPS_MAX_CANDIDATES];
	struct proof_block block[QEMU_MAX_BLOCKS];
	unsigned int b;

	*tried = 0;
	if (ram->nr > QEMU_MAX_BLOCKS)
		return false;
	for (b = 0; b < ram->nr; b++) {
		block[b].size = ram->size[b];
		block[b].cand = cand[b];
		block[b].nr_cand = maps_candidates(list, ram->size[b], 0,
						   cand[b]);
		*tried += block[b].nr_cand;
	}
	return proof_try(reader, info, claim, block, ram->nr, table);
}

/**
 * proof_find - find guest RAM in QEMU
 * @info: the VM with its pending hello
 * @ram: the blocks of RAM that QEMU was given, if that is known
 * @table: result; no regions when RAM cannot be proven
 * @err: why it cannot
 *
 * Returns 0 or -1.
 */
int proof_find(const struct pvbus_ioc_vm_info *info, const struct qemu_ram *ram,
	       struct pvbus_ioc_vm_set_mem *table, struct pv_err *err)
{
	struct process process = { .pid = info->qemu_pid };
	struct proof_reader reader = { .read = read_process, .ctx = &process };
	struct proof_claim claim;
	struct pv_err why;
	struct map_list list;
	size_t tried;
	bool found;

	memset(table, 0, sizeof(*table));
	if (proof_claim(info, &claim, &why))
		return pv_err(err,
			      "RAM of the guest of QEMU (pid %d) cannot be proven: %.400s: use a guest driver of this version",
			      info->qemu_pid, why.text);
	if (maps_read(info->qemu_pid, &list))
		return pv_err(err,
			      "mappings of QEMU (pid %d) cannot be read (%s): run pvbusd as root, in QEMU's pid namespace",
			      info->qemu_pid, strerror(errno));
	found = (ram->nr > 1 ? find_several : find_one)(&reader, info, &claim,
							&list, ram, table,
							&tried);
	maps_free(&list);
	if (found)
		return 0;
	memset(table, 0, sizeof(*table));
	return not_found(info, proof_claimed(&claim), ram, tried,
			 process.error, err);
}
