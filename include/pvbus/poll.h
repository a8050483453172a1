/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For how long to look for work before going to sleep: learned, from how long
 * the last waits were. Both sides use it, the host's workers and the guest's
 * idle CPUs, each with a bound of its own.
 */
#ifndef PVBUS_POLL_H
#define PVBUS_POLL_H

#include <linux/minmax.h>
#include <linux/types.h>

/* Below this, in nanoseconds, looking does not wait for anything. */
#define PVPOLL_MIN		2000
/*
 * A wait that ended within this multiple of the bound may have been shorter
 * without the sleep, the doorbell and the wake-up in it: worth trying.
 */
#define PVPOLL_TRY_FACTOR	4
#define PVPOLL_BACKOFF_MAX	64

/**
 * struct pvpoll - what was learned; its owner serializes its use
 * @ns: how long to look, in nanoseconds; 0: not at all
 * @backoff: short waits to let pass before looking is tried again, doubled each
 *	time that it did not pay
 * @skip: of them, those still to come
 */
struct pvpoll {
	u64	ns;
	u32	backoff;
	u32	skip;
};

/**
 * pvpoll_paid() - something came while we looked
 * @p: what was learned
 * @max: bound, in nanoseconds
 */
static inline void pvpoll_paid(struct pvpoll *p, u64 max)
{
	p->backoff = 0;
	p->ns = min(2 * p->ns, max);
}

/**
 * pvpoll_failed() - nothing came: look half as long, after a few times not at all
 * @p: what was learned
 */
static inline void pvpoll_failed(struct pvpoll *p)
{
	p->ns /= 2;
	if (p->ns >= PVPOLL_MIN)
		return;
	p->ns = 0;
	p->backoff = min_t(u32, 2 * p->backoff + 1, PVPOLL_BACKOFF_MAX);
	p->skip = p->backoff;
}

/**
 * pvpoll_learn() - something came, whether we looked or slept
 * @p: what was learned
 * @gap: how long there was nothing, in nanoseconds. Who is idle by a human's
 *	measure never looks: each of its gaps is long.
 * @max: bound, in nanoseconds
 */
static inline void pvpoll_learn(struct pvpoll *p, u64 gap, u64 max)
{
	if (gap > PVPOLL_TRY_FACTOR * max)
		p->ns = 0;
	else if (p->ns)
		return;
	else if (p->skip)
		p->skip--;
	else
		p->ns = max;
}

#endif /* PVBUS_POLL_H */
