/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the worker of kmod/worker.c sleeps, is woken, and does not listen to
 * doorbells for a while. For spin; worker.sh runs it. Memory is that of memory.inc.
 *
 * Who wakes is a guest that puts entries and rings, also in vain, and somebody who
 * has something that only ->work() finds, as the MMU notifier. Entries come one by
 * one: batches are a matter of ring.pml. Bits are set and cleared in their CPU's
 * store buffer but for test_and_set_bit(), which is a full barrier.
 *
 * What is shown: the worker does not sleep for ever with something to do (no
 * invalid end state). It leaves schedule() when it was woken, or when all is done.
 */
#define ENTRIES		2
#define OTHERS		1

/* places in memory */
#define SEQ		0	/* entries announced; each has its slot */
#define EVENT		1
#define KICKED		2
#define RUNG		3
#define DEAF		4
#define STATE		5	/* of the task */
#define OTHER		6
#define PLACES		7

#define RUNNING		0
#define TASK_IDLE	1

#define GUEST		0
#define NOTIFIER	1
#define WORKER		2
#define CPUS		3
#include "memory.inc"

byte got, found;		/* by the worker */
byte finished;			/* wakers */

/* pvh_channel_wake(); wake_up_process() acts on what it finds, at once */
inline wake(cpu) {
	mb(cpu);
	atomic { old = mem[KICKED]; mem[KICKED] = true; }
	if
	:: old
	:: else -> atomic { mem[STATE] = RUNNING; old = 0; }
	fi;
	old = 0;
}

/* pvh_channel_rung() */
inline rung() {
	mb(GUEST);
	if
	:: mem[DEAF]
	:: else ->
		store(GUEST, RUNG, true);
		wake(GUEST);
	fi;
}

/* pvring_put() and pvring_prod_kick(), or a doorbell for nothing */
proctype guest() {
	byte put, old;
	bool vain;

	do
	:: put < ENTRIES ->
		put++;
		store_release(GUEST, SEQ, put);
		mb(GUEST);
		if
		:: mem[EVENT] == put - 1 -> rung();
		:: else
		fi;
	:: !vain -> vain = true; rung();
	:: put == ENTRIES -> break;
	od;
	finished++;
}

proctype notifier() {
	byte n, old;

	do
	:: n < OTHERS -> n++; store(NOTIFIER, OTHER, n); wake(NOTIFIER);
	:: else -> break;
	od;
	finished++;
}

/* ->work(): all that there is */
inline work() {
	did = false;
	if
	:: mem[SEQ] != got -> got = mem[SEQ]; did = true;
	:: else
	fi;
	if
	:: mem[OTHER] != found -> found = mem[OTHER]; did = true;
	:: else
	fi;
}

inline clear_kicked() {
	store(WORKER, RUNG, false);
	store(WORKER, KICKED, false);
#ifndef M_CLEAR_NO_MB
	mb(WORKER);
#endif
}

/* set_current_state(); __set_current_state() is that without the barrier */
inline idle_state() {
	store(WORKER, STATE, TASK_IDLE);
#ifndef M_STATE_NO_MB
	mb(WORKER);
#endif
}

#define woken()	(mem[STATE] == RUNNING)
#define all_done (finished == 2 && mem[SEQ] == got && mem[OTHER] == found && \
		  buf[GUEST].n == 0 && buf[NOTIFIER].n == 0)

/* worker_pause() */
inline pause() {
	store(WORKER, DEAF, true);
	clear_kicked();
	idle_state();
	/* a sleep that time ends, whatever else may end it */
	store(WORKER, STATE, RUNNING);
#ifndef M_DEAF_STAYS
	store(WORKER, DEAF, false);
#endif
	mb(WORKER);
}

/* worker_sleep(), worker_wait() */
inline sleep() {
#ifndef M_STATE_LATE
	idle_state();
#endif
	if
#ifndef M_NO_KICKED
	:: mem[KICKED]
	:: !mem[KICKED] ->
#else
	::
#endif
		/* pvring_cons_arm() */
		store(WORKER, EVENT, got);
#ifndef M_ARM_NO_MB
		mb(WORKER);
#endif
		if
		:: mem[SEQ] != got
		:: else ->
#ifdef M_STATE_LATE
			idle_state();
#endif
			mb(WORKER);	/* schedule() has one */
			if
			:: woken()
			:: all_done -> goto over;
			fi;
		fi;
	fi;
	store(WORKER, STATE, RUNNING);
}

/* worker_serve() */
proctype worker() {
	bool did, was_rung;

	do
	:: true ->
		was_rung = mem[RUNG];
#ifndef M_CLEAR_LATE
		clear_kicked();
#endif
		work();
#ifdef M_CLEAR_LATE
		clear_kicked();
#endif
		if
		:: did
		:: !did && was_rung -> pause();
		:: !did -> sleep();
		fi;
		did = false; was_rung = false;
	od;
over:
	skip;
}

init {
	atomic {
		run drain(GUEST);
		run drain(NOTIFIER);
		run drain(WORKER);
		run guest();
		run notifier();
		run worker();
	}
}
