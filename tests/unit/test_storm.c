// SPDX-License-Identifier: GPL-2.0
/* SOURCES: */
/*
 * Doorbells in vain: when they are not listened to any more, and for how long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storm.h"

#define US	1000ULL
#define SECOND	1000000000ULL

static void first_ones_are_heard(void **state)
{
	struct pvh_storm s = { 0 };
	int i;

	for (i = 1; i < PVH_STORM_MIN; i++)
		assert_int_equal(pvh_storm_vain(&s, SECOND + i * US), 0);
	assert_int_equal(pvh_storm_vain(&s, SECOND + i * US),
			 PVH_STORM_PAUSE_MIN);
}

static void pauses_grow_to_a_bound(void **state)
{
	struct pvh_storm s = { 0 };
	__u64 pause, now = SECOND, last = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		pause = pvh_storm_vain(&s, now);
		assert_true(pause >= last && pause <= PVH_STORM_PAUSE_MAX);
		last = pause;
		now += pause + US;
	}
	assert_int_equal(last, PVH_STORM_PAUSE_MAX);
}

/* Whatever the guest does, it is a bounded number of times in a second. */
static void runs_are_bounded(void **state)
{
	struct pvh_storm s = { 0 };
	__u64 now = SECOND;
	int runs = 0;

	while (now < 2 * SECOND) {
		now += pvh_storm_vain(&s, now) + US;
		runs++;
	}
	assert_true(runs < 1100);
}

/* One in vain to each that brought work, or even four, is no storm. */
static void work_makes_up_for_it(void **state)
{
	struct pvh_storm s = { 0 };
	__u64 now = SECOND;
	int i, j;

	for (i = 0; i < 1000; i++) {
		for (j = 0; j < 4; j++)
			assert_int_equal(pvh_storm_vain(&s, now += US), 0);
		pvh_storm_worth(&s);
	}
}

/* But now and then one that brings work does not hide a storm. */
static void work_hides_no_storm(void **state)
{
	struct pvh_storm s = { 0 };
	__u64 now = SECOND;
	int i, j, pauses = 0;

	for (i = 0; i < 100; i++) {
		for (j = 0; j < 100; j++)
			pauses += !!pvh_storm_vain(&s, now += US);
		pvh_storm_worth(&s);
	}
	assert_true(pauses > 100 * (100 - PVH_STORM_MIN));
}

static void work_ends_a_storm(void **state)
{
	struct pvh_storm s = { 0 };
	__u64 now = SECOND;
	int i;

	for (i = 0; i < 1000; i++)
		pvh_storm_vain(&s, now += US);
	for (i = 0; i < 3; i++)
		pvh_storm_worth(&s);
	assert_int_equal(pvh_storm_vain(&s, now += US), 0);
}

static void seldom_is_no_storm(void **state)
{
	struct pvh_storm s = { 0 };
	__u64 now = SECOND;
	int i;

	for (i = 0; i < 1000; i++) {
		now += PVH_STORM_QUIET + US;
		assert_int_equal(pvh_storm_vain(&s, now), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_ones_are_heard),
		cmocka_unit_test(pauses_grow_to_a_bound),
		cmocka_unit_test(runs_are_bounded),
		cmocka_unit_test(work_makes_up_for_it),
		cmocka_unit_test(work_hides_no_storm),
		cmocka_unit_test(work_ends_a_storm),
		cmocka_unit_test(seldom_is_no_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
