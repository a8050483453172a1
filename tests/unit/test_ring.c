// SPDX-License-Identifier: GPL-2.0
/*
 * The ring, one operation at a time: what each accessor promises, at every
 * index where arithmetic could break, against a peer that writes anything.
 * Two threads on one ring are in tests/stress.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pvbus/ring.h>

#define MAX_SLOT	256

/**
 * struct ring - both ends of one ring
 * @mem: exactly as much memory as a ring takes, so that the sanitizer sees a
 *	step beyond it
 * @hdr: its header
 * @p: producing end
 * @c: consuming end
 */
struct ring {
	__u8			*mem;
	struct pvring_hdr	*hdr;
	struct pvring_prod	p;
	struct pvring_cons	c;
};

static const __u32 all_slots[] = { 8, 64, PVRING_MAX_SLOTS };
static const __u32 all_sizes[] = { 64, MAX_SLOT };
/* first indices: wrap-around of the sign and of the index within the test */
static const __u32 all_bases[] = {
	0, 1, 0x7ffffffc, 0x80000000, 0xfffffff0, 0xfffffff9, 0xffffffff,
};

#define for_each_of(v, array) \
	for (size_t v##_i = 0; \
	     v##_i < NR(array) && \
	     ((v) = (array)[v##_i], 1); v##_i++)

/**
 * struct shape - what rings differ in
 * @nr: number of slots
 * @size: bytes in a slot
 * @base: first index
 */
struct shape {
	__u32	nr;
	__u32	size;
	__u32	base;
};

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

/* Shape @n of all; false behind the last. */
static bool shape_at(struct shape *s, size_t n)
{
	s->base = all_bases[n % NR(all_bases)];
	n /= NR(all_bases);
	s->size = all_sizes[n % NR(all_sizes)];
	n /= NR(all_sizes);
	if (n >= NR(all_slots))
		return false;
	s->nr = all_slots[n];
	return true;
}

#define for_each_shape(s) \
	for (size_t shape_n = 0; shape_at(&(s), shape_n); shape_n++)

static __u32 rnd_state = 1;

static __u32 rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 17;
	rnd_state ^= rnd_state << 5;
	return rnd_state;
}

static __le32 *slot_seq(struct ring *r, __u32 index)
{
	return (__le32 *)(r->p.slots +
			  (size_t)(index & (r->p.nr_slots - 1)) *
			  r->p.slot_size);
}

/* A ring as it looks when @base entries have gone through it. */
static void ring_setup_at(struct ring *r, __u32 nr_slots, __u32 slot_size,
			  __u32 base)
{
	__u32 i;

	/* a multiple of the alignment in all cases */
	r->mem = aligned_alloc(64, pvring_bytes(nr_slots, slot_size));
	assert_non_null(r->mem);
	memset(r->mem, 0, pvring_bytes(nr_slots, slot_size));
	r->hdr = (struct pvring_hdr *)r->mem;
	pvring_prod_init(&r->p, r->mem, nr_slots, slot_size);
	pvring_cons_init(&r->c, r->mem, nr_slots, slot_size);
	if (!base)
		return;
	r->p.head = base;
	r->p.told = base;
	r->p.seen = base;
	r->c.head = base;
	r->c.told = base;
	r->hdr->index = cpu_to_le32(base);
	r->hdr->event = cpu_to_le32(base - 1);
	r->hdr->space_event = cpu_to_le32(base - 1);
	for (i = base - nr_slots; i != base; i++)
		*slot_seq(r, i) = cpu_to_le32(i + 1);
}

static void ring_setup(struct ring *r, __u32 nr_slots, __u32 slot_size)
{
	ring_setup_at(r, nr_slots, slot_size, 0);
}

static void ring_free(struct ring *r)
{
	free(r->mem);
}

/* Bytes of entry @n; the first word is rubbish on purpose. */
static void entry_fill(__u8 *entry, __u32 size, __u32 n)
{
	__u32 i;

	for (i = 0; i < size; i++)
		entry[i] = (__u8)(n * 31 + i * 7 + 1);
}

static void put(struct ring *r, __u32 n)
{
	__u8 entry[MAX_SLOT];

	entry_fill(entry, r->p.slot_size, n);
	pvring_put(&r->p, entry, r->p.slot_size);
}

static void put_many(struct ring *r, __u32 count)
{
	while (count--)
		put(r, r->p.head);
}

/* Entry @n is next, with its sequence word and untouched. */
static void get(struct ring *r, __u32 n)
{
	__u32 size = r->c.slot_size;
	__u8 want[MAX_SLOT], entry[MAX_SLOT];
	__le32 seq;

	entry_fill(want, size, n);
	seq = cpu_to_le32(r->c.head + 1);
	memcpy(want, &seq, sizeof(seq));
	assert_true(pvring_get(&r->c, entry, size));
	assert_memory_equal(entry, want, size);
}

static void get_many(struct ring *r, __u32 count)
{
	while (count--)
		get(r, r->c.head);
}

static void test_valid_slots(void **state)
{
	__u64 n;

	for (n = 0; n <= 2 * PVRING_MAX_SLOTS; n++)
		assert_int_equal(pvring_valid_slots(n),
				 n == 8 || n == 16 || n == 32 || n == 64 ||
				 n == 128 || n == 256 || n == 512 ||
				 n == 1024 || n == 2048 || n == 4096);
	for (n = 2 * PVRING_MAX_SLOTS; n <= 1ULL << 31; n <<= 1)
		assert_false(pvring_valid_slots(n));
	assert_false(pvring_valid_slots(0xffffffff));
}

static void test_layout(void **state)
{
	assert_int_equal(offsetof(struct pvring_hdr, space_event), 0);
	assert_int_equal(offsetof(struct pvring_hdr, index), 128);
	assert_int_equal(offsetof(struct pvring_hdr, event), 132);
	assert_int_equal(sizeof(struct pvring_hdr), 256);
	assert_int_equal(pvring_bytes(8, 64), 256 + 512);
	assert_int_equal(pvring_bytes(4096, 256), 256 + 1048576);
}

/* What goes over the wire is little-endian, byte by byte. */
static void test_wire_bytes(void **state)
{
	struct ring r;
	__u8 entry[64] = { 0 };
	const __u8 *slot;

	ring_setup_at(&r, 8, 64, 0x01020303);
	entry[4] = 0xaa;
	pvring_put(&r.p, entry, 64);
	slot = r.mem + 256 + 3 * 64;
	assert_memory_equal(slot, ((__u8[]){ 4, 3, 2, 1, 0xaa }), 5);
	assert_true(pvring_get(&r.c, entry, 64));
	pvring_cons_publish(&r.c);
	assert_memory_equal(r.mem + 128, ((__u8[]){ 4, 3, 2, 1 }), 4);
	assert_true(pvring_cons_arm(&r.c));
	assert_memory_equal(r.mem + 132, ((__u8[]){ 4, 3, 2, 1 }), 4);
	pvring_prod_wait_room(&r.p, 8);
	assert_memory_equal(r.mem, ((__u8[]){ 3, 3, 2, 1 }), 4);
	ring_free(&r);
}

static void test_empty(void **state)
{
	__u8 entry[64];
	struct ring r;

	ring_setup(&r, 8, 64);
	assert_false(pvring_pending(&r.c));
	assert_false(pvring_get(&r.c, entry, 64));
	assert_int_equal(pvring_prod_room(&r.p, 8), 8);
	assert_false(pvring_prod_kick(&r.p));
	assert_false(pvring_cons_kick(&r.c));
	assert_true(pvring_cons_arm(&r.c));
	ring_free(&r);
}

/* All in order, in all batch sizes, over several laps and every wrap. */
static void test_fifo(void **state)
{
	__u32 batch, lap;
	struct shape s;
	struct ring r;

	for_each_shape(s) {
		ring_setup_at(&r, s.nr, s.size, s.base);
		batch = 1;
		for (lap = 0; lap < 24; lap++) {
			assert_true(pvring_prod_room(&r.p, batch) >= (int)batch);
			put_many(&r, batch);
			get_many(&r, batch);
			assert_false(pvring_pending(&r.c));
			pvring_cons_publish(&r.c);
			batch = batch * 3 / 2 + 1;
			if (batch > s.nr)
				batch = 1;
		}
		ring_free(&r);
	}
}

/* Entries at any distance between the ends, whatever the wrap. */
static void test_room_counts(void **state)
{
	__u32 base, used;
	struct ring r;

	for_each_of(base, all_bases) {
		for (used = 0; used <= 8; used++) {
			ring_setup_at(&r, 8, 64, base);
			put_many(&r, used);
			assert_int_equal(pvring_prod_room(&r.p, 8), 8 - used);
			get_many(&r, used);
			assert_int_equal(pvring_prod_room(&r.p, 8), 8 - used);
			pvring_cons_publish(&r.c);
			assert_int_equal(pvring_prod_room(&r.p, 8), 8);
			ring_free(&r);
		}
	}
}

static void test_full(void **state)
{
	struct shape s;
	struct ring r;
	__u32 i;

	for_each_shape(s) {
		ring_setup_at(&r, s.nr, s.size, s.base);
		put_many(&r, s.nr);
		assert_int_equal(pvring_prod_room(&r.p, 1), 0);
		get(&r, s.base);
		/* read, but not given back: the slot is still the consumer's */
		assert_int_equal(pvring_prod_room(&r.p, 1), 0);
		pvring_cons_publish(&r.c);
		assert_int_equal(pvring_prod_room(&r.p, 1), 1);
		put(&r, s.base + s.nr);
		assert_int_equal(pvring_prod_room(&r.p, 1), 0);
		for (i = 1; i <= s.nr; i++)
			get(&r, s.base + i);
		assert_false(pvring_pending(&r.c));
		ring_free(&r);
	}
}

/* The peer's line is not touched while enough slots are known to be free. */
static void test_room_is_lazy(void **state)
{
	struct ring r;

	ring_setup(&r, 8, 64);
	put_many(&r, 3);
	r.hdr->index = cpu_to_le32(0x12345678);
	assert_int_equal(pvring_prod_room(&r.p, 5), 5);
	assert_int_equal(pvring_prod_room(&r.p, 6), -EPROTO);
	/* and what was known before is not spoiled by what was rejected */
	assert_int_equal(r.p.seen, 0);
	assert_int_equal(pvring_prod_room(&r.p, 5), 5);
	ring_free(&r);
}

/* Only an index in [head - nr_slots, head] can be true. */
static void test_broken_index(void **state)
{
	__u32 base, used, d;
	struct ring r;

	for_each_of(base, all_bases) {
		for (used = 1; used <= 8; used++) {
			ring_setup_at(&r, 8, 64, base);
			put_many(&r, used);
			for (d = 0; d <= 8; d++) {
				r.hdr->index = cpu_to_le32(r.p.head - d);
				r.p.seen = base;
				assert_int_equal(pvring_prod_room(&r.p, 8),
						 8 - d);
			}
			r.p.seen = base;
			for (d = 9; d < 100000; d += 1 + d / 4) {
				r.hdr->index = cpu_to_le32(r.p.head - d);
				assert_int_equal(pvring_prod_room(&r.p, 8),
						 -EPROTO);
				r.hdr->index = cpu_to_le32(r.p.head + d - 8);
				assert_int_equal(pvring_prod_room(&r.p, 8),
						 -EPROTO);
			}
			r.hdr->index = cpu_to_le32(r.p.head + 0x80000000);
			assert_int_equal(pvring_prod_wait_room(&r.p, 8),
					 -EPROTO);
			ring_free(&r);
		}
	}
}

/* A slot is there when its word is exactly its index plus one. */
static void test_sequence_of_another_lap(void **state)
{
	__u32 base, seq, wrong[10];
	__u8 entry[64];
	struct ring r;

	for_each_of(base, all_bases) {
		ring_setup_at(&r, 8, 64, base);
		put_many(&r, 5);
		get_many(&r, 5);
		wrong[0] = base + 5;
		wrong[1] = base + 7;
		wrong[2] = base + 6 - 8;
		wrong[3] = base + 6 + 8;
		wrong[4] = base + 6 + 0x80000000;
		wrong[5] = ~(base + 6);
		wrong[6] = (base + 6) & 0xffff;
		wrong[7] = __builtin_bswap32(base + 6);
		wrong[8] = 0;
		wrong[9] = 0xffffffff;
		for_each_of(seq, wrong) {
			if (seq == base + 6)
				continue;
			*slot_seq(&r, base + 5) = cpu_to_le32(seq);
			assert_false(pvring_pending(&r.c));
			assert_false(pvring_get(&r.c, entry, 64));
			assert_true(pvring_cons_arm(&r.c));
			assert_int_equal(r.c.head, base + 5);
		}
		*slot_seq(&r, base + 5) = cpu_to_le32(base + 6);
		assert_true(pvring_pending(&r.c));
		assert_false(pvring_cons_arm(&r.c));
		ring_free(&r);
	}
}

static void test_copies_are_isolated(void **state)
{
	__u8 entry[64], copy[64], before[64];
	struct ring r;

	ring_setup(&r, 8, 64);
	entry_fill(entry, 64, 1);
	pvring_put(&r.p, entry, 64);
	memcpy(before, r.p.slots, 64);
	memset(entry, 0xff, 64);
	assert_memory_equal(r.p.slots, before, 64);
	assert_true(pvring_get(&r.c, copy, 64));
	memset(r.p.slots, 0xee, 64);
	assert_memory_equal(copy, before, 64);
	ring_free(&r);
}

/*
 * Neither end loads back what it stored: with all that it shares overwritten
 * between any two steps, save what the peer owns, the ring still works.
 */
static void test_own_words_are_not_read(void **state)
{
	__u32 base, i;
	struct ring r;

	for_each_of(base, all_bases) {
		ring_setup_at(&r, 8, 64, base);
		for (i = 0; i < 40; i++) {
			memset(r.p.slots, 0xa5, 8 * 64);
			memset(&r.hdr->space_event, 0xa5, 128);
			r.hdr->event = cpu_to_le32(base + i);
			assert_true(pvring_prod_room(&r.p, 1) >= 1);
			put(&r, base + i);
			assert_true(pvring_prod_kick(&r.p));
			r.hdr->index = cpu_to_le32(0xdeadbeef);
			r.hdr->event = cpu_to_le32(0xdeadbeef);
			get(&r, base + i);
			r.hdr->space_event = cpu_to_le32(base + i);
			pvring_cons_publish(&r.c);
			assert_true(pvring_cons_kick(&r.c));
			assert_int_equal(r.c.head, base + i + 1);
		}
		ring_free(&r);
	}
}

/* pvring_passed() against counting: every event near the step. */
static void check_passed(__u32 from, __u32 to)
{
	__u32 event, i;
	bool passed;

	for (event = from - 30; event != to + 30; event++) {
		passed = false;
		for (i = from; i != to; i++)
			passed |= i == event;
		assert_int_equal(pvring_passed(event, to, from), passed);
	}
}

static void test_passed(void **state)
{
	__u32 base, from, d;

	for_each_of(base, all_bases) {
		for (from = base; from != base + 10; from++) {
			for (d = 0; d <= 20; d++)
				check_passed(from, from + d);
		}
	}
}

/* A new ring has its event at 0: the first entry is always told of. */
static void test_first_entry_kicks(void **state)
{
	struct ring r;

	ring_setup(&r, 8, 64);
	put_many(&r, 3);
	assert_true(pvring_prod_kick(&r.p));
	assert_false(pvring_prod_kick(&r.p));
	put_many(&r, 3);
	assert_false(pvring_prod_kick(&r.p));
	ring_free(&r);
}

/* One doorbell per arming, for the batch that holds the armed index. */
static void test_event_index(void **state)
{
	__u32 base, batch, armed;
	struct ring r;

	for_each_of(base, all_bases) {
		for (batch = 1; batch <= 8; batch++) {
			ring_setup_at(&r, 8, 64, base);
			for (armed = 0; armed < 6; armed++) {
				assert_true(pvring_cons_arm(&r.c));
				assert_int_equal(le32_to_cpu(r.hdr->event),
						 r.c.head);
				put_many(&r, batch);
				assert_true(pvring_prod_kick(&r.p));
				assert_false(pvring_cons_arm(&r.c));
				get_many(&r, batch);
				pvring_cons_publish(&r.c);
				/* awake and polling: not a single doorbell */
				put_many(&r, pvring_prod_room(&r.p, 8));
				assert_false(pvring_prod_kick(&r.p));
				get_many(&r, r.p.head - r.c.head);
				pvring_cons_publish(&r.c);
				assert_int_equal(pvring_prod_room(&r.p, 8), 8);
			}
			ring_free(&r);
		}
	}
}

/* An event anywhere in a batch is met; one before or behind it is not. */
static void test_event_in_batch(void **state)
{
	__u32 base, batch;
	struct ring r;
	int d;

	for_each_of(base, all_bases) {
		for (batch = 1; batch <= 8; batch++) {
			for (d = -12; d < 12; d++) {
				ring_setup_at(&r, 8, 64, base);
				r.hdr->event = cpu_to_le32(base + d);
				put_many(&r, batch);
				assert_int_equal(pvring_prod_kick(&r.p),
						 d >= 0 && d < (int)batch);
				ring_free(&r);
			}
		}
	}
}

/* Batches of which nobody was asked add up: told lags until asked. */
static void test_kick_covers_all_since_last(void **state)
{
	struct ring r;

	ring_setup_at(&r, 8, 64, 0xfffffffe);
	assert_true(pvring_cons_arm(&r.c));
	put_many(&r, 2);
	put_many(&r, 3);
	assert_true(pvring_prod_kick(&r.p));
	ring_free(&r);
}

static void test_arm_sees_what_came_before(void **state)
{
	struct ring r;

	ring_setup(&r, 8, 64);
	put(&r, 0);
	assert_false(pvring_cons_arm(&r.c));
	get(&r, 0);
	assert_true(pvring_cons_arm(&r.c));
	ring_free(&r);
}

/* Patience: no doorbell before half a ring, but the producer sees who waits. */
static void check_arm_ahead(__u32 base)
{
	__u32 index, i;
	struct ring r;

	ring_setup_at(&r, 8, 64, base);
	assert_true(pvring_cons_arm_ahead(&r.c));
	assert_false(pvring_prod_waiting(&r.p, &index));
	for (i = 0; i < 4; i++) {
		put(&r, i);
		assert_false(pvring_prod_kick(&r.p));
		assert_true(pvring_prod_waiting(&r.p, &index));
		assert_int_equal(index, base);
	}
	assert_false(pvring_cons_arm_ahead(&r.c));
	put(&r, 4);
	assert_true(pvring_prod_kick(&r.p));
	/* that was its doorbell: it is not waiting for another */
	assert_false(pvring_prod_waiting(&r.p, &index));
	for (i = 0; i < 5; i++)
		get(&r, i);
	pvring_cons_publish(&r.c);
	assert_false(pvring_prod_waiting(&r.p, &index));
	/* what was put without hurry waits, too, until the doorbell */
	assert_true(pvring_cons_arm(&r.c));
	put(&r, 5);
	assert_true(pvring_prod_waiting(&r.p, &index));
	assert_int_equal(index, base + 5);
	assert_true(pvring_prod_kick(&r.p));
	get(&r, 5);
	pvring_cons_publish(&r.c);
	/* who arms in earnest is told by the doorbell, and has no patience */
	assert_true(pvring_cons_arm(&r.c));
	put(&r, 6);
	assert_true(pvring_prod_kick(&r.p));
	assert_false(pvring_prod_waiting(&r.p, &index));
	ring_free(&r);
}

static void test_arm_ahead(void **state)
{
	check_arm_ahead(0x1000);
	/* the event wraps, then the index does */
	check_arm_ahead((__u32)-3);
	check_arm_ahead((__u32)-6);
}

/* Who looks by itself is not rung, nor taken for one that has patience. */
static void check_disarm(__u32 base)
{
	__u32 index, i;
	struct ring r;

	ring_setup_at(&r, 8, 64, base);
	assert_true(pvring_cons_arm(&r.c));
	pvring_cons_disarm(&r.c);
	for (i = 0; i < 32; i++) {
		put(&r, i);
		assert_false(pvring_prod_kick(&r.p));
		assert_false(pvring_prod_waiting(&r.p, &index));
		get(&r, i);
		pvring_cons_publish(&r.c);
	}
	/* that may be asked for again */
	assert_true(pvring_cons_arm(&r.c));
	put(&r, i);
	assert_true(pvring_prod_kick(&r.p));
	ring_free(&r);
}

static void test_disarm(void **state)
{
	struct ring r;

	check_disarm(0x1000);
	check_disarm((__u32)-3);
	/* a new ring would announce its first entry */
	ring_setup(&r, 8, 64);
	pvring_cons_disarm(&r.c);
	put(&r, 0);
	assert_false(pvring_prod_kick(&r.p));
	ring_free(&r);
	ring_setup(&r, 8, 64);
	put(&r, 0);
	assert_true(pvring_prod_kick(&r.p));
	ring_free(&r);
}

/* A count: the doorbell comes with the last of them, and what waits is seen. */
static void check_arm_count(__u32 base, __u32 count)
{
	__u32 index, i;
	struct ring r;

	ring_setup_at(&r, 8, 64, base);
	assert_true(pvring_cons_arm_count(&r.c, count));
	assert_int_equal(pvring_prod_waiting(&r.p, &index), PVRING_NONE);
	for (i = 1; i < count; i++) {
		put(&r, i - 1);
		assert_int_equal(pvring_prod_waiting(&r.p, &index),
				 PVRING_AHEAD);
		assert_false(pvring_prod_kick(&r.p));
		assert_int_equal(pvring_prod_waiting(&r.p, &index),
				 PVRING_AHEAD);
		assert_int_equal(index, base);
	}
	put(&r, i - 1);
	/* the last one: nobody was told yet, and then it was */
	assert_int_equal(pvring_prod_waiting(&r.p, &index), PVRING_UNTOLD);
	assert_true(pvring_prod_kick(&r.p));
	assert_int_equal(pvring_prod_waiting(&r.p, &index), PVRING_NONE);
	for (i = 0; i < count; i++)
		get(&r, i);
	pvring_cons_publish(&r.c);
	/* an entry that came before the ring was armed is seen by who arms it */
	put(&r, count);
	assert_false(pvring_cons_arm_count(&r.c, count));
	ring_free(&r);
}

static void test_arm_count(void **state)
{
	__u32 count;

	for (count = 1; count <= 5; count++) {
		check_arm_count(0x1000, count);
		check_arm_count((__u32)-count, count);
		check_arm_count((__u32)-1, count);
	}
}

/*
 * Flow control: a producer that waits for @want free slots of a full ring is
 * told by the very batch that frees the last of them.
 */
static void check_space_event(__u32 base, __u32 want, __u32 batch)
{
	__u32 freed, next;
	struct ring r;
	bool kick;

	ring_setup_at(&r, 8, 64, base);
	put_many(&r, 8);
	assert_int_equal(pvring_prod_wait_room(&r.p, want), 0);
	for (freed = 0; freed < 8; freed = next) {
		next = freed + batch > 8 ? 8 : freed + batch;
		get_many(&r, next - freed);
		pvring_cons_publish(&r.c);
		kick = pvring_cons_kick(&r.c);
		assert_int_equal(kick, freed < want && next >= want);
		assert_int_equal(pvring_prod_room(&r.p, 8), next);
		assert_false(pvring_cons_kick(&r.c));
	}
	ring_free(&r);
}

static void test_space_event(void **state)
{
	__u32 base, want, batch;

	for_each_of(base, all_bases) {
		for (want = 1; want <= 8; want++) {
			for (batch = 1; batch <= 8; batch++)
				check_space_event(base, want, batch);
		}
	}
}

static void test_wait_room_looks_again(void **state)
{
	struct ring r;

	ring_setup_at(&r, 8, 64, 0xfffffffc);
	put_many(&r, 8);
	assert_int_equal(pvring_prod_room(&r.p, 2), 0);
	get_many(&r, 3);
	pvring_cons_publish(&r.c);
	assert_int_equal(pvring_prod_wait_room(&r.p, 2), 3);
	ring_free(&r);
}

/* A partly filled ring: the event counts from the head, not from full. */
static void test_wait_room_when_not_full(void **state)
{
	struct ring r;

	ring_setup_at(&r, 8, 64, 0xfffffffc);
	put_many(&r, 5);
	assert_int_equal(pvring_prod_wait_room(&r.p, 6), 3);
	get_many(&r, 2);
	pvring_cons_publish(&r.c);
	assert_false(pvring_cons_kick(&r.c));
	get_many(&r, 1);
	pvring_cons_publish(&r.c);
	assert_true(pvring_cons_kick(&r.c));
	assert_int_equal(pvring_prod_room(&r.p, 6), 6);
	ring_free(&r);
}

/**
 * struct model - what must be true of a ring in a random run
 * @r: the ring
 * @put: entries put
 * @got: entries got
 * @published: entries given back
 * @asleep: the consumer armed and may sleep
 * @waits: the producer waits for this many free slots, or 0
 */
struct model {
	struct ring	r;
	__u32		put;
	__u32		got;
	__u32		published;
	bool		asleep;
	__u32		waits;
};

static void model_produce(struct model *m)
{
	__u32 nr = m->r.p.nr_slots;
	__u32 room = nr - (m->put - m->published);
	__u32 n = rnd() % (nr + 1);
	bool kick, due;

	if (m->waits)
		return;
	if (n > room) {
		assert_int_equal(pvring_prod_room(&m->r.p, n), room);
		assert_int_equal(pvring_prod_wait_room(&m->r.p, n), room);
		m->waits = n;
		return;
	}
	assert_true(pvring_prod_room(&m->r.p, n) >= (int)n);
	put_many(&m->r, n);
	m->put += n;
	kick = pvring_prod_kick(&m->r.p);
	due = m->asleep && n;
	assert_int_equal(kick, due);
	if (kick)
		m->asleep = false;
}

static void model_publish(struct model *m)
{
	bool kick, due;

	pvring_cons_publish(&m->r.c);
	m->published = m->got;
	kick = pvring_cons_kick(&m->r.c);
	due = m->waits &&
	      m->r.p.nr_slots - (m->put - m->published) >= m->waits;
	assert_int_equal(kick, due);
	if (kick)
		m->waits = 0;
}

static void model_consume(struct model *m)
{
	__u32 there = m->put - m->got;
	__u32 n = rnd() % 3 ? there : rnd() % (m->r.p.nr_slots + 1);

	if (m->asleep) {
		assert_int_equal(there, 0);
		return;
	}
	if (n <= there) {
		get_many(&m->r, n);
		m->got += n;
		if (rnd() % 4)
			model_publish(m);
		return;
	}
	/* who sleeps on slots that it keeps waits for one who waits for them */
	model_publish(m);
	m->asleep = pvring_cons_arm(&m->r.c);
	assert_int_equal(m->asleep, !there);
}

/* A long random walk over a boundary; every answer is known beforehand. */
static void test_random_walk(void **state)
{
	struct shape s;
	__u32 step;

	for_each_shape(s) {
		struct model m = { .put = 0 };

		/* base 0 begins armed, which other bases do not */
		ring_setup_at(&m.r, s.nr, s.size, s.base ? s.base : 0x1000);
		for (step = 0; step < 32000 / s.nr + 200; step++) {
			if (rnd() & 1)
				model_produce(&m);
			else
				model_consume(&m);
		}
		assert_true(m.put > 8 * s.nr);
		ring_free(&m.r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_slots),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_wire_bytes),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_room_counts),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_room_is_lazy),
		cmocka_unit_test(test_broken_index),
		cmocka_unit_test(test_sequence_of_another_lap),
		cmocka_unit_test(test_copies_are_isolated),
		cmocka_unit_test(test_own_words_are_not_read),
		cmocka_unit_test(test_passed),
		cmocka_unit_test(test_first_entry_kicks),
		cmocka_unit_test(test_event_index),
		cmocka_unit_test(test_event_in_batch),
		cmocka_unit_test(test_kick_covers_all_since_last),
		cmocka_unit_test(test_arm_sees_what_came_before),
		cmocka_unit_test(test_arm_ahead),
		cmocka_unit_test(test_disarm),
		cmocka_unit_test(test_arm_count),
		cmocka_unit_test(test_space_event),
		cmocka_unit_test(test_wait_room_looks_again),
		cmocka_unit_test(test_wait_room_when_not_full),
		cmocka_unit_test(test_random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
