// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: opening and closing channels.
 *
 * A channel opens in the order: check, pin the ring pages, map them, pin cache,
 * backend, worker, doorbell; and closes in the reverse one: nothing wakes the
 * worker any more, the worker waits for what is in flight and ends, the backend
 * drops its pages, and only then is the ring memory the guest's again.
 *
 * A backing store may take as long as it likes for what is in flight, so nobody
 * waits for that with vm->lock held: the worker does, and the control work frees
 * the channel afterwards. Until then the queue counts as open.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "host.h"

static_assert(PAGE_SIZE == PVBUS_PAGE_SIZE);

static u32 errno_to_status(int err)
{
	switch (err) {
	case 0:
		return PVBUS_ST_OK;
	case -EFAULT:
		return PVBUS_ST_FAULT;
	case -ENOMEM:
	case -EAGAIN:
	case -EINTR:
		return PVBUS_ST_NOMEM;
	case -EBUSY:
		return PVBUS_ST_BUSY;
	case -ENODEV:
	case -ESRCH:
		return PVBUS_ST_GONE;
	default:
		return PVBUS_ST_INVAL;
	}
}

/* -- what the guest asks for ------------------------------------------------------ */

static unsigned int ring_pages(u32 slots)
{
	return PAGE_ALIGN(pvring_bytes(slots, PVBUS_SLOT_SIZE)) / PAGE_SIZE;
}

static bool open_rings_ok(const struct pvbus_open *msg)
{
	u32 g2h = le32_to_cpu(msg->g2h_slots);
	u32 h2g = le32_to_cpu(msg->h2g_slots);
	u32 nr = le32_to_cpu(msg->nr_pages);

	return pvring_valid_slots(g2h) && pvring_valid_slots(h2g) &&
	       nr == ring_pages(g2h) + ring_pages(h2g) &&
	       nr <= PVBUS_MAX_GPADL &&
	       PAGE_ALIGNED(le64_to_cpu(msg->gpadl));
}

/* All channels of a device speak the same dialect. */
static bool open_features_agree(const struct pvh_dev *dev, u64 features)
{
	unsigned int i;

	for (i = 0; i < dev->max_queues; i++)
		if (dev->channel[i] && dev->channel[i]->features != features)
			return false;
	return true;
}

static u32 open_check(const struct pvh_dev *dev, const struct pvbus_open *msg)
{
	u64 features = le64_to_cpu(msg->features);
	u32 queue = le16_to_cpu(msg->queue);

	if (queue >= dev->max_queues)
		return PVBUS_ST_NOENT;
	if (dev->channel[array_index_nospec(queue, PVH_MAX_QUEUES)])
		return PVBUS_ST_BUSY;
	if (features & ~dev->features)
		return PVBUS_ST_FEATURES;
	if (le16_to_cpu(msg->vector) >= dev->vm->vectors ||
	    !open_rings_ok(msg) || !open_features_agree(dev, features))
		return PVBUS_ST_INVAL;
	return PVBUS_ST_OK;
}

/* -- ring memory -------------------------------------------------------------------- */

/* Copy the list of @nr page addresses, once. */
static int gpadl_copy(struct pvh_vm *vm, u64 gpadl, __le64 *list,
		      unsigned int nr, unsigned int *tries)
{
	struct page *page;
	void *p;
	int err;

	err = pvh_vm_pin_page(vm, gpadl, tries, &page);
	if (err)
		return err;
	p = kmap_local_page(page);
	memcpy(list, p, nr * sizeof(*list));
	kunmap_local(p);
	pvh_vm_unpin_page(vm, page);
	return 0;
}

static void rings_unpin(struct pvh_channel *ch)
{
	while (ch->nr_ring_pages)
		pvh_vm_unpin_page(ch->dev->vm,
				  ch->ring_pages[--ch->nr_ring_pages]);
}

static int rings_pin(struct pvh_channel *ch, const __le64 *list,
		     unsigned int nr, unsigned int *tries)
{
	struct pvh_vm *vm = ch->dev->vm;
	int err;

	while (ch->nr_ring_pages < nr) {
		u64 gpa = le64_to_cpu(list[ch->nr_ring_pages]);

		err = -EFAULT;
		if (PAGE_ALIGNED(gpa))
			err = pvh_vm_pin_page(vm, gpa, tries,
					      &ch->ring_pages[ch->nr_ring_pages]);
		if (err) {
			rings_unpin(ch);
			return err;
		}
		ch->nr_ring_pages++;
	}
	return 0;
}

static int rings_pin_gpadl(struct pvh_channel *ch, u64 gpadl, unsigned int nr)
{
	unsigned int tries = 0;
	__le64 *list;
	int err;

	list = kmalloc_array(nr, sizeof(*list), GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	err = gpadl_copy(ch->dev->vm, gpadl, list, nr, &tries);
	if (!err)
		err = rings_pin(ch, list, nr, &tries);
	kfree(list);
	return err;
}

/*
 * The guest has zeroed the rings, which is not relied on: what it left in them
 * are entries like any other.
 */
static void rings_init(struct pvh_channel *ch)
{
	void *h2g = ch->ring_mem + ring_pages(ch->rx_slots) * PAGE_SIZE;

	pvring_cons_init(&ch->rx, ch->ring_mem, ch->rx_slots, PVBUS_SLOT_SIZE);
	pvring_prod_init(&ch->tx, h2g, ch->tx_slots, PVBUS_SLOT_SIZE);
}

static int rings_map(struct pvh_channel *ch, const struct pvbus_open *msg)
{
	unsigned int nr = ring_pages(ch->rx_slots) + ring_pages(ch->tx_slots);
	int err;

	ch->ring_pages = kcalloc(nr, sizeof(*ch->ring_pages), GFP_KERNEL);
	if (!ch->ring_pages)
		return -ENOMEM;
	err = rings_pin_gpadl(ch, le64_to_cpu(msg->gpadl), nr);
	if (err)
		goto free;
	ch->ring_mem = vmap(ch->ring_pages, nr, VM_MAP, PAGE_KERNEL);
	if (!ch->ring_mem) {
		err = -ENOMEM;
		goto unpin;
	}
	rings_init(ch);
	return 0;

unpin:
	rings_unpin(ch);
free:
	kfree(ch->ring_pages);
	return err;
}

static void rings_unmap(struct pvh_channel *ch)
{
	vunmap(ch->ring_mem);
	rings_unpin(ch);
	kfree(ch->ring_pages);
}

/* -- open and close --------------------------------------------------------------- */

static struct pvh_channel *channel_alloc(struct pvh_dev *dev,
					 const struct pvbus_open *msg)
{
	struct pvh_channel *ch = kzalloc(sizeof(*ch), GFP_KERNEL);

	if (!ch)
		return NULL;
	ch->dev = dev;
	ch->queue = le16_to_cpu(msg->queue);
	ch->vector = le16_to_cpu(msg->vector);
	ch->features = le64_to_cpu(msg->features);
	ch->rx_slots = le32_to_cpu(msg->g2h_slots);
	ch->tx_slots = le32_to_cpu(msg->h2g_slots);
	/* our own times */
	ch->rx_us = -1;
	ch->lazy_us = -1;
	INIT_LIST_HEAD(&ch->on_vector);
	return ch;
}

/* Everything from the memory to a running worker. */
static int channel_setup(struct pvh_channel *ch, const struct pvbus_open *msg)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;
	int err;

	err = rings_map(ch, msg);
	if (err)
		return err;
	err = pvh_pin_cache_init(&ch->pins, PVH_PIN_ENTRIES);
	if (err)
		goto unmap;
	err = ops->open(ch);
	if (err)
		goto destroy_cache;
	err = pvh_worker_start(ch);
	if (err)
		goto close;
	return 0;

close:
	ops->close(ch);
destroy_cache:
	pvh_pin_cache_destroy(ch);
unmap:
	rings_unmap(ch);
	return err;
}

/**
 * pvh_channel_open() - open a channel
 * @dev: device that was offered and is not being removed; vm->lock held
 * @msg: what the guest asks for, copied; its reserved field was checked
 *
 * Return: PVBUS_ST_OK, or why not: nothing was changed then.
 */
u32 pvh_channel_open(struct pvh_dev *dev, const struct pvbus_open *msg)
{
	struct pvh_vm *vm = dev->vm;
	struct pvh_channel *ch;
	u32 status;
	int err;

	lockdep_assert_held(&vm->lock);
	status = open_check(dev, msg);
	if (status != PVBUS_ST_OK)
		return status;
	ch = channel_alloc(dev, msg);
	if (!ch)
		return PVBUS_ST_NOMEM;
	err = channel_setup(ch, msg);
	if (err) {
		pr_warn_ratelimited("%s: %s queue %u cannot be opened (%d)\n",
				    vm->name, dev->id, ch->queue, err);
		kfree(ch);
		return errno_to_status(err);
	}
	dev->channel[array_index_nospec(ch->queue, PVH_MAX_QUEUES)] = ch;
	dev->nr_channels++;
	WRITE_ONCE(vm->nr_channels, vm->nr_channels + 1);
	pvh_doorbell_add(ch);
	/* the guest may have rung before */
	pvh_channel_wake(ch);
	/* there is a new thread for the daemon to charge to QEMU */
	pvh_vm_event(vm);
	return PVBUS_ST_OK;
}

/**
 * pvh_channel_close() - begin to close a channel
 * @ch: channel; vm->lock held. ch->ack says whether the guest is to be told
 *
 * What is in flight is waited for by the worker; then pvh_channel_reap() frees
 * the channel. One that closes already goes on doing that.
 */
void pvh_channel_close(struct pvh_channel *ch)
{
	lockdep_assert_held(&ch->dev->vm->lock);
	if (ch->closing)
		return;
	pvh_doorbell_del(ch);
	pvh_worker_end(ch);
}

/**
 * pvh_channel_close_all() - begin to close all channels of a device
 * @dev: device; vm->lock held
 */
void pvh_channel_close_all(struct pvh_dev *dev)
{
	unsigned int i;

	for (i = 0; i < PVH_MAX_QUEUES; i++)
		if (dev->channel[i])
			pvh_channel_close(dev->channel[i]);
}

/* Afterwards the memory of its rings and requests is the guest's again. */
static void channel_free(struct pvh_channel *ch)
{
	struct pvh_dev *dev = ch->dev;
	struct pvh_vm *vm = dev->vm;

	dev->channel[ch->queue] = NULL;
	/* its guest may have begun anew before it could be told */
	if (READ_ONCE(ch->broken) && !ch->broken_told)
		vm->violations++;
	pvh_worker_stop(ch);
	dev->ops->close(ch);
	pvh_pin_cache_destroy(ch);
	rings_unmap(ch);
	pvh_worker_forget(ch);
	kfree(ch);
	dev->nr_channels--;
	WRITE_ONCE(vm->nr_channels, vm->nr_channels - 1);
	if (!vm->nr_channels)
		wake_up_all(&vm->wait);
	pvh_dev_channel_gone(dev);
}

static void channel_reap(struct pvh_channel *ch)
{
	struct pvh_vm *vm = ch->dev->vm;
	u32 offer = ch->dev->offer;
	u16 queue = ch->queue;
	bool ack;

	/* pairs with the worker: it touches nothing of the guest's any more */
	if (!smp_load_acquire(&ch->drained))
		return;
	/* the guest that asked may be gone */
	ack = ch->ack && vm->running;
	if (ack && !pvh_ctl_room(vm)) {
		/* it rings when it reads, and holds up nobody if it does not */
		if (!ch->dev->ending)
			return;
		ack = false;
	}
	channel_free(ch);
	if (ack)
		pvh_ctl_send_chan(vm, PVBUS_MSG_CLOSE_ACK, offer, queue,
				  PVBUS_ST_OK);
}

/**
 * pvh_channel_reap() - free the channels that have closed
 * @vm: VM; vm->lock held
 */
void pvh_channel_reap(struct pvh_vm *vm)
{
	struct pvh_dev *dev;
	unsigned int i;

	lockdep_assert_held(&vm->lock);
	list_for_each_entry(dev, &vm->devs, node)
		for (i = 0; dev->nr_channels && i < dev->max_queues; i++)
			if (dev->channel[i])
				channel_reap(dev->channel[i]);
}
