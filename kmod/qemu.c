// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the transport to a guest of QEMU: who QEMU is, its memory, and
 * being told when that memory changes or ends.
 *
 * Only mm_count is held, so that QEMU can die at any time; whoever touches its
 * memory takes mm_users for just that long. A worker keeps the address space
 * loaded (kthread_use_mm) between two sleeps; that alone does not keep it
 * populated, and pinning in it is done under mm_users.
 *
 * Pages that are pinned stay what they were when QEMU discards them (balloon)
 * or maps something else there, so a cached pin must not be used after that.
 * While QEMU takes pages away, from invalidate_range_start to _end,
 * vm->invalidating keeps all workers from using their caches; both calls mark
 * what is to be dropped. A worker looks at @invalidating first and at the mark
 * then, so a cache that it finds usable has seen the mark of an invalidation
 * that ended.
 *
 * If QEMU unmaps guest RAM, the table that says where it is has become a lie, and
 * a guest may have brought that about: see pvh_qemu_lose().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/eventfd.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "host.h"

/* -- QEMU's memory changes or ends ------------------------------------------- */

static const struct pvh_mem *pvh_qemu_mem(struct pvh_vm *vm)
{
	/* pairs with pvh_mem_believe(): the table is complete when it is seen */
	return smp_load_acquire(&vm->mem);
}

/*
 * QEMU's [start, end) goes: tell the pin caches which guest frames that is.
 *
 * Return: true when some of it is guest RAM.
 */
static bool pvh_qemu_drop(struct pvh_vm *vm, u64 start, u64 end)
{
	const struct pvh_mem *mem = pvh_qemu_mem(vm);
	bool ram = false;
	unsigned int i;

	for (i = 0; mem && i < mem->nr; i++) {
		const struct pvh_mem_region *r = &mem->region[i];
		u64 first = max(start, r->hva);
		u64 last = min(end, r->hva + r->size);

		if (first >= last)
			continue;
		first = first - r->hva + r->gpa;
		last = last - 1 - r->hva + r->gpa;
		pvh_pin_invalidate(vm, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
		ram = true;
	}
	return ram;
}

/*
 * What is unmapped, and not just discarded, is guest RAM no more: the next thing
 * that QEMU maps there is its own. Nothing is looked up in the table from now on;
 * the control work ends the session and forgets it.
 */
static void pvh_qemu_lose(struct pvh_vm *vm)
{
	WRITE_ONCE(vm->mem_lost, true);
	if (!READ_ONCE(vm->dead))
		queue_work(vm->wq, &vm->ctl_work);
}

/* Are pages taken away, other than by a change of protection? */
static bool pvh_event_takes(const struct mmu_notifier_range *range)
{
	switch (range->event) {
	case MMU_NOTIFY_UNMAP:
	case MMU_NOTIFY_CLEAR:
	case MMU_NOTIFY_MIGRATE:
		return true;
	default:
		return false;
	}
}

/*
 * Called with locks of QEMU's mm and possibly in atomic context: nothing here
 * sleeps. What counts as an invalidation depends on the event alone, never on
 * the table, which may be set in between: start and end have to agree.
 */
static int pvh_qemu_invalidate_start(struct mmu_notifier *mn,
				     const struct mmu_notifier_range *range)
{
	struct pvh_vm *vm = container_of(mn, struct pvh_vm, mn);

	if (!pvh_event_takes(range))
		return 0;
	atomic_inc(&vm->invalidating);
	/* no mark is seen to be dealt with before the count is seen */
	smp_mb__after_atomic();
	if (pvh_qemu_drop(vm, range->start, range->end) &&
	    range->event == MMU_NOTIFY_UNMAP)
		pvh_qemu_lose(vm);
	return 0;
}

static void pvh_qemu_invalidate_end(struct mmu_notifier *mn,
				    const struct mmu_notifier_range *range)
{
	struct pvh_vm *vm = container_of(mn, struct pvh_vm, mn);

	if (!pvh_event_takes(range))
		return;
	pvh_qemu_drop(vm, range->start, range->end);
	/* pairs with pvh_pin_get(): who sees the count back sees the mark */
	smp_mb__before_atomic();
	atomic_dec(&vm->invalidating);
}

/*
 * QEMU exits, or executes another program. It waits for us, so nothing is
 * waited for; vm->wq outlives the notifier. mmu_notifier_unregister() calls it,
 * too, when the VM ends before QEMU; vm->dead is set by then.
 */
static void pvh_qemu_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct pvh_vm *vm = container_of(mn, struct pvh_vm, mn);

	if (!xchg(&vm->dead, true))
		queue_work(vm->wq, &vm->death_work);
}

static const struct mmu_notifier_ops pvh_qemu_mn_ops = {
	.invalidate_range_start	= pvh_qemu_invalidate_start,
	.invalidate_range_end	= pvh_qemu_invalidate_end,
	.release		= pvh_qemu_release,
};

/* -- who QEMU is ------------------------------------------------------------- */

static struct pid *pvh_sock_peer(struct sock *sk)
{
	struct pid *pid;

	if (sk->sk_family != AF_UNIX ||
	    READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return ERR_PTR(-EINVAL);
	if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
		return ERR_PTR(-ESRCH);

	spin_lock(&sk->sk_peer_lock);
	pid = get_pid(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	return pid ?: ERR_PTR(-ESRCH);
}

static struct pid *pvh_fd_peer(int fd)
{
	struct socket *sock;
	struct pid *pid;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return ERR_PTR(err);
	pid = pvh_sock_peer(sock->sk);
	sockfd_put(sock);
	return pid;
}

/* With mm_users; NULL for a kernel thread and for one that has exited. */
static struct mm_struct *pvh_pid_mm(struct pid *pid)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct mm_struct *mm;

	if (!task)
		return NULL;
	mm = get_task_mm(task);
	put_task_struct(task);
	return mm;
}

/**
 * pvh_qemu_attach() - take the peer of a socket for QEMU
 * @vm: VM without a QEMU; vm->lock held
 * @sock: descriptor of a connected UNIX socket in the calling process
 *
 * From now on the VM knows when QEMU's memory changes and when it ends.
 *
 * Return: 0, -EBADF or -ENOTSOCK (not a socket), -EINVAL (not a connected UNIX
 * socket), -ESRCH (the peer is gone), -ENOMEM.
 */
int pvh_qemu_attach(struct pvh_vm *vm, int sock)
{
	struct pid *pid = pvh_fd_peer(sock);
	struct mm_struct *mm;
	int err;

	lockdep_assert_held(&vm->lock);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	mm = pvh_pid_mm(pid);
	if (!mm) {
		put_pid(pid);
		return -ESRCH;
	}

	vm->mn.ops = &pvh_qemu_mn_ops;
	err = mmu_notifier_register(&vm->mn, mm);
	if (err) {
		put_pid(pid);
	} else {
		mmgrab(mm);
		vm->mm = mm;
		vm->pid = pid;
	}
	mmput_async(mm);
	return err;
}

/**
 * pvh_qemu_detach() - let go of QEMU
 * @vm: VM that has no channels any more
 *
 * Context: process, not vm->wq: waits for the notifier's calls to end. What
 * they have queued on vm->wq may still run.
 */
void pvh_qemu_detach(struct pvh_vm *vm)
{
	if (!vm->mm)
		return;
	mmu_notifier_unregister(&vm->mn, vm->mm);
	mmdrop(vm->mm);
	put_pid(vm->pid);
	vm->mm = NULL;
	vm->pid = NULL;
}

/**
 * pvh_qemu_task() - QEMU's task
 * @vm: VM; vm->lock held
 *
 * Return: the task with a reference (put_task_struct()), or NULL when there is
 * no QEMU, as on loopback, or it is gone.
 */
struct task_struct *pvh_qemu_task(struct pvh_vm *vm)
{
	return vm->pid ? get_pid_task(vm->pid, PIDTYPE_PID) : NULL;
}

/* -- transport ----------------------------------------------------------------- */

/* A worker with its cache, and not a kworker that happens to have it. */
static bool pvh_can_use_mm(const struct pvh_pin_cache *cache)
{
	return cache &&
	       (current->flags & (PF_KTHREAD | PF_WQ_WORKER)) == PF_KTHREAD;
}

/* Until pvh_qemu_op_sleep(). */
static void pvh_load_mm(struct mm_struct *mm, struct pvh_pin_cache *cache)
{
	if (cache->mm)
		return;
	kthread_use_mm(mm);
	cache->mm = mm;
}

static long pvh_pin_loaded(struct mm_struct *mm, struct pvh_pin_cache *cache,
			   u64 hva, struct page **page)
{
	pvh_load_mm(mm, cache);
	return pin_user_pages_fast(hva, 1, FOLL_WRITE | FOLL_LONGTERM, page);
}

/*
 * Was the page, or what was copied, QEMU's at that address while the table was
 * true? It was if the table still is: pages are unmapped before anything else is
 * mapped there, and pvh_qemu_lose() comes before either.
 */
static bool pvh_mem_held(const struct pvh_vm *vm)
{
	/* behind the page tables' walk; pairs with the locks of QEMU's mm */
	smp_rmb();
	return !READ_ONCE(vm->mem_lost);
}

static long pvh_pin_remote(struct mm_struct *mm, u64 hva, struct page **page)
{
	long got;

	mmap_read_lock(mm);
	got = pvbus_pin_user_pages_remote(mm, hva, 1,
					  FOLL_WRITE | FOLL_LONGTERM, page);
	mmap_read_unlock(mm);
	return got;
}

/**
 * pvh_qemu_pin() - hold a page of QEMU in place
 * @vm: VM with a QEMU
 * @cache: of the calling worker, which keeps QEMU's memory loaded until it
 *	sleeps; NULL for all other callers
 * @hva: page-aligned address in QEMU
 * @page: the page; undo with the transport's ->unpin()
 *
 * The page counts against the VM's limit and as pinned memory of QEMU.
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM (limit, or no memory), -ESRCH (QEMU is gone), -EFAULT (not
 * mapped, or nothing that can be pinned).
 */
int pvh_qemu_pin(struct pvh_vm *vm, struct pvh_pin_cache *cache, u64 hva,
		 struct page **page)
{
	struct mm_struct *mm = vm->mm;
	long got = -ESRCH;

	if (!pvh_vm_charge(vm, 1))
		return -ENOMEM;
	if (mmget_not_zero(mm)) {
		got = pvh_can_use_mm(cache) ?
		      pvh_pin_loaded(mm, cache, hva, page) :
		      pvh_pin_remote(mm, hva, page);
		if (got == 1 && !pvh_mem_held(vm)) {
			unpin_user_page(*page);
			got = -EFAULT;
		}
		if (got == 1)
			atomic64_inc(&mm->pinned_vm);
		mmput_async(mm);
	}
	if (got == 1)
		return 0;
	pvh_vm_uncharge(vm, 1);
	return got == -ESRCH || got == -ENOMEM ? got : -EFAULT;
}

static int pvh_qemu_op_pin(struct pvh_vm *vm, struct pvh_pin_cache *cache,
			   u64 gfn, struct page **page)
{
	const struct pvh_mem *mem = pvh_qemu_mem(vm);
	u64 hva;

	if (!mem || !pvh_mem_hva(mem, gfn << PAGE_SHIFT, PAGE_SIZE, &hva))
		return -EFAULT;
	return pvh_qemu_pin(vm, cache, hva, page);
}

/* Whether the page was written is not known here; the guest's RAM is. */
static void pvh_qemu_op_unpin(struct pvh_vm *vm, struct page *page)
{
	unpin_user_pages_dirty_lock(&page, 1, true);
	atomic64_dec(&vm->mm->pinned_vm);
	pvh_vm_uncharge(vm, 1);
}

/*
 * As QEMU itself would read it: what is mapped there now is the guest's memory.
 * Under mm_users, as pinning is.
 */
static int pvh_qemu_op_read(struct pvh_vm *vm, struct pvh_pin_cache *cache,
			    void *to, u64 gpa, size_t len)
{
	const struct pvh_mem *mem = pvh_qemu_mem(vm);
	unsigned long left;
	u64 hva;

	if (!mem || !pvh_mem_hva(mem, gpa, len, &hva) || !pvh_can_use_mm(cache))
		return -EFAULT;
	if (!mmget_not_zero(vm->mm))
		return -ESRCH;
	pvh_load_mm(vm->mm, cache);
	left = copy_from_user(to, u64_to_user_ptr(hva), len);
	mmput_async(vm->mm);
	return left || !pvh_mem_held(vm) ? -EFAULT : 0;
}

static void pvh_qemu_op_sleep(struct pvh_vm *vm, struct pvh_pin_cache *cache)
{
	if (!cache->mm)
		return;
	kthread_unuse_mm(cache->mm);
	cache->mm = NULL;
}

static bool pvh_qemu_op_ram(struct pvh_vm *vm, u64 gpa, u64 len)
{
	const struct pvh_mem *mem = pvh_qemu_mem(vm);

	return mem && len && pvh_mem_covers(mem, gpa, len);
}

static void pvh_qemu_op_interrupt(struct pvh_vm *vm, unsigned int vector)
{
	if (vector >= vm->nr_vectors)
		return;
	vector = array_index_nospec(vector, vm->nr_vectors);
	pvbus_eventfd_signal(vm->irq[vector]);
}

const struct pvh_transport_ops pvh_qemu_transport = {
	.name		= "qemu",
	.interrupt	= pvh_qemu_op_interrupt,
	.pin		= pvh_qemu_op_pin,
	.unpin		= pvh_qemu_op_unpin,
	.read		= pvh_qemu_op_read,
	.sleep		= pvh_qemu_op_sleep,
	.ram		= pvh_qemu_op_ram,
};
