// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/cgroup.c */
/*
 * Which cgroup of version 2 a process is in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup.h"

static char path[16];

static void found(void **state)
{
	assert_int_equal(cgroup_parse("0::/a/b.scope\n", path, sizeof(path)),
			 0);
	assert_string_equal(path, "a/b.scope");
	/* behind hierarchies of version 1, and without a newline */
	assert_int_equal(cgroup_parse("3:cpu:/x\n1:name=systemd:/y\n0::/z",
				      path, sizeof(path)), 0);
	assert_string_equal(path, "z");
}

static void none(void **state)
{
	assert_int_equal(cgroup_parse("", path, sizeof(path)), -1);
	assert_int_equal(cgroup_parse("3:cpu:/x\n", path, sizeof(path)), -1);
	/* the root is where workers are already */
	assert_int_equal(cgroup_parse("0::/\n", path, sizeof(path)), -1);
	assert_int_equal(cgroup_parse("10::/x\n", path, sizeof(path)), -1);
	/* too long is nothing, not something else */
	assert_int_equal(cgroup_parse("0::/0123456789abcdef\n", path,
				      sizeof(path)), -1);
	assert_int_equal(cgroup_parse("0::/0123456789abcde\n", path,
				      sizeof(path)), 0);
}

/* Of this process, wherever the test runs. */
static void has(void **state)
{
	char text[2 * CGROUP_PATH] = "", own[CGROUP_PATH];
	int fd = open("/proc/self/cgroup", O_RDONLY);

	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_false(cgroup_has("none/such", getpid()));
	if (!cgroup_parse(text, own, sizeof(own)))
		assert_true(cgroup_has(own, getpid()));
	/* a process that is not there */
	assert_false(cgroup_has("", -1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(none),
		cmocka_unit_test(has),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
