// SPDX-License-Identifier: GPL-2.0
/*
 * The ring with a peer that writes any word of it between any two loads. An end
 * may then see nonsense, but stays in the ring's memory, does a bounded number
 * of loads, and never believes that more has been read than was put.
 */
#include <pvbus/ring.h>

#include "fuzz.h"

#define MAX_SLOT	256
#define STEPS		256

static struct pvring_prod p;
static struct pvring_cons c;

/* An operation loads a slot at most, and a word or two of the header. */
static void check_loads(void)
{
	must(peer_loads <= MAX_SLOT / sizeof(__u64) + 3);
}

static int room(void)
{
	int n = pvring_prod_room(&p, 1 + fuzz_below(p.nr_slots));

	must(n == -EPROTO || (n >= 0 && (__u32)n <= p.nr_slots));
	must((__u32)(p.head - p.seen) <= p.nr_slots);
	return n;
}

static void put(void)
{
	__u8 entry[MAX_SLOT];

	if (pvring_prod_room(&p, 1) < 1)
		return;
	memset(entry, fuzz_u8(), sizeof(entry));
	pvring_put(&p, entry, p.slot_size);
}

static void wait_room(void)
{
	int n = pvring_prod_wait_room(&p, 1 + fuzz_below(p.nr_slots));

	must(n == -EPROTO || (n >= 0 && (__u32)n <= p.nr_slots));
}

/* A whole entry or nothing, with the sequence that made it one. */
static void get(void)
{
	__u8 entry[MAX_SLOT];
	__u32 head = c.head;
	bool got;

	memset(entry, 0xa5, sizeof(entry));
	got = pvring_get(&c, entry, c.slot_size);
	must(c.head == head + got);
	if (!got)
		must(entry[0] == 0xa5 && entry[c.slot_size - 1] == 0xa5);
}

static void waiting(void)
{
	__u32 index = 0;
	enum pvring_waiting w = pvring_prod_waiting(&p, &index);

	must(w == PVRING_NONE || index != p.head);
}

static void step(void)
{
	peer_on();
	switch (fuzz_below(11)) {
	case 0:
		room();
		break;
	case 1:
	case 2:
		put();
		break;
	case 3:
	case 4:
		get();
		break;
	case 5:
		pvring_prod_kick(&p);
		must(p.told == p.head);
		break;
	case 6:
		wait_room();
		break;
	case 7:
		pvring_cons_publish(&c);
		break;
	case 8:
		pvring_cons_kick(&c);
		must(c.told == c.head);
		break;
	case 9:
		pvring_cons_arm_count(&c, 1 + fuzz_below(c.nr_slots / 2 + 1));
		break;
	case 10:
		waiting();
		break;
	}
	peer_off();
	check_loads();
}

/* As the ring looks once 2^32 - @back entries have gone through it. */
static void advance(__u32 back)
{
	p.head = -back;
	p.told = -back;
	p.seen = -back;
	c.head = -back;
	c.told = -back;
	p.hdr->index = cpu_to_le32(-back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__u32 slot_size, nr_slots;
	unsigned int i;
	__u8 *mem;

	fuzz_begin(data, size);
	slot_size = fuzz_u8() & 1 ? 64 : MAX_SLOT;
	nr_slots = PVRING_MIN_SLOTS << fuzz_below(4);
	/* exactly what it takes: the sanitizer sees a step beyond */
	mem = aligned_alloc(64, pvring_bytes(nr_slots, slot_size));
	memset(mem, 0, pvring_bytes(nr_slots, slot_size));
	pvring_prod_init(&p, mem, nr_slots, slot_size);
	pvring_cons_init(&c, mem, nr_slots, slot_size);
	peer_share(mem, pvring_bytes(nr_slots, slot_size));
	advance(fuzz_u8());
	for (i = 0; i < STEPS && fuzz_left(); i++)
		step();
	free(mem);
	return 0;
}
