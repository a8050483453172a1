// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the devices of a VM: adding, rescinding and telling about them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "host.h"

/* Of a device's flags, those that say what is its own. */
#define DEV_OWN		(PVBUS_DEV_POLL_US | PVBUS_DEV_COALESCE_US)

static const struct pvh_dev_ops * const dev_types[] = {
	&pvh_blk_ops,
	&pvh_net_ops,
};

static const struct pvh_dev_ops *dev_ops(u16 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dev_types); i++)
		if (dev_types[i]->type == type)
			return dev_types[i];
	return NULL;
}

static bool id_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

/**
 * pvh_id_valid() - is this the name of something?
 * @id: [A-Za-z0-9][A-Za-z0-9._-]*, NUL-terminated and zero behind that, for the
 *	guest sees all of it
 */
bool pvh_id_valid(const u8 id[PVBUS_ID_SIZE])
{
	size_t len = strnlen(id, PVBUS_ID_SIZE);
	size_t i;

	if (!len || len == PVBUS_ID_SIZE || !id_char(id[0]))
		return false;
	for (i = 1; i < len; i++)
		if (!id_char(id[i]) && !strchr("._-", id[i]))
			return false;
	return !memchr_inv(id + len, 0, PVBUS_ID_SIZE - len);
}

/* -- finding. vm->lock held ----------------------------------------------------- */

/**
 * pvh_dev_find() - the device with this offer
 * @vm: VM; vm->lock held
 * @offer: number, from anywhere
 *
 * Return: the device, which may be on its way out, or NULL.
 */
struct pvh_dev *pvh_dev_find(struct pvh_vm *vm, u32 offer)
{
	struct pvh_dev *dev;

	lockdep_assert_held(&vm->lock);
	list_for_each_entry(dev, &vm->devs, node)
		if (dev->offer == offer)
			return dev;
	return NULL;
}

static struct pvh_dev *dev_find_id(struct pvh_vm *vm, const char *id)
{
	struct pvh_dev *dev;

	list_for_each_entry(dev, &vm->devs, node)
		if (!strcmp(dev->id, id))
			return dev;
	return NULL;
}

/* -- going ------------------------------------------------------------------------- */

/* The last reference, which holds the VM. */
static void dev_free(struct kref *ref)
{
	struct pvh_dev *dev = container_of(ref, struct pvh_dev, ref);
	struct pvh_vm *vm = dev->vm;

	kfree(dev);
	pvh_vm_put(vm);
}

/*
 * All channels are closed. The device stays in the list, and its id taken, until
 * the backend has let go of everything.
 */
static void dev_end_work(struct work_struct *work)
{
	struct pvh_dev *dev = container_of(work, struct pvh_dev, end_work);
	struct pvh_vm *vm = dev->vm;

	dev->ops->destroy(dev);

	mutex_lock(&vm->lock);
	list_del(&dev->node);
	vm->nr_devs--;
	/* the mailbox had no room all that time */
	if (vm->running && dev->offered && !dev->rescind_sent)
		vm->owed[vm->nr_owed++] = dev->offer;
	pvh_vm_dev_gone(vm);
	mutex_unlock(&vm->lock);
	complete_all(&dev->gone);
	kref_put(&dev->ref, dev_free);
}

/**
 * pvh_dev_channel_gone() - a channel was freed, or there is none
 * @dev: its device; vm->lock held
 */
void pvh_dev_channel_gone(struct pvh_dev *dev)
{
	if (dev->ending && !dev->nr_channels)
		queue_work(pvh_reap_wq, &dev->end_work);
}

/* From here on @dev, which is being removed, goes by itself. vm->lock held. */
static void dev_end(struct pvh_dev *dev)
{
	if (dev->ending)
		return;
	dev->ending = true;
	pvh_channel_close_all(dev);
	pvh_dev_channel_gone(dev);
	/* some may be drained */
	if (dev->nr_channels)
		queue_work(dev->vm->wq, &dev->vm->ctl_work);
}

/* -- adding ------------------------------------------------------------------------ */

/* What is this device's own is in range, and what is not is not given. */
static bool dev_time_ok(const struct pvbus_ioc_dev *args, u32 own, u32 us)
{
	return us <= (args->flags & own ? PVBUS_DEV_MAX_US : 0);
}

static int dev_args_check(const struct pvbus_ioc_dev *args)
{
	if (!dev_time_ok(args, PVBUS_DEV_POLL_US, args->poll_us) ||
	    !dev_time_ok(args, PVBUS_DEV_COALESCE_US, args->coalesce_us)) {
		pr_err_ratelimited("%s: bad poll_us %u or coalesce_us %u: give 0 to %u\n",
				   args->id, args->poll_us, args->coalesce_us,
				   PVBUS_DEV_MAX_US);
		return -EINVAL;
	}
	if (args->max_queues > PVH_MAX_QUEUES || !dev_ops(args->type))
		return -EINVAL;
	return 0;
}

/* May a device with this id be added now? */
static int dev_may_add(struct pvh_vm *vm, const char *id)
{
	if (READ_ONCE(vm->dead) || READ_ONCE(vm->ending))
		return -ESRCH;
	if (dev_find_id(vm, id))
		return -EEXIST;
	/* any of them may be owed a RESCIND one day */
	if (vm->nr_devs + vm->nr_owed >= PVH_MAX_DEVS)
		return -ENOSPC;
	return 0;
}

static struct pvh_dev *dev_alloc(struct pvh_vm *vm,
				 const struct pvbus_ioc_dev *args)
{
	struct pvh_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);

	if (!dev)
		return NULL;
	dev->vm = vm;
	dev->ops = dev_ops(args->type);
	memcpy(dev->id, args->id, sizeof(dev->id));
	dev->own = args->flags & DEV_OWN;
	dev->poll_us = args->poll_us;
	dev->coalesce_us = args->coalesce_us;
	dev->max_queues = args->max_queues ?:
			  min_t(unsigned int, num_online_cpus(), PVH_MAX_QUEUES);
	spin_lock_init(&dev->blob_lock);
	init_completion(&dev->released);
	init_completion(&dev->gone);
	kref_init(&dev->ref);
	kref_get(&vm->ref);
	INIT_WORK(&dev->end_work, dev_end_work);
	return dev;
}

/* The last step: afterwards the guest knows it. */
static int dev_publish(struct pvh_dev *dev, struct pvbus_ioc_dev *args)
{
	struct pvh_vm *vm = dev->vm;
	int err;

	mutex_lock(&vm->lock);
	err = dev_may_add(vm, dev->id);
	if (!err) {
		/* 0 is no offer; 2^32 of them take longer than a host lives */
		dev->offer = ++vm->next_offer;
		list_add_tail(&dev->node, &vm->devs);
		vm->nr_devs++;
		args->offer = dev->offer;
		args->max_queues = dev->max_queues;
		pvh_ctl_flush(vm);
	}
	mutex_unlock(&vm->lock);
	return err;
}

/**
 * pvh_dev_add() - add a device and offer it to the guest
 * @vm: VM
 * @args: what the daemon asks for, copied and well-formed; outputs are filled in
 *
 * The backend is set up without vm->lock, as it opens files and registers
 * interfaces; so the id is looked up before that, to fail early, and again when
 * the device is published, which decides.
 *
 * Return: 0 or as PVBUS_IOC_DEV_ADD says; -ESRCH when QEMU or the VM is gone.
 */
int pvh_dev_add(struct pvh_vm *vm, struct pvbus_ioc_dev *args)
{
	struct pvh_dev *dev;
	int err;

	err = dev_args_check(args);
	if (err)
		return err;
	mutex_lock(&vm->lock);
	err = dev_may_add(vm, args->id);
	mutex_unlock(&vm->lock);
	if (err)
		return err;

	dev = dev_alloc(vm, args);
	if (!dev)
		return -ENOMEM;
	err = dev->ops->create(dev, args);
	if (err)
		goto put;
	err = dev_publish(dev, args);
	if (!err)
		return 0;
	dev->ops->destroy(dev);
put:
	kref_put(&dev->ref, dev_free);
	return err;
}

/* -- removing -------------------------------------------------------------------- */

/* Mark @dev and tell the guest. Return: is it worth waiting for the guest? */
static bool dev_rescind(struct pvh_dev *dev)
{
	struct pvh_vm *vm = dev->vm;

	dev->removing = true;
	if (!vm->running || !dev->offered)
		return false;
	pvh_ctl_flush(vm);
	/* the guest may have been found broken meanwhile */
	return vm->running;
}

/* Return: false when the guest did not let go in time, or nobody waits. */
static bool dev_wait_released(struct pvh_dev *dev, unsigned int timeout_ms)
{
	unsigned long timeout = msecs_to_jiffies(timeout_ms);

	return wait_for_completion_killable_timeout(&dev->released,
						    timeout) > 0;
}

/**
 * pvh_dev_remove() - rescind a device and remove it
 * @vm: VM
 * @id: instance id
 * @timeout_ms: how long the guest may take to let go
 *
 * When the guest has not let go in time, or the caller is killed, the channels
 * are closed under it.
 *
 * Return: 0, -ENOENT, -EBUSY (is being removed already), -EINPROGRESS (its backing
 * store does not answer: it is gone when that does).
 */
int pvh_dev_remove(struct pvh_vm *vm, const char *id, unsigned int timeout_ms)
{
	struct pvh_dev *dev;
	bool wait;
	int err;

	mutex_lock(&vm->lock);
	dev = dev_find_id(vm, id);
	if (!dev || dev->removing) {
		mutex_unlock(&vm->lock);
		return dev ? -EBUSY : -ENOENT;
	}
	kref_get(&dev->ref);
	wait = dev_rescind(dev);
	mutex_unlock(&vm->lock);

	if (wait && !dev_wait_released(dev, timeout_ms))
		pr_notice_ratelimited("%s: %s was not released by the guest within %u ms: closed under it\n",
				      vm->name, dev->id, timeout_ms);
	mutex_lock(&vm->lock);
	dev_end(dev);
	mutex_unlock(&vm->lock);
	err = pvh_wait_gone(&dev->gone);
	kref_put(&dev->ref, dev_free);
	return err;
}

/**
 * pvh_dev_remove_all() - begin to remove all devices
 * @vm: VM to which none can be added any more: vm->dead or vm->ending is set;
 *	vm->lock held
 *
 * The guest is not asked. Who waits for a guest elsewhere waits no more.
 */
void pvh_dev_remove_all(struct pvh_vm *vm)
{
	struct pvh_dev *dev;

	lockdep_assert_held(&vm->lock);
	list_for_each_entry(dev, &vm->devs, node) {
		dev->removing = true;
		complete(&dev->released);
		dev_end(dev);
	}
}

/* -- telling about -------------------------------------------------------------------- */

static void dev_fill(struct pvh_dev *dev, struct pvbus_ioc_dev *args)
{
	memset(args, 0, sizeof(*args));
	args->type = dev->ops->type;
	args->max_queues = dev->max_queues;
	memcpy(args->id, dev->id, sizeof(args->id));
	args->offer = dev->offer;
	args->fd = -1;
	args->open_queues = dev->nr_channels;
	dev->ops->info(dev, args);
	args->flags |= dev->own;
	args->poll_us = dev->poll_us;
	args->coalesce_us = dev->coalesce_us;
}

/**
 * pvh_dev_next() - the device with the next offer
 * @vm: VM
 * @args: @args->offer says after which; everything else is filled in
 *
 * Devices that are being removed are passed over.
 *
 * Return: 0, or -ENOENT at the end.
 */
int pvh_dev_next(struct pvh_vm *vm, struct pvbus_ioc_dev *args)
{
	struct pvh_dev *dev;
	int err = -ENOENT;

	mutex_lock(&vm->lock);
	list_for_each_entry(dev, &vm->devs, node) {
		if (dev->offer <= args->offer || dev->removing)
			continue;
		dev_fill(dev, args);
		err = 0;
		break;
	}
	mutex_unlock(&vm->lock);
	return err;
}

static void dev_copy_stats(const struct pvh_channel *ch,
			   struct pvbus_ioc_chan_stats *args)
{
	const struct pvh_stats *stats = &ch->stats;

	args->worker = task_pid_vnr(ch->worker);
	args->doorbells = READ_ONCE(stats->doorbells);
	args->interrupts = READ_ONCE(stats->interrupts);
	args->wakeups = READ_ONCE(stats->wakeups);
	args->polls = READ_ONCE(stats->polls);
	args->poll_hits = READ_ONCE(stats->poll_hits);
	args->poll_ns = READ_ONCE(stats->poll_ns);
	args->requests = READ_ONCE(stats->requests);
	args->completions = READ_ONCE(stats->completions);
	args->bytes_in = READ_ONCE(stats->bytes_in);
	args->bytes_out = READ_ONCE(stats->bytes_out);
	args->errors = READ_ONCE(stats->errors);
	args->dropped = READ_ONCE(stats->dropped);
	args->pin_hits = READ_ONCE(stats->pin_hits);
	args->pin_misses = READ_ONCE(stats->pin_misses);
	args->pauses = READ_ONCE(stats->pauses);
}

/**
 * pvh_dev_stats() - the counters of a channel
 * @vm: VM
 * @args: id and queue say which, everything else is filled in
 *
 * Return: 0, -EINVAL (id, reserved), -ENOENT (no such device or queue),
 * -ENOTCONN (not open).
 */
int pvh_dev_stats(struct pvh_vm *vm, struct pvbus_ioc_chan_stats *args)
{
	struct pvh_dev *dev;
	u32 queue = args->queue;
	int err = 0;

	if (!pvh_id_valid(args->id))
		return -EINVAL;
	mutex_lock(&vm->lock);
	dev = dev_find_id(vm, args->id);
	if (!dev || queue >= dev->max_queues) {
		err = -ENOENT;
	} else {
		queue = array_index_nospec(queue, PVH_MAX_QUEUES);
		if (dev->channel[queue])
			dev_copy_stats(dev->channel[queue], args);
		else
			err = -ENOTCONN;
	}
	mutex_unlock(&vm->lock);
	return err;
}

/**
 * pvh_dev_resize() - look anew at how large a device is
 * @vm: VM
 * @id: valid id of the device
 * @capacity: where its size goes, in bytes
 *
 * Return: 0 or as PVBUS_IOC_DEV_RESIZE says.
 */
int pvh_dev_resize(struct pvh_vm *vm, const char *id, u64 *capacity)
{
	struct pvh_dev *dev;
	int err = -ENOENT;

	mutex_lock(&vm->lock);
	dev = dev_find_id(vm, id);
	if (dev && !dev->removing)
		err = dev->ops->resize ? dev->ops->resize(dev, capacity) :
					 -EOPNOTSUPP;
	mutex_unlock(&vm->lock);
	return err;
}

/**
 * pvh_dev_update() - give the guest a new blob
 * @dev: device, from ->create() until ->destroy() returns
 * @blob: configuration
 * @len: bytes of it; more than PVBUS_BLOB_SIZE are a bug of the backend and
 *	change nothing
 *
 * Takes no lock that sleeps, so that a backend may call it with any lock held;
 * the message is left to the control work.
 *
 * Context: any.
 */
void pvh_dev_update(struct pvh_dev *dev, const void *blob, size_t len)
{
	unsigned long flags;

	if (WARN_ON_ONCE(len > PVBUS_BLOB_SIZE))
		return;
	spin_lock_irqsave(&dev->blob_lock, flags);
	memcpy(dev->blob, blob, len);
	memset(dev->blob + len, 0, PVBUS_BLOB_SIZE - len);
	dev->blob_len = len;
	dev->blob_changed = true;
	spin_unlock_irqrestore(&dev->blob_lock, flags);
	queue_work(dev->vm->wq, &dev->vm->ctl_work);
}
