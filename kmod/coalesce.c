// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: when a guest is interrupted: at once, or, if it has asked for
 * patience or there is no hurry, when it has not found by itself in time what
 * waits for it.
 *
 * All of it belongs to the channel's worker.
 */
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include <linux/pvbus_net.h>

#include "host.h"
#include "host_trace.h"

#define COALESCE_US_DEFAULT	200

static int pvh_time_us_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PVBUS_DEV_MAX_US);
}

/* For whatever is at most PVBUS_DEV_MAX_US microseconds. */
const struct kernel_param_ops pvh_time_us_ops = {
	.set	= pvh_time_us_set,
	.get	= param_get_uint,
};

static unsigned int coalesce_us = COALESCE_US_DEFAULT;
module_param_cb(coalesce_us, &pvh_time_us_ops, &coalesce_us, 0644);
MODULE_PARM_DESC(coalesce_us,
		 "How long, in microseconds, a guest that has asked for patience may take to find an entry before it is interrupted; 0: not at all (default 200, at most 1000)");

static unsigned int coalesce_max_us = PVBUS_NET_MAX_USECS;
module_param_cb(coalesce_max_us, &pvh_time_us_ops, &coalesce_max_us, 0644);
MODULE_PARM_DESC(coalesce_max_us,
		 "Longest time, in microseconds, that a guest can have entries for it wait (ethtool -C there); 0: not at all (default 1000, at most 1000)");

static void coalesce_interrupt(struct pvh_channel *ch)
{
	struct pvh_vm *vm = ch->dev->vm;

	ch->stats.interrupts++;
	trace_pvbus_host_interrupt(ch);
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
		coalesce_interrupt(ch);
}

/* -- patience ---------------------------------------------------------------------- */

/* The device's own, or the module's. */
static u64 coalesce_time(const struct pvh_channel *ch)
{
	const struct pvh_dev *dev = ch->dev;

	return (dev->own & PVBUS_DEV_COALESCE_US ? dev->coalesce_us :
		READ_ONCE(coalesce_us)) * (u64)NSEC_PER_USEC;
}

/* How long is it, when the guest has allowed @us, or left it to us (negative)? */
static u64 coalesce_allowed(const struct pvh_channel *ch, int us)
{
	if (us < 0)
		return coalesce_time(ch);
	return min_t(u64, us, READ_ONCE(coalesce_max_us)) * NSEC_PER_USEC;
}

/* How long may entries wait, of which the guest has read those before @index? */
static u64 coalesce_may_wait(const struct pvh_channel *ch,
			     enum pvring_waiting waiting, u32 index)
{
	u64 patience = U64_MAX;

	if (waiting == PVRING_AHEAD)
		patience = coalesce_allowed(ch, ch->rx_us);
	if (waiting == PVRING_UNTOLD || (s32)(ch->lazy - index) > 0)
		patience = min(patience, coalesce_allowed(ch, ch->lazy_us));
	return patience;
}

/* One interrupt for all that is there. */
static void coalesce_tell_all(struct pvh_channel *ch)
{
	ch->reminded = ch->tx.head;
	ch->waiting_since = 0;
	ch->tx.told = ch->tx.head;
	coalesce_interrupt(ch);
}

/**
 * pvh_remind() - interrupt a guest that has asked for patience, or for whom there
 *	are only entries without hurry, and that has not found in time what waits
 *	for it
 * @ch: channel
 * @now: as local_clock()
 *
 * Context: the channel's worker.
 * Return: 0, or in how many nanoseconds to look after it again.
 */
u64 pvh_remind(struct pvh_channel *ch, u64 now)
{
	enum pvring_waiting waiting;
	u64 patience, waited;
	u32 index;

	if (ch->reminded == ch->tx.head)
		return 0;
	waiting = pvring_prod_waiting(&ch->tx, &index);
	if (waiting == PVRING_NONE) {
		ch->waiting_since = 0;
		return 0;
	}
	if (!ch->waiting_since || index != ch->waiting_index) {
		ch->waiting_since = now;
		ch->waiting_index = index;
	}
	patience = coalesce_may_wait(ch, waiting, index);
	waited = now - ch->waiting_since;
	if (waited < patience)
		return patience - waited;
	coalesce_tell_all(ch);
	return 0;
}

/**
 * pvh_remind_last() - we stop looking: tell the guest of all that it has not found
 *	yet
 * @ch: channel
 *
 * Context: the channel's worker.
 */
void pvh_remind_last(struct pvh_channel *ch)
{
	u32 index;

	if (ch->reminded != ch->tx.head &&
	    pvring_prod_waiting(&ch->tx, &index) != PVRING_NONE)
		coalesce_tell_all(ch);
	ch->waiting_since = 0;
}

/**
 * pvh_channel_lazy() - what was put last is in no hurry
 * @ch: channel whose @tx was put to
 *
 * Context: the channel's worker, which will tell the guest in time.
 */
void pvh_channel_lazy(struct pvh_channel *ch)
{
	ch->lazy = ch->tx.head;
}

/**
 * pvh_channel_stuck() - the backend cannot go on before the guest has looked
 * @ch: channel
 *
 * A guest that has set how long its entries wait did not think of that; one that
 * has left it to us, looks.
 *
 * Context: the channel's worker.
 */
void pvh_channel_stuck(struct pvh_channel *ch)
{
	if (ch->rx_us >= 0)
		pvh_remind_last(ch);
}
