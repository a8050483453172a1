// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the scheduling policy of a worker.
 *
 * A worker that polls has a CPU that nobody else wants, but the scheduler takes that
 * for a busy one: whom the worker wakes, by a packet for instance, stays where he was
 * before, even beside the guest's vCPU that waits for his answer. And a worker that is
 * woken by that vCPU may run on its CPU, for so short a time that nobody moves it
 * away, while another one is idle. Each answer then costs several changes of tasks,
 * a doorbell and an interrupt, and that goes on for as long as the load does.
 *
 * With SCHED_IDLE the worker's CPU counts as an idle one, as it would if the packet
 * had come by an interrupt, and whoever is put there runs at once; and a worker that
 * is on somebody's CPU waits, so it is moved.
 *
 * On a machine that has no idle CPU it would wait for long. So a work item looks
 * whether a worker that has something to do gets to run, and gives it back its own
 * policy if not, for a time that doubles with each time that this happens. A worker
 * that moves a bulk of data, which would have to share a CPU, has its own, too.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <uapi/linux/sched/types.h>

#include "host.h"

/* How long it may be kept from running. */
#define LOOK_MS		4
/* For how long it then has its own policy; as often as that has to be, twice as long. */
#define HOLD_MIN_MS	100
#define HOLD_MAX_MS	10000

static bool idle_policy = true;
module_param(idle_policy, bool, 0644);
MODULE_PARM_DESC(idle_policy,
		 "Workers leave their CPU to whoever wants it, as an idle one (SCHED_IDLE), unless there is none to spare (default Y)");

static void policy_set(struct task_struct *worker, unsigned int policy)
{
	struct sched_attr attr = {
		.size		= sizeof(attr),
		.sched_policy	= policy,
		.sched_nice	= task_nice(worker),
	};

	/* fails for policies that need a right or a bandwidth; these do not */
	sched_setattr_nocheck(worker, &attr);
}

static void policy_look_later(struct pvh_channel *ch)
{
	WRITE_ONCE(ch->policy.ran,
		   READ_ONCE(ch->worker->se.sum_exec_runtime));
	queue_delayed_work(system_highpri_wq, &ch->policy.look,
			   msecs_to_jiffies(LOOK_MS));
}

/* Has a worker that could run not done so since it was looked at? */
static bool policy_starves(const struct pvh_channel *ch)
{
	return READ_ONCE(ch->worker->se.sum_exec_runtime) ==
	       READ_ONCE(ch->policy.ran);
}

static void policy_rescue(struct pvh_channel *ch)
{
	unsigned long hold = msecs_to_jiffies(HOLD_MIN_MS);

	/* tried, and again at once in vain */
	if (time_before(jiffies, ch->policy.not_before + ch->policy.hold))
		hold = min(2 * ch->policy.hold, msecs_to_jiffies(HOLD_MAX_MS));
	ch->policy.hold = hold;
	WRITE_ONCE(ch->policy.not_before, jiffies + hold);
	policy_set(ch->worker, SCHED_NORMAL);
}

/*
 * It goes on for as long as the worker is awake or wakes by itself; whoever wakes it
 * begins anew. What the worker does to its policy meanwhile is no worse than what is
 * done here: its own one is always right.
 */
static void policy_look(struct work_struct *work)
{
	struct pvh_channel *ch = container_of(to_delayed_work(work),
					      struct pvh_channel, policy.look);
	bool awake = task_is_running(ch->worker);

	if (READ_ONCE(ch->worker->policy) != SCHED_IDLE ||
	    (!awake && READ_ONCE(ch->policy.asleep)))
		return;
	if (awake && policy_starves(ch))
		policy_rescue(ch);
	else
		policy_look_later(ch);
}

/**
 * pvh_policy_idle() - the worker may leave its CPU to whoever wants it
 * @ch: channel
 *
 * Context: the channel's worker.
 */
void pvh_policy_idle(struct pvh_channel *ch)
{
	if (unlikely(!READ_ONCE(idle_policy))) {
		pvh_policy_normal(ch);
		return;
	}
	/* what the administrator has chosen instead is left alone */
	if (likely(current->policy != SCHED_NORMAL) ||
	    time_before(jiffies, READ_ONCE(ch->policy.not_before)))
		return;
	policy_set(current, SCHED_IDLE);
	policy_look_later(ch);
}

/**
 * pvh_policy_normal() - the worker is to share its CPU, for a while at least
 * @ch: channel
 *
 * Context: the channel's worker.
 */
void pvh_policy_normal(struct pvh_channel *ch)
{
	if (likely(current->policy != SCHED_IDLE))
		return;
	WRITE_ONCE(ch->policy.not_before,
		   jiffies + msecs_to_jiffies(HOLD_MIN_MS));
	policy_set(current, SCHED_NORMAL);
}

/**
 * pvh_policy_woken() - see to it that the worker gets to run
 * @ch: channel whose worker was woken
 *
 * Context: any.
 */
void pvh_policy_woken(struct pvh_channel *ch)
{
	if (READ_ONCE(ch->worker->policy) == SCHED_IDLE &&
	    !delayed_work_pending(&ch->policy.look))
		policy_look_later(ch);
}

/**
 * pvh_policy_init() - prepare for the worker
 * @ch: channel without one
 */
void pvh_policy_init(struct pvh_channel *ch)
{
	INIT_DELAYED_WORK(&ch->policy.look, policy_look);
	ch->policy.not_before = jiffies;
	ch->policy.hold = 0;
}

/**
 * pvh_policy_end() - nobody looks after the worker any more
 * @ch: channel whose worker has ended, and that nobody wakes
 *
 * Context: process; sleeps.
 */
void pvh_policy_end(struct pvh_channel *ch)
{
	cancel_delayed_work_sync(&ch->policy.look);
}
