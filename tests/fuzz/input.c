// SPDX-License-Identifier: GPL-2.0
/*
 * The input of a fuzzer, and the peer: see fuzz.h.
 *
 * The compiler calls __sanitizer_cov_load*() before each load of everything
 * that is built with -fsanitize-coverage=trace-loads. So nothing in the code
 * under test has to say where it reads shared memory, and a load that was
 * forgotten, or that the compiler makes of one that should have been done once,
 * is seen as well.
 */
#include "fuzz.h"

/* ... but not before those of this file. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), \
			     apply_to = function)

#define PEER_AREAS	64

/*
 * What the peer does at a load: with PEER_WRITE it writes, otherwise it leaves
 * that many loads alone.
 */
#define PEER_WRITE	0x80
#define PEER_ELSEWHERE	0x40	/* anywhere, and not what is about to be read */
#define PEER_KIND	0x03
#define PEER_FLIP	0	/* a bit, by the bits between */
#define PEER_STEP	1	/* a step up or down, by the bits between */
#define PEER_BYTE	2	/* a byte of the input */
#define PEER_WORD	3	/* 4 bytes of the input */

static const uint8_t *front, *back;

static struct {
	uint8_t	*mem;
	size_t	len;
} area[PEER_AREAS];
static unsigned int nr_areas;
static bool peer_acts;
static unsigned int peer_rests;
unsigned long peer_loads;
unsigned long peer_writes;

void fuzz_begin(const uint8_t *data, size_t size)
{
	front = data;
	back = data + size;
	nr_areas = 0;
	peer_acts = false;
	peer_rests = 0;
	peer_loads = 0;
	peer_writes = 0;
}

size_t fuzz_left(void)
{
	return back - front;
}

/* Zeros follow the end of the input. */
void fuzz_bytes(void *to, size_t len)
{
	size_t part = len < fuzz_left() ? len : fuzz_left();

	memcpy(to, front, part);
	memset((uint8_t *)to + part, 0, len - part);
	front += part;
}

uint8_t fuzz_u8(void)
{
	return front < back ? *front++ : 0;
}

uint16_t fuzz_u16(void)
{
	uint16_t v;

	fuzz_bytes(&v, sizeof(v));
	return v;
}

uint32_t fuzz_u32(void)
{
	uint32_t v;

	fuzz_bytes(&v, sizeof(v));
	return v;
}

uint64_t fuzz_u64(void)
{
	uint64_t v;

	fuzz_bytes(&v, sizeof(v));
	return v;
}

uint32_t fuzz_below(uint32_t n)
{
	return n <= 256 ? fuzz_u8() % n : fuzz_u32() % n;
}

const uint8_t *fuzz_rest(size_t *len)
{
	*len = fuzz_left();
	return front;
}

/* -- the peer --------------------------------------------------------------- */

static uint8_t peer_u8(void)
{
	return front < back ? *--back : 0;
}

void peer_share(void *mem, size_t len)
{
	must(nr_areas < PEER_AREAS);
	area[nr_areas].mem = mem;
	area[nr_areas++].len = len;
}

void peer_unshare(const void *mem)
{
	unsigned int i;

	for (i = 0; i < nr_areas; i++)
		if (area[i].mem == mem) {
			area[i] = area[--nr_areas];
			return;
		}
}

void peer_on(void)
{
	peer_acts = true;
	peer_loads = 0;
}

void peer_off(void)
{
	peer_acts = false;
}

static uint8_t *peer_elsewhere(size_t size)
{
	unsigned int n = peer_u8() % nr_areas;
	size_t at = peer_u8();

	at = (at << 8 | peer_u8()) * size;
	if (area[n].len < size)
		return NULL;
	return area[n].mem + at % (area[n].len - size + 1);
}

static void peer_write(uint8_t *to, size_t size, uint8_t how)
{
	unsigned int arg = how >> 2 & 0xf;
	uint32_t word = 0;
	size_t i;

	peer_writes++;
	if (size > sizeof(word))
		size = sizeof(word);
	memcpy(&word, to, size);
	switch (how & PEER_KIND) {
	case PEER_FLIP:
		word ^= 1U << 2 * arg;
		break;
	case PEER_STEP:
		word += (int)arg - 7;
		break;
	case PEER_BYTE:
		word = peer_u8();
		break;
	case PEER_WORD:
		for (i = 0; i < sizeof(word); i++)
			word = word << 8 | peer_u8();
		break;
	}
	memcpy(to, &word, size);
}

static void peer_act(uint8_t *at, size_t size)
{
	uint8_t how;

	peer_loads++;
	if (peer_rests) {
		peer_rests--;
		return;
	}
	/* the fuzzer's own input comes first: what is left is the peer's */
	if (front >= back)
		return;
	how = peer_u8();
	if (!(how & PEER_WRITE)) {
		peer_rests = how;
		return;
	}
	if (how & PEER_ELSEWHERE)
		at = peer_elsewhere(size);
	if (at)
		peer_write(at, size, how & ~(PEER_WRITE | PEER_ELSEWHERE));
}

static void peer_load(void *p, size_t size)
{
	uint8_t *at = p;
	unsigned int i;

	if (!peer_acts)
		return;
	for (i = 0; i < nr_areas; i++)
		if (at >= area[i].mem && at < area[i].mem + area[i].len) {
			/* its own loads are none of the code's */
			peer_acts = false;
			peer_act(at, size);
			peer_acts = true;
			return;
		}
}

void peer_look(const void *p, size_t len)
{
	size_t at;

	if (!peer_acts || len < sizeof(uint32_t))
		return;
	/* one of its words is about to change, if any */
	at = (front < back ? back[-1] : 0) * sizeof(uint32_t);
	peer_load((uint8_t *)p + at % (len & ~3UL), sizeof(uint32_t));
}

#define PEER_LOAD(size) \
	void __sanitizer_cov_load##size(void *p) \
	{ \
		peer_load(p, size); \
	}

PEER_LOAD(1)
PEER_LOAD(2)
PEER_LOAD(4)
PEER_LOAD(8)
PEER_LOAD(16)

#pragma clang attribute pop
