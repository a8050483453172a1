/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that rings doorbells far more often than it has work: how long not to
 * listen to them. Doorbells cost the guest an exit each, but the worker a wake-up
 * that may be dearer, and who shares a doorbell is woken for others. So when
 * most of them are in vain, the worker looks by itself after a pause instead:
 * it then runs a bounded number of times in a second, whatever the guest does,
 * and what the guest really has waits for no longer than the pause.
 */
#ifndef PVBUS_HOST_STORM_H
#define PVBUS_HOST_STORM_H

#ifdef __KERNEL__
#include <linux/minmax.h>
#include <linux/types.h>
#else
#include <pvbus/user.h>
#endif

/*
 * Doorbells in vain before the first pause. One that brought work halves what
 * was counted: a guest with one in vain to each of those never comes near.
 */
#define PVH_STORM_MIN		16
#define PVH_STORM_MAX		64
/* Pauses, in nanoseconds: twice the last one. */
#define PVH_STORM_PAUSE_MIN	50000ULL
#define PVH_STORM_PAUSE_MAX	1000000ULL
/* Doorbells this far apart are no storm, in nanoseconds. */
#define PVH_STORM_QUIET		10000000ULL

/**
 * struct pvh_storm - what a channel's doorbells were good for; worker only
 * @last: when the last one in vain came, in nanoseconds
 * @pause: last pause, in nanoseconds
 * @score: doorbells in vain, less what was worth it
 */
struct pvh_storm {
	__u64	last;
	__u64	pause;
	__u32	score;
};

/**
 * pvh_storm_vain() - a doorbell came, and there was nothing
 * @s: state
 * @now: time in nanoseconds
 *
 * Return: for how many nanoseconds not to listen to doorbells; 0: listen.
 */
static inline __u64 pvh_storm_vain(struct pvh_storm *s, __u64 now)
{
	if (now - s->last > PVH_STORM_QUIET) {
		s->score = 0;
		s->pause = 0;
	}
	s->last = now;
	if (s->score < PVH_STORM_MAX)
		s->score++;
	if (s->score < PVH_STORM_MIN)
		return 0;
	s->pause = s->pause ? 2 * s->pause : PVH_STORM_PAUSE_MIN;
	if (s->pause > PVH_STORM_PAUSE_MAX)
		s->pause = PVH_STORM_PAUSE_MAX;
	return s->pause;
}

/**
 * pvh_storm_worth() - a doorbell came, and there was work
 * @s: state
 */
static inline void pvh_storm_worth(struct pvh_storm *s)
{
	s->score /= 2;
	s->pause = 0;
}

#endif /* PVBUS_HOST_STORM_H */
