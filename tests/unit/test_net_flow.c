// SPDX-License-Identifier: GPL-2.0
/* SOURCES: */
/*
 * The table of flows: what was put last is found, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net_flow.h"

#define QUEUES		16
#define RANDOM_RUNS	1000000

static struct pvh_net_flows flows;

static int forget(void **state)
{
	memset(&flows, 0, sizeof(flows));
	return 0;
}

static void none_is_known_at_first(void **state)
{
	__u32 hash;

	for (hash = 0; hash < 2 * PVH_NET_FLOWS; hash++)
		assert_int_equal(pvh_net_flow_get(&flows, hash), -1);
	assert_int_equal(pvh_net_flow_get(&flows, ~0U), -1);
}

/* Every bit of the hash counts, and every queue can be told. */
static void what_was_set_is_found(void **state)
{
	unsigned int queue, bit;
	__u32 hash;

	for (queue = 0; queue < QUEUES; queue++) {
		hash = queue * 0x9e3779b1U;
		pvh_net_flow_set(&flows, hash, queue);
		assert_int_equal(pvh_net_flow_get(&flows, hash), queue);
		forget(NULL);
		pvh_net_flow_set(&flows, hash, queue);
		for (bit = 0; bit < 32; bit++)
			assert_int_equal(pvh_net_flow_get(&flows,
							  hash ^ 1U << bit),
					 -1);
	}
}

static void the_last_one_holds(void **state)
{
	pvh_net_flow_set(&flows, 0x12345678, 3);
	pvh_net_flow_set(&flows, 0x12345678, 0);
	assert_int_equal(pvh_net_flow_get(&flows, 0x12345678), 0);
	/* one that wants the same place */
	pvh_net_flow_set(&flows, 0x12345678 + PVH_NET_FLOWS, 5);
	assert_int_equal(pvh_net_flow_get(&flows, 0x12345678), -1);
	assert_int_equal(pvh_net_flow_get(&flows, 0x12345678 + PVH_NET_FLOWS),
			 5);
}

/* A guest can fill it with anything: no queue comes out that did not go in. */
static void random_flows(void **state)
{
	int i, queue;

	srand(1);
	for (i = 0; i < RANDOM_RUNS; i++) {
		pvh_net_flow_set(&flows, (__u32)rand() * 2, rand() % QUEUES);
		queue = pvh_net_flow_get(&flows, (__u32)rand() * 2);
		assert_true(queue >= -1 && queue < QUEUES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(none_is_known_at_first, forget),
		cmocka_unit_test_setup(what_was_set_is_found, forget),
		cmocka_unit_test_setup(the_last_one_holds, forget),
		cmocka_unit_test_setup(random_flows, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
