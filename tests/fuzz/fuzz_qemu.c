// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/qemu_args.c userspace/pvbusd/maps.c */
/* SOURCES: userspace/pvbusd/proof.c userspace/lib/err.c */
/* LIBS: -ljansson */
/*
 * What pvbusd learns about QEMU: its command line, its mappings, and which of
 * them the guest's hello proves to be RAM. Nothing outside of a mapping is read,
 * and nothing outside of it gets into the table.
 */
#include "fuzz.h"
#include "maps.h"
#include "proof.h"
#include "qemu_args.h"

#define MAX_LINES	128
#define LINE_SIZE	64

/* A copy that ends where the sanitizer sees it; @extra bytes of 0 behind it. */
static char *copy_rest(size_t *len, size_t extra)
{
	const uint8_t *rest = fuzz_rest(len);
	char *copy = malloc(*len + extra);

	memcpy(copy, rest, *len);
	memset(copy + *len, 0, extra);
	return copy;
}

static void fuzz_cmdline(void)
{
	struct qemu_hints hints;
	size_t extra = fuzz_u8() & 1;
	size_t len;
	char *text = copy_rest(&len, extra);

	qemu_args_parse(text, len + extra, "/run/vm1.sock", &hints);
	must(hints.cpus >= 1);
	must(hints.ram.nr <= QEMU_MAX_BLOCKS + 1);
	free(text);
}

/* It begins where a mapping does, and ends where one does. */
static void check_candidate(const struct map_list *list,
			    const struct map_range *cand)
{
	bool begins = false, ends = false;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		begins |= list->area[i].start == cand->start;
		ends |= list->area[i].end == cand->start + cand->size;
	}
	must(begins && ends);
}

static void fuzz_maps(void)
{
	struct map_range cand[MAPS_MAX_CANDIDATES];
	uint64_t ram_size = fuzz_u8() & 1 ? fuzz_u64() : 0;
	uint64_t claim = (uint64_t)fuzz_u16() << 16;
	struct map_list list;
	size_t len, nr, i;
	char *text = copy_rest(&len, 1);

	if (!maps_parse(text, &list)) {
		nr = maps_candidates(&list, ram_size, claim, cand);
		must(nr <= MAPS_MAX_CANDIDATES);
		for (i = 0; i < nr; i++) {
			must(cand[i].size >= claim);
			check_candidate(&list, &cand[i]);
		}
		maps_free(&list);
	}
	free(text);
}

/* A process with many mappings, of which many may be RAM. */
static void fuzz_many_maps(void)
{
	struct map_range cand[MAPS_MAX_CANDIDATES];
	static char text[MAX_LINES * LINE_SIZE];
	uint64_t at = 1 << 20, size;
	struct map_list list;
	size_t nr, i, len = 0;
	uint8_t how;

	text[0] = '\0';
	for (i = 0; i < MAX_LINES && fuzz_left(); i++) {
		how = fuzz_u8();
		at += how & 1 ? 4096 : 0;
		size = (uint64_t)(1 + (how >> 1 & 31)) << 20;
		len += snprintf(text + len, LINE_SIZE,
				"%lx-%lx rw-p 00000000 00:00 0\n", at,
				at + size);
		at += size;
	}
	must(!maps_parse(text, &list));
	nr = maps_candidates(&list, 0, MAPS_MIN_CLAIM, cand);
	must(nr <= MAPS_MAX_CANDIDATES);
	for (i = 0; i < nr; i++)
		check_candidate(&list, &cand[i]);
	maps_free(&list);
}

/* Of each block there is one that may be it. */
static struct map_range mapping[QEMU_MAX_BLOCKS];
static unsigned int nr_mappings;
static struct pvbus_ioc_vm_info info;

static bool in_mapping(uint64_t hva, uint64_t size)
{
	unsigned int b;

	for (b = 0; b < nr_mappings; b++)
		if (hva >= mapping[b].start && size <= mapping[b].size &&
		    hva - mapping[b].start <= mapping[b].size - size)
			return true;
	return false;
}

/* The nonces are wherever they are looked for, most of the time. */
static int read_nonce(void *ctx, uint64_t hva, void *buf, size_t len)
{
	unsigned int how = fuzz_u8();

	must(in_mapping(hva, len));
	must(len == PVBUS_NONCE_SIZE);
	memcpy(buf, info.nonce[how % PVBUS_MAX_NONCES], len);
	return how < 0xf8 ? 0 : -14;
}

static void check_table(const struct pvbus_ioc_vm_set_mem *table)
{
	uint64_t gpa = 0;
	uint32_t i;

	must(table->nr_regions && table->nr_regions <= PVBUS_MAX_REGIONS);
	for (i = 0; i < table->nr_regions; i++) {
		must(table->region[i].size);
		must(in_mapping(table->region[i].hva, table->region[i].size));
		must(table->region[i].gpa >= gpa);
		gpa = table->region[i].gpa + table->region[i].size;
	}
}

static void make_hello(void)
{
	unsigned int how = fuzz_u8();
	uint32_t i;

	fuzz_bytes(&info, sizeof(info));
	if (how & 1) {
		info.hello_ranges = 1 + (how >> 1 & 1);
		info.hello_nonces = 1 + (how >> 2 & 3);
		info.range[0].start = 0;
		info.range[0].size &= 0xffffffff;
		info.range[1].start = RAM_HIGH;
		info.range[1].size &= 0xffffffffff;
	}
	if (!(how & 0x10))
		return;
	info.nonce_addr[0] = 0x1000;
	for (i = 1; i < PVBUS_MAX_NONCES; i++)
		info.nonce_addr[i] = RAM_HIGH + i * 0x1000;
}

static void fuzz_proof(void)
{
	const struct proof_reader reader = { .read = read_nonce };
	struct proof_block block[QEMU_MAX_BLOCKS];
	struct pvbus_ioc_vm_set_mem table;
	uint64_t at = 0, total = 0;
	struct proof_claim claim;
	struct pv_err err;
	unsigned int b;

	make_hello();
	nr_mappings = 1 + fuzz_below(QEMU_MAX_BLOCKS);
	for (b = 0; b < nr_mappings; b++) {
		mapping[b].start = at + ((uint64_t)fuzz_u32() << 12);
		mapping[b].size = (uint64_t)fuzz_u32() << 12;
		at = mapping[b].start + mapping[b].size;
		total += mapping[b].size;
		block[b] = (struct proof_block){
			.size = mapping[b].size, .cand = &mapping[b],
			.nr_cand = 1,
		};
	}
	if (proof_claim(&info, &claim, &err))
		return;
	must(claim.low_end <= RAM_HIGH && claim.high_end >= RAM_HIGH);
	if (!proof_try(&reader, &info, &claim, block, nr_mappings, &table))
		return;
	must(proof_claimed(&claim) <= total);
	check_table(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	switch (fuzz_below(4)) {
	case 0:
		fuzz_cmdline();
		break;
	case 1:
		fuzz_maps();
		break;
	case 2:
		fuzz_proof();
		break;
	case 3:
		fuzz_many_maps();
		break;
	}
	return 0;
}
