// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the window: registers, and resets that the guest asks for.
 *
 * The window is memory that QEMU shows the guest as BAR2. The guest may write
 * all of it at any time, so nothing is ever read back but what is the guest's
 * to write: its generation, once per look, and the mailbox through the ring.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "host.h"

#define PVH_WIN_PAGES	(PVBUS_WIN_SIZE / PAGE_SIZE)

static_assert(PVBUS_WIN_SIZE % PAGE_SIZE == 0);
static_assert(PVBUS_WIN_G2H + PVRING_HDR_SIZE +
	      PVBUS_MBOX_SLOTS * PVBUS_MBOX_SLOT_SIZE <= PVBUS_WIN_H2G);
static_assert(PVBUS_WIN_H2G + PVRING_HDR_SIZE +
	      PVBUS_MBOX_SLOTS * PVBUS_MBOX_SLOT_SIZE <= PVBUS_WIN_SIZE);

static struct pvbus_win_host *win_host(struct pvh_vm *vm)
{
	return vm->win + PVBUS_WIN_HOST;
}

static u32 win_guest_generation(struct pvh_vm *vm)
{
	struct pvbus_win_guest *guest = vm->win + PVBUS_WIN_GUEST;

	/* a guest that detached does not touch the mailbox after this write */
	return le32_to_cpu(virt_load_acquire(&guest->generation));
}

/* -- mapping ----------------------------------------------------------------- */

static void win_unpin(struct page **pages, unsigned int nr)
{
	unpin_user_pages_dirty_lock(pages, nr, true);
	kfree(pages);
}

/*
 * Of a private mapping the kernel would hold a copy that QEMU never sees.
 */
static bool win_shared(struct page **pages)
{
	unsigned int i;

	for (i = 0; i < PVH_WIN_PAGES; i++)
		if (PageAnon(pages[i]))
			return false;
	return true;
}

static int win_pin(u64 addr, struct page ***pagesp)
{
	struct page **pages;
	int got;

	pages = kcalloc(PVH_WIN_PAGES, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	got = pin_user_pages_fast(addr, PVH_WIN_PAGES,
				  FOLL_WRITE | FOLL_LONGTERM, pages);
	if (got != PVH_WIN_PAGES) {
		win_unpin(pages, max(got, 0));
		return -EFAULT;
	}
	if (!win_shared(pages)) {
		win_unpin(pages, PVH_WIN_PAGES);
		return -EINVAL;
	}
	*pagesp = pages;
	return 0;
}

static int win_map_user(struct pvh_vm *vm, u64 addr)
{
	int err;

	if (!addr || !PAGE_ALIGNED(addr))
		return -EINVAL;
	err = win_pin(addr, &vm->win_pages);
	if (err)
		return err;
	vm->win = vmap(vm->win_pages, PVH_WIN_PAGES, VM_MAP, PAGE_KERNEL);
	if (!vm->win) {
		win_unpin(vm->win_pages, PVH_WIN_PAGES);
		vm->win_pages = NULL;
		return -ENOMEM;
	}
	memset(vm->win, 0, PVBUS_WIN_SIZE);
	return 0;
}

static int win_map_kernel(struct pvh_vm *vm, u64 addr)
{
	if (addr)
		return -EINVAL;
	vm->win = vzalloc(PVBUS_WIN_SIZE);
	return vm->win ? 0 : -ENOMEM;
}

static void win_reset_mailbox(struct pvh_vm *vm)
{
	memset(vm->win + PVBUS_WIN_G2H, 0, PVBUS_WIN_SIZE - PVBUS_WIN_G2H);
	pvring_cons_init(&vm->mbox_rx, vm->win + PVBUS_WIN_G2H,
			 PVBUS_MBOX_SLOTS, PVBUS_MBOX_SLOT_SIZE);
	pvring_prod_init(&vm->mbox_tx, vm->win + PVBUS_WIN_H2G,
			 PVBUS_MBOX_SLOTS, PVBUS_MBOX_SLOT_SIZE);
}

/**
 * pvh_window_map() - map the window and publish the host's registers
 * @vm: new VM, not visible to anybody yet; @vm->flags and @vm->peer are set
 * @addr: address of the window in the calling process, 0 on loopback
 *
 * The state in the window is DOWN until pvh_window_ready().
 *
 * Return: 0, -EINVAL (not page-aligned, not a shared mapping), -EFAULT (not
 * mapped, or not writable), -ENOMEM.
 */
int pvh_window_map(struct pvh_vm *vm, u64 addr)
{
	struct pvbus_win_host *host;
	int err;

	if (vm->flags & PVBUS_VM_LOOPBACK)
		err = win_map_kernel(vm, addr);
	else
		err = win_map_user(vm, addr);
	if (err)
		return err;

	win_reset_mailbox(vm);
	host = win_host(vm);
	host->version_min = cpu_to_le16(pvh_protocol_min);
	host->version_max = cpu_to_le16(pvh_protocol_max);
	host->state = cpu_to_le32(PVBUS_HOST_DOWN);
	host->features = cpu_to_le64(PVBUS_F_ALL);
	host->peer = cpu_to_le32(vm->peer);
	/* who sees the magic sees all registers */
	virt_store_release(&host->magic, cpu_to_le64(PVBUS_MAGIC));
	return 0;
}

/**
 * pvh_window_unmap() - undo pvh_window_map()
 * @vm: VM of which nothing uses the window any more, or never did
 */
void pvh_window_unmap(struct pvh_vm *vm)
{
	if (!vm->win)
		return;
	if (vm->win_pages) {
		vunmap(vm->win);
		win_unpin(vm->win_pages, PVH_WIN_PAGES);
		vm->win_pages = NULL;
	} else {
		vfree(vm->win);
	}
	vm->win = NULL;
}

/* -- states -------------------------------------------------------------------- */

static void win_interrupt(struct pvh_vm *vm)
{
	if (vm->transport)
		vm->transport->interrupt(vm, PVBUS_VECTOR_CTL);
}

static void win_set_generation(struct pvh_vm *vm, u32 generation)
{
	/* who sees it sees empty mailboxes, and no channel writes any more */
	virt_store_release(&win_host(vm)->generation,
			   cpu_to_le32(generation));
	win_interrupt(vm);
}

/**
 * pvh_window_ready() - tell the guest that resets are answered from now on
 * @vm: VM with its transport; vm->lock held
 *
 * A driver may have asked for a reset before anybody listened: the control work
 * looks.
 */
void pvh_window_ready(struct pvh_vm *vm)
{
	struct pvbus_win_host *host = win_host(vm);

	lockdep_assert_held(&vm->lock);
	WRITE_ONCE(host->vectors, cpu_to_le32(vm->nr_vectors));
	/* who sees READY sees how many vectors there are */
	virt_store_release(&host->state, cpu_to_le32(PVBUS_HOST_READY));
	win_interrupt(vm);
	queue_work(vm->wq, &vm->ctl_work);
}

static void win_forget_dev(struct pvh_dev *dev)
{
	pvh_channel_close_all(dev);
	dev->offered = false;
	dev->rescind_sent = false;
	if (dev->removing)
		complete(&dev->released);
}

/*
 * End what was agreed with the guest: begin to close all channels, and take back
 * offers, which will be made anew to the next guest.
 */
static void win_forget(struct pvh_vm *vm)
{
	struct pvh_dev *dev;

	vm->running = false;
	vm->offers_done = false;
	vm->nr_owed = 0;
	list_for_each_entry(dev, &vm->devs, node)
		win_forget_dev(dev);
}

/**
 * pvh_window_down() - serve this guest no more
 * @vm: VM, which may never have been ready; vm->lock held
 *
 * Begins to close all channels. May be called more than once. The caller has made
 * sure that no control work brings the VM back: vm->dead is set, or nobody is
 * there who could ask for that.
 */
void pvh_window_down(struct pvh_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	if (!vm->win)
		return;
	WRITE_ONCE(win_host(vm)->state, cpu_to_le32(PVBUS_HOST_DOWN));
	win_forget(vm);
	pvh_channel_reap(vm);
	win_interrupt(vm);
}

/**
 * pvh_window_done() - tell the guest that nothing of its memory is in use
 * @vm: VM without channels, for which pvh_window_down() was called; vm->lock held
 */
void pvh_window_done(struct pvh_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	if (!vm->win)
		return;
	win_set_generation(vm, 0);
	vm->generation = 0;
}

/**
 * pvh_window_disown() - serve the guest's generation no more
 * @vm: VM whose guest broke the protocol, or lost its memory; vm->lock held
 *
 * The guest is told when its channels are closed. It has to start over with
 * another generation.
 */
void pvh_window_disown(struct pvh_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	win_forget(vm);
	vm->disowned = true;
	queue_work(vm->wq, &vm->ctl_work);
}

/* What the daemon is told of belongs to one guest, too. */
static void win_forget_hello(struct pvh_vm *vm)
{
	memset(&vm->hello, 0, sizeof(vm->hello));
	vm->refusal = PVBUS_ST_OK;
	vm->version = 0;
	vm->features = 0;
	vm->guest_vectors = 0;
	vm->vectors = 0;
	vm->state = PVBUS_VM_ATTACHED;
}

/* Whatever the guest writes meanwhile, it is gone through with. */
static void win_begin_reset(struct pvh_vm *vm)
{
	vm->resetting = true;
	vm->generation = 0;
	win_forget(vm);
	win_forget_hello(vm);
	/* those that only waited for room to tell the one before */
	pvh_channel_reap(vm);
}

static void win_end_reset(struct pvh_vm *vm, u32 generation)
{
	win_reset_mailbox(vm);
	vm->generation = generation;
	if (generation)
		vm->resets++;
	win_set_generation(vm, generation);
	pvh_vm_event(vm);
}

/**
 * pvh_window_check_reset() - has the guest asked for a reset? Then do it.
 * @vm: VM that is ready; vm->lock held; control work only
 *
 * A new generation means that a driver was attached (or, when it is 0, went):
 * whatever was agreed with the one before is void, and its memory may already
 * be somebody else's. The guest touches neither the mailbox nor any memory that
 * was shared before it has seen its generation acknowledged, so that is written
 * last, when all channels are closed. The last one to be has the control work
 * look again.
 *
 * Return: false when that is not so yet: no message is to be read.
 */
bool pvh_window_check_reset(struct pvh_vm *vm)
{
	u32 generation = win_guest_generation(vm);

	lockdep_assert_held(&vm->lock);
	if (generation != vm->generation)
		win_begin_reset(vm);
	if (!vm->resetting && !vm->disowned)
		return true;
	if (vm->nr_channels)
		return false;
	if (vm->resetting)
		win_end_reset(vm, generation);
	else
		win_set_generation(vm, 0);
	vm->resetting = false;
	vm->disowned = false;
	return true;
}
