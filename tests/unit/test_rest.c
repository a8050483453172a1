// SPDX-License-Identifier: GPL-2.0
/* SOURCES: */
/*
 * Work for a guest gets half of a CPU, and no pause that it has no need of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest.h"

#define US	1000ULL
#define MS	1000000ULL
#define SECOND	1000000000ULL

/* The part of a second, in per cent, that runs get which come as soon as they can. */
static unsigned int share(__u64 run)
{
	struct pvh_rest rest = { 0 };
	__u64 now = SECOND, ran = 0;

	while (now < 2 * SECOND) {
		__u64 begun = now;

		now += run;
		ran += run;
		now += pvh_rest_after(&rest, begun, now);
	}
	return ran * 100 / (now - SECOND);
}

static void runs_of_any_length_get_half(void **state)
{
	static const __u64 runs[] = { 1 * US, 10 * US, 50 * US, 99 * US, 100 * US,
				      1 * MS, 50 * MS };
	unsigned int i;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		assert_in_range(share(runs[i]), 1, 51);
	/* and not much less, or who opens many channels waits in vain */
	assert_true(share(10 * US) > 35);
	assert_true(share(1 * MS) > 45);
}

/* A run that took long for once does not hold up what comes for longer than that. */
static void pauses_are_bounded(void **state)
{
	struct pvh_rest rest = { 0 };
	__u64 now = SECOND, pause;

	pause = pvh_rest_after(&rest, now, now + SECOND);
	assert_int_equal(pause, PVH_REST_MAX);
	now += SECOND + pause;
	assert_int_equal(pvh_rest_after(&rest, now, now + 10 * US), 0);
}

static void who_comes_now_and_then_does_not_wait(void **state)
{
	struct pvh_rest rest = { 0 };
	__u64 now = SECOND;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		assert_int_equal(pvh_rest_after(&rest, now, now + 50 * US), 0);
		now += 110 * US;
	}
}

static void short_bursts_do_not_wait(void **state)
{
	struct pvh_rest rest = { 0 };
	__u64 now = SECOND;
	unsigned int i, j;

	for (i = 0; i < 100; i++) {
		for (j = 0; j < 7; j++) {
			assert_int_equal(pvh_rest_after(&rest, now, now + 10 * US), 0);
			now += 10 * US;
		}
		now += MS;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_of_any_length_get_half),
		cmocka_unit_test(pauses_are_bounded),
		cmocka_unit_test(who_comes_now_and_then_does_not_wait),
		cmocka_unit_test(short_bursts_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
