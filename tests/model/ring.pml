/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of include/pvbus/ring.h: a producer and a consumer that sleep until
 * the other one rings. For spin; ring.sh runs it. Memory is that of memory.inc.
 *
 * Indices are bytes here and wrap during the run. What is shown:
 *  - entries arrive once, in order and whole (the assertion in get);
 *  - a consumer that only polls is not rung (the assertion in ring_cons);
 *  - no wake-up is lost: nobody sleeps for ever while there is an entry to
 *    take or room to fill (no invalid end state). Who sleeps leaves by his
 *    doorbell alone, or when all is done.
 *
 * The producer is the host's worker, which looks after entries of which nobody was
 * told. KICK: it is a guest, or at a mailbox, and kicks after each batch; nobody
 * arms ahead then. POLL: the consumer never sleeps and never asks for a doorbell.
 */
#ifndef SLOTS
#define SLOTS	2
#endif
#ifndef TOTAL
#define TOTAL	4		/* entries, at most */
#endif
#define START	254		/* first index: the next but one wraps */

/* places in memory */
#define DATA(i)		((i) % SLOTS)
#define SEQ(i)		(SLOTS + (i) % SLOTS)
#define INDEX		(2 * SLOTS)
#define EVENT		(2 * SLOTS + 1)
#define SPACE_EVENT	(2 * SLOTS + 2)
#define PLACES		(2 * SLOTS + 3)

#define U(x)	((x) & 255)	/* what a u32 is to the kernel */

/* pvring_passed() */
#ifdef M_PASSED_LATE
#define passed(event, to, from)	(U((to) - (event)) < U((to) - (from)))
#elif defined(M_PASSED_LAST)
#define passed(event, to, from)	(U((to) - 1) == (event))
#else
#define passed(event, to, from)	(U((to) - (event) - 1) < U((to) - (from)))
#endif

#define PROD	0
#define CONS	1
#define CPUS	2
#include "memory.inc"

bool bell[2];			/* an eventfd, or an interrupt */
byte put = START;		/* p->head and c->head */
byte got = START;
bool done;			/* nothing more is going to be put */

#include "ring_prod.inc"
#include "ring_cons.inc"

init {
	byte i;

	d_step {
		/* as if the ring had been in use for START entries */
		for (i : 1 .. SLOTS) {
			mem[SEQ(START - i)] = START - i + 1;
		}
		mem[INDEX] = START;
		/* nobody has waited for room */
		mem[SPACE_EVENT] = START - 1;
		/* the first entry is announced, but pvring_cons_disarm() */
		mem[EVENT] = START;
#if defined(POLL) && !defined(M_NO_DISARM)
		mem[EVENT] = START - 1;
#endif
	}
	atomic {
		run drain(PROD);
		run drain(CONS);
		run producer();
		run consumer();
	}
}
