/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands before include/pvbus/user.h in the search path of the stress test and
 * replaces its barriers where the build asks for it:
 *
 * STRESS_TSO: stores wait in a software store buffer, as they do in a CPU of
 *	the x86 kind, but much longer, until a full barrier, a later store or
 *	chance drains it. What goes wrong once in a billion does so at once.
 * MUTANT_NO_MB: full barriers are none. Wake-ups must get lost.
 * MUTANT_RELAXED_STORE, MUTANT_RELAXED_LOAD: no release, no acquire. The
 *	thread sanitizer must see races.
 */
#ifndef STRESS_USER_H
#define STRESS_USER_H

#include_next <pvbus/user.h>

#ifdef STRESS_TSO

#define TSO_DEPTH	4

/**
 * struct tso_buffer - stores of one thread that others do not see yet
 * @nr: how many
 * @rnd: state of the dice
 * @store: the stores, oldest first
 */
struct tso_buffer {
	unsigned int	nr;
	__u32		rnd;
	struct {
		__le32	*p;
		__le32	v;
	} store[TSO_DEPTH];
};

static __thread struct tso_buffer tso;

static inline void tso_drain(void)
{
	unsigned int i;

	for (i = 0; i < tso.nr; i++)
		__atomic_store_n(tso.store[i].p, tso.store[i].v,
				 __ATOMIC_RELEASE);
	tso.nr = 0;
}

static inline void tso_store(__le32 *p, __le32 v)
{
	tso.rnd = tso.rnd * 1664525 + 1013904223;
	if (tso.nr == TSO_DEPTH || tso.rnd >> 30 == 0)
		tso_drain();
	tso.store[tso.nr].p = p;
	tso.store[tso.nr].v = v;
	tso.nr++;
}

static inline void tso_mb(void)
{
	tso_drain();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#undef pvring_store
#undef pvring_store_release
#undef pvring_mb
#define pvring_store(p, v)		tso_store(p, v)
#define pvring_store_release(p, v)	tso_store(p, v)
#define pvring_mb()			tso_mb()

/* time passes: no CPU keeps a store for ever */
#define stress_settle()			tso_drain()
#else
#define stress_settle()			do { } while (0)
#endif

#ifdef MUTANT_NO_MB
#undef pvring_mb
#define pvring_mb()			pvring_barrier()
#endif

#ifdef MUTANT_RELAXED_STORE
#undef pvring_store_release
#define pvring_store_release(p, v)	pvring_store(p, v)
#endif

#ifdef MUTANT_RELAXED_LOAD
#undef pvring_load_acquire
#define pvring_load_acquire(p)		pvring_load(p)
#endif

#endif /* STRESS_USER_H */
