// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: a CPU that would otherwise halt looks for entries itself.
 *
 * To halt, to be woken and to take an interrupt costs a guest several exits and
 * the host a wake-up: far more than a fast host needs for an answer. So each CPU
 * has a thread of policy SCHED_IDLE, which runs when nothing else does and looks
 * at the rings of those channels that expect something: for a bounded time,
 * learned per channel, after which the CPU halts as it always did. Whatever else
 * becomes runnable takes the CPU from it at once.
 *
 * A channel is on the list of one CPU, that of whoever expected something of it
 * first, or of none (PVBUS_CH_POLLED). While it is, its ring is armed with
 * patience (pvring_cons_arm_ahead()): if the CPU has got something else to do,
 * the host gives it a moment and then interrupts after all. When the thread
 * gives a channel up, it clears the bit first and then has the driver look once
 * more; that arms the ring in earnest, under whatever serializes the driver's
 * use of it, so that the last to arm has seen the bit cleared.
 *
 * Lists are changed under idle->lock. The thread, the only reader of its list,
 * does that with preemption disabled; who closes a channel waits for RCU. Not in
 * rcu_read_lock(): where that leaves preemption enabled, a thread of this policy
 * that is preempted there would hold up grace periods for as long as the CPU has
 * anything else to do.
 */
#include <linux/bottom_half.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rculist.h>
#include <linux/sched/clock.h>
#include <linux/sched.h>
#include <linux/smpboot.h>
#include <uapi/linux/sched/types.h>

#include "bus_internal.h"
#include "bus_trace.h"

#define IDLE_POLL_US_DEFAULT	1000
#define IDLE_POLL_US_MAX	1000

static int idle_poll_us_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, IDLE_POLL_US_MAX);
}

static const struct kernel_param_ops idle_poll_us_ops = {
	.set	= idle_poll_us_set,
	.get	= param_get_uint,
};

static unsigned int idle_poll_us = IDLE_POLL_US_DEFAULT;
module_param_cb(idle_poll_us, &idle_poll_us_ops, &idle_poll_us, 0644);
MODULE_PARM_DESC(idle_poll_us,
		 "Longest time, in microseconds, that an idle CPU looks for what the host is expected to send before it halts; 0: never (default 1000, at most 1000)");

/**
 * struct pvbus_idle - a CPU
 * @lock: protects @channels, @parked
 * @channels: that it looks at, by pvbus_channel.on_idle
 * @parked: the CPU goes offline: its thread does not run any more
 * @task: its thread
 */
struct pvbus_idle {
	spinlock_t		lock;	/* protects @channels, @parked */
	struct list_head	channels;
	bool			parked;
	struct task_struct	*task;
};

static DEFINE_PER_CPU(struct pvbus_idle, pvbus_idle);

static u64 idle_poll_max(void)
{
	return READ_ONCE(idle_poll_us) * (u64)NSEC_PER_USEC;
}

/* -- what a channel expects ----------------------------------------------------- */

static void pvbus_idle_add(struct pvbus_channel *ch)
{
	struct pvbus_idle *idle;
	unsigned long flags;

	local_irq_save(flags);
	idle = this_cpu_ptr(&pvbus_idle);
	spin_lock(&idle->lock);
	if (!idle->parked && !test_bit(PVBUS_CH_FORGOTTEN, &ch->flags) &&
	    !test_and_set_bit(PVBUS_CH_POLLED, &ch->flags)) {
		WRITE_ONCE(ch->idle, idle);
		ch->polled_since = 0;
		list_add_tail_rcu(&ch->on_idle, &idle->channels);
		wake_up_process(idle->task);
	}
	spin_unlock_irqrestore(&idle->lock, flags);
}

void pvbus_channel_expect(struct pvbus_channel *ch)
{
	if (test_bit(PVBUS_CH_POLLED, &ch->flags) || !ch->look)
		return;
	if (pvpoll_window(&ch->poll, idle_poll_max()))
		pvbus_idle_add(ch);
	else if (!READ_ONCE(ch->expected_since))
		WRITE_ONCE(ch->expected_since, local_clock());
}
EXPORT_SYMBOL_GPL(pvbus_channel_expect);

bool pvbus_channel_arm(struct pvbus_channel *ch, u32 count)
{
	if (test_bit(PVBUS_CH_POLLED, &ch->flags))
		return pvring_cons_arm_ahead(&ch->rx);
	return pvring_cons_arm_count(&ch->rx, count);
}
EXPORT_SYMBOL_GPL(pvbus_channel_arm);

/**
 * pvbus_idle_learn() - an interrupt came, for what a channel expected
 * @ch: channel; the lock of its vector is held
 *
 * While an idle CPU looks, what is learned belongs to that.
 */
void pvbus_idle_learn(struct pvbus_channel *ch)
{
	u64 since = READ_ONCE(ch->expected_since);

	if (!since || test_bit(PVBUS_CH_POLLED, &ch->flags))
		return;
	WRITE_ONCE(ch->expected_since, 0);
	pvpoll_slept(&ch->poll, local_clock() - since, idle_poll_max());
}

/* -- the thread ------------------------------------------------------------------- */

static void pvbus_idle_look(struct pvbus_channel *ch)
{
	local_bh_disable();
	ch->look(ch);
	local_bh_enable();
}

/* See the top of this file. */
static void pvbus_idle_drop(struct pvbus_idle *idle, struct pvbus_channel *ch)
{
	bool mine;

	spin_lock_irq(&idle->lock);
	mine = READ_ONCE(ch->idle) == idle;
	if (mine) {
		WRITE_ONCE(ch->idle, NULL);
		list_del_rcu(&ch->on_idle);
	}
	spin_unlock_irq(&idle->lock);
	if (!mine)
		return;
	trace_pvbus_idle_drop(ch);
	clear_bit(PVBUS_CH_POLLED, &ch->flags);
	/* seen by whoever arms the ring behind us */
	smp_mb__after_atomic();
	pvbus_idle_look(ch);
}

/* Return: false when @ch was given up. */
static bool pvbus_idle_poll(struct pvbus_idle *idle, struct pvbus_channel *ch)
{
	/* hints: the driver, which owns the ring, may be reading it elsewhere */
	u32 head = data_race(ch->rx.head);
	u64 now = local_clock();

	/* likewise */
	if (data_race(pvring_pending(&ch->rx)))
		pvbus_idle_look(ch);
	/* a driver that has stopped takes nothing: the time for that runs out */
	if (data_race(ch->rx.head) != head) {
		ch->idle_hits++;
		trace_pvbus_idle_hit(ch);
		if (ch->polled_since)
			pvpoll_paid(&ch->poll, now - ch->polled_since);
		ch->polled_since = local_clock();
		return true;
	}
	if (!ch->polled_since) {
		/* new here: arm it with patience */
		pvbus_idle_look(ch);
		ch->polled_since = now;
		return true;
	}
	if (ch->expects && !ch->expects(ch)) {
		pvbus_idle_drop(idle, ch);
		return false;
	}
	if (now - ch->polled_since < pvpoll_window(&ch->poll, idle_poll_max()))
		return true;
	pvpoll_failed(&ch->poll);
	pvbus_idle_drop(idle, ch);
	return false;
}

/* Return: true when the CPU has something else to do. */
static bool pvbus_idle_pass(struct pvbus_idle *idle)
{
	struct pvbus_channel *ch;
	bool resched;

	preempt_disable();
	list_for_each_entry_rcu(ch, &idle->channels, on_idle)
		if (!pvbus_idle_poll(idle, ch) || need_resched())
			break;
	/* with full preemption, it is done when preemption is enabled again */
	resched = need_resched();
	preempt_enable();
	return resched;
}

/* The CPU was not idle: that time does not count. */
static void pvbus_idle_resumed(struct pvbus_idle *idle)
{
	u64 now = local_clock();
	struct pvbus_channel *ch;

	preempt_disable();
	list_for_each_entry_rcu(ch, &idle->channels, on_idle)
		if (ch->polled_since)
			ch->polled_since = now;
	preempt_enable();
}

static int pvbus_idle_should_run(unsigned int cpu)
{
	return !list_empty(&per_cpu(pvbus_idle, cpu).channels);
}

static void pvbus_idle_run(unsigned int cpu)
{
	struct pvbus_idle *idle = per_cpu_ptr(&pvbus_idle, cpu);

	while (pvbus_idle_should_run(cpu) && !kthread_should_stop() &&
	       !kthread_should_park()) {
		if (pvbus_idle_pass(idle)) {
			cond_resched();
			pvbus_idle_resumed(idle);
		} else {
			cpu_relax();
		}
	}
}

static void pvbus_idle_set_parked(struct pvbus_idle *idle, bool parked)
{
	spin_lock_irq(&idle->lock);
	idle->parked = parked;
	spin_unlock_irq(&idle->lock);
}

/* The CPU goes: nobody looks any more. */
static void pvbus_idle_park(unsigned int cpu)
{
	struct pvbus_idle *idle = per_cpu_ptr(&pvbus_idle, cpu);
	struct pvbus_channel *ch;

	pvbus_idle_set_parked(idle, true);
	preempt_disable();
	while ((ch = list_first_or_null_rcu(&idle->channels,
					    struct pvbus_channel, on_idle)))
		pvbus_idle_drop(idle, ch);
	preempt_enable();
}

static void pvbus_idle_unpark(unsigned int cpu)
{
	pvbus_idle_set_parked(per_cpu_ptr(&pvbus_idle, cpu), false);
}

static void pvbus_idle_setup(unsigned int cpu)
{
	const struct sched_attr attr = {
		.size		= sizeof(attr),
		.sched_policy	= SCHED_IDLE,
	};

	/* nothing to be refused: it asks for less than it has */
	sched_setattr_nocheck(current, &attr);
}

static struct smp_hotplug_thread pvbus_idle_threads = {
	.store			= &pvbus_idle.task,
	.thread_should_run	= pvbus_idle_should_run,
	.thread_fn		= pvbus_idle_run,
	.setup			= pvbus_idle_setup,
	.park			= pvbus_idle_park,
	.unpark			= pvbus_idle_unpark,
	.thread_comm		= "pvbus-idle/%u",
};

/* -- coming and going ---------------------------------------------------------------- */

/**
 * pvbus_idle_forget() - nobody begins to look at a channel any more
 * @ch: channel that is being closed
 *
 * The lock of each CPU is taken once: the channel is taken off where it was
 * added before, and who gets the lock later finds it forgotten. It stays so: a
 * channel is not opened twice. A thread may still be looking at it until
 * cond_synchronize_rcu() of @ch->idle_gp has returned.
 *
 * Context: process.
 */
void pvbus_idle_forget(struct pvbus_channel *ch)
{
	unsigned int cpu;

	set_bit(PVBUS_CH_FORGOTTEN, &ch->flags);
	for_each_possible_cpu(cpu) {
		struct pvbus_idle *idle = per_cpu_ptr(&pvbus_idle, cpu);

		spin_lock_irq(&idle->lock);
		if (READ_ONCE(ch->idle) == idle) {
			WRITE_ONCE(ch->idle, NULL);
			list_del_rcu(&ch->on_idle);
		}
		spin_unlock_irq(&idle->lock);
	}
	ch->idle_gp = get_state_synchronize_rcu();
}

/**
 * pvbus_idle_init() - start the threads
 *
 * Return: 0 or a negative errno.
 */
int pvbus_idle_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct pvbus_idle *idle = per_cpu_ptr(&pvbus_idle, cpu);

		spin_lock_init(&idle->lock);
		INIT_LIST_HEAD(&idle->channels);
	}
	return smpboot_register_percpu_thread(&pvbus_idle_threads);
}

/**
 * pvbus_idle_exit() - end the threads; no channel is open
 */
void pvbus_idle_exit(void)
{
	smpboot_unregister_percpu_thread(&pvbus_idle_threads);
}
