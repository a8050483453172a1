// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the thread that serves a channel: work, poll, sleep.
 *
 * How no wake-up is lost. Whoever has something for the worker makes it visible
 * first (an entry in the ring, a completion in a list) and then wakes; the worker
 * looks again after it has said that it is going to sleep:
 *
 *	waker					worker
 *	store what is new			(a) clear KICKED
 *	(A) test and set KICKED, a full		    full barrier
 *	    barrier				    look for work: ->work()
 *	(B) wake the thread, if it was clear	    nothing: go to sleep
 *						(b) state = TASK_IDLE
 *						    full barrier
 *						    look at KICKED, ring, ->pending()
 *						(c) schedule()
 *
 * A waker that finds KICKED set (A) does not wake: its store came before the
 * worker's (a), for that clears the bit it saw, so ->work() sees what is new. A
 * waker that finds it clear wakes (B): either the worker sees KICKED after (b),
 * or the wake-up comes after (b), sets the state to running, and (c) returns at
 * once. The guest takes the part of (A) with the ring's own fences: its doorbell
 * is only needed once pvring_cons_arm(), after (b), has asked for one, and that
 * looks at the ring again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <linux/sched/task.h>

#include "host.h"

/* Bits of struct pvh_channel @kicked */
#define KICKED			0

/* As long as KVM polls for a vCPU that halts, by default. */
#define POLL_US_DEFAULT		200
#define COALESCE_US_DEFAULT	50

/* Who takes the CPU for longer than this is there to stay for a while. */
#define GIVE_WAY_MAX		(500 * NSEC_PER_USEC)
#define CROWDED			(100 * NSEC_PER_MSEC)
/* How often to look after entries that are held up: not every guest rings. */
#define HELD			NSEC_PER_MSEC

static int time_us_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PVBUS_DEV_MAX_US);
}

static const struct kernel_param_ops time_us_ops = {
	.set	= time_us_set,
	.get	= param_get_uint,
};

static unsigned int poll_us = POLL_US_DEFAULT;
module_param_cb(poll_us, &time_us_ops, &poll_us, 0644);
MODULE_PARM_DESC(poll_us,
		 "Longest time, in microseconds, that a channel's worker polls before it sleeps; 0: never (default 200, at most 1000)");

static unsigned int coalesce_us = COALESCE_US_DEFAULT;
module_param_cb(coalesce_us, &time_us_ops, &coalesce_us, 0644);
MODULE_PARM_DESC(coalesce_us,
		 "How long, in microseconds, a guest that has asked for patience may take to find an entry before it is interrupted; 0: not at all (default 50, at most 1000)");

/**
 * pvh_channel_wake() - have the worker look
 * @ch: channel, from its backend's ->open() until ->close() returns
 *
 * Context: any.
 */
void pvh_channel_wake(struct pvh_channel *ch)
{
	struct task_struct *worker;

	if (test_and_set_bit(KICKED, &ch->kicked))
		return;
	/* not there yet: it looks at everything when it starts */
	worker = READ_ONCE(ch->worker);
	if (worker)
		wake_up_process(worker);
}

static void worker_interrupt(struct pvh_channel *ch)
{
	struct pvh_vm *vm = ch->dev->vm;

	ch->stats.interrupts++;
	vm->transport->interrupt(vm, ch->vector);
}

/**
 * pvh_channel_interrupt() - announce a batch of entries to the guest
 * @ch: channel whose @tx was put to
 *
 * Interrupts the guest when it has asked for that. A backend that does not call
 * this, as there is no hurry, leaves it to the worker, which does it soon.
 *
 * Context: the channel's worker.
 */
void pvh_channel_interrupt(struct pvh_channel *ch)
{
	if (pvring_prod_kick(&ch->tx))
		worker_interrupt(ch);
}

/* -- times: the device's own, or the module's ------------------------------------- */

static u64 worker_poll_max(const struct pvh_channel *ch)
{
	const struct pvh_dev *dev = ch->dev;

	return (dev->own & PVBUS_DEV_POLL_US ? dev->poll_us :
		READ_ONCE(poll_us)) * (u64)NSEC_PER_USEC;
}

static u64 worker_patience(const struct pvh_channel *ch)
{
	const struct pvh_dev *dev = ch->dev;

	return (dev->own & PVBUS_DEV_COALESCE_US ? dev->coalesce_us :
		READ_ONCE(coalesce_us)) * (u64)NSEC_PER_USEC;
}

/* -- patience ---------------------------------------------------------------------- */

/*
 * Interrupt a guest that has asked for patience, or for whom there are only
 * entries without hurry, and that has not found by @now what waits for it; or,
 * when we stop looking (@last), has not found it yet.
 *
 * Return: true when something waits still, and has to be looked after.
 */
static bool worker_remind(struct pvh_channel *ch, u64 now, bool last)
{
	u32 index;

	if (ch->reminded == ch->tx.head)
		return false;
	if (!pvring_prod_waiting(&ch->tx, &index)) {
		ch->waiting_since = 0;
		return false;
	}
	if (!ch->waiting_since || index != ch->waiting_index) {
		ch->waiting_since = now;
		ch->waiting_index = index;
	}
	if (!last && now - ch->waiting_since < worker_patience(ch))
		return true;
	ch->reminded = ch->tx.head;
	ch->waiting_since = 0;
	/* all of it is announced by this one */
	ch->tx.told = ch->tx.head;
	worker_interrupt(ch);
	return false;
}

/* -- polling --------------------------------------------------------------------- */

static bool worker_has_work(struct pvh_channel *ch)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;

	return test_bit(KICKED, &ch->kicked) ||
	       (!ch->rx_held && pvring_pending(&ch->rx)) ||
	       (ops->pending && ops->pending(ch));
}

/*
 * Somebody else wants this CPU: let him have it. Who is quick, a thread of the
 * kernel or whom a packet was for, costs less than to sleep and be woken. Who is
 * not may be the vCPU that the work is to come from: for a while, leave the CPU
 * at once to such neighbours.
 *
 * Return: true when we are alone again, after the time added to @given.
 */
static bool worker_give_way(struct pvh_channel *ch, u64 now, u64 *given)
{
	u64 gone;

	if (now < ch->crowded_until)
		return false;
	schedule();
	gone = local_clock() - now;
	*given += gone;
	if (gone < GIVE_WAY_MAX && single_task_running())
		return true;
	ch->crowded_until = now + gone + CROWDED;
	return false;
}

/*
 * Wait a bounded time for work without sleeping, while nobody else wants this
 * CPU for long.
 *
 * Return: true when there is work.
 */
static bool worker_poll(struct pvh_channel *ch)
{
	u64 window = pvpoll_window(&ch->poll, worker_poll_max(ch));
	u64 now, start = local_clock();
	u64 given = 0;

	if (!window)
		return false;
	ch->stats.polls++;
	do {
		now = local_clock();
		if (worker_has_work(ch)) {
			ch->stats.poll_hits++;
			pvpoll_paid(&ch->poll, now - start - given);
			return true;
		}
		worker_remind(ch, now, false);
		if (!single_task_running() && !worker_give_way(ch, now, &given))
			return false;
		cpu_relax();
	} while (now - start < window + given && !kthread_should_stop());
	ch->stats.poll_ns += now - start - given;
	pvpoll_failed(&ch->poll);
	return false;
}

/* -- the thread -------------------------------------------------------------------- */

/*
 * See the top of this file. @timeout: NULL for as long as it takes.
 *
 * Return: true when nothing has come until then.
 */
static bool worker_wait(struct pvh_channel *ch, ktime_t *timeout)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;
	bool timed_out = false;

	/* (b), with the full barrier that belongs to it */
	set_current_state(TASK_IDLE);
	if (!kthread_should_stop() && !test_bit(KICKED, &ch->kicked) &&
	    (ch->rx_held || pvring_cons_arm(&ch->rx)) &&
	    !(ops->pending && ops->pending(ch))) {
		timed_out = !schedule_hrtimeout(timeout, HRTIMER_MODE_REL);
		ch->stats.wakeups++;
	}
	__set_current_state(TASK_RUNNING);
	return timed_out;
}

/*
 * Once what waits for the guest has been looked after, for as long as it takes,
 * or until it is time to look after what is held up.
 */
static void worker_sleep(struct pvh_channel *ch)
{
	ktime_t patience = ns_to_ktime(worker_patience(ch));
	ktime_t held = ns_to_ktime(HELD);

	pvh_pin_sleep(ch);
	if (worker_remind(ch, local_clock(), false)) {
		if (!worker_wait(ch, &patience))
			return;
		worker_remind(ch, local_clock(), true);
	}
	worker_wait(ch, ch->rx_held ? &held : NULL);
}

/* Until pvh_worker_stop(), let go of the pages that the VM takes back. */
static void worker_wait_stop(struct pvh_channel *ch)
{
	for (;;) {
		clear_bit(KICKED, &ch->kicked);
		/* as in worker_work() */
		smp_mb__after_atomic();
		pvh_pin_sleep(ch);
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!test_bit(KICKED, &ch->kicked))
			schedule();
		__set_current_state(TASK_RUNNING);
		cond_resched();
	}
	__set_current_state(TASK_RUNNING);
}

/* The guest broke the protocol: nothing in this ring is believed any more. */
static void worker_broken(struct pvh_channel *ch, int status)
{
	struct pvh_dev *dev = ch->dev;
	struct pvh_vm *vm = dev->vm;

	pr_warn_ratelimited("%s: guest broke the protocol of %s queue %u (status %d); stopped until it is opened anew\n",
			    vm->name, dev->id, ch->queue, status);
	WRITE_ONCE(ch->broken, status);
	/* counts it and tells the guest */
	queue_work(vm->wq, &vm->ctl_work);
}

/* Return: as ->work(). */
static int worker_work(struct pvh_channel *ch)
{
	clear_bit(KICKED, &ch->kicked);
	/* (a): what made somebody set it is seen from here on */
	smp_mb__after_atomic();
	ch->rx_held = false;
	return ch->dev->ops->work(ch);
}

static void worker_serve(struct pvh_channel *ch)
{
	u64 now, idle_since = 0;
	bool slept = false;
	int did;

	while (!kthread_should_stop()) {
		/* a turn is bounded: between two of them, others have theirs */
		cond_resched();
		did = worker_work(ch);
		if (did < 0) {
			worker_broken(ch, -did);
			return;
		}
		now = local_clock();
		if (!did) {
			if (!idle_since)
				idle_since = now;
			if (!worker_poll(ch)) {
				worker_sleep(ch);
				slept = true;
			}
			continue;
		}
		if (slept)
			pvpoll_slept(&ch->poll, now - idle_since,
				     worker_poll_max(ch));
		idle_since = 0;
		slept = false;
		worker_remind(ch, now, false);
	}
}

static int worker_fn(void *data)
{
	struct pvh_channel *ch = data;

	worker_serve(ch);
	worker_wait_stop(ch);
	return 0;
}

/*
 * Charge its time to the VM. This covers cgroup v1; a kernel thread can only be
 * moved within v2 from user space, so there the daemon does it, which finds the
 * thread in the channel's statistics.
 */
static void worker_join_cgroups(struct pvh_vm *vm, struct task_struct *worker)
{
	struct task_struct *qemu = pvh_qemu_task(vm);
	int err;

	if (!qemu)
		return;
	err = cgroup_attach_task_all(qemu, worker);
	if (err)
		pr_warn_ratelimited("%s: worker could not join QEMU's cgroups (%d): its time is charged to the host\n",
				    vm->name, err);
	put_task_struct(qemu);
}

/**
 * pvh_worker_start() - create the thread and let it run
 * @ch: channel that is set up; vm->lock held
 *
 * Return: 0 or a negative errno.
 */
int pvh_worker_start(struct pvh_channel *ch)
{
	struct pvh_dev *dev = ch->dev;
	struct task_struct *worker;

	worker = kthread_create(worker_fn, ch, "pvbus-%s/%s.%u", dev->vm->name,
				dev->id, ch->queue);
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	get_task_struct(worker);
	worker_join_cgroups(dev->vm, worker);
	WRITE_ONCE(ch->worker, worker);
	wake_up_process(worker);
	return 0;
}

/**
 * pvh_worker_stop() - end the thread
 * @ch: channel with a worker; vm->lock held
 *
 * Bounded by one call of ->work(). ch->worker stays valid, so that late wakers
 * find a thread, if one that has ended; the caller drops that reference.
 */
void pvh_worker_stop(struct pvh_channel *ch)
{
	kthread_stop(ch->worker);
}
