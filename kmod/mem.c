// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: guest RAM: the table of guest-physical addresses to addresses in
 * QEMU, and the proof that it is right.
 *
 * The table comes from the daemon, the proof from the guest: random nonces at
 * addresses in its RAM, which are read back through the table. Neither side
 * is believed alone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/mmu_notifier.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "host.h"

/* Times to look whether QEMU is done with taking pages away, and how often, in us. */
#define PVH_SETTLE_TRIES	100
#define PVH_SETTLE_US		1000

/* -- the table --------------------------------------------------------------- */

static bool pvh_region_ok(u64 gpa, u64 hva, u64 size)
{
	u64 end;

	if (!size || !PAGE_ALIGNED(gpa | hva | size))
		return false;
	if (check_add_overflow(gpa, size, &end))
		return false;
	return hva && size <= TASK_SIZE_MAX && hva <= TASK_SIZE_MAX - size;
}

/*
 * Is the memory of regions @a and @b in QEMU disjoint? Two guest addresses for
 * one page would let it do nothing it cannot do anyway, but no layout of guest
 * RAM looks like that: the table is wrong.
 */
static bool pvh_hva_disjoint(const struct pvbus_ioc_vm_set_mem *args,
			     unsigned int a, unsigned int b)
{
	u64 a0 = args->region[a].hva, b0 = args->region[b].hva;

	return a0 < b0 ? b0 - a0 >= args->region[a].size :
			 a0 - b0 >= args->region[b].size;
}

/**
 * pvh_mem_check() - is this table well-formed?
 * @args: from the daemon, already copied
 *
 * Return: 0 or -EINVAL.
 */
int pvh_mem_check(const struct pvbus_ioc_vm_set_mem *args)
{
	u64 above = 0;
	unsigned int i, j;

	if (args->reserved || args->nr_regions > PVBUS_MAX_REGIONS)
		return -EINVAL;
	for (i = 0; i < args->nr_regions; i++) {
		if (!pvh_region_ok(args->region[i].gpa, args->region[i].hva,
				   args->region[i].size))
			return -EINVAL;
		if (args->region[i].gpa < above)
			return -EINVAL;
		above = args->region[i].gpa + args->region[i].size;
		for (j = 0; j < i; j++)
			if (!pvh_hva_disjoint(args, j, i))
				return -EINVAL;
	}
	return 0;
}

/**
 * pvh_mem_hva() - where is guest memory in QEMU?
 * @mem: guest RAM
 * @gpa: guest-physical address, from the guest
 * @len: bytes, from the guest, not 0
 * @hva: the address, when it is guest RAM
 *
 * Return: true when [@gpa, @gpa + @len) lies in one region.
 */
bool pvh_mem_hva(const struct pvh_mem *mem, u64 gpa, u64 len, u64 *hva)
{
	unsigned int i;

	for (i = 0; i < mem->nr; i++) {
		const struct pvh_mem_region *r = &mem->region[i];
		u64 off = gpa - r->gpa;

		if (gpa < r->gpa || off >= r->size || len > r->size - off)
			continue;
		*hva = r->hva + array_index_nospec(off, r->size);
		return len != 0;
	}
	return false;
}

/**
 * pvh_mem_covers() - is all of this guest RAM?
 * @mem: guest RAM
 * @start: guest-physical address, from the guest
 * @size: bytes, from the guest
 *
 * Return: true when it is in the table, be it in several adjacent regions.
 */
bool pvh_mem_covers(const struct pvh_mem *mem, u64 start, u64 size)
{
	unsigned int i;

	for (i = 0; i < mem->nr && size; i++) {
		const struct pvh_mem_region *r = &mem->region[i];
		u64 off = start - r->gpa, part;

		if (start < r->gpa || off >= r->size)
			continue;
		part = min(size, r->size - off);
		start += part;
		size -= part;
	}
	return !size;
}

/* -- the proof ----------------------------------------------------------------- */

/* What the guest wrote must be something that no other memory holds by chance. */
static bool pvh_nonce_random(const u8 *value)
{
	return memchr_inv(value, value[0], PVBUS_NONCE_SIZE);
}

static bool pvh_nonce_in_range(const struct pvbus_hello *hello,
			       unsigned int range, u64 addr)
{
	u64 start = le64_to_cpu(hello->range[range].start);
	u64 size = le64_to_cpu(hello->range[range].size);

	return addr >= start && size >= PVBUS_NONCE_SIZE &&
	       addr - start <= size - PVBUS_NONCE_SIZE;
}

/* Is each nonce in a range, and does each range have one? */
static bool pvh_nonces_cover(const struct pvbus_hello *hello)
{
	unsigned long proven = 0;
	unsigned int i, j;

	for (i = 0; i < hello->nr_nonces; i++) {
		u64 addr = le64_to_cpu(hello->nonce[i].addr);

		for (j = 0; j < hello->nr_ranges; j++)
			if (pvh_nonce_in_range(hello, j, addr))
				break;
		if (j == hello->nr_ranges)
			return false;
		proven |= BIT(j);
	}
	return hello->nr_ranges && proven == BIT(hello->nr_ranges) - 1;
}

/* Without a table (loopback) the transport itself knows what is guest RAM. */
static int pvh_mem_pin(struct pvh_vm *vm, const struct pvh_mem *mem, u64 gpa,
		       struct page **page)
{
	unsigned int tries = 0;
	u64 hva;

	if (!mem)
		return pvh_vm_pin_page(vm, gpa, &tries, page);
	if (!pvh_mem_hva(mem, gpa, PVBUS_NONCE_SIZE, &hva))
		return -EBADMSG;
	return pvh_qemu_pin(vm, NULL, hva & PAGE_MASK, page);
}

static int pvh_nonce_check(struct pvh_vm *vm, const struct pvh_mem *mem,
			   const struct pvbus_nonce *nonce)
{
	u64 addr = le64_to_cpu(nonce->addr);
	u8 found[PVBUS_NONCE_SIZE];
	struct page *page;
	void *p;
	int err;

	/* aligned to its size, it does not cross a page */
	if (addr % PVBUS_NONCE_SIZE || !pvh_nonce_random(nonce->value))
		return -EBADMSG;
	err = pvh_mem_pin(vm, mem, addr, &page);
	if (err)
		return err;
	p = kmap_local_page(page);
	memcpy(found, p + offset_in_page(addr), sizeof(found));
	kunmap_local(p);
	pvh_vm_unpin_page(vm, page);
	return memcmp(found, nonce->value, sizeof(found)) ? -EBADMSG : 0;
}

static int pvh_mem_prove(struct pvh_vm *vm, const struct pvh_mem *mem)
{
	const struct pvbus_hello *hello = &vm->hello;
	unsigned int i;
	int err;

	if (hello->nr_ranges > PVBUS_MAX_RANGES ||
	    hello->nr_nonces > PVBUS_MAX_NONCES || !pvh_nonces_cover(hello))
		return -EBADMSG;
	for (i = 0; mem && i < hello->nr_ranges; i++)
		if (!pvh_mem_covers(mem, le64_to_cpu(hello->range[i].start),
				    le64_to_cpu(hello->range[i].size)))
			return -EBADMSG;
	for (i = 0; i < hello->nr_nonces; i++) {
		err = pvh_nonce_check(vm, mem, &hello->nonce[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * pvh_mem_verify() - is the last hello true in the table believed before?
 * @vm: VM with a hello that was checked for its form; vm->lock held
 *
 * Context: process; may sleep.
 * Return: 0, -EBADMSG when ranges or nonces do not fit, -EFAULT when the
 * memory is not mapped, -ESRCH when QEMU is gone, -ENOMEM.
 */
int pvh_mem_verify(struct pvh_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	if (!vm->mem && !(vm->flags & PVBUS_VM_LOOPBACK))
		return -EBADMSG;
	return pvh_mem_prove(vm, vm->mem);
}

static struct pvh_mem *pvh_mem_alloc(const struct pvbus_ioc_vm_set_mem *args)
{
	struct pvh_mem *mem = kzalloc(sizeof(*mem), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!mem)
		return NULL;
	mem->nr = args->nr_regions;
	for (i = 0; i < mem->nr; i++) {
		mem->region[i].gpa = args->region[i].gpa;
		mem->region[i].hva = args->region[i].hva;
		mem->region[i].size = args->region[i].size;
	}
	return mem;
}

/**
 * pvh_mem_forget() - forget where guest RAM is
 * @vm: VM without channels; vm->lock held, or nobody else has it
 *
 * Context: process; sleeps until the MMU notifier has let go of the table.
 */
void pvh_mem_forget(struct pvh_vm *vm)
{
	struct pvh_mem *mem = vm->mem;

	if (!mem)
		return;
	WRITE_ONCE(vm->mem, NULL);
	mmu_notifier_synchronize();
	kfree(mem);
	/* without a table, the notifier does not set it */
	WRITE_ONCE(vm->mem_lost, false);
}

/*
 * Does QEMU take pages away? That may have begun before the notifier knew of the
 * table, and not have been held against it.
 */
static int pvh_mem_settle(const struct pvh_vm *vm)
{
	unsigned int i;

	/* the table is seen before the count is looked at */
	smp_mb();
	for (i = 0; i < PVH_SETTLE_TRIES; i++) {
		if (!atomic_read(&vm->invalidating))
			return 0;
		usleep_range(PVH_SETTLE_US, 2 * PVH_SETTLE_US);
	}
	return -EBADMSG;
}

/*
 * The table is put in force before it is proven: nobody uses it yet, but the MMU
 * notifier tells from then on if it ceases to be true.
 */
static int pvh_mem_believe(struct pvh_vm *vm,
			   const struct pvbus_ioc_vm_set_mem *args)
{
	struct pvh_mem *mem = pvh_mem_alloc(args);
	int err;

	if (!mem)
		return -ENOMEM;
	/* pairs with pvh_qemu_mem(): workers, and the MMU notifier */
	smp_store_release(&vm->mem, mem);
	err = pvh_mem_settle(vm);
	if (!err)
		err = pvh_mem_prove(vm, mem);
	if (!err && READ_ONCE(vm->mem_lost))
		err = -EBADMSG;
	if (err)
		pvh_mem_forget(vm);
	return err;
}

/**
 * pvh_vm_set_mem() - the daemon says where guest RAM is
 * @vm: VM
 * @args: the table, already copied
 *
 * Answers the hello that waits for it: with success when the table holds, or
 * with PVBUS_ST_RAM when it is empty. A table that does not hold answers
 * nothing, so that the daemon can try another one.
 *
 * Return: 0, -EINVAL (malformed, or no hello waits), -EBADMSG, -EFAULT,
 * -ESRCH, -ENOMEM.
 */
int pvh_vm_set_mem(struct pvh_vm *vm, const struct pvbus_ioc_vm_set_mem *args)
{
	int err = pvh_mem_check(args);

	if (err)
		return err;
	mutex_lock(&vm->lock);
	if (vm->state != PVBUS_VM_PROVING || vm->mem) {
		err = -EINVAL;
	} else if (!args->nr_regions) {
		pvh_hello_ack(vm, PVBUS_ST_RAM);
	} else {
		err = pvh_mem_believe(vm, args);
		if (!err)
			pvh_hello_ack(vm, PVBUS_ST_OK);
	}
	mutex_unlock(&vm->lock);
	return err;
}
