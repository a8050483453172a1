// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/lib/spec.c userspace/lib/err.c */
/*
 * Descriptions of devices, as users write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec.h"

static struct pv_err err;

/* The message names @part, is one line, and tells what to do behind a colon. */
static void assert_words(const char *part)
{
	assert_non_null(strstr(err.text, part));
	assert_null(strchr(err.text, '\n'));
	assert_non_null(strchr(err.text, ':'));
}

static void assert_bad_disk(const char *text, const char *part)
{
	struct disk_spec disk;

	err.text[0] = '\0';
	assert_int_equal(spec_parse_disk(text, &disk, &err), -1);
	assert_words(part);
}

static void assert_bad_net(const char *text, const char *part)
{
	struct net_spec net;

	err.text[0] = '\0';
	assert_int_equal(spec_parse_net(text, &net, &err), -1);
	assert_words(part);
}

static void disk_full(void **state)
{
	struct disk_spec disk;

	assert_int_equal(spec_parse_disk("id=root,path=/dev/vg/a=b,readonly,serial=A 1,queues=4",
					 &disk, &err), 0);
	assert_string_equal(disk.id, "root");
	assert_string_equal(disk.path, "/dev/vg/a=b");
	assert_string_equal(disk.serial, "A 1");
	assert_true(disk.readonly);
	assert_int_equal(disk.queues, 4);
}

static void disk_defaults(void **state)
{
	struct disk_spec disk;

	assert_int_equal(spec_parse_disk("path=a,,b,id=x,readonly=off", &disk,
					 &err), 0);
	assert_string_equal(disk.path, "a,b");
	assert_string_equal(disk.serial, "");
	assert_false(disk.readonly);
	assert_int_equal(disk.queues, 0);
	/* nothing behind a comma is nothing */
	assert_int_equal(spec_parse_disk("id=x,path=b,", &disk, &err), 0);
	assert_string_equal(disk.path, "b");
}

static void disk_bad(void **state)
{
	char text[PATH_MAX + 64];

	assert_bad_disk("", "id= is missing");
	assert_bad_disk("id=a", "path= is missing");
	assert_bad_disk("id=a,path=", "path");
	assert_bad_disk("id=a,path", "'path' has no value");
	assert_bad_disk("id=a,path=b,path=c", "given twice");
	assert_bad_disk("id=a,path=b,mac=52:54:00:00:00:01", "'mac'");
	assert_bad_disk("id=a,,path=b", "'a,path=b'");
	assert_bad_disk("id=a,path=b,readonly=yes", "'yes'");
	assert_bad_disk("id=a,path=b,queues=0", "'0'");
	assert_bad_disk("id=a,path=b,queues=17", "'17'");
	assert_bad_disk("id=a,path=b,queues=1x", "'1x'");
	assert_bad_disk("id=a,path=b,queues=99999999999999999999999", "queues");
	assert_bad_disk("id=a,path=b,serial=", "serial");
	assert_bad_disk("id=a,path=b,serial=\n", "serial");
	assert_bad_disk("id=a,path=b,serial=01234567890123456789012345678901",
			"32 characters");

	snprintf(text, sizeof(text), "id=a,path=%0*d", PATH_MAX, 0);
	assert_bad_disk(text, "characters");
	snprintf(text, sizeof(text), "id=a,path=%0*d", PATH_MAX + 40, 0);
	assert_bad_disk(text, "longer");
}

static void disk_format(void **state)
{
	struct disk_spec disk, again;
	char text[256];

	assert_int_equal(spec_parse_disk("id=a,path=/x,,y,serial=1,,2,readonly,queues=3",
					 &disk, &err), 0);
	assert_int_equal(spec_format_disk(&disk, text, sizeof(text)), 0);
	assert_int_equal(spec_parse_disk(text, &again, &err), 0);
	assert_memory_equal(&disk, &again, sizeof(disk));
	assert_int_equal(spec_format_disk(&disk, text, 10), -1);
	assert_int_equal(spec_format_disk(&disk, text, strlen(text)), -1);
}

/* 0 is not the same as not given. */
static void disk_tuning(void **state)
{
	struct disk_spec disk, again;
	char text[256];

	assert_int_equal(spec_parse_disk("id=a,path=b", &disk, &err), 0);
	assert_int_equal(disk.tuning.flags, 0);
	assert_int_equal(spec_parse_disk("id=a,path=b,poll-us=0", &disk, &err),
			 0);
	assert_int_equal(disk.tuning.flags, PVBUS_DEV_POLL_US);
	assert_int_equal(disk.tuning.poll_us, 0);
	assert_int_equal(spec_parse_disk("id=a,path=b,coalesce-us=1000,poll-us=7",
					 &disk, &err), 0);
	assert_int_equal(disk.tuning.flags,
			 PVBUS_DEV_POLL_US | PVBUS_DEV_COALESCE_US);
	assert_int_equal(disk.tuning.poll_us, 7);
	assert_int_equal(disk.tuning.coalesce_us, 1000);
	assert_int_equal(spec_format_disk(&disk, text, sizeof(text)), 0);
	assert_int_equal(spec_parse_disk(text, &again, &err), 0);
	assert_memory_equal(&disk, &again, sizeof(disk));

	assert_int_equal(spec_parse_disk("id=a,path=b,coalesce-us=0", &disk,
					 &err), 0);
	assert_int_equal(spec_format_disk(&disk, text, sizeof(text)), 0);
	assert_string_equal(text, "id=a,path=b,coalesce-us=0");

	assert_bad_disk("id=a,path=b,poll-us=1001", "'1001'");
	assert_words("from 0 to 1000");
	assert_bad_disk("id=a,path=b,poll-us=", "poll-us ''");
	assert_bad_disk("id=a,path=b,poll-us", "'poll-us' has no value");
	assert_bad_disk("id=a,path=b,poll-us=-1", "'-1'");
	assert_bad_disk("id=a,path=b,poll-us=50us", "'50us'");
	assert_bad_disk("id=a,path=b,poll-us=1,poll-us=2", "given twice");
	assert_bad_disk("id=a,path=b,coalesce-us=4294967296", "coalesce-us");
	assert_bad_disk("id=a,path=b,poll_us=1", "'poll_us' is not known");
	assert_words("poll-us, coalesce-us");
}

static void net_tuning(void **state)
{
	struct net_spec net;

	assert_int_equal(spec_parse_net("id=a", &net, &err), 0);
	assert_int_equal(net.tuning.flags, 0);
	assert_int_equal(spec_parse_net("id=a,poll-us=1000", &net, &err), 0);
	assert_int_equal(net.tuning.flags, PVBUS_DEV_POLL_US);
	assert_int_equal(net.tuning.poll_us, 1000);
	assert_int_equal(spec_parse_net("id=a,coalesce-us=0", &net, &err), 0);
	assert_int_equal(net.tuning.flags, PVBUS_DEV_COALESCE_US);

	assert_bad_net("id=a,poll-us=1001", "'1001'");
	assert_words("from 0 to 1000");
	assert_bad_net("id=a,coalesce-us=1001", "'1001'");
	assert_words("from 0 to 1000");
	assert_bad_net("id=a,coalesce-us=", "coalesce-us ''");
	assert_bad_net("id=a,poll=1", "'poll' is not known");
	assert_words("poll-us, coalesce-us");
}

static void names(void **state)
{
	char name[PVBUS_ID_SIZE];

	memset(name, 0xff, sizeof(name));
	assert_int_equal(spec_parse_name("a.B_9-x", "id", name, &err), 0);
	assert_string_equal(name, "a.B_9-x");
	/* nothing of what was there before reaches the kernel */
	assert_int_equal(name[PVBUS_ID_SIZE - 1], 0);
	assert_int_equal(spec_parse_name("0123456789012345678901234567890",
					 "id", name, &err), 0);

	assert_int_equal(spec_parse_name("", "id", name, &err), -1);
	assert_words("empty");
	assert_int_equal(spec_parse_name("01234567890123456789012345678901",
					 "id", name, &err), -1);
	assert_words("at most 31");
	assert_int_equal(spec_parse_name("-a", "id", name, &err), -1);
	assert_words("'-a'");
	assert_int_equal(spec_parse_name("../a", "id", name, &err), -1);
	assert_int_equal(spec_parse_name("a b", "id", name, &err), -1);
	assert_int_equal(spec_parse_name("a\xc3\xa4", "id", name, &err), -1);
	assert_int_equal(spec_parse_name("a\n", "id", name, &err), -1);
	assert_words("'a?'");
}

static void net_full(void **state)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 0xab, 0xcd, 0xef };
	struct net_spec net;
	const char *text = "id=lan,mac=52:54:00:AB:cd:ef,ifname=vm1-lan,mtu=9000,queues=16";

	assert_int_equal(spec_parse_net(text, &net, &err), 0);
	assert_string_equal(net.id, "lan");
	assert_string_equal(net.ifname, "vm1-lan");
	assert_memory_equal(net.mac, mac, 6);
	assert_int_equal(net.mtu, 9000);
	assert_int_equal(net.queues, 16);
}

static void net_bad(void **state)
{
	assert_bad_net("mtu=1500", "id= is missing");
	assert_bad_net("id=a,path=/x", "'path'");
	assert_bad_net("id=a,mac=52:54:00:12:34", "malformed");
	assert_bad_net("id=a,mac=52:54:00:12:34:5", "malformed");
	assert_bad_net("id=a,mac=52:54:00:12:34:567", "malformed");
	assert_bad_net("id=a,mac=52-54-00-12-34-56", "malformed");
	assert_bad_net("id=a,mac=52:54:00:12:34:5g", "malformed");
	assert_bad_net("id=a,mac=", "malformed");
	assert_bad_net("id=a,mac=01:54:00:12:34:56", "multicast");
	assert_bad_net("id=a,mac=ff:ff:ff:ff:ff:ff", "multicast");
	assert_bad_net("id=a,mac=00:00:00:00:00:00", "zero");
	assert_bad_net("id=a,mtu=67", "'67'");
	assert_bad_net("id=a,mtu=65522", "'65522'");
	assert_bad_net("id=a,mtu=-1", "'-1'");
	assert_bad_net("id=a,mtu= 1500", "' 1500'");
	assert_bad_net("id=a,ifname=", "ifname");
	assert_bad_net("id=a,ifname=0123456789012345", "16 characters");
	assert_bad_net("id=a,ifname=a/b", "'a/b'");
	assert_bad_net("id=a,ifname=pv%d", "'pv%d'");
	assert_bad_net("id=a,ifname=..", "'..'");
}

static void sizes(void **state)
{
	uint64_t size;

	assert_int_equal(spec_parse_size("4096", "x", &size, &err), 0);
	assert_int_equal(size, 4096);
	assert_int_equal(spec_parse_size("512M", "x", &size, &err), 0);
	assert_int_equal(size, 512 << 20);
	assert_int_equal(spec_parse_size("2t", "x", &size, &err), 0);
	assert_int_equal(size, 2ULL << 40);

	assert_int_equal(spec_parse_size("", "x", &size, &err), -1);
	assert_int_equal(spec_parse_size("0", "x", &size, &err), -1);
	assert_int_equal(spec_parse_size("M", "x", &size, &err), -1);
	assert_int_equal(spec_parse_size("1MB", "x", &size, &err), -1);
	assert_int_equal(spec_parse_size("-1M", "x", &size, &err), -1);
	assert_int_equal(spec_parse_size("17179869184G", "x", &size, &err), -1);
	assert_int_equal(spec_parse_size("99999999999999999999999", "x", &size,
					 &err), -1);
	assert_words("not a size");
}

static void unique(void **state)
{
	struct disk_spec disks[2];
	struct net_spec nets[2];

	assert_int_equal(spec_parse_disk("id=a,path=/x", &disks[0], &err), 0);
	assert_int_equal(spec_parse_disk("id=b,path=/x", &disks[1], &err), 0);
	assert_int_equal(spec_parse_net("id=c,ifname=i", &nets[0], &err), 0);
	assert_int_equal(spec_parse_net("id=d", &nets[1], &err), 0);
	assert_int_equal(spec_check_unique(disks, 2, nets, 2, &err), 0);
	assert_int_equal(spec_check_unique(NULL, 0, NULL, 0, &err), 0);

	assert_int_equal(spec_parse_net("id=a", &nets[1], &err), 0);
	assert_int_equal(spec_check_unique(disks, 2, nets, 2, &err), -1);
	assert_words("id 'a'");

	assert_int_equal(spec_parse_net("id=d,ifname=i", &nets[1], &err), 0);
	assert_int_equal(spec_check_unique(disks, 2, nets, 2, &err), -1);
	assert_words("ifname 'i'");

	assert_int_equal(spec_parse_net("id=c,mac=52:00:00:00:00:01", &nets[0],
					&err), 0);
	assert_int_equal(spec_parse_net("id=d,mac=52:00:00:00:00:01", &nets[1],
					&err), 0);
	assert_int_equal(spec_check_unique(disks, 2, nets, 2, &err), -1);
	assert_words("52:00:00:00:00:01");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk_full),
		cmocka_unit_test(disk_defaults),
		cmocka_unit_test(disk_bad),
		cmocka_unit_test(disk_format),
		cmocka_unit_test(disk_tuning),
		cmocka_unit_test(names),
		cmocka_unit_test(net_full),
		cmocka_unit_test(net_bad),
		cmocka_unit_test(net_tuning),
		cmocka_unit_test(sizes),
		cmocka_unit_test(unique),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
