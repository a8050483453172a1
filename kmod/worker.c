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
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched/stat.h>
#include <linux/sched/task.h>

#include "host.h"

/* Bits of struct pvh_channel @kicked */
#define KICKED			0

#define POLL_US_DEFAULT		50
#define POLL_US_MAX		1000
/* Below this, polling does not wait for anything. */
#define POLL_NS_MIN		2000
/*
 * A wait that ended within this multiple of the longest poll may have been
 * shorter without the sleep, the doorbell and the wake-up in it: worth trying.
 */
#define POLL_TRY_FACTOR		4
#define POLL_BACKOFF_MAX	64

static int poll_us_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, POLL_US_MAX);
}

static const struct kernel_param_ops poll_us_ops = {
	.set	= poll_us_set,
	.get	= param_get_uint,
};

static unsigned int poll_us = POLL_US_DEFAULT;
module_param_cb(poll_us, &poll_us_ops, &poll_us, 0644);
MODULE_PARM_DESC(poll_us,
		 "Longest time, in microseconds, that a channel's worker polls before it sleeps; 0: never (default 50, at most 1000)");

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

/**
 * pvh_channel_interrupt() - announce a batch of entries to the guest
 * @ch: channel whose @tx was put to
 *
 * Interrupts the guest when it has asked for that.
 *
 * Context: the channel's worker.
 */
void pvh_channel_interrupt(struct pvh_channel *ch)
{
	struct pvh_vm *vm = ch->dev->vm;

	if (!pvring_prod_kick(&ch->tx))
		return;
	ch->stats.interrupts++;
	vm->transport->interrupt(vm, ch->vector);
}

/* -- polling --------------------------------------------------------------------- */

static bool worker_has_work(struct pvh_channel *ch)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;

	return test_bit(KICKED, &ch->kicked) || pvring_pending(&ch->rx) ||
	       (ops->pending && ops->pending(ch));
}

static u64 poll_max_ns(void)
{
	return READ_ONCE(poll_us) * (u64)NSEC_PER_USEC;
}

/* Polling paid: poll as long as is allowed, and believe in it again. */
static void poll_paid(struct pvh_channel *ch, u64 max)
{
	ch->poll_backoff = 0;
	ch->poll_ns = min(2 * ch->poll_ns, max);
}

/* It did not: half as long the next time, and after a few times not at all. */
static void poll_failed(struct pvh_channel *ch)
{
	ch->poll_ns /= 2;
	if (ch->poll_ns >= POLL_NS_MIN)
		return;
	ch->poll_ns = 0;
	ch->poll_backoff = min(2 * ch->poll_backoff + 1, POLL_BACKOFF_MAX);
	ch->poll_skip = ch->poll_backoff;
}

/*
 * Work came after the worker had none for @gap nanoseconds. A channel that is
 * idle by a human's measure never polls: each of its gaps is long.
 */
static void poll_learn(struct pvh_channel *ch, u64 gap, u64 max)
{
	if (gap > POLL_TRY_FACTOR * max)
		ch->poll_ns = 0;
	else if (ch->poll_ns)
		return;
	else if (ch->poll_skip)
		ch->poll_skip--;
	else
		ch->poll_ns = max;
}

/*
 * Wait a bounded time for work without sleeping. Only while nobody else wants
 * this CPU: it may be the vCPU that the work is to come from.
 *
 * Return: true when there is work.
 */
static bool worker_poll(struct pvh_channel *ch)
{
	u64 max = poll_max_ns();
	u64 start, spent;

	ch->poll_ns = min(ch->poll_ns, max);
	if (!ch->poll_ns || !single_task_running())
		return false;
	ch->stats.polls++;
	start = ktime_get_ns();
	do {
		if (worker_has_work(ch)) {
			ch->stats.poll_hits++;
			poll_paid(ch, max);
			return true;
		}
		cpu_relax();
		spent = ktime_get_ns() - start;
	} while (spent < ch->poll_ns && single_task_running() &&
		 !need_resched() && !kthread_should_stop());
	ch->stats.poll_ns += spent;
	poll_failed(ch);
	return false;
}

/* -- the thread -------------------------------------------------------------------- */

/* See the top of this file. */
static void worker_sleep(struct pvh_channel *ch)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;

	pvh_pin_sleep(ch);
	/* (b), with the full barrier that belongs to it */
	set_current_state(TASK_IDLE);
	if (!kthread_should_stop() && !test_bit(KICKED, &ch->kicked) &&
	    pvring_cons_arm(&ch->rx) && !(ops->pending && ops->pending(ch))) {
		schedule();
		ch->stats.wakeups++;
	}
	__set_current_state(TASK_RUNNING);
}

static void worker_wait_stop(void)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
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
	return ch->dev->ops->work(ch);
}

static void worker_serve(struct pvh_channel *ch)
{
	u64 idle_since = 0;
	int did;

	while (!kthread_should_stop()) {
		did = worker_work(ch);
		if (did < 0) {
			worker_broken(ch, -did);
			return;
		}
		if (!did) {
			if (!idle_since)
				idle_since = ktime_get_ns();
			if (!worker_poll(ch))
				worker_sleep(ch);
			continue;
		}
		if (idle_since)
			poll_learn(ch, ktime_get_ns() - idle_since,
				   poll_max_ns());
		idle_since = 0;
		cond_resched();
	}
}

static int worker_fn(void *data)
{
	struct pvh_channel *ch = data;

	worker_serve(ch);
	pvh_pin_sleep(ch);
	worker_wait_stop();
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
