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
 *
 * A doorbell that comes while the worker does not listen (worker_pause()) sets
 * nothing. None is lost: the worker looks at the ring behind the fence that
 * follows the end of the pause, and whoever was not heard had filled it before
 * his own fence, in pvh_channel_rung().
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
#include <linux/smp.h>

#include "host.h"
#include "host_trace.h"

/* Bits of struct pvh_channel @kicked */
#define KICKED			0
#define RUNG			1	/* by a doorbell, since the worker looked */

/*
 * What a guest needs to answer a packet, with exits in it that are dear. Were it
 * less, both sides could sleep while the other one polls, and stay with that.
 */
#define POLL_US_DEFAULT		1000

/*
 * Who takes the CPU for longer than this is there to stay: for the least of these
 * times, or, if that was so before, twice as long as then.
 */
#define GIVE_WAY_MAX		(500ULL * NSEC_PER_USEC)
#define CROWDED_MIN		(1ULL * NSEC_PER_MSEC)
#define CROWDED_MAX		(100ULL * NSEC_PER_MSEC)
/* How often to look after entries that are held up: not every guest rings. */
#define HELD			NSEC_PER_MSEC

static unsigned int poll_us = POLL_US_DEFAULT;
module_param_cb(poll_us, &pvh_time_us_ops, &poll_us, 0644);
MODULE_PARM_DESC(poll_us,
		 "Longest time, in microseconds, that a channel's worker polls before it sleeps; 0: never (default 1000, at most 1000)");

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
	trace_pvbus_host_wake(ch);
	/* not there yet: it looks at everything when it starts */
	worker = READ_ONCE(ch->worker);
	if (worker) {
		wake_up_process(worker);
		pvh_policy_woken(ch);
	}
}

/**
 * pvh_channel_rung() - have the worker look, unless doorbells are mostly in vain
 * @ch: channel whose doorbell the guest rang
 *
 * Context: any.
 */
void pvh_channel_rung(struct pvh_channel *ch)
{
	/* what the guest has stored comes before it rang: see worker_pause() */
	smp_mb();
	if (READ_ONCE(ch->deaf))
		return;
	set_bit(RUNG, &ch->kicked);
	pvh_channel_wake(ch);
}

/* The device's own, or the module's. */
static u64 worker_poll_max(const struct pvh_channel *ch)
{
	const struct pvh_dev *dev = ch->dev;

	return (dev->own & PVBUS_DEV_POLL_US ? dev->poll_us :
		READ_ONCE(poll_us)) * (u64)NSEC_PER_USEC;
}

/* -- polling --------------------------------------------------------------------- */

/* A doorbell is no work to who looks at the ring. */
static bool worker_has_work(struct pvh_channel *ch)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;
	unsigned long kicked = READ_ONCE(ch->kicked);

	return (kicked & (BIT(KICKED) | BIT(RUNG))) == BIT(KICKED) ||
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
	if (gone < GIVE_WAY_MAX && single_task_running()) {
		ch->crowded = 0;
		return true;
	}
	/* once is no rule: who was quick before may just have been held up */
	ch->crowded = clamp(2 * ch->crowded, CROWDED_MIN, CROWDED_MAX);
	ch->crowded_cpu = raw_smp_processor_id();
	ch->crowded_until = now + gone + ch->crowded;
	return false;
}

/* Has somebody who stays the CPU? */
static bool worker_crowded(struct pvh_channel *ch, u64 now)
{
	if (now >= ch->crowded_until)
		return false;
	/* the scheduler has given us another one */
	if (raw_smp_processor_id() != ch->crowded_cpu) {
		ch->crowded_until = 0;
		return false;
	}
	return !single_task_running();
}

/*
 * Sleep for @ns nanoseconds without asking for a doorbell, see the top of this file.
 *
 * Return: false when something else has ended that, or there was no need for it.
 */
static bool worker_doze(struct pvh_channel *ch, u64 ns)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;
	ktime_t timeout = ns_to_ktime(ns);
	bool timed_out = false;

	/* (b), with the full barrier that belongs to it */
	set_current_state(TASK_IDLE);
	if (!READ_ONCE(ch->closing) && !test_bit(KICKED, &ch->kicked) &&
	    !(ops->pending && ops->pending(ch)))
		timed_out = !schedule_hrtimeout(&timeout, HRTIMER_MODE_REL);
	__set_current_state(TASK_RUNNING);
	return timed_out;
}

/*
 * There is no CPU to poll on: sleep for a while without asking for a doorbell,
 * if a guest that goes on meanwhile makes that worth it. Whoever else wakes us
 * ends it, see the top of this file.
 *
 * Return: false when it is not.
 */
static bool worker_nap(struct pvh_channel *ch)
{
	u64 time = pvh_nap_time(&ch->nap, worker_poll_max(ch) / 2);
	u64 now = local_clock();
	u64 end = now + time;
	u64 left;

	if (!time || ch->rx_held)
		return false;
	ch->stats.polls++;
	ch->napped_from = ch->rx.head;
	ch->napped = true;
	pvh_pin_sleep(ch);
	for (; now < end; now = local_clock()) {
		left = pvh_remind(ch, now);
		if (!worker_doze(ch, left ? min(left, end - now) : end - now)) {
			/* what it would have brought is not known */
			ch->napped = false;
			break;
		}
	}
	return true;
}

/* What the last nap has brought. */
static void worker_napped(struct pvh_channel *ch)
{
	u32 entries = ch->rx.head - ch->napped_from;

	ch->napped = false;
	if (entries)
		ch->stats.poll_hits++;
	trace_pvbus_host_nap(ch, entries);
	pvh_nap_over(&ch->nap, entries);
}

/*
 * Wait a bounded time for work without sleeping, while nobody else wants this
 * CPU for long; then nap.
 *
 * Return: true when there may be work.
 */
static bool worker_poll(struct pvh_channel *ch)
{
	u64 window = pvpoll_window(&ch->poll, worker_poll_max(ch));
	u64 now, start = local_clock();
	u64 given = 0;

	/*
	 * Beside the copy of a bulk of data a doorbell is cheap, and who gets the
	 * data needs the CPU.
	 */
	if (ch->bulk || worker_crowded(ch, start))
		return worker_nap(ch);
	if (!window)
		return false;
	ch->stats.polls++;
	do {
		now = local_clock();
		if (worker_has_work(ch)) {
			ch->stats.poll_hits++;
			pvpoll_paid(&ch->poll, now - start - given);
			trace_pvbus_host_poll(ch, true, now - start - given);
			return true;
		}
		pvh_remind(ch, now);
		if (!single_task_running() && !worker_give_way(ch, now, &given))
			return worker_nap(ch);
		cpu_relax();
	} while (now - start < window + given && !READ_ONCE(ch->closing));
	ch->stats.poll_ns += now - start - given;
	pvpoll_failed(&ch->poll);
	trace_pvbus_host_poll(ch, false, now - start - given);
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
	if (!READ_ONCE(ch->closing) && !test_bit(KICKED, &ch->kicked) &&
	    (ch->rx_held || pvring_cons_arm(&ch->rx)) &&
	    !(ops->pending && ops->pending(ch))) {
		trace_pvbus_host_sleep(ch);
		WRITE_ONCE(ch->policy.asleep, !timeout);
		timed_out = !schedule_hrtimeout(timeout, HRTIMER_MODE_REL);
		WRITE_ONCE(ch->policy.asleep, false);
		trace_pvbus_host_awake(ch);
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
	ktime_t held = ns_to_ktime(HELD);
	ktime_t left;

	pvh_pin_sleep(ch);
	left = ns_to_ktime(pvh_remind(ch, local_clock()));
	if (left) {
		if (!worker_wait(ch, &left))
			return;
		pvh_remind_last(ch);
	}
	worker_wait(ch, ch->rx_held ? &held : NULL);
}

/*
 * Doorbells are mostly in vain: do not listen to them for @pause nanoseconds.
 * Others that wake are heard: what they have is seen by ->pending(), behind the
 * same fence as in worker_work(). The ring is not armed, so a guest that rings
 * now was not asked to.
 */
static void worker_pause(struct pvh_channel *ch, u64 pause)
{
	ch->stats.pauses++;
	WRITE_ONCE(ch->deaf, true);
	/* doorbells that came since ->work() are not heard either */
	clear_bit(RUNG, &ch->kicked);
	clear_bit(KICKED, &ch->kicked);
	/* as in worker_work() */
	smp_mb__after_atomic();
	pvh_pin_sleep(ch);
	pvh_remind_last(ch);
	worker_doze(ch, pause);
	WRITE_ONCE(ch->deaf, false);
	/* pairs with that in pvh_channel_rung(): then look at the ring */
	smp_mb();
}

/* Until pvh_worker_end(), let go of the pages that the VM takes back. */
static void worker_wait_end(struct pvh_channel *ch)
{
	pvh_policy_normal(ch);
	/* the guest has nothing to tell any more */
	WRITE_ONCE(ch->deaf, true);
	for (;;) {
		clear_bit(KICKED, &ch->kicked);
		/* as in worker_work() */
		smp_mb__after_atomic();
		pvh_pin_sleep(ch);
		set_current_state(TASK_IDLE);
		if (READ_ONCE(ch->closing))
			break;
		if (!test_bit(KICKED, &ch->kicked))
			schedule();
		__set_current_state(TASK_RUNNING);
		cond_resched_tasks_rcu_qs();
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

/* Return: as ->work(). @rung: was it a doorbell that made us look? */
static int worker_work(struct pvh_channel *ch, bool *rung)
{
	*rung = test_bit(RUNG, &ch->kicked);
	if (*rung)
		clear_bit(RUNG, &ch->kicked);
	clear_bit(KICKED, &ch->kicked);
	/* (a): what made somebody set it is seen from here on */
	smp_mb__after_atomic();
	ch->rx_held = false;
	return ch->dev->ops->work(ch);
}

/* There was nothing to do. Return: true when we have slept. */
static bool worker_idle(struct pvh_channel *ch, u64 now, bool rung)
{
	u64 pause = rung ? pvh_storm_vain(&ch->storm, now) : 0;

	if (!ch->bulk)
		pvh_policy_idle(ch);
	if (pause) {
		worker_pause(ch, pause);
		return true;
	}
	if (worker_poll(ch))
		return false;
	worker_sleep(ch);
	return true;
}

static void worker_serve(struct pvh_channel *ch)
{
	u64 now, idle_since = 0;
	bool rung, slept = false;
	int did;

	while (!READ_ONCE(ch->closing)) {
		/*
		 * A turn is bounded: between two of them, others have theirs. A guest
		 * that always has work must not hold up who waits for all tasks to
		 * have let go of something, as who turns tracing off does.
		 */
		cond_resched_tasks_rcu_qs();
		did = worker_work(ch, &rung);
		if (did < 0) {
			worker_broken(ch, -did);
			return;
		}
		if (ch->napped)
			worker_napped(ch);
		now = local_clock();
		if (!did) {
			if (!idle_since)
				idle_since = now;
			if (worker_idle(ch, now, rung))
				slept = true;
			continue;
		}
		trace_pvbus_host_work(ch, did);
		if (ch->bulk)
			pvh_policy_normal(ch);
		if (rung)
			pvh_storm_worth(&ch->storm);
		if (slept)
			pvpoll_slept(&ch->poll, now - idle_since,
				     worker_poll_max(ch));
		idle_since = 0;
		slept = false;
		pvh_remind(ch, now);
	}
}

/* The channel closes; nothing is told any more of what is still in flight. */
static void worker_drain(struct pvh_channel *ch)
{
	const struct pvh_dev_ops *ops = ch->dev->ops;
	struct pvh_vm *vm = ch->dev->vm;

	if (ops->drain)
		ops->drain(ch);
	/* pairs with channel_reap() */
	smp_store_release(&ch->drained, true);
	queue_work(vm->wq, &vm->ctl_work);
}

static int worker_fn(void *data)
{
	struct pvh_channel *ch = data;

	worker_serve(ch);
	worker_wait_end(ch);
	worker_drain(ch);
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
	pvh_policy_init(ch);
	worker_join_cgroups(dev->vm, worker);
	WRITE_ONCE(ch->worker, worker);
	wake_up_process(worker);
	return 0;
}

/**
 * pvh_worker_forget() - let go of the thread
 * @ch: channel that nobody wakes any more
 *
 * Context: process; sleeps.
 */
void pvh_worker_forget(struct pvh_channel *ch)
{
	pvh_policy_end(ch);
	put_task_struct(ch->worker);
}

/**
 * pvh_worker_end() - have the thread serve no more
 * @ch: channel with a worker; vm->lock held
 *
 * It waits for what is in flight, and says that it has in ch->drained. Does not
 * wait for that.
 */
void pvh_worker_end(struct pvh_channel *ch)
{
	WRITE_ONCE(ch->closing, true);
	wake_up_process(ch->worker);
	pvh_policy_woken(ch);
}

/**
 * pvh_worker_stop() - see the thread off
 * @ch: channel that is drained; vm->lock held
 *
 * It ends by itself: nobody has to wait here until it gets a CPU once more.
 * ch->worker stays valid, so that late wakers find a thread, if one that has
 * ended, until pvh_worker_forget().
 */
void pvh_worker_stop(struct pvh_channel *ch)
{
	kthread_stop(ch->worker);
}
