// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: pages of guest memory, held in place and remembered.
 *
 * Each channel has a cache of PVH_PIN_WAYS ways of pages that its worker used,
 * so that a page that comes again costs neither a page table walk nor an
 * atomic operation. An entry with users is never evicted; when all ways are in
 * use, or while QEMU takes pages away, a page is held by a pin of its own that
 * ends with its last user.
 *
 * All of it belongs to the worker. The MMU notifier only leaves a note of what
 * has to go (struct pvh_pin_cache @stale), which the worker reads before each
 * lookup and before each sleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "host.h"

#define PVH_PIN_MAX_ENTRIES	65536
/* Unused entries to evict at once when the VM is at its limit. */
#define PVH_PIN_EVICT		32
/* Times to ask other channels for theirs, and for how long to wait, in us. */
#define PVH_PIN_TRIES		7
#define PVH_PIN_WAIT_US		100

static unsigned int pvh_cache_entries(const struct pvh_pin_cache *cache)
{
	return cache->nr_sets * PVH_PIN_WAYS;
}

static struct pvh_pin *pvh_cache_set(const struct pvh_pin_cache *cache, u64 gfn)
{
	u32 set = hash_64(gfn, ilog2(cache->nr_sets));

	return &cache->set[set * PVH_PIN_WAYS];
}

/**
 * pvh_pin_cache_init() - make an empty cache
 * @cache: zeroed
 * @nr_entries: pages that it may hold, rounded up to a power of two
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int pvh_pin_cache_init(struct pvh_pin_cache *cache, unsigned int nr_entries)
{
	if (!nr_entries || nr_entries > PVH_PIN_MAX_ENTRIES)
		return -EINVAL;
	/* at least two sets: a hash of no bits is undefined */
	nr_entries = max_t(unsigned int, nr_entries, 2 * PVH_PIN_WAYS);
	cache->nr_sets = roundup_pow_of_two(nr_entries) / PVH_PIN_WAYS;
	spin_lock_init(&cache->lock);
	cache->stale_first = U64_MAX;
	cache->set = kvcalloc(pvh_cache_entries(cache), sizeof(*cache->set),
			      GFP_KERNEL_ACCOUNT);
	return cache->set ? 0 : -ENOMEM;
}

/* From here on the MMU notifier finds the cache. */
static void pvh_cache_track(struct pvh_vm *vm, struct pvh_pin_cache *cache)
{
	spin_lock(&vm->cache_lock);
	list_add(&cache->node, &vm->caches);
	cache->tracked = true;
	spin_unlock(&vm->cache_lock);
}

static void pvh_cache_untrack(struct pvh_vm *vm, struct pvh_pin_cache *cache)
{
	spin_lock(&vm->cache_lock);
	if (cache->tracked)
		list_del(&cache->node);
	cache->tracked = false;
	spin_unlock(&vm->cache_lock);
}

/* -- dropping entries ---------------------------------------------------------- */

static void pvh_pin_drop(struct pvh_channel *ch, struct pvh_pin *pin)
{
	struct pvh_vm *vm = ch->dev->vm;

	vm->transport->unpin(vm, pin->page);
	pin->page = NULL;
	pin->stale = false;
	WRITE_ONCE(ch->pins.nr_held, ch->pins.nr_held - 1);
}

/**
 * pvh_pin_cache_destroy() - drop all pages and free the cache
 * @ch: channel whose worker has ended, or never ran, and whose backend has put
 *	all pins; its cache may also never have been set up
 */
void pvh_pin_cache_destroy(struct pvh_channel *ch)
{
	struct pvh_pin_cache *cache = &ch->pins;
	unsigned int i;

	if (!cache->set)
		return;
	pvh_cache_untrack(ch->dev->vm, cache);
	for (i = 0; i < pvh_cache_entries(cache); i++) {
		/* a backend that forgot one must not leak guest memory */
		WARN_ON_ONCE(cache->set[i].page && cache->set[i].users);
		if (cache->set[i].page)
			pvh_pin_drop(ch, &cache->set[i]);
	}
	kvfree(cache->set);
	cache->set = NULL;
}

/* QEMU took it away: now if nobody uses it, else with its last user. */
static void pvh_pin_retire(struct pvh_channel *ch, struct pvh_pin *pin)
{
	if (pin->users)
		pin->stale = true;
	else
		pvh_pin_drop(ch, pin);
}

static struct pvh_pin *pvh_pin_find(const struct pvh_pin_cache *cache, u64 gfn)
{
	struct pvh_pin *pin = pvh_cache_set(cache, gfn);
	unsigned int i;

	for (i = 0; i < PVH_PIN_WAYS; i++, pin++)
		if (pin->gfn == gfn && pin->page && !pin->stale)
			return pin;
	return NULL;
}

static void pvh_pin_retire_all(struct pvh_channel *ch, u64 first, u64 last)
{
	struct pvh_pin_cache *cache = &ch->pins;
	unsigned int i;

	for (i = 0; i < pvh_cache_entries(cache) && cache->nr_held; i++) {
		struct pvh_pin *pin = &cache->set[i];

		if (pin->page && pin->gfn >= first && pin->gfn <= last)
			pvh_pin_retire(ch, pin);
	}
}

static void pvh_pin_retire_each(struct pvh_channel *ch, u64 first, u64 last)
{
	struct pvh_pin *pin;
	u64 gfn;

	for (gfn = first; gfn <= last; gfn++) {
		pin = pvh_pin_find(&ch->pins, gfn);
		if (pin)
			pvh_pin_retire(ch, pin);
	}
}

/* Do what the MMU notifier left a note of. */
static void pvh_pin_drop_stale(struct pvh_channel *ch)
{
	struct pvh_pin_cache *cache = &ch->pins;
	u64 first, last;

	if (likely(!atomic_read(&cache->stale)))
		return;
	spin_lock(&cache->lock);
	first = cache->stale_first;
	last = cache->stale_last;
	cache->stale_first = U64_MAX;
	cache->stale_last = 0;
	atomic_set(&cache->stale, 0);
	spin_unlock(&cache->lock);

	/* the few pages of a balloon's step are found faster by name */
	if (last - first < cache->nr_sets)
		pvh_pin_retire_each(ch, first, last);
	else
		pvh_pin_retire_all(ch, first, last);
}

static void pvh_cache_mark(struct pvh_pin_cache *cache, u64 first, u64 last)
{
	spin_lock(&cache->lock);
	cache->stale_first = min(cache->stale_first, first);
	cache->stale_last = max(cache->stale_last, last);
	atomic_set(&cache->stale, 1);
	spin_unlock(&cache->lock);
}

/**
 * pvh_pin_invalidate() - have all channels of a VM drop cached pages
 * @vm: VM
 * @first: first guest frame
 * @last: last guest frame, included
 *
 * Sleeping workers that hold pages are woken, so that these are free soon even
 * when the channel is idle.
 *
 * Context: any but hard interrupts; does not sleep.
 */
void pvh_pin_invalidate(struct pvh_vm *vm, u64 first, u64 last)
{
	struct pvh_pin_cache *cache;

	spin_lock(&vm->cache_lock);
	list_for_each_entry(cache, &vm->caches, node) {
		pvh_cache_mark(cache, first, last);
		/* the worker holds a page, then looks at the mark, or is seen here */
		smp_mb();
		if (cache->wakeable && READ_ONCE(cache->nr_held))
			pvh_channel_wake(container_of(cache, struct pvh_channel,
						      pins));
	}
	spin_unlock(&vm->cache_lock);
}

/* -- the limit ------------------------------------------------------------------- */

/* Drop up to @want unused entries; how many were there? */
static unsigned int pvh_pin_evict(struct pvh_channel *ch, unsigned int want)
{
	struct pvh_pin_cache *cache = &ch->pins;
	unsigned int mask = pvh_cache_entries(cache) - 1;
	unsigned int i, done = 0;

	for (i = 0; i <= mask && done < want && cache->nr_held; i++) {
		struct pvh_pin *pin = &cache->set[cache->hand++ & mask];

		if (!pin->page || pin->users)
			continue;
		pvh_pin_drop(ch, pin);
		done++;
	}
	return done;
}

/*
 * The VM is at its limit and the caller has nothing left to drop. Other
 * channels may keep unused pages in their caches: let them go, wait a little.
 */
static void pvh_pin_wait(struct pvh_vm *vm, unsigned int try)
{
	unsigned int us = PVH_PIN_WAIT_US << try;

	pvh_pin_invalidate(vm, 0, U64_MAX);
	usleep_range(us, 2 * us);
}

/* Then nobody waits for the page any more. */
static bool pvh_worker_ends(const struct pvh_channel *ch)
{
	return READ_ONCE(ch->dev->vm->dead) || READ_ONCE(ch->closing);
}

/* Room below the limit, by the @try'th means; false when there is no other. */
static bool pvh_pin_make_room(struct pvh_channel *ch, unsigned int try)
{
	if (try == PVH_PIN_TRIES || pvh_worker_ends(ch))
		return false;
	if (try || !pvh_pin_evict(ch, PVH_PIN_EVICT))
		pvh_pin_wait(ch->dev->vm, try);
	return true;
}

/**
 * pvh_pin_charge() - count memory that a worker needs besides guest pages
 * @ch: channel
 * @pages: how many; PVH_PIN_EVICT at most
 *
 * Guest pages that are only remembered make room for it: were they counted first,
 * nothing else might ever drop them.
 *
 * Context: the channel's worker; may sleep.
 * Return: whether they are counted, for pvh_vm_uncharge(); false at the VM's limit.
 */
bool pvh_pin_charge(struct pvh_channel *ch, unsigned int pages)
{
	unsigned int try = 0;

	while (!pvh_vm_charge(ch->dev->vm, pages))
		if (!pvh_pin_make_room(ch, try++))
			return false;
	return true;
}

static int pvh_pin_page(struct pvh_channel *ch, u64 gfn, struct page **page)
{
	struct pvh_vm *vm = ch->dev->vm;
	unsigned int try = 0;
	int err;

	if (!vm->transport->ram(vm, gfn << PAGE_SHIFT, PAGE_SIZE))
		return -EFAULT;
	do {
		err = vm->transport->pin(vm, &ch->pins, gfn, page);
	} while (err == -ENOMEM && pvh_pin_make_room(ch, try++));
	return err;
}

/* -- the cache ------------------------------------------------------------------- */

/* An entry for @gfn, emptied; NULL when all that it may have are in use. */
static struct pvh_pin *pvh_pin_way(struct pvh_channel *ch, u64 gfn)
{
	struct pvh_pin *set = pvh_cache_set(&ch->pins, gfn);
	struct pvh_pin *unused = NULL;
	unsigned int i, turn = ch->pins.hand++;

	for (i = 0; i < PVH_PIN_WAYS; i++) {
		struct pvh_pin *pin = &set[(turn + i) % PVH_PIN_WAYS];

		if (!pin->page)
			return pin;
		if (!pin->users && !unused)
			unused = pin;
	}
	if (unused)
		pvh_pin_drop(ch, unused);
	return unused;
}

static struct pvh_pin *pvh_pin_cached(struct pvh_channel *ch, u64 gfn,
				      struct pvh_pin *pin)
{
	struct page *page;
	int err = pvh_pin_page(ch, gfn, &page);

	if (err)
		return ERR_PTR(err);
	pin->page = page;
	pin->gfn = gfn;
	pin->users = 1;
	pin->cached = true;
	WRITE_ONCE(ch->pins.nr_held, ch->pins.nr_held + 1);
	return pin;
}

static struct pvh_pin *pvh_pin_single(struct pvh_channel *ch, u64 gfn)
{
	/* the worker may be what the host's writeback waits for */
	struct pvh_pin *pin = kzalloc(sizeof(*pin), GFP_NOIO);
	int err;

	if (!pin)
		return ERR_PTR(-ENOMEM);
	err = pvh_pin_page(ch, gfn, &pin->page);
	if (err) {
		kfree(pin);
		return ERR_PTR(err);
	}
	pin->gfn = gfn;
	pin->users = 1;
	return pin;
}

/**
 * pvh_pin_get() - hold a page of guest memory
 * @ch: channel
 * @gpa: any address in the page, from the guest
 *
 * Context: the channel's worker; may sleep.
 * Return: the pin, for pvh_pin_put(); or ERR_PTR(): -EFAULT (not guest RAM),
 * -ENOMEM (the VM's limit, with all that could be dropped dropped), -ESRCH
 * (QEMU is gone).
 */
struct pvh_pin *pvh_pin_get(struct pvh_channel *ch, u64 gpa)
{
	struct pvh_pin_cache *cache = &ch->pins;
	struct pvh_vm *vm = ch->dev->vm;
	u64 gfn = gpa >> PAGE_SHIFT;
	struct pvh_pin *pin = NULL;

	if (unlikely(!cache->tracked))
		pvh_cache_track(vm, cache);
	/* in this order, see qemu.c */
	if (likely(!atomic_read_acquire(&vm->invalidating))) {
		pvh_pin_drop_stale(ch);
		pin = pvh_pin_find(cache, gfn);
		if (pin) {
			pin->users++;
			ch->stats.pin_hits++;
			return pin;
		}
		pin = pvh_pin_way(ch, gfn);
	}
	ch->stats.pin_misses++;
	return pin ? pvh_pin_cached(ch, gfn, pin) : pvh_pin_single(ch, gfn);
}

/**
 * pvh_pin_put() - a user of a page is done
 * @ch: channel
 * @pin: from pvh_pin_get()
 *
 * Context: the channel's worker, or the backend's ->close(); may sleep.
 */
void pvh_pin_put(struct pvh_channel *ch, struct pvh_pin *pin)
{
	struct pvh_vm *vm = ch->dev->vm;

	if (--pin->users)
		return;
	if (!pin->cached) {
		vm->transport->unpin(vm, pin->page);
		kfree(pin);
	} else if (unlikely(pin->stale)) {
		pvh_pin_drop(ch, pin);
	}
}

/**
 * pvh_pin_sleep() - the worker is about to sleep, or to end
 * @ch: channel
 *
 * Lets go of QEMU's address space, and of pages that it took away. A worker
 * that returned without this would take QEMU's memory with it.
 *
 * Context: the channel's worker, TASK_RUNNING; may sleep.
 */
void pvh_pin_sleep(struct pvh_channel *ch)
{
	struct pvh_vm *vm = ch->dev->vm;

	pvh_pin_drop_stale(ch);
	vm->transport->sleep(vm, &ch->pins);
}

/* -- without a cache ----------------------------------------------------------------- */

/**
 * pvh_vm_pin_page() - hold a page of guest memory, without a cache
 * @vm: VM
 * @gpa: any address in the page, from the guest
 * @tries: how often it was waited for room below the VM's limit; 0 at first, and the
 *	caller's for all that one message asks for, as vm->lock may be held
 * @page: the page, for pvh_vm_unpin_page()
 *
 * Context: process, not a worker's; may sleep.
 * Return: 0, -EFAULT (not guest RAM), -ENOMEM (limit), -ESRCH (QEMU is gone).
 */
int pvh_vm_pin_page(struct pvh_vm *vm, u64 gpa, unsigned int *tries,
		    struct page **page)
{
	u64 gfn = gpa >> PAGE_SHIFT;
	int err;

	if (!vm->transport->ram(vm, gfn << PAGE_SHIFT, PAGE_SIZE))
		return -EFAULT;
	while ((err = vm->transport->pin(vm, NULL, gfn, page)) == -ENOMEM &&
	       *tries < PVH_PIN_TRIES)
		pvh_pin_wait(vm, (*tries)++);
	return err;
}

/**
 * pvh_vm_unpin_page() - let go of a page
 * @vm: VM
 * @page: from pvh_vm_pin_page()
 *
 * Context: process; may sleep.
 */
void pvh_vm_unpin_page(struct pvh_vm *vm, struct page *page)
{
	vm->transport->unpin(vm, page);
}
