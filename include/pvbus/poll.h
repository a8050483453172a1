/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For how long to look for work before going to sleep: learned, from how long
 * the last waits were. Both sides use it, the host's workers and the guest's
 * idle CPUs, each with a bound of its own.
 */
#ifndef PVBUS_POLL_H
#define PVBUS_POLL_H

#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/types.h>

/* Look for so many times the usual gap, and at least so long (nanoseconds). */
#define PVPOLL_GAPS		8
#define PVPOLL_MIN		10000
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
 * @gap: usual time between two pieces of work, in nanoseconds
 * @score: how often looking pays, 0 to PVPOLL_SCORE_MAX
 * @backoff: short waits to let pass before looking is tried again, doubled each
 *	time that it did not pay
 * @skip: of them, those still to come
 */
struct pvpoll {
	u64	gap;
	u32	score;
	u32	backoff;
	u32	skip;
};

/**
 * pvpoll_window() - how long to look
 * @p: what was learned
 * @max: bound, in nanoseconds
 *
 * Return: nanoseconds; 0: do not look.
 */
static inline u64 pvpoll_window(const struct pvpoll *p, u64 max)
{
	if (p->score < PVPOLL_SCORE_MIN)
		return 0;
	return min_t(u64, max, max_t(u64, PVPOLL_GAPS * p->gap, PVPOLL_MIN));
}

/**
 * pvpoll_paid() - something came while we looked
 * @p: what was learned
 * @gap: how long there was nothing, in nanoseconds
 */
static inline void pvpoll_paid(struct pvpoll *p, u64 gap)
{
	p->gap = (p->gap * (PVPOLL_WEIGHT - 1) + gap) / PVPOLL_WEIGHT;
	p->score += DIV_ROUND_UP(PVPOLL_SCORE_MAX - p->score, PVPOLL_WEIGHT);
	p->backoff = 0;
}

/**
 * pvpoll_failed() - nothing came while we looked
 * @p: what was learned
 */
static inline void pvpoll_failed(struct pvpoll *p)
{
	p->score -= DIV_ROUND_UP(p->score, PVPOLL_WEIGHT);
	if (p->score >= PVPOLL_SCORE_MIN)
		return;
	p->backoff = min_t(u32, 2 * p->backoff + 1, PVPOLL_BACKOFF_MAX);
	p->skip = p->backoff;
}

/**
 * pvpoll_slept() - something came after a sleep
 * @p: what was learned
 * @gap: how long there was nothing, in nanoseconds. Who is idle by a human's
 *	measure never looks: each of its gaps is long.
 * @max: bound, in nanoseconds
 */
static inline void pvpoll_slept(struct pvpoll *p, u64 gap, u64 max)
{
	if (p->score >= PVPOLL_SCORE_MIN || gap > PVPOLL_TRY_FACTOR * max)
		return;
	if (p->skip) {
		p->skip--;
		return;
	}
	p->score = PVPOLL_SCORE_TRY;
	p->gap = max;
}

#endif /* PVBUS_POLL_H */
