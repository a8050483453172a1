/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A worker that has nothing to do, but no CPU of its own to poll on: for how long
 * to nap before it looks again. It asks for no doorbell meanwhile, so that a guest
 * which goes on with its requests is not interrupted by its own doorbells, and
 * they are served in batches.
 *
 * Napping is only worth it when it lets several entries gather, and no longer
 * than they do: who waits for an answer to each of them gains nothing. So naps of
 * two lengths take turns, one half of the other. When the long ones bring little
 * more, they are too long; when they bring few, too short.
 */
#ifndef PVBUS_HOST_NAP_H
#define PVBUS_HOST_NAP_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <pvbus/user.h>
#endif

/* The least length of a long one, in nanoseconds. */
#define PVH_NAP_MIN		10000ULL
/* Naps of both lengths after which they are compared. */
#define PVH_NAP_TRIAL		8
/* One in vain says nothing, as the guest has nothing to do; so many do. */
#define PVH_NAP_VAIN		4
/* What a long nap is to bring. */
#define PVH_NAP_ENTRIES		8
/* Times that it is left alone after it was not worth it: twice the last. */
#define PVH_NAP_SKIP_MIN	4
#define PVH_NAP_SKIP_MAX	4096

/**
 * struct pvh_nap - what was learned; worker only
 * @ns: length of a long nap; 0: to begin with the longest
 * @nr: naps in this trial
 * @found: entries that came during its long naps, and its short ones
 * @vain: naps during which nothing came, since the last that was not so
 * @skip: times to do without
 * @backoff: what @skip was at first
 */
struct pvh_nap {
	__u64	ns;
	__u32	nr;
	__u32	found[2];
	__u32	vain;
	__u32	skip;
	__u32	backoff;
};

/**
 * pvh_nap_time() - how long to nap
 * @n: what was learned
 * @max: bound, in nanoseconds
 *
 * Return: nanoseconds; 0: do not, ask for a doorbell.
 */
static inline __u64 pvh_nap_time(struct pvh_nap *n, __u64 max)
{
	if (n->skip) {
		n->skip--;
		return 0;
	}
	if (!n->ns || n->ns > max)
		n->ns = max;
	return n->nr & 1 ? n->ns / 2 : n->ns;
}

static inline void pvh_nap_stop(struct pvh_nap *n)
{
	n->ns = 0;
	n->vain = 0;
	n->backoff = n->backoff ? 2 * n->backoff : PVH_NAP_SKIP_MIN;
	if (n->backoff > PVH_NAP_SKIP_MAX)
		n->backoff = PVH_NAP_SKIP_MAX;
	n->skip = n->backoff;
}

/**
 * pvh_nap_over() - what came during a nap that nothing else has ended
 * @n: what was learned
 * @entries: their number
 */
static inline void pvh_nap_over(struct pvh_nap *n, __u32 entries)
{
	const __u32 half = PVH_NAP_TRIAL / 2;
	__u32 more, less;

	if (!entries) {
		if (++n->vain == PVH_NAP_VAIN)
			pvh_nap_stop(n);
		return;
	}
	n->vain = 0;
	n->found[n->nr & 1] += entries;
	if (++n->nr < PVH_NAP_TRIAL)
		return;
	more = n->found[0];
	less = n->found[1];
	n->nr = 0;
	n->found[0] = 0;
	n->found[1] = 0;
	if (more < 2 * half) {
		pvh_nap_stop(n);
		return;
	}
	n->backoff = 0;
	if (4 * less >= 3 * more || more > 2 * half * PVH_NAP_ENTRIES) {
		if (n->ns >= 2 * PVH_NAP_MIN)
			n->ns /= 2;
	} else if (more < half * PVH_NAP_ENTRIES) {
		n->ns *= 2;
	}
}

#endif /* PVBUS_HOST_NAP_H */
