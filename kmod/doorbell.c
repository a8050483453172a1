// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: doorbells from the guest, and the eventfds that interrupt it.
 *
 * A doorbell is an eventfd that KVM signals. It is never read: being woken
 * through its wait queue is all that is wanted, and a guest that rings without
 * end only sets bits that are set already, or is not heard for a while (storm.h).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "host.h"
#include "host_trace.h"

/**
 * pvh_doorbell_ring() - the guest rang
 * @db: doorbell
 *
 * Bounded work: a bit and a wake-up for each channel that shares the doorbell,
 * and one work item.
 *
 * Context: any.
 */
void pvh_doorbell_ring(struct pvh_doorbell *db)
{
	struct pvh_channel *ch;
	unsigned long flags;

	trace_pvbus_host_doorbell(db->vm, db->vector);
	spin_lock_irqsave(&db->lock, flags);
	list_for_each_entry(ch, &db->channels, on_vector) {
		ch->stats.doorbells++;
		pvh_channel_rung(ch);
	}
	spin_unlock_irqrestore(&db->lock, flags);
	if (db->vector == PVBUS_VECTOR_CTL)
		queue_work(db->vm->wq, &db->vm->ctl_work);
}
EXPORT_SYMBOL_GPL(pvh_doorbell_ring);

/*
 * The eventfd's wait queue lock is held, interrupts are off. EPOLLHUP, which
 * says that the last file is closed, cannot come: db->file is held.
 */
static int pvh_doorbell_wake(wait_queue_entry_t *wait, unsigned int mode,
			     int sync, void *key)
{
	if (key_to_poll(key) & EPOLLIN)
		pvh_doorbell_ring(container_of(wait, struct pvh_doorbell,
					       wait));
	return 0;
}

static void pvh_doorbell_queue(struct file *file, wait_queue_head_t *wqh,
			       poll_table *pt)
{
	add_wait_queue(wqh, &container_of(pt, struct pvh_doorbell, pt)->wait);
}

static int pvh_doorbell_listen(struct pvh_doorbell *db, int fd)
{
	struct file *file = eventfd_fget(fd);
	struct eventfd_ctx *ctx;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(ctx)) {
		fput(file);
		return PTR_ERR(ctx);
	}
	db->file = file;
	db->ctx = ctx;
	init_waitqueue_func_entry(&db->wait, pvh_doorbell_wake);
	init_poll_funcptr(&db->pt, pvh_doorbell_queue);
	/* it may have been rung before we listened */
	if (vfs_poll(file, &db->pt) & EPOLLIN)
		pvh_doorbell_ring(db);
	return 0;
}

static void pvh_doorbell_close(struct pvh_doorbell *db)
{
	u64 cnt;

	if (!db->ctx)
		return;
	/* takes the wait queue's lock: no call of ours is left behind it */
	eventfd_ctx_remove_wait_queue(db->ctx, &db->wait, &cnt);
	eventfd_ctx_put(db->ctx);
	fput(db->file);
	db->ctx = NULL;
	db->file = NULL;
}

static int pvh_doorbells_open(struct pvh_vm *vm, const s32 *doorbell_fds,
			      const s32 *interrupt_fds)
{
	unsigned int i;
	int err;

	for (i = 0; i < vm->nr_doorbells; i++) {
		struct eventfd_ctx *irq = eventfd_ctx_fdget(interrupt_fds[i]);

		if (IS_ERR(irq))
			return PTR_ERR(irq);
		vm->irq[i] = irq;
		err = pvh_doorbell_listen(&vm->doorbell[i], doorbell_fds[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * pvh_doorbells_init() - set up the doorbells of a VM in both directions
 * @vm: VM; vm->nr_doorbells says how many, vm->wq is there
 * @doorbell_fds: eventfds that the guest rings, or NULL on loopback
 * @interrupt_fds: eventfds that interrupt the guest, or NULL on loopback
 *
 * Return: 0, -ENOMEM, -EBADF, -EINVAL (not an eventfd); undo what was done with
 * pvh_doorbells_destroy() in any case.
 */
int pvh_doorbells_init(struct pvh_vm *vm, const s32 *doorbell_fds,
		       const s32 *interrupt_fds)
{
	unsigned int i, nr = vm->nr_doorbells;

	vm->doorbell = kcalloc(nr, sizeof(*vm->doorbell), GFP_KERNEL_ACCOUNT);
	if (!vm->doorbell)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		vm->doorbell[i].vm = vm;
		vm->doorbell[i].vector = i;
		spin_lock_init(&vm->doorbell[i].lock);
		INIT_LIST_HEAD(&vm->doorbell[i].channels);
	}
	if (!doorbell_fds)
		return 0;
	vm->irq = kcalloc(nr, sizeof(*vm->irq), GFP_KERNEL_ACCOUNT);
	if (!vm->irq)
		return -ENOMEM;
	return pvh_doorbells_open(vm, doorbell_fds, interrupt_fds);
}

/**
 * pvh_doorbells_destroy() - undo pvh_doorbells_init(), or what it had done
 * @vm: VM without channels. vm->ctl_work may be queued or running afterwards,
 *	and is stopped by the caller before @vm->doorbell is used no more.
 */
void pvh_doorbells_destroy(struct pvh_vm *vm)
{
	unsigned int i;

	for (i = 0; vm->doorbell && i < vm->nr_doorbells; i++)
		pvh_doorbell_close(&vm->doorbell[i]);
	/* the last one that could ring is gone: nobody can queue it again */
	cancel_work_sync(&vm->ctl_work);
	for (i = 0; vm->irq && i < vm->nr_doorbells; i++)
		if (vm->irq[i])
			eventfd_ctx_put(vm->irq[i]);
	kfree(vm->irq);
	kfree(vm->doorbell);
	vm->irq = NULL;
	vm->doorbell = NULL;
}

static struct pvh_doorbell *pvh_doorbell_of(const struct pvh_channel *ch)
{
	struct pvh_vm *vm = ch->dev->vm;

	return &vm->doorbell[array_index_nospec(ch->vector, vm->nr_doorbells)];
}

static void pvh_doorbell_wakeable(struct pvh_channel *ch, bool wakeable)
{
	struct pvh_vm *vm = ch->dev->vm;

	spin_lock(&vm->cache_lock);
	ch->pins.wakeable = wakeable;
	spin_unlock(&vm->cache_lock);
}

/**
 * pvh_doorbell_add() - have a doorbell wake a channel
 * @ch: channel whose worker is there; ch->vector was checked to be in force
 *
 * From here on pvh_channel_wake() may be called at any time.
 */
void pvh_doorbell_add(struct pvh_channel *ch)
{
	struct pvh_doorbell *db = pvh_doorbell_of(ch);

	spin_lock_irq(&db->lock);
	list_add_tail(&ch->on_vector, &db->channels);
	spin_unlock_irq(&db->lock);
	pvh_doorbell_wakeable(ch, true);
}

/**
 * pvh_doorbell_del() - undo pvh_doorbell_add()
 * @ch: channel whose worker is still there
 *
 * Neither a doorbell nor the MMU notifier wakes it any more on return.
 */
void pvh_doorbell_del(struct pvh_channel *ch)
{
	struct pvh_doorbell *db = pvh_doorbell_of(ch);

	pvh_doorbell_wakeable(ch, false);
	spin_lock_irq(&db->lock);
	list_del(&ch->on_vector);
	spin_unlock_irq(&db->lock);
}
