// SPDX-License-Identifier: GPL-2.0
/* SOURCES: */
/*
 * Naps of a worker: whether they are worth it, and how long they are, for guests
 * that go on in different ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nap.h"

#define US	1000ULL
#define MAX	(500 * US)
#define TIMES	10000

struct outcome {
	int naps;
	int entries;
	__u64 last;	/* a nap, in nanoseconds */
};

/*
 * A guest that has an entry every @gap nanoseconds, until @depth of them wait for
 * an answer.
 */
static struct outcome nap(struct pvh_nap *n, __u64 gap, __u32 depth)
{
	struct outcome o = { 0 };
	int i;

	for (i = 0; i < TIMES; i++) {
		__u64 time = pvh_nap_time(n, MAX);
		__u32 entries = time / gap < depth ? time / gap : depth;

		assert_true(time <= MAX);
		if (!time)
			continue;
		pvh_nap_over(n, entries);
		o.naps++;
		o.entries += entries;
		o.last = time;
	}
	return o;
}

/* Neither a few entries a nap nor heaps of them. */
static void a_steady_guest_is_batched(void **state)
{
	__u64 gap;

	for (gap = 2 * US; gap <= 60 * US; gap += US) {
		struct pvh_nap n = { 0 };
		struct outcome o = nap(&n, gap, UINT32_MAX);

		assert_int_equal(o.naps, TIMES);
		assert_true(o.last / gap <= 2 * PVH_NAP_ENTRIES);
		assert_true(o.entries / o.naps >= PVH_NAP_ENTRIES / 2 - 1);
	}
}

/* Who waits for his answers is not kept waiting for much longer than they take. */
static void a_shallow_queue_is_not_kept(void **state)
{
	struct pvh_nap n = { 0 };
	struct outcome o = nap(&n, 10 * US, 4);

	assert_true(o.naps > TIMES / 2);
	assert_true(o.entries / o.naps >= 2);
	assert_true(o.last <= 80 * US);
}

/* One at a time gains nothing by it. */
static void one_at_a_time_is_left_alone(void **state)
{
	struct pvh_nap n = { 0 };

	assert_true(nap(&n, 10 * US, 1).naps < TIMES / 50);
	assert_true(nap(&n, 10 * US, 1).naps < TIMES / 200);
}

static void a_silent_guest_is_left_alone(void **state)
{
	struct pvh_nap n = { 0 };

	assert_true(nap(&n, SIZE_MAX, 1).naps < TIMES / 50);
	assert_true(nap(&n, SIZE_MAX, 1).naps < TIMES / 200);
}

/* One that was left alone, and has more to do now, is found out. */
static void who_changes_is_found_out(void **state)
{
	struct pvh_nap n = { 0 };

	nap(&n, 10 * US, 1);
	assert_true(nap(&n, 10 * US, 32).naps > TIMES / 2);
	assert_true(nap(&n, 10 * US, 1).naps < TIMES / 50);
}

/* A guest that is busy with its answers for a while is not silent. */
static void a_pause_is_no_end(void **state)
{
	struct pvh_nap n = { 0 };
	int i;

	for (i = 0; i < TIMES; i++) {
		assert_true(pvh_nap_time(&n, MAX));
		pvh_nap_over(&n, i % PVH_NAP_VAIN ? 0 : 32);
	}
}

static void it_can_be_turned_off(void **state)
{
	struct pvh_nap n = { 0 };

	nap(&n, 10 * US, 32);
	assert_int_equal(pvh_nap_time(&n, 0), 0);
	assert_true(pvh_nap_time(&n, MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_guest_is_batched),
		cmocka_unit_test(a_shallow_queue_is_not_kept),
		cmocka_unit_test(one_at_a_time_is_left_alone),
		cmocka_unit_test(a_silent_guest_is_left_alone),
		cmocka_unit_test(who_changes_is_found_out),
		cmocka_unit_test(a_pause_is_no_end),
		cmocka_unit_test(it_can_be_turned_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
