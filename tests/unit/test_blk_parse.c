// SPDX-License-Identifier: GPL-2.0
/* SOURCES: kmod/blk_parse.c */
/*
 * What the disk backend makes of a guest's requests: each check by a request
 * that differs from a good one in just what the check is about, and the sum of
 * them by random ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <blk_parse.h>

#define CAPACITY	1000000ULL
#define MAX_BYTES	0x100000U
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static const struct pvh_blk_limits limits = {
	.capacity	= CAPACITY,
	.features	= PVBUS_BLK_F_ALL,
	.logical_block	= 512,
	.alignment	= 512,
	.max_bytes	= MAX_BYTES,
	.max_segments	= PVBUS_BLK_MAX_SEGS,
	.max_discard	= 1U << 17,
};

/* What the parser puts out, and what it was given. */
struct parsed {
	struct pvbus_blk_req	req;
	struct pvh_blk_limits	lim;
	struct pvh_blk_cmd	cmd;
	struct pvh_blk_seg	segs[PVBUS_BLK_MAX_SEGS];
	struct pvbus_blk_seg	table[PVBUS_BLK_MAX_SEGS];
};

static __u32 parse(struct parsed *p)
{
	return pvh_blk_parse(&p->req, &p->lim, &p->cmd, p->segs);
}

static __u32 parse_table(struct parsed *p)
{
	return pvh_blk_parse_table(p->table, &p->lim, &p->cmd, p->segs);
}

#define assert_status(p, status)	assert_int_equal(parse(p), \
							 PVBUS_BLK_ST_##status)

/* A good read of @nr inline segments of 4 KiB. */
static struct parsed *good_read(struct parsed *p, unsigned int nr)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->lim = limits;
	p->req.op = PVBUS_BLK_READ;
	p->req.tag = cpu_to_le16(7);
	p->req.cookie = cpu_to_le16(0xabcd);
	p->req.nr_segs = cpu_to_le16(nr);
	p->req.len = cpu_to_le32(nr * 4096);
	p->req.sector = cpu_to_le64(8);
	for (i = 0; i < nr; i++) {
		p->req.addr[i] = cpu_to_le64(0x100000 + i * 0x10000);
		p->req.seg_len[i] = cpu_to_le32(4096);
	}
	return p;
}

static struct parsed *good_write(struct parsed *p, unsigned int nr)
{
	good_read(p, nr)->req.op = PVBUS_BLK_WRITE;
	return p;
}

/* A good read of a table of @nr segments of 512 bytes. */
static struct parsed *good_table(struct parsed *p, unsigned int nr)
{
	unsigned int i;

	good_read(p, 0);
	p->req.flags = PVBUS_BLK_REQ_INDIRECT;
	p->req.nr_segs = cpu_to_le16(nr);
	p->req.len = cpu_to_le32(nr * 512);
	p->req.addr[0] = cpu_to_le64(0x7000);
	p->req.seg_len[0] = cpu_to_le32(nr * sizeof(p->table[0]));
	for (i = 0; i < nr; i++) {
		p->table[i].addr = cpu_to_le64(0x200000 + i * 1024);
		p->table[i].len = cpu_to_le32(512);
	}
	return p;
}

static struct parsed *good_flush(struct parsed *p)
{
	memset(p, 0, sizeof(*p));
	p->lim = limits;
	p->req.op = PVBUS_BLK_FLUSH;
	return p;
}

static struct parsed *good_discard(struct parsed *p)
{
	good_flush(p)->req.op = PVBUS_BLK_DISCARD;
	p->req.len = cpu_to_le32(1U << 16);
	p->req.sector = cpu_to_le64(128);
	return p;
}

static void test_good(void **state)
{
	struct parsed p;
	unsigned int i;

	for (i = 1; i <= PVBUS_BLK_INLINE_SEGS; i++) {
		assert_status(good_read(&p, i), OK);
		assert_int_equal(p.cmd.nr_segs, i);
		assert_int_equal(p.cmd.len, i * 4096);
		assert_int_equal(p.cmd.sector, 8);
		assert_int_equal(p.cmd.cookie, 0xabcd);
		assert_int_equal(p.cmd.op, PVBUS_BLK_READ);
		assert_false(p.cmd.fua);
		assert_int_equal(p.cmd.table, 0);
		assert_int_equal(p.segs[i - 1].addr,
				 0x100000 + (i - 1) * 0x10000);
		assert_int_equal(p.segs[i - 1].len, 4096);
	}
	assert_status(good_write(&p, 2), OK);
	good_write(&p, 2)->req.flags = PVBUS_BLK_REQ_FUA;
	assert_status(&p, OK);
	assert_true(p.cmd.fua);
	assert_status(good_flush(&p), OK);
	assert_status(good_discard(&p), OK);
	assert_int_equal(p.cmd.len, 1U << 16);
	good_discard(&p)->req.op = PVBUS_BLK_WRITE_ZEROES;
	assert_status(&p, OK);
	assert_false(p.cmd.nounmap);
	p.req.flags = PVBUS_BLK_REQ_NOUNMAP;
	assert_status(&p, OK);
	assert_true(p.cmd.nounmap);
}

static void test_good_table(void **state)
{
	struct parsed p;

	assert_status(good_table(&p, 1), OK);
	assert_int_equal(parse_table(&p), PVBUS_BLK_ST_OK);
	assert_status(good_table(&p, PVBUS_BLK_MAX_SEGS), OK);
	assert_int_equal(p.cmd.table, 0x7000);
	assert_int_equal(pvh_blk_table_size(&p.cmd), 4096);
	assert_int_equal(parse_table(&p), PVBUS_BLK_ST_OK);
	assert_int_equal(p.segs[255].addr, 0x200000 + 255 * 1024);
	assert_int_equal(p.segs[255].len, 512);
}

static void test_op(void **state)
{
	struct parsed p;
	unsigned int op;

	for (op = 0; op < 256; op++) {
		if (op >= PVBUS_BLK_READ && op <= PVBUS_BLK_WRITE_ZEROES)
			continue;
		good_read(&p, 1)->req.op = op;
		assert_status(&p, UNSUPP);
		/* the completion still says whose it is */
		assert_int_equal(p.cmd.cookie, 0xabcd);
	}
}

static void test_features(void **state)
{
	struct parsed p;

	good_flush(&p)->lim.features &= ~PVBUS_BLK_F_FLUSH;
	assert_status(&p, UNSUPP);
	good_discard(&p)->lim.features &= ~PVBUS_BLK_F_DISCARD;
	assert_status(&p, UNSUPP);
	good_discard(&p)->lim.features &= ~PVBUS_BLK_F_WRITE_ZEROES;
	p.req.op = PVBUS_BLK_WRITE_ZEROES;
	assert_status(&p, UNSUPP);
	good_write(&p, 1)->lim.features &= ~PVBUS_BLK_F_FUA;
	assert_status(&p, OK);
	p.req.flags = PVBUS_BLK_REQ_FUA;
	assert_status(&p, INVAL);
}

/* Who cannot flush has to find everything durable. */
static void test_without_flush(void **state)
{
	struct parsed p;

	good_write(&p, 1)->lim.features &= ~PVBUS_BLK_F_FLUSH;
	assert_status(&p, OK);
	assert_true(p.cmd.fua);
	good_discard(&p)->lim.features &= ~PVBUS_BLK_F_FLUSH;
	assert_status(&p, OK);
	assert_true(p.cmd.fua);
	good_read(&p, 1)->lim.features &= ~PVBUS_BLK_F_FLUSH;
	assert_status(&p, OK);
	assert_false(p.cmd.fua);
	assert_status(good_write(&p, 1), OK);
	assert_false(p.cmd.fua);
}

static void test_flags(void **state)
{
	struct parsed p;
	unsigned int bit;

	for (bit = 0; bit < 8; bit++) {
		__u8 flag = 1U << bit;

		good_read(&p, 1)->req.flags = flag;
		if (flag != PVBUS_BLK_REQ_INDIRECT)
			assert_status(&p, INVAL);
		good_write(&p, 1)->req.flags = flag;
		if (flag == PVBUS_BLK_REQ_FUA)
			assert_status(&p, OK);
		else if (flag != PVBUS_BLK_REQ_INDIRECT)
			assert_status(&p, INVAL);
		good_flush(&p)->req.flags = flag;
		assert_status(&p, INVAL);
		good_discard(&p)->req.flags = flag;
		assert_status(&p, INVAL);
		p.req.op = PVBUS_BLK_WRITE_ZEROES;
		if (flag != PVBUS_BLK_REQ_NOUNMAP)
			assert_status(&p, INVAL);
	}
}

static void test_unused_fields(void **state)
{
	struct parsed p;

	good_read(&p, 1)->req.reserved = cpu_to_le32(1);
	assert_status(&p, INVAL);
	good_read(&p, 1)->req.addr[1] = cpu_to_le64(512);
	assert_status(&p, INVAL);
	good_read(&p, 2)->req.seg_len[2] = cpu_to_le32(512);
	assert_status(&p, INVAL);
	good_table(&p, 4)->req.addr[1] = cpu_to_le64(512);
	assert_status(&p, INVAL);
	good_table(&p, 4)->req.seg_len[2] = cpu_to_le32(512);
	assert_status(&p, INVAL);
	good_flush(&p)->req.sector = cpu_to_le64(1);
	assert_status(&p, INVAL);
	good_flush(&p)->req.len = cpu_to_le32(512);
	assert_status(&p, INVAL);
	good_flush(&p)->req.nr_segs = cpu_to_le16(1);
	assert_status(&p, INVAL);
	good_flush(&p)->req.addr[0] = cpu_to_le64(4096);
	assert_status(&p, INVAL);
	good_discard(&p)->req.nr_segs = cpu_to_le16(1);
	assert_status(&p, INVAL);
	good_discard(&p)->req.seg_len[0] = cpu_to_le32(1U << 16);
	assert_status(&p, INVAL);
}

static void set_extent(struct parsed *p, __u64 sector, __u32 len)
{
	p->req.sector = cpu_to_le64(sector);
	p->req.len = cpu_to_le32(len);
	p->req.seg_len[0] = cpu_to_le32(len);
}

static void test_range(void **state)
{
	static const struct {
		__u64 sector;
		__u32 len;
		__u32 status;
	} cases[] = {
		{ 0, 512, PVBUS_BLK_ST_OK },
		{ CAPACITY - 1, 512, PVBUS_BLK_ST_OK },
		{ CAPACITY - 2048, MAX_BYTES, PVBUS_BLK_ST_OK },
		{ CAPACITY, 512, PVBUS_BLK_ST_RANGE },
		{ CAPACITY - 1, 1024, PVBUS_BLK_ST_RANGE },
		{ CAPACITY - 2047, MAX_BYTES, PVBUS_BLK_ST_RANGE },
		{ ~0ULL, 512, PVBUS_BLK_ST_RANGE },
		{ ~0ULL - 1, 1024, PVBUS_BLK_ST_RANGE },
		{ 1ULL << 55, 512, PVBUS_BLK_ST_RANGE },
		{ 0, 0, PVBUS_BLK_ST_INVAL },
		{ 0, 511, PVBUS_BLK_ST_INVAL },
		{ 0, 513, PVBUS_BLK_ST_INVAL },
		{ 0, MAX_BYTES + 512, PVBUS_BLK_ST_INVAL },
		{ 0, ~0U - 511, PVBUS_BLK_ST_INVAL },
	};
	struct parsed p;
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		set_extent(good_read(&p, 1), cases[i].sector, cases[i].len);
		assert_int_equal(parse(&p), cases[i].status);
	}
	/* a disk that is smaller than the request */
	set_extent(good_read(&p, 1), 0, 4096);
	p.lim.capacity = 7;
	assert_status(&p, RANGE);
	p.lim.capacity = 8;
	assert_status(&p, OK);
}

static void test_discard_range(void **state)
{
	struct parsed p;

	good_discard(&p)->req.len = cpu_to_le32((1U << 17) * 512);
	assert_status(&p, OK);
	good_discard(&p)->req.len = cpu_to_le32((1U << 17) * 512 + 512);
	assert_status(&p, INVAL);
	good_discard(&p)->req.sector = cpu_to_le64(CAPACITY - 127);
	assert_status(&p, RANGE);
}

static void test_logical_block(void **state)
{
	struct parsed p;

	good_read(&p, 1)->lim.logical_block = 4096;
	p.lim.alignment = 4096;
	assert_status(&p, OK);
	p.req.sector = cpu_to_le64(9);
	assert_status(&p, INVAL);
	set_extent(&p, 8, 512);
	assert_status(&p, INVAL);
	/* the sum is a block, the segments are not */
	good_read(&p, 2)->lim.logical_block = 4096;
	p.lim.alignment = 4096;
	p.req.len = cpu_to_le32(4096);
	p.req.seg_len[0] = cpu_to_le32(512);
	p.req.seg_len[1] = cpu_to_le32(3584);
	assert_status(&p, INVAL);
}

static void test_readonly(void **state)
{
	struct parsed p;

	good_read(&p, 1)->lim.readonly = true;
	assert_status(&p, OK);
	good_write(&p, 1)->lim.readonly = true;
	assert_status(&p, READONLY);
	good_discard(&p)->lim.readonly = true;
	assert_status(&p, READONLY);
	p.req.op = PVBUS_BLK_WRITE_ZEROES;
	assert_status(&p, READONLY);
	good_flush(&p)->lim.readonly = true;
	assert_status(&p, OK);
}

static void test_segments(void **state)
{
	struct parsed p;

	good_read(&p, 0)->req.len = cpu_to_le32(4096);
	assert_status(&p, INVAL);
	/* more than fit, and nothing says that there is a table */
	good_read(&p, 3)->req.nr_segs = cpu_to_le16(4);
	assert_status(&p, INVAL);
	good_read(&p, 3)->req.nr_segs = cpu_to_le16(0xffff);
	assert_status(&p, INVAL);
	good_read(&p, 2)->req.len = cpu_to_le32(4096);
	assert_status(&p, INVAL);
	good_read(&p, 2)->req.len = cpu_to_le32(3 * 4096);
	assert_status(&p, INVAL);
	good_read(&p, 2)->req.seg_len[1] = 0;
	p.req.len = cpu_to_le32(4096);
	assert_status(&p, INVAL);
	good_read(&p, 1)->req.addr[0] = cpu_to_le64(0x100004);
	assert_status(&p, INVAL);
	good_read(&p, 1)->req.addr[0] = cpu_to_le64(~0ULL - 511);
	assert_status(&p, INVAL);
	/* lengths whose sum is right only in 32 bits */
	good_read(&p, 3)->req.len = cpu_to_le32(512);
	p.req.seg_len[0] = cpu_to_le32(0x80000000);
	p.req.seg_len[1] = cpu_to_le32(0x80000000);
	p.req.seg_len[2] = cpu_to_le32(512);
	assert_status(&p, INVAL);
}

static void test_table(void **state)
{
	struct parsed p;

	good_table(&p, 4)->req.addr[0] = 0;
	assert_status(&p, INVAL);
	good_table(&p, 4)->req.addr[0] = cpu_to_le64(0x7200);
	assert_status(&p, INVAL);
	good_table(&p, 4)->req.seg_len[0] = cpu_to_le32(63);
	assert_status(&p, INVAL);
	good_table(&p, 4)->req.seg_len[0] = cpu_to_le32(80);
	assert_status(&p, INVAL);
	good_table(&p, 4)->lim.max_segments = 3;
	assert_status(&p, INVAL);
	good_table(&p, PVBUS_BLK_MAX_SEGS)->req.nr_segs = cpu_to_le16(257);
	p.req.seg_len[0] = cpu_to_le32(257 * 16);
	assert_status(&p, INVAL);
}

static void test_table_entries(void **state)
{
	struct parsed p;

	assert_status(good_table(&p, 4), OK);
	p.table[3].reserved = cpu_to_le32(1);
	assert_int_equal(parse_table(&p), PVBUS_BLK_ST_INVAL);
	assert_status(good_table(&p, 4), OK);
	p.table[2].len = cpu_to_le32(1024);
	assert_int_equal(parse_table(&p), PVBUS_BLK_ST_INVAL);
	assert_status(good_table(&p, 4), OK);
	p.table[2].len = 0;
	p.table[1].len = cpu_to_le32(1024);
	assert_int_equal(parse_table(&p), PVBUS_BLK_ST_INVAL);
	assert_status(good_table(&p, 4), OK);
	p.table[0].addr = cpu_to_le64(1);
	assert_int_equal(parse_table(&p), PVBUS_BLK_ST_INVAL);
	assert_status(good_table(&p, 4), OK);
	p.table[1].addr = cpu_to_le64(~0ULL - 511);
	assert_int_equal(parse_table(&p), PVBUS_BLK_ST_INVAL);
}

/* What the backend relies on, whatever was asked for. */
static void check_believed(const struct parsed *p)
{
	const struct pvh_blk_cmd *cmd = &p->cmd;
	__u64 sum = 0;
	unsigned int i;

	assert_true(cmd->op >= PVBUS_BLK_READ &&
		    cmd->op <= PVBUS_BLK_WRITE_ZEROES);
	assert_true(cmd->nr_segs <= PVBUS_BLK_MAX_SEGS);
	assert_true(cmd->sector + cmd->len / 512 <= p->lim.capacity);
	assert_true(cmd->len % p->lim.logical_block == 0);
	if (cmd->op != PVBUS_BLK_READ && cmd->op != PVBUS_BLK_FLUSH)
		assert_false(p->lim.readonly);
	if (cmd->table)
		return;
	for (i = 0; i < cmd->nr_segs; i++)
		sum += p->segs[i].len;
	if (cmd->nr_segs)
		assert_int_equal(sum, cmd->len);
}

/* Small values are likely, so that not all fails at the first check. */
static __u64 any_value(void)
{
	__u64 v = (__u64)random() << 32 ^ random();

	switch (random() % 4) {
	case 0:
		return v % 8;
	case 1:
		return v % 2048 * 512;
	case 2:
		return ~(v % 1024);
	default:
		return v;
	}
}

static void spoil(struct parsed *p)
{
	switch (random() % 8) {
	case 0:
		p->req.op = any_value();
		break;
	case 1:
		p->req.flags = any_value();
		break;
	case 2:
		p->req.nr_segs = cpu_to_le16(any_value());
		break;
	case 3:
		p->req.len = cpu_to_le32(any_value());
		break;
	case 4:
		p->req.sector = cpu_to_le64(any_value());
		break;
	case 5:
		p->req.addr[random() % 3] = cpu_to_le64(any_value());
		break;
	case 6:
		p->req.seg_len[random() % 3] = cpu_to_le32(any_value());
		break;
	default:
		p->lim.readonly = random() % 2;
		break;
	}
}

static void test_random(void **state)
{
	unsigned int i, k, believed = 0;
	struct parsed p;

	srandom(1);
	for (i = 0; i < 200000; i++) {
		if (random() % 2)
			good_read(&p, random() % 4);
		else
			good_table(&p, random() % 257);
		p.req.op = 1 + random() % 5;
		for (k = random() % 4; k; k--)
			spoil(&p);
		if (parse(&p) != PVBUS_BLK_ST_OK)
			continue;
		if (p.cmd.table && parse_table(&p) != PVBUS_BLK_ST_OK)
			continue;
		believed++;
		check_believed(&p);
	}
	assert_true(believed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_good_table),
		cmocka_unit_test(test_op),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_without_flush),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_unused_fields),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_discard_range),
		cmocka_unit_test(test_logical_block),
		cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_entries),
		cmocka_unit_test(test_random),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("blk_parse", tests, NULL, NULL);
}
