/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long work for a guest pauses, so that it gets half of a CPU at most however the
 * guest spreads what it asks for: in few long runs or in many short ones. Time in
 * which it did not run anyhow counts as a pause, so who asks now and then waits for
 * none.
 */
#ifndef PVBUS_HOST_REST_H
#define PVBUS_HOST_REST_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <pvbus/user.h>
#endif

/* A pause is no shorter than this, in nanoseconds, and no longer than that. */
#define PVH_REST_MIN	100000ULL
#define PVH_REST_MAX	50000000ULL
/* What a run takes besides, to be queued and begun: nanoseconds, at least. */
#define PVH_REST_RUN	2000ULL

/**
 * struct pvh_rest - time that a work item has run and not paused since
 * @owed: nanoseconds
 * @ended: when its last run ended, in nanoseconds
 */
struct pvh_rest {
	__u64	owed;
	__u64	ended;
};

/**
 * pvh_rest_after() - a run is over
 * @rest: state
 * @begun: when it began, in nanoseconds
 * @now: time in nanoseconds; the same clock, which does not go back
 *
 * Return: for how many nanoseconds to pause before the next run; 0: not now.
 */
static inline __u64 pvh_rest_after(struct pvh_rest *rest, __u64 begun, __u64 now)
{
	__u64 paused = begun - rest->ended;

	rest->owed = rest->owed > paused ? rest->owed - paused : 0;
	rest->owed += now - begun + PVH_REST_RUN;
	if (rest->owed > PVH_REST_MAX)
		rest->owed = PVH_REST_MAX;
	rest->ended = now;
	return rest->owed < PVH_REST_MIN ? 0 : rest->owed;
}

#endif /* PVBUS_HOST_REST_H */
