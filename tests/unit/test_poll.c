// SPDX-License-Identifier: GPL-2.0
/* SOURCES: */
/*
 * For how long to look for work: that it is found by whom it comes to again and
 * again, and that nobody looks for what does not come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pvbus/poll.h>

#define US	1000ULL
#define MS	(1000 * US)
#define MAX	MS

struct outcome {
	unsigned int looks;
	unsigned int sleeps;
	__u64 in_vain;	/* nanoseconds */
};

/* Work comes after @gap nanoseconds. */
static void wait_for(struct pvpoll *p, __u64 gap, struct outcome *o)
{
	__u64 window = pvpoll_window(p, MAX);

	assert_true(window <= MAX);
	if (window)
		o->looks++;
	if (gap <= window) {
		pvpoll_paid(p, gap);
		return;
	}
	if (window) {
		o->in_vain += window;
		pvpoll_failed(p);
	}
	o->sleeps++;
	pvpoll_slept(p, gap, MAX);
}

/* @nr gaps of one length, and one of another, again and again. */
static struct outcome batches(struct pvpoll *p, unsigned int nr, __u64 gap,
			      __u64 pause, unsigned int times)
{
	struct outcome o = { 0 };
	unsigned int i, j;

	for (i = 0; i < times; i++) {
		for (j = 0; j < nr; j++)
			wait_for(p, gap, &o);
		wait_for(p, pause, &o);
	}
	return o;
}

static void a_steady_load_is_found(void **state)
{
	__u64 gap;

	for (gap = US; gap <= MAX; gap += 7 * US) {
		struct pvpoll p = { 0 };
		struct outcome o = batches(&p, 100, gap, gap, 10);

		/* the first one tells that it is worth a try */
		assert_int_equal(o.sleeps, 1);
	}
}

/* A guest that submits a batch and then works on the answers. */
static void the_pause_of_a_batch_is_found(void **state)
{
	unsigned int nr;

	for (nr = 1; nr <= 128; nr *= 2) {
		struct pvpoll p = { 0 };

		batches(&p, nr, 7 * US, 300 * US, 20);
		assert_int_equal(batches(&p, nr, 7 * US, 300 * US, 100).sleeps,
				 0);
	}
}

/* One long gap is no rule. */
static void a_long_gap_is_forgotten(void **state)
{
	struct pvpoll p = { 0 };

	batches(&p, 100, 7 * US, 900 * US, 1);
	batches(&p, 2000, 7 * US, 7 * US, 1);
	assert_true(pvpoll_window(&p, MAX) < 30 * US);
}

static void nobody_looks_for_a_human(void **state)
{
	struct pvpoll p = { 0 };

	assert_int_equal(batches(&p, 1, 9 * MS, 1000 * MS, 100).looks, 0);
}

/* What never comes in time is looked for now and then. */
static void vain_looks_become_rare(void **state)
{
	struct pvpoll p = { 0 };
	struct outcome o = batches(&p, 1, 2 * MS, 3 * MS, 5000);

	assert_true(o.in_vain < 25000 * MS / 20);
}

static void no_time_is_no_look(void **state)
{
	struct pvpoll p = { 0 };

	batches(&p, 100, 7 * US, 7 * US, 1);
	assert_int_equal(pvpoll_window(&p, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_load_is_found),
		cmocka_unit_test(the_pause_of_a_batch_is_found),
		cmocka_unit_test(a_long_gap_is_forgotten),
		cmocka_unit_test(nobody_looks_for_a_human),
		cmocka_unit_test(vain_looks_become_rare),
		cmocka_unit_test(no_time_is_no_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
