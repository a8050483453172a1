/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For how long to look for work before going to sleep: learned, from how long
 * the last waits were. Both sides use it, the host's workers and the guest's
 * idle CPUs, each with a bound of its own.
 */
#ifndef PVBUS_POLL_H
#define PVBUS_POLL_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <pvbus/user.h>
#endif

/* Look for so many times the longest of the last gaps, and at least so long (ns). */
#define PVPOLL_GAPS		2
#define PVPOLL_MIN		10000
/* Each gap that is shorter takes this part of it away. */
#define PVPOLL_DECAY		256
/*
 * Out of PVPOLL_SCORE_MAX looks, how many pay, going by the recent ones. With
 * fewer than PVPOLL_SCORE_MIN, do not look, but try it again now and then.
 */
#define PVPOLL_SCORE_MAX	256
#define PVPOLL_SCORE_MIN	64
#define PVPOLL_SCORE_TRY	128
#define PVPOLL_WEIGHT		8
/*
 * A wait that ended within this multiple of the bound may have been shorter
 * without the sleep, the doorbell and the wake-up in it: worth a try.
 */
#define PVPOLL_TRY_FACTOR	8
#define PVPOLL_BACKOFF_MAX	64

/**
 * struct pvpoll - what was learned; its owner serializes its use
 * @gap: longest time between two pieces of work lately, in nanoseconds: who sends
 *	batches, and waits for the answers in between, has gaps of two kinds, and to
 *	sleep in each of the long ones costs a doorbell and a wake-up
 * @score: how often looking pays, 0 to PVPOLL_SCORE_MAX
 * @backoff: short waits to let pass before looking is tried again, doubled each
 *	time that it did not pay
 * @skip: of them, those still to come
 */
struct pvpoll {
	__u64	gap;
	__u32	score;
	__u32	backoff;
	__u32	skip;
};

/**
 * pvpoll_window() - how long to look
 * @p: what was learned
 * @max: bound, in nanoseconds
 *
 * Return: nanoseconds; 0: do not look.
 */
static inline __u64 pvpoll_window(const struct pvpoll *p, __u64 max)
{
	__u64 window = PVPOLL_GAPS * p->gap;

	if (p->score < PVPOLL_SCORE_MIN)
		return 0;
	if (window < PVPOLL_MIN)
		window = PVPOLL_MIN;
	return window < max ? window : max;
}

/* One part of @score, rounded up. */
static inline __u32 pvpoll_part(__u32 score)
{
	return (score + PVPOLL_WEIGHT - 1) / PVPOLL_WEIGHT;
}

static inline void pvpoll_learn(struct pvpoll *p, __u64 gap)
{
	if (gap > p->gap)
		p->gap = gap;
	else
		p->gap -= (p->gap - gap) / PVPOLL_DECAY;
}

/**
 * pvpoll_paid() - something came while we looked
 * @p: what was learned
 * @gap: how long there was nothing, in nanoseconds
 */
static inline void pvpoll_paid(struct pvpoll *p, __u64 gap)
{
	pvpoll_learn(p, gap);
	p->score += pvpoll_part(PVPOLL_SCORE_MAX - p->score);
	p->backoff = 0;
}

/**
 * pvpoll_failed() - nothing came while we looked
 * @p: what was learned
 */
static inline void pvpoll_failed(struct pvpoll *p)
{
	p->score -= pvpoll_part(p->score);
	if (p->score >= PVPOLL_SCORE_MIN)
		return;
	p->backoff = 2 * p->backoff + 1;
	if (p->backoff > PVPOLL_BACKOFF_MAX)
		p->backoff = PVPOLL_BACKOFF_MAX;
	p->skip = p->backoff;
}

/**
 * pvpoll_slept() - something came after a sleep
 * @p: what was learned
 * @gap: how long there was nothing, in nanoseconds. Who is idle by a human's
 *	measure never looks: each of its gaps is long.
 * @max: bound, in nanoseconds
 */
static inline void pvpoll_slept(struct pvpoll *p, __u64 gap, __u64 max)
{
	if (p->score >= PVPOLL_SCORE_MIN) {
		/* to look for that long would have found it */
		if (gap <= max)
			pvpoll_learn(p, gap);
		return;
	}
	if (gap > PVPOLL_TRY_FACTOR * max)
		return;
	if (p->skip) {
		p->skip--;
		return;
	}
	p->score = PVPOLL_SCORE_TRY;
	p->gap = max;
}

#endif /* PVBUS_POLL_H */
