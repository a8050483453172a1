// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/qemu_args.c */
/* LIBS: -ljansson */
/*
 * What QEMU's command line tells about vectors, RAM and CPUs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "qemu_args.h"

#define SOCK	"/run/pvbusd/vm1.sock"

static struct qemu_hints hints;

/*
 * Arguments, separated by one space or newline each, into what
 * /proc/PID/cmdline has.
 */
static void parse(const char *line)
{
	size_t len = strlen(line) + 1;
	/* its own allocation, so that a read behind it is seen */
	char *text = malloc(len);
	char *p;

	memcpy(text, line, len);
	for (p = text; *p; p++)
		if (*p == ' ' || *p == '\n')
			*p = '\0';
	qemu_args_parse(text, len, SOCK, &hints);
	free(text);
}

static void expect_vectors(const char *line, bool found, unsigned int vectors)
{
	parse(line);
	assert_int_equal(hints.found, found);
	assert_int_equal(hints.vectors, vectors);
}

static void vectors_text(void **state)
{
	expect_vectors("qemu -device ivshmem-doorbell,vectors=4,chardev=c",
		       true, 4);
	expect_vectors("qemu --device driver=ivshmem-doorbell,vectors=0x10",
		       true, 16);
	expect_vectors("qemu -device chardev=c,vectors=3,driver=ivshmem-doorbell",
		       true, 3);
	expect_vectors("qemu -device ivshmem-doorbell,chardev=c", true, 1);
	expect_vectors("qemu -device ivshmem-doorbell,vectors=2,vectors=5",
		       true, 5);
	/* nothing that can be believed: QEMU's default */
	expect_vectors("qemu -device ivshmem-doorbell,vectors=x", true, 1);
	expect_vectors("qemu -device ivshmem-doorbell,vectors=-1", true, 1);
	expect_vectors("qemu -device ivshmem-doorbell,vectors=", true, 1);
	expect_vectors("qemu -device ivshmem-doorbell,vectors=99999999999",
		       true, 1);
}

static void vectors_none(void **state)
{
	expect_vectors("qemu -m 1G", false, 1);
	expect_vectors("qemu -device ivshmem-plain,vectors=4", false, 1);
	expect_vectors("qemu -device", false, 1);
	expect_vectors("qemu -name device ivshmem-doorbell,vectors=4", false,
		       1);
	qemu_args_parse("", 0, SOCK, &hints);
	assert_false(hints.found);
	/* cut off */
	qemu_args_parse("-device\0ivshmem-doorbell", 24, SOCK, &hints);
	assert_false(hints.found);
}

static void vectors_json(void **state)
{
	expect_vectors("qemu -device {\"driver\":\"ivshmem-doorbell\",\"id\":\"shmem0\",\"vectors\":4,\"chardev\":\"c\"}",
		       true, 4);
	expect_vectors("qemu -device {\"driver\":\"ivshmem-doorbell\"}", true,
		       1);
	expect_vectors("qemu -device {\"driver\":\"ivshmem-doorbell\",\"vectors\":\"6\"}",
		       true, 6);
	expect_vectors("qemu -device {\"driver\":\"virtio-net\",\"vectors\":4}",
		       false, 1);
	expect_vectors("qemu -device {\"driver\":\"ivshmem-doorbell\"", false,
		       1);
	expect_vectors("qemu -device {\"driver\":[]}", false, 1);
	expect_vectors("qemu -device {", false, 1);
}

static void vectors_preferred(void **state)
{
	expect_vectors("qemu -chardev socket,id=a,path=/x\n"
		       "-device ivshmem-doorbell,vectors=2,chardev=a\n"
		       "-device ivshmem-doorbell,vectors=7,chardev=b\n"
		       "-chardev socket,path=" SOCK ",id=b\n"
		       "-device ivshmem-doorbell,vectors=3,chardev=a",
		       true, 7);
	/* relative to QEMU's directory */
	expect_vectors("qemu -device ivshmem-doorbell,vectors=2,chardev=a\n"
		       "-device ivshmem-doorbell,vectors=7,chardev=b\n"
		       "-chardev socket,path=./vm1.sock,id=b", true, 7);
	expect_vectors("qemu -device ivshmem-doorbell,vectors=2,chardev=a\n"
		       "-device ivshmem-doorbell,vectors=7,chardev=b\n"
		       "-chardev socket,path=m1.sock,id=b", true, 2);
	expect_vectors("qemu -device ivshmem-doorbell,vectors=2,chardev=a\n"
		       "-device {\"driver\":\"ivshmem-doorbell\",\"chardev\":\"b\",\"vectors\":9}\n"
		       "-chardev {\"id\":\"b\",\"path\":\"" SOCK "\"}", true, 9);
	/* none is ours: the first */
	expect_vectors("qemu -device ivshmem-doorbell,vectors=2,chardev=a\n"
		       "-device ivshmem-doorbell,vectors=7,chardev=b", true, 2);
}

static void expect_ram(const char *line, uint64_t size)
{
	parse(line);
	assert_int_equal(hints.ram.nr, size ? 1 : 0);
	if (size)
		assert_int_equal(hints.ram.size[0], size);
}

static void ram(void **state)
{
	expect_ram("qemu", 0);
	expect_ram("qemu -m 512", 512ULL << 20);
	expect_ram("qemu -m 4G", 4ULL << 30);
	expect_ram("qemu -m size=1048576k,slots=4,maxmem=8G", 1ULL << 30);
	expect_ram("qemu -m 1.5g", 3ULL << 29);
	expect_ram("qemu -m 1G -m 2G", 2ULL << 30);
	expect_ram("qemu -m x", 0);
	expect_ram("qemu -m 1GB", 0);
	expect_ram("qemu -m -1", 0);
	expect_ram("qemu -m nan", 0);
	expect_ram("qemu -m 1e30", 0);
	expect_ram("qemu -object memory-backend-memfd,id=m,size=1G,share=on",
		   1ULL << 30);
	expect_ram("qemu -object {\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\",\"size\":1073741824}",
		   1ULL << 30);
	expect_ram("qemu -object iothread,id=i -object memory-backend-ram,id=m,size=64M",
		   64ULL << 20);
	/* which of them is RAM is not known */
	expect_ram("qemu -object memory-backend-ram,id=m,size=1G -object memory-backend-ram,id=n,size=1G",
		   0);
	expect_ram("qemu -m 2G -object memory-backend-ram,id=m,size=1G -object memory-backend-ram,id=n,size=1G",
		   2ULL << 30);
}

static void nodes(void **state)
{
	parse("qemu -m 3G -object memory-backend-ram,id=b,size=2G\n"
	      "-object {\"qom-type\":\"memory-backend-memfd\",\"id\":\"a\",\"size\":1073741824}\n"
	      "-numa node,nodeid=1,memdev=b -numa node,nodeid=0,cpus=0-1,memdev=a\n"
	      "-numa dist,src=0,dst=1,val=20");
	assert_int_equal(hints.ram.nr, 2);
	assert_int_equal(hints.ram.size[0], 1ULL << 30);
	assert_int_equal(hints.ram.size[1], 2ULL << 30);
	/* by the order, without numbers; one has none */
	parse("qemu -object memory-backend-ram,id=a,size=1G -numa node,memdev=a\n"
	      "-numa node -numa node,memdev=b -object memory-backend-ram,size=2G,id=b");
	assert_int_equal(hints.ram.nr, 2);
	assert_int_equal(hints.ram.size[1], 2ULL << 30);
	/* no memory of their own; a backend that is not there */
	expect_ram("qemu -m 2G -numa node,nodeid=0 -numa node,nodeid=1", 2ULL << 30);
	expect_ram("qemu -m 2G -numa node,memdev=a", 2ULL << 30);
	/* more than can be proven */
	parse("qemu -object memory-backend-ram,id=a,size=1G -numa node,memdev=a\n"
	      "-numa node,memdev=a -numa node,memdev=a -numa node,memdev=a\n"
	      "-numa node,memdev=a -numa node,memdev=a");
	assert_true(hints.ram.nr > QEMU_MAX_BLOCKS);
}

static void expect_cpus(const char *line, unsigned int cpus)
{
	parse(line);
	assert_int_equal(hints.cpus, cpus);
}

static void cpus(void **state)
{
	expect_cpus("qemu", 1);
	expect_cpus("qemu -smp 4", 4);
	expect_cpus("qemu -smp cpus=2,maxcpus=8", 2);
	expect_cpus("qemu -smp sockets=2,cores=3,threads=2", 12);
	expect_cpus("qemu -smp x", 1);
	expect_cpus("qemu -smp 0", 1);
}

static void long_values(void **state)
{
	size_t len = 100000;
	char *text = malloc(len);

	memset(text, 'a', len);
	memcpy(text, "-device", 8);
	text[len - 1] = '\0';
	qemu_args_parse(text, len, SOCK, &hints);
	assert_false(hints.found);
	memset(text + 8, ',', len - 9);
	qemu_args_parse(text, len, SOCK, &hints);
	assert_false(hints.found);
	memset(text + 8, '{', len - 9);
	qemu_args_parse(text, len, SOCK, &hints);
	assert_false(hints.found);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_text),
		cmocka_unit_test(vectors_none),
		cmocka_unit_test(vectors_json),
		cmocka_unit_test(vectors_preferred),
		cmocka_unit_test(ram),
		cmocka_unit_test(nodes),
		cmocka_unit_test(cpus),
		cmocka_unit_test(long_values),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
