// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/maps.c userspace/pvbusd/proof.c userspace/lib/err.c */
/*
 * Finding guest RAM among QEMU's mappings, and proving it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "maps.h"
#include "proof.h"

#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)

static struct map_list list;
static struct map_range cand[MAPS_MAX_CANDIDATES];

static size_t find(const char *text, uint64_t ram_size, uint64_t claim)
{
	size_t nr;

	assert_int_equal(maps_parse(text, &list), 0);
	nr = maps_candidates(&list, ram_size, claim, cand);
	maps_free(&list);
	return nr;
}

/* -- the text --------------------------------------------------------------- */

static void parse_fields(void **state)
{
	static const char text[] =
		"55d0a0000000-55d0a0100000 r-xp 00000000 fe:00 123 /usr/bin/qemu\n"
		"55d0a1000000-55d0a2000000 rw-p 00000000 00:00 0 [heap]\n"
		"7f0000000000-7f0040000000 rw-p 00000000 00:00 0\n"
		"7f0050000000-7f0060000000 rw-s 00001000 00:01 77 /memfd:x y (deleted)\n"
		"7f0070000000-7f0070001000 rw-p 00000000 00:00 0 [anon:ram]\n"
		"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]";

	assert_int_equal(maps_parse(text, &list), 0);
	assert_int_equal(list.nr, 3);
	assert_int_equal(list.area[0].start, 0x7f0000000000);
	assert_int_equal(list.area[0].end, 0x7f0040000000);
	assert_int_equal(list.area[0].inode, 0);
	assert_false(list.area[0].shared);
	assert_true(list.area[1].shared);
	assert_int_equal(list.area[1].offset, 0x1000);
	assert_int_equal(list.area[1].inode, 77);
	assert_int_equal(list.area[2].start, 0x7f0070000000);
	maps_free(&list);
}

static void parse_bad(void **state)
{
	assert_int_equal(maps_parse("", &list), 0);
	assert_int_equal(list.nr, 0);
	assert_int_equal(maps_parse("nonsense\n", &list), -1);
	assert_int_equal(maps_parse("2000-1000 rw-p 0 00:00 0\n", &list), -1);
	assert_int_equal(maps_parse("1000-2000 rw-p 0 00:00 0\n\n", &list), -1);
	assert_int_equal(maps_parse("1000-2000 rw-p 0\n", &list), -1);
	assert_null(list.area);
}

static void parse_long_name(void **state)
{
	char text[1000];

	memset(text, 'a', sizeof(text));
	memcpy(text, "1000-2000 rw-s 0 00:01 5 /", 26);
	memcpy(text + 900, "\n3000-4000 rw-p 0 00:00 0\n", 27);
	assert_int_equal(maps_parse(text, &list), 0);
	assert_int_equal(list.nr, 2);
	maps_free(&list);
}

/* -- candidates --------------------------------------------------------------- */

static void by_size(void **state)
{
	static const char text[] =
		"100000000-140000000 rw-p 0 00:00 0\n"
		"200000000-240000000 rw-s 0 00:01 5 /memfd:ram\n"
		"300000000-3c0000000 rw-p 0 00:00 0\n"
		"400000000-400800000 rw-p 0 00:00 0\n";

	/* 1 GiB: two mappings of that size, and no other */
	assert_int_equal(find(text, GIB, GIB - MIB), 2);
	assert_int_equal(cand[0].size, GIB);
	assert_int_equal(cand[1].size, GIB);
	/* a guest that sees little of it */
	assert_int_equal(find(text, GIB, 8 * MIB), 2);
	/* one that claims more than there is */
	assert_int_equal(find(text, GIB, GIB + 4096), 0);
	/* rounded up to a page of 2 MiB, of 1 GiB */
	assert_int_equal(find(text, GIB - 4096, MIB), 2);
	assert_int_equal(find(text, GIB - 3 * MIB, MIB), 2);
	assert_int_equal(find(text, 2 * GIB, MIB), 0);
}

static void by_claim(void **state)
{
	static const char text[] =
		"100000000-140000000 rw-p 0 00:00 0\n"
		"300000000-3c0000000 rw-p 0 00:00 0\n"
		"400000000-400800000 rw-p 0 00:00 0\n";

	/* 3 GiB is more than twice the claim */
	assert_int_equal(find(text, 0, GIB - 4096), 1);
	assert_int_equal(cand[0].start, 0x100000000);
	assert_int_equal(find(text, 0, GIB), 1);
	assert_int_equal(find(text, 0, 2 * GIB), 1);
	assert_int_equal(cand[0].start, 0x300000000);
	/* less than half */
	assert_int_equal(find(text, 0, GIB / 2), 0);
	/* a heap of 8 MiB is not taken for RAM */
	assert_int_equal(find(text, 0, 8 * MIB), 0);
	assert_int_equal(find(text, 0, UINT64_MAX), 0);
	assert_int_equal(find(text, UINT64_MAX, MIB), 0);
}

static void merged(void **state)
{
	/* anonymous neighbours; the first is no part of RAM */
	assert_int_equal(find("0ff000000-100000000 rw-p 0 00:00 0\n"
			      "100000000-120000000 rw-p 0 00:00 0\n"
			      "120000000-140000000 rw-p 0 00:00 0\n",
			      GIB, GIB), 1);
	assert_int_equal(cand[0].start, 0x100000000);
	assert_int_equal(cand[0].size, GIB);
	/* one file, in one piece */
	assert_int_equal(find("100000000-120000000 rw-s 00000000 00:01 5 /ram\n"
			      "120000000-140000000 rw-s 20000000 00:01 5 /ram\n",
			      GIB, GIB), 1);
	/* not in one piece; two files; a hole; one shared and one private */
	assert_int_equal(find("100000000-120000000 rw-s 00000000 00:01 5 /ram\n"
			      "120000000-140000000 rw-s 30000000 00:01 5 /ram\n",
			      GIB, GIB), 0);
	assert_int_equal(find("100000000-120000000 rw-s 00000000 00:01 5 /a\n"
			      "120000000-140000000 rw-s 20000000 00:01 6 /b\n",
			      GIB, GIB), 0);
	assert_int_equal(find("100000000-120000000 rw-p 0 00:00 0\n"
			      "120001000-140001000 rw-p 0 00:00 0\n",
			      GIB, GIB), 0);
	assert_int_equal(find("100000000-120000000 rw-p 0 00:00 0\n"
			      "120000000-140000000 rw-s 0 00:01 9 /dev/zero (deleted)\n",
			      GIB, GIB), 0);
	/* a read-only part in between */
	assert_int_equal(find("100000000-120000000 rw-p 0 00:00 0\n"
			      "120000000-120001000 r--p 0 00:00 0\n"
			      "120001000-140000000 rw-p 0 00:00 0\n",
			      GIB, GIB), 0);
}

static void many(void **state)
{
	char *text = malloc(200 * 64);
	size_t len = 0;
	int i;

	/* sizes from 1 GiB upwards: the largest are kept, in order */
	for (i = 0; i < 200; i++)
		len += sprintf(text + len, "%llx-%llx rw-p 0 00:00 0\n",
			       (i + 1) * 4 * GIB,
			       (i + 1) * 4 * GIB + GIB + i * 4096);
	assert_int_equal(find(text, 0, GIB), MAPS_MAX_CANDIDATES);
	for (i = 0; i < MAPS_MAX_CANDIDATES; i++)
		assert_int_equal(cand[i].size, GIB + (199 - i) * 4096);
	free(text);
}

/* -- the proof ---------------------------------------------------------------- */

/* A QEMU whose RAM begins at BASE, with low RAM up to @low. */
#define BASE	0x7f0000000000ULL

struct fake {
	struct pvbus_ioc_vm_info info;
	uint64_t size;
	uint64_t low;
	unsigned int reads;
};

static int fake_read(void *ctx, uint64_t hva, void *buf, size_t len)
{
	struct fake *fake = ctx;
	uint32_t i;

	fake->reads++;
	assert_int_equal(len, PVBUS_NONCE_SIZE);
	/* never outside of the candidate */
	assert_true(hva >= BASE && hva + len <= BASE + fake->size);
	memset(buf, 0, len);
	for (i = 0; i < fake->info.hello_nonces; i++) {
		uint64_t gpa = fake->info.nonce_addr[i];

		if (gpa >= RAM_HIGH)
			gpa = gpa - RAM_HIGH + fake->low;
		if (BASE + gpa == hva)
			memcpy(buf, fake->info.nonce[i], len);
	}
	return 0;
}

static void add_range(struct fake *fake, uint64_t start, uint64_t size,
		      uint64_t nonce)
{
	uint32_t r = fake->info.hello_ranges++;
	uint32_t n = fake->info.hello_nonces++;

	fake->info.range[r].start = start;
	fake->info.range[r].size = size;
	fake->info.nonce_addr[n] = nonce;
	memset(fake->info.nonce[n], 0x10 + n, PVBUS_NONCE_SIZE);
}

static bool try(struct fake *fake, struct pvbus_ioc_vm_set_mem *table)
{
	struct proof_reader reader = { .read = fake_read, .ctx = fake };
	struct map_range range = { .start = BASE, .size = fake->size };
	struct proof_block block = {
		.size = range.size, .cand = &range, .nr_cand = 1,
	};
	struct proof_claim claim;
	struct pv_err err;

	if (proof_claim(&fake->info, &claim, &err))
		return false;
	return proof_try(&reader, &fake->info, &claim, &block, 1, table);
}

static void low_only(void **state)
{
	struct fake fake = { .size = GIB, .low = GIB };
	struct pvbus_ioc_vm_set_mem table;

	add_range(&fake, 0x1000, GIB - 0x21000, 0x12340);
	assert_true(try(&fake, &table));
	assert_int_equal(table.nr_regions, 1);
	assert_int_equal(table.region[0].gpa, 0);
	assert_int_equal(table.region[0].hva, BASE);
	assert_int_equal(table.region[0].size, GIB);
}

static void wrong_nonce(void **state)
{
	struct fake fake = { .size = GIB, .low = GIB };
	struct pvbus_ioc_vm_set_mem table;
	struct pvbus_ioc_vm_info other;
	struct proof_reader reader = { .read = fake_read, .ctx = &fake };
	struct map_range range = { .start = BASE, .size = GIB };
	struct proof_block block = {
		.size = range.size, .cand = &range, .nr_cand = 1,
	};
	struct proof_claim claim;
	struct pv_err err;

	add_range(&fake, 0x1000, GIB / 2, 0x12340);
	other = fake.info;
	other.nonce[0][15] ^= 1;
	assert_int_equal(proof_claim(&other, &claim, &err), 0);
	assert_false(proof_try(&reader, &other, &claim, &block, 1, &table));
	other = fake.info;
	other.nonce_addr[0] += 16;
	assert_false(proof_try(&reader, &other, &claim, &block, 1, &table));
}

static void high(void **state)
{
	static const uint64_t lows[] = {
		2 * GIB, 3 * GIB, 0xe0000000, 0xb0000000, 2 * GIB + 5 * MIB,
	};
	struct pvbus_ioc_vm_set_mem table;
	size_t i;

	for (i = 0; i < sizeof(lows) / sizeof(lows[0]); i++) {
		struct fake fake = { .size = 6 * GIB, .low = lows[i] };

		add_range(&fake, 0x1000, lows[i] - 0x31000, 0x5550);
		add_range(&fake, RAM_HIGH, 6 * GIB - lows[i],
			  RAM_HIGH + 0x7770);
		assert_true(try(&fake, &table));
		assert_int_equal(table.nr_regions, 2);
		assert_int_equal(table.region[0].size, lows[i]);
		assert_int_equal(table.region[1].gpa, RAM_HIGH);
		assert_int_equal(table.region[1].hva, BASE + lows[i]);
		assert_int_equal(table.region[1].size, 6 * GIB - lows[i]);
		/* the end of high RAM told it at once */
		assert_true(fake.reads <= 2);

		/* a guest that does not see the end of its RAM (mem=) */
		fake.info.range[1].size -= 16 * MIB;
		assert_true(try(&fake, &table));
		assert_int_equal(table.region[0].size, lows[i]);
		assert_int_equal(table.region[1].size, 6 * GIB - lows[i]);
	}
}

static void high_wrong(void **state)
{
	struct fake fake = { .size = 6 * GIB, .low = 3 * GIB };
	struct pvbus_ioc_vm_set_mem table;

	add_range(&fake, 0x1000, 2 * GIB, 0x5550);
	add_range(&fake, RAM_HIGH, 3 * GIB, RAM_HIGH + 0x7770);
	/* in memory at no multiple of 1 MiB */
	fake.low = 3 * GIB + 4096;
	assert_false(try(&fake, &table));
	/* bounded */
	assert_true(fake.reads < 5000);
	/* more than the mapping holds */
	fake.low = 3 * GIB;
	fake.info.range[1].size = 5 * GIB;
	assert_false(try(&fake, &table));
}

static void big_low_claim(void **state)
{
	/* high RAM is there, but the guest (mem=1G) does not claim it */
	struct fake fake = { .size = 8 * GIB, .low = 3 * GIB };
	struct pvbus_ioc_vm_set_mem table;

	add_range(&fake, 0x1000, GIB - 0x1000, 0x5550);
	assert_true(try(&fake, &table));
	assert_int_equal(table.nr_regions, 1);
	assert_int_equal(table.region[0].size, GIB);
}

static void claims(void **state)
{
	struct fake fake = { .size = GIB };
	struct pvbus_ioc_vm_set_mem table;

	/* nothing, too much */
	assert_false(try(&fake, &table));
	fake.info.hello_ranges = PVBUS_MAX_RANGES + 1;
	assert_false(try(&fake, &table));

	/* across 4 GiB */
	memset(&fake.info, 0, sizeof(fake.info));
	add_range(&fake, 0x1000, 5 * GIB, 0x5550);
	assert_false(try(&fake, &table));

	/* overflow */
	memset(&fake.info, 0, sizeof(fake.info));
	add_range(&fake, 0x1000, MIB, 0x5550);
	add_range(&fake, RAM_HIGH, UINT64_MAX - RAM_HIGH + 1, RAM_HIGH);
	assert_false(try(&fake, &table));

	/* descending */
	memset(&fake.info, 0, sizeof(fake.info));
	add_range(&fake, RAM_HIGH, MIB, RAM_HIGH);
	add_range(&fake, 0x1000, MIB, 0x5550);
	assert_false(try(&fake, &table));

	/* a range without a nonce */
	memset(&fake.info, 0, sizeof(fake.info));
	add_range(&fake, 0x1000, MIB, 0x5550);
	add_range(&fake, RAM_HIGH, MIB, 0x6660);
	assert_false(try(&fake, &table));

	/* only high */
	memset(&fake.info, 0, sizeof(fake.info));
	add_range(&fake, RAM_HIGH, MIB, RAM_HIGH);
	assert_false(try(&fake, &table));

	/* a nonce behind the end of the mapping is not read */
	memset(&fake.info, 0, sizeof(fake.info));
	fake.reads = 0;
	add_range(&fake, 0x1000, GIB, GIB - 8);
	assert_false(try(&fake, &table));
	assert_int_equal(fake.reads, 0);
}

/*
 * Two nodes of 2 and 3 GiB, the second in two pieces for the guest, and three mappings
 * that may be the one or the other.
 */
static const struct map_range node_cand[] = {
	{ .start = BASE + 32 * GIB, .size = 3 * GIB },
	{ .start = BASE + 16 * GIB, .size = 3 * GIB },
	{ .start = BASE, .size = 3 * GIB },
};

/* Of which the last is the first node, and the second the other. */
static int read_nodes(void *ctx, uint64_t hva, void *buf, size_t len)
{
	struct fake *fake = ctx;
	uint32_t i;

	memset(buf, 0, len);
	for (i = 0; i < fake->info.hello_nonces; i++) {
		uint64_t at = fake->info.nonce_addr[i];

		if (at >= RAM_HIGH)
			at = at - RAM_HIGH + fake->low;
		at = at < 2 * GIB ? BASE + at : BASE + 16 * GIB + at - 2 * GIB;
		if (at == hva)
			memcpy(buf, fake->info.nonce[i], len);
	}
	return 0;
}

static bool try_nodes(struct fake *fake, struct pvbus_ioc_vm_set_mem *table)
{
	struct proof_reader reader = { .read = read_nodes, .ctx = fake };
	struct proof_block block[] = {
		{ .size = 2 * GIB, .cand = node_cand, .nr_cand = 3 },
		{ .size = 3 * GIB, .cand = node_cand, .nr_cand = 3 },
	};
	struct proof_claim claim;
	struct pv_err err;

	assert_int_equal(proof_claim(&fake->info, &claim, &err), 0);
	return proof_try(&reader, &fake->info, &claim, block, 2, table);
}

static void nodes(void **state)
{
	struct fake fake = { .low = 3 * GIB };
	struct pvbus_ioc_vm_set_mem table;

	add_range(&fake, 0x1000, 3 * GIB - 0x31000, 0x5550);
	add_range(&fake, RAM_HIGH, 2 * GIB, RAM_HIGH + 0x7770);
	assert_true(try_nodes(&fake, &table));
	assert_int_equal(table.nr_regions, 3);
	assert_int_equal(table.region[0].gpa, 0);
	assert_int_equal(table.region[0].hva, BASE);
	assert_int_equal(table.region[0].size, 2 * GIB);
	assert_int_equal(table.region[1].gpa, 2 * GIB);
	assert_int_equal(table.region[1].hva, BASE + 16 * GIB);
	assert_int_equal(table.region[1].size, GIB);
	assert_int_equal(table.region[2].gpa, RAM_HIGH);
	assert_int_equal(table.region[2].hva, BASE + 17 * GIB);
	assert_int_equal(table.region[2].size, 2 * GIB);
	/* low RAM that ends where a node does */
	fake.low = 2 * GIB;
	fake.info.range[0].size = 2 * GIB - 0x1000;
	fake.info.range[1].size = 3 * GIB;
	assert_true(try_nodes(&fake, &table));
	assert_int_equal(table.nr_regions, 2);
	assert_int_equal(table.region[1].hva, BASE + 16 * GIB);
	assert_int_equal(table.region[1].size, 3 * GIB);
}

static void node_without_nonce(void **state)
{
	struct fake fake = { .low = 3 * GIB };
	struct pvbus_ioc_vm_set_mem table;

	/* all that is claimed is in the first */
	add_range(&fake, 0x1000, 2 * GIB - 0x1000, 0x5550);
	assert_true(try_nodes(&fake, &table));
	assert_int_equal(table.nr_regions, 1);
	/* some is not */
	fake.info.range[0].size += 0x1000;
	assert_false(try_nodes(&fake, &table));
	/* one mapping is not two nodes */
	add_range(&fake, RAM_HIGH, 2 * GIB, RAM_HIGH + 0x7770);
	memcpy(fake.info.nonce[1], fake.info.nonce[0], PVBUS_NONCE_SIZE);
	assert_true(try_nodes(&fake, &table));
	assert_int_not_equal(table.region[1].hva, BASE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_fields),
		cmocka_unit_test(parse_bad),
		cmocka_unit_test(parse_long_name),
		cmocka_unit_test(by_size),
		cmocka_unit_test(by_claim),
		cmocka_unit_test(merged),
		cmocka_unit_test(many),
		cmocka_unit_test(low_only),
		cmocka_unit_test(wrong_nonce),
		cmocka_unit_test(high),
		cmocka_unit_test(high_wrong),
		cmocka_unit_test(big_low_claim),
		cmocka_unit_test(claims),
		cmocka_unit_test(nodes),
		cmocka_unit_test(node_without_nonce),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
