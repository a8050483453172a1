// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: VMs from their creation to their end.
 *
 * Locks, outermost first; one is only taken while holding ones above it:
 *
 *	file->sem		which VM a control device stands for (chardev.c)
 *	pvh_vms_lock		the list of VMs, vm->owner, vm->ending; never held
 *				together with vm->lock, and nothing sleeps long
 *				under it
 *	vm->lock		handshake, devices, channels; held while workers
 *				are stopped, so none ever takes it, and never
 *				while a backing store is waited for
 *	QEMU's mmap_lock	when pages are pinned
 *	vm->cache_lock		which pin caches there are; taken by the MMU
 *				notifier, and so under any lock of QEMU's mm
 *	cache->lock		what a pin cache has to drop
 *
 *	eventfd's wait queue	held by whoever rings; interrupts off
 *	db->lock		which channels share a doorbell; interrupts off
 *
 * How a VM ends. QEMU's memory ends: the MMU notifier sets vm->dead and queues
 * death_work on vm->wq, which closes all channels, so that nothing of QEMU is
 * pinned any more, and tells the daemon. The rest begins with pvh_vm_end(), which
 * the daemon asks for, or the closing of its file, or reap_work when there is no
 * daemon; exactly one of them sets vm->ending and calls it. From there on it goes
 * by itself, as a backing store may take as long as it likes for what is in
 * flight: a worker that has drained its channel queues ctl_work, which frees the
 * channel; the last one of a device queues its end_work; the last device queues
 * the VM's, never on vm->wq, which is destroyed there. The structure itself lives
 * until the last reference goes: poll() of the daemon may still look at it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "host.h"

static DEFINE_MUTEX(pvh_vms_lock);
static LIST_HEAD(pvh_vms);

/* -- the end --------------------------------------------------------------------- */

static void pvh_vm_free(struct kref *ref)
{
	struct pvh_vm *vm = container_of(ref, struct pvh_vm, ref);

	pvh_mem_forget(vm);
	mutex_destroy(&vm->lock);
	kfree(vm);
	/*
	 * Called with the control device open, or from pvh_reap_wq, which is
	 * flushed before this code goes.
	 */
	module_put(THIS_MODULE);
}

/**
 * pvh_vm_put() - let go of a VM
 * @vm: VM of which the caller has a reference
 */
void pvh_vm_put(struct pvh_vm *vm)
{
	kref_put(&vm->ref, pvh_vm_free);
}

/* Is it the caller's to end this VM? With @orphan only if it has no daemon. */
static bool pvh_vm_claim(struct pvh_vm *vm, bool orphan)
{
	bool mine;

	mutex_lock(&pvh_vms_lock);
	mine = !vm->ending && !(orphan && vm->owner);
	if (mine)
		vm->ending = true;
	mutex_unlock(&pvh_vms_lock);
	return mine;
}

/* All devices are gone. The list's reference goes with what is left. */
static void pvh_vm_end_work(struct work_struct *work)
{
	struct pvh_vm *vm = container_of(work, struct pvh_vm, end_work);

	mutex_lock(&vm->lock);
	pvh_window_done(vm);
	mutex_unlock(&vm->lock);
	pvh_qemu_detach(vm);
	/* QEMU may have died just before; its interrupt needs the eventfds */
	cancel_work_sync(&vm->death_work);
	pvh_doorbells_destroy(vm);
	/* nobody is left to queue anything */
	if (vm->wq)
		destroy_workqueue(vm->wq);
	pvh_window_unmap(vm);

	mutex_lock(&pvh_vms_lock);
	list_del(&vm->node);
	vm->owner = NULL;
	mutex_unlock(&pvh_vms_lock);
	complete_all(&vm->gone);
	pvh_vm_put(vm);
}

/**
 * pvh_vm_dev_gone() - a device is gone, or there is none
 * @vm: its VM; vm->lock held
 */
void pvh_vm_dev_gone(struct pvh_vm *vm)
{
	if (vm->leaving && !vm->nr_devs)
		queue_work(pvh_reap_wq, &vm->end_work);
}

/*
 * Begin to end a VM, in whatever state it is, be it half set up. The caller has
 * claimed it, so no other end and no ioctl is under way.
 */
static void pvh_vm_end(struct pvh_vm *vm)
{
	/* the guest side of this kernel closes its devices in order */
	pvh_loop_detach(vm);

	mutex_lock(&vm->lock);
	/* control work serves the guest no more */
	WRITE_ONCE(vm->dead, true);
	pvh_window_down(vm);
	pvh_dev_remove_all(vm);
	vm->leaving = true;
	pvh_vm_dev_gone(vm);
	mutex_unlock(&vm->lock);
}

/* Neither QEMU nor a daemon is left; unless a new daemon came meanwhile. */
static void pvh_reap_work(struct work_struct *work)
{
	struct pvh_vm *vm = container_of(work, struct pvh_vm, reap_work);

	if (pvh_vm_claim(vm, true))
		pvh_vm_end(vm);
	pvh_vm_put(vm);
}

static void pvh_vm_reap(struct pvh_vm *vm)
{
	mutex_lock(&pvh_vms_lock);
	if (!vm->owner && !vm->ending) {
		kref_get(&vm->ref);
		if (!queue_work(pvh_reap_wq, &vm->reap_work))
			pvh_vm_put(vm);
	}
	mutex_unlock(&pvh_vms_lock);
}

/* QEMU is gone: vm->dead is set. */
static void pvh_death_work(struct work_struct *work)
{
	struct pvh_vm *vm = container_of(work, struct pvh_vm, death_work);

	mutex_lock(&vm->lock);
	pvh_window_down(vm);
	WRITE_ONCE(vm->state, PVBUS_VM_DEAD);
	mutex_unlock(&vm->lock);
	pvh_vm_event(vm);
	pvh_vm_reap(vm);
}

/**
 * pvh_vm_destroy() - end a VM
 * @vm: VM of the calling daemon, which keeps its reference
 *
 * Context: process. On loopback takes as long as the guest side's drivers.
 * Return: 0, or -EINPROGRESS: requests are in flight that their devices do not
 * finish, or the caller was killed; it ends when they do.
 */
int pvh_vm_destroy(struct pvh_vm *vm)
{
	if (pvh_vm_claim(vm, false))
		pvh_vm_end(vm);
	return pvh_wait_gone(&vm->gone);
}

/*
 * A VM loses its daemon. Is it the caller's to end? If it cannot go on, nobody else
 * would, and no other daemon may come to have it.
 */
static bool pvh_vm_orphan(struct pvh_vm *vm)
{
	bool mine;

	mutex_lock(&pvh_vms_lock);
	vm->owner = NULL;
	/* dead is set before death_work looks at the owner */
	mine = !vm->ending && (!vm->mm || READ_ONCE(vm->dead));
	if (mine)
		vm->ending = true;
	mutex_unlock(&pvh_vms_lock);
	return mine;
}

/**
 * pvh_vm_release() - the daemon's file is closed
 * @vm: its VM, which may have been destroyed before
 *
 * The guest of a QEMU that lives keeps running, for the next daemon; other VMs
 * end. Takes the reference.
 */
void pvh_vm_release(struct pvh_vm *vm)
{
	if (pvh_vm_orphan(vm)) {
		pvh_vm_end(vm);
		/* the next one may want its name and its disks; it may be killed */
		wait_for_completion_timeout(&vm->gone,
					    msecs_to_jiffies(PVH_GONE_MS));
	}
	pvh_vm_put(vm);
}

/* -- the beginning --------------------------------------------------------------- */

static u64 pvh_pin_limit(const struct pvbus_ioc_vm_create *args)
{
	if (args->pin_limit)
		return args->pin_limit >> PAGE_SHIFT;
	return (u64)READ_ONCE(pvh_pin_limit_mb) << (20 - PAGE_SHIFT);
}

/* Its references: the list's and the file's. */
static struct pvh_vm *pvh_vm_alloc(const struct pvbus_ioc_vm_create *args,
				   struct file *owner)
{
	struct pvh_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	__module_get(THIS_MODULE);
	kref_init(&vm->ref);
	kref_get(&vm->ref);
	strscpy(vm->name, args->name, sizeof(vm->name));
	vm->flags = args->flags;
	vm->owner = owner;
	vm->peer = args->peer;
	vm->nr_doorbells = args->vectors;
	vm->pin_limit = pvh_pin_limit(args);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->cache_lock);
	init_waitqueue_head(&vm->wait);
	INIT_LIST_HEAD(&vm->caches);
	INIT_LIST_HEAD(&vm->devs);
	INIT_WORK(&vm->ctl_work, pvh_ctl_work);
	INIT_WORK(&vm->death_work, pvh_death_work);
	INIT_WORK(&vm->reap_work, pvh_reap_work);
	INIT_WORK(&vm->end_work, pvh_vm_end_work);
	init_completion(&vm->gone);
	return vm;
}

static struct pvh_vm *pvh_vm_find(const char *name)
{
	struct pvh_vm *vm;

	lockdep_assert_held(&pvh_vms_lock);
	list_for_each_entry(vm, &pvh_vms, node)
		if (!strcmp(vm->name, name))
			return vm;
	return NULL;
}

/* A VM keeps its name until all of it is gone. */
static int pvh_vm_list(struct pvh_vm *vm)
{
	int err = 0;

	mutex_lock(&pvh_vms_lock);
	if (pvh_vm_find(vm->name))
		err = -EEXIST;
	else
		list_add_tail(&vm->node, &pvh_vms);
	mutex_unlock(&pvh_vms_lock);
	return err;
}

static s32 *pvh_copy_fds(u64 addr, unsigned int nr)
{
	return memdup_user(u64_to_user_ptr(addr), nr * sizeof(s32));
}

static int pvh_vm_doorbells(struct pvh_vm *vm,
			    const struct pvbus_ioc_vm_create *args)
{
	s32 *doorbells, *interrupts;
	int err;

	doorbells = pvh_copy_fds(args->doorbells, vm->nr_doorbells);
	if (IS_ERR(doorbells))
		return PTR_ERR(doorbells);
	interrupts = pvh_copy_fds(args->interrupts, vm->nr_doorbells);
	if (IS_ERR(interrupts)) {
		kfree(doorbells);
		return PTR_ERR(interrupts);
	}
	err = pvh_doorbells_init(vm, doorbells, interrupts);
	kfree(interrupts);
	kfree(doorbells);
	return err;
}

static int pvh_vm_loopback(struct pvh_vm *vm)
{
	int err;

	vm->nr_vectors = vm->nr_doorbells;
	vm->state = PVBUS_VM_ATTACHED;
	err = pvh_loop_attach(vm);
	if (err)
		return err;
	mutex_lock(&vm->lock);
	pvh_window_ready(vm);
	mutex_unlock(&vm->lock);
	return 0;
}

static int pvh_vm_setup(struct pvh_vm *vm,
			const struct pvbus_ioc_vm_create *args)
{
	bool loopback = vm->flags & PVBUS_VM_LOOPBACK;
	int err;

	vm->wq = alloc_ordered_workqueue("pvbus-%.16s", 0, vm->name);
	if (!vm->wq)
		return -ENOMEM;
	err = loopback ? pvh_doorbells_init(vm, NULL, NULL) :
			 pvh_vm_doorbells(vm, args);
	if (err)
		return err;
	err = pvh_window_map(vm, args->window);
	if (err)
		return err;
	if (loopback)
		return pvh_vm_loopback(vm);
	vm->transport = &pvh_qemu_transport;
	return 0;
}

/**
 * pvh_vm_create() - create a VM
 * @args: from the daemon, checked for its form
 * @owner: control device
 * @vmp: the VM, with a reference for pvh_vm_release()
 *
 * Return: 0, -EEXIST (name), -EOPNOTSUPP (no loopback module), -EBADF, -EINVAL,
 * -EFAULT, -ENOMEM.
 */
int pvh_vm_create(struct pvbus_ioc_vm_create *args, struct file *owner,
		  struct pvh_vm **vmp)
{
	struct pvh_vm *vm = pvh_vm_alloc(args, owner);
	int err;

	if (!vm)
		return -ENOMEM;
	err = pvh_vm_list(vm);
	if (err) {
		/* nobody has seen it: both references are ours */
		pvh_vm_put(vm);
		pvh_vm_put(vm);
		return err;
	}
	err = pvh_vm_setup(vm, args);
	if (err) {
		pvh_vm_destroy(vm);
		pvh_vm_put(vm);
		return err;
	}
	*vmp = vm;
	return 0;
}

/**
 * pvh_vm_adopt() - take over a VM whose daemon is gone
 * @args: from the daemon, checked for its form
 * @owner: control device
 * @vmp: the VM, with a reference for pvh_vm_release()
 *
 * Return: 0, -ENOENT, -EBUSY (it has a daemon, or is being ended).
 */
int pvh_vm_adopt(struct pvbus_ioc_vm_adopt *args, struct file *owner,
		 struct pvh_vm **vmp)
{
	struct pvh_vm *vm;
	int err = 0;

	mutex_lock(&pvh_vms_lock);
	vm = pvh_vm_find(args->name);
	if (!vm) {
		err = -ENOENT;
	} else if (vm->owner || vm->ending) {
		err = -EBUSY;
	} else {
		vm->owner = owner;
		kref_get(&vm->ref);
		*vmp = vm;
	}
	mutex_unlock(&pvh_vms_lock);
	if (!err)
		pvh_vm_event(vm);
	return err;
}

/**
 * pvh_vm_attach() - QEMU has connected
 * @vm: VM
 * @args: from the daemon
 *
 * Return: 0, -EINVAL, -EBUSY (a QEMU was attached before), or as
 * pvh_qemu_attach().
 */
int pvh_vm_attach(struct pvh_vm *vm, const struct pvbus_ioc_vm_attach *args)
{
	int err;

	if (args->reserved || !args->vectors ||
	    args->vectors > vm->nr_doorbells ||
	    args->min_vectors > args->vectors ||
	    (vm->flags & PVBUS_VM_LOOPBACK))
		return -EINVAL;

	mutex_lock(&vm->lock);
	err = vm->mm ? -EBUSY : pvh_qemu_attach(vm, args->sock);
	if (!err) {
		vm->nr_vectors = args->vectors;
		vm->min_vectors = args->min_vectors;
		vm->state = PVBUS_VM_ATTACHED;
		/* if QEMU is dead already, death_work waits for the lock */
		pvh_window_ready(vm);
	}
	mutex_unlock(&vm->lock);
	if (!err)
		pvh_vm_event(vm);
	return err;
}

/* -- what the daemon sees ----------------------------------------------------------- */

/**
 * pvh_vm_event() - tell the daemon that the state changed
 * @vm: VM
 *
 * Context: any.
 */
void pvh_vm_event(struct pvh_vm *vm)
{
	__poll_t mask = EPOLLIN;

	WRITE_ONCE(vm->event, true);
	if (READ_ONCE(vm->state) == PVBUS_VM_DEAD)
		mask |= EPOLLHUP;
	wake_up_poll(&vm->wait, mask);
}
EXPORT_SYMBOL_GPL(pvh_vm_event);

static void pvh_vm_info_hello(const struct pvbus_hello *hello,
			      struct pvbus_ioc_vm_info *info)
{
	unsigned int i;

	info->hello_ranges = min_t(u32, hello->nr_ranges, PVBUS_MAX_RANGES);
	for (i = 0; i < info->hello_ranges; i++) {
		info->range[i].start = le64_to_cpu(hello->range[i].start);
		info->range[i].size = le64_to_cpu(hello->range[i].size);
	}
	info->hello_nonces = min_t(u32, hello->nr_nonces, PVBUS_MAX_NONCES);
	for (i = 0; i < info->hello_nonces; i++) {
		info->nonce_addr[i] = le64_to_cpu(hello->nonce[i].addr);
		memcpy(info->nonce[i], hello->nonce[i].value,
		       PVBUS_NONCE_SIZE);
	}
}

/**
 * pvh_vm_info() - the VM's state, for the daemon
 * @vm: VM
 * @info: filled
 *
 * Whatever happens from now on is a new event for poll().
 */
void pvh_vm_info(struct pvh_vm *vm, struct pvbus_ioc_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	mutex_lock(&vm->lock);
	WRITE_ONCE(vm->event, false);
	memcpy(info->name, vm->name, sizeof(info->name));
	info->state = vm->state;
	info->refusal = vm->refusal;
	info->qemu_pid = vm->pid ? pid_vnr(vm->pid) : 0;
	info->version = vm->version;
	info->generation = vm->generation;
	info->guest_vectors = vm->guest_vectors;
	info->vectors = vm->vectors;
	info->devices = vm->nr_devs;
	info->features = vm->features;
	info->pinned = (u64)atomic64_read(&vm->pinned) << PAGE_SHIFT;
	info->pin_limit = vm->pin_limit << PAGE_SHIFT;
	info->resets = vm->resets;
	info->violations = vm->violations;
	pvh_vm_info_hello(&vm->hello, info);
	mutex_unlock(&vm->lock);
}
