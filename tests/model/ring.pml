/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of include/pvbus/ring.h: a producer and a consumer that sleep until
 * the other one rings. For spin; model.sh runs it.
 *
 * Memory is weaker than x86's. Each end has a store buffer, out of which its
 * stores come in any order, but for two stores to one place and for a release,
 * which leaves as the last of what was stored before it. A full barrier waits
 * until the buffer is empty. Loads are in program order, as each is an acquire
 * or behind a full barrier; the mutants without one let them pass each other.
 * Neither end loads what it has stored, so no load has to look into a buffer.
 *
 * Indices are bytes here and wrap during the run. What is shown:
 *  - entries arrive once, in order and whole (the assertion in get);
 *  - a consumer that only polls is not rung (the assertion in ring_cons);
 *  - no wake-up is lost: nobody sleeps for ever while there is an entry to
 *    take or room to fill (no invalid end state). Who sleeps leaves by his
 *    doorbell alone, or when all is done.
 *
 * POLL: the consumer never sleeps and never asks for a doorbell.
 */
#ifndef SLOTS
#define SLOTS	2
#endif
#ifndef TOTAL
#define TOTAL	4		/* entries, at most */
#endif
#define START	254		/* first index: the next but one wraps */
#define DEPTH	3		/* of a store buffer */

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

#ifdef M_SPACE_EVENT
#define M_SPACE	255
#else
#define M_SPACE	0
#endif

typedef buffer {
	byte	n;
	byte	place[DEPTH];
	byte	value[DEPTH];
	bool	release[DEPTH];
};

byte mem[PLACES];
buffer buf[2];
#define PROD	0
#define CONS	1
bool bell[2];			/* an eventfd, or an interrupt */
byte put = START;		/* p->head and c->head */
byte got = START;
bool done;			/* nothing more is going to be put */

inline store_as(cpu, p, v, r) {
	d_step {
		buf[cpu].n < DEPTH;
		buf[cpu].place[buf[cpu].n] = p;
		buf[cpu].value[buf[cpu].n] = v;
		buf[cpu].release[buf[cpu].n] = r;
		buf[cpu].n++;
	}
}
#define store(cpu, p, v)		store_as(cpu, p, v, false)
#define store_release(cpu, p, v)	store_as(cpu, p, v, true)
#define mb(cpu)				(buf[cpu].n == 0)

#define first(cpu, i)	(buf[cpu].n > i && !buf[cpu].release[i])
#define other(cpu, i, j) (buf[cpu].place[i] != buf[cpu].place[j])

inline leave(cpu, at) {
	mem[buf[cpu].place[at]] = buf[cpu].value[at];
	buf[cpu].n--;
	i = at;
	do
	:: i < buf[cpu].n ->
		buf[cpu].place[i] = buf[cpu].place[i + 1];
		buf[cpu].value[i] = buf[cpu].value[i + 1];
		buf[cpu].release[i] = buf[cpu].release[i + 1];
		i++;
	:: else -> break;
	od;
	/* what is behind the end tells states apart that are the same */
	buf[cpu].place[i] = 0;
	buf[cpu].value[i] = 0;
	buf[cpu].release[i] = false;
	i = 0;
}

/* the memory system: a store becomes visible */
proctype drain(bit cpu) {
	byte i;
end:
	do
	:: d_step { buf[cpu].n > 0 -> leave(cpu, 0); }
	:: d_step { first(cpu, 1) && other(cpu, 1, 0) -> leave(cpu, 1); }
	:: d_step { first(cpu, 2) && other(cpu, 2, 0) && other(cpu, 2, 1) ->
		    leave(cpu, 2); }
	od;
}

/* -- producer -------------------------------------------------------------- */

inline ring_cons() {
#ifdef POLL
	assert(false);
#endif
	bell[CONS] = true;
}

/* pvring_prod_room() */
inline prod_room() {
	used = U(put - seen);
	if
	:: used == SLOTS ->
		d_step { seen = mem[INDEX]; used = U(put - seen); }	/* B' */
		assert(used <= SLOTS);					/* -EPROTO */
	:: else
	fi;
}

/* pvring_put() */
inline prod_put() {
	store(PROD, DATA(put), put);
#ifdef M_RELAXED_SEQ
	store(PROD, SEQ(put), U(put + 1));
#else
	store_release(PROD, SEQ(put), U(put + 1));			/* A */
#endif
	put = U(put + 1);
}

/* pvring_prod_kick() */
inline prod_kick() {
	if
	:: told != put ->
		from = told;
		told = put;
#ifndef M_KICK_NO_MB
		mb(PROD);						/* C */
#endif
		if
		:: passed(mem[EVENT], put, from) -> ring_cons();
		:: else
		fi;
		from = 0;
	:: else
	fi;
}

/*
 * pvring_prod_waiting(), and worker_remind_last() of kmod/worker.c, which tells
 * when patience has come to its end: at the latest when the worker sleeps.
 */
inline remind() {
#ifdef M_NO_REMIND
	skip;
#else
	if
	:: reminded != put ->
#ifndef M_WAITING_NO_MB
		mb(PROD);
#endif
		if
		:: mem[INDEX] == put
		:: else ->
			event = mem[EVENT];
			if
#ifndef M_WAITING_NOT_AHEAD
			:: U(event - put) < SLOTS ||
#else
			::
#endif
			   passed(event, put, told) ->
				reminded = put;
				told = put;
				ring_cons();
			:: else
			fi;
			event = 0;
		fi;
	:: else
	fi;
#endif
}

/* pvring_prod_wait_room() for one entry, and the sleep */
inline wait_room() {
	store(PROD, SPACE_EVENT, U(put - SLOTS + M_SPACE));
#ifndef M_ROOM_NO_MB
	mb(PROD);							/* D */
#endif
#ifndef M_ROOM_NO_RECHECK
	prod_room();
#endif
	if
	:: used < SLOTS
	:: else -> bell[PROD] -> bell[PROD] = false;
	fi;
}

proctype producer() {
	byte told = START, seen = START, reminded = START;
	byte used, from, event;

	do
	:: U(put - START) < TOTAL ->
		prod_room();
		if
		:: used < SLOTS ->
			prod_put();
			if
			:: prod_kick()		/* the end of a batch */
			:: skip			/* more of it, or no hurry */
			fi;
		:: else ->
			remind();
			wait_room();
		fi;
		used = 0;
	:: true -> break;
	od;
	/* worker_sleep(): what is there is told of, and then nothing comes */
	remind();
	done = true;
}

/* -- consumer -------------------------------------------------------------- */

#define announced()	(mem[SEQ(got)] == U(got + 1))			/* A' */

/* pvring_get(), when there is one; pvring_cons_publish(), or later */
inline cons_get() {
#ifdef M_RELAXED_LOAD
	copy = early;
#endif
#ifdef M_RELAXED_INDEX
	store(CONS, INDEX, U(got + 1));
#endif
#ifndef M_RELAXED_LOAD
	copy = mem[DATA(got)];
#endif
	assert(copy == got);
	copy = 0;
	got = U(got + 1);
}

/* pvring_cons_publish() and pvring_cons_kick() */
inline cons_publish() {
	if
	:: told != got ->
		store_release(CONS, INDEX, got);			/* B */
		from = told;
		told = got;
#ifndef M_PUBLISH_NO_MB
		mb(CONS);						/* D' */
#endif
		if
		:: passed(mem[SPACE_EVENT], got, from) ->
			bell[PROD] = true;
		:: else
		fi;
		from = 0;
	:: else
	fi;
}

/* pvring_cons_arm_count(), and the sleep */
inline arm_and_sleep(count) {
	store(CONS, EVENT, U(got + (count) - 1));
#ifndef M_ARM_NO_MB
	mb(CONS);							/* C' */
#endif
	if
#ifndef M_ARM_NO_RECHECK
	:: announced()
#endif
	:: else ->
		if
		:: bell[CONS] -> bell[CONS] = false;
		:: done && got == put -> goto all_done;
		fi;
	fi;
}

proctype consumer() {
	byte told = START, from, copy, early;

	do
#ifdef M_RELAXED_LOAD
	:: early = mem[DATA(got)];
#endif
	:: announced() -> cons_get();
	:: true ->
		cons_publish();
#ifdef POLL
		/* look until there is something: waiting for it is the same */
		if
		:: announced()
		:: done && got == put -> goto all_done;
		fi;
#else
		if
		:: arm_and_sleep(1);
		:: arm_and_sleep(SLOTS / 2 + 1);
		fi;
#endif
	od;
all_done:
	skip;
}

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
