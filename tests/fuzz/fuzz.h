/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers share: their input as a row of numbers, and the peer that
 * writes shared memory between any two loads of the code under test.
 *
 * The input is read from both ends: what is done from the front, by the
 * fuzzer, and what the peer does meanwhile from the back.
 */
#ifndef PVBUS_FUZZ_H
#define PVBUS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must hold; reported with the stack, like what the sanitizers find. */
#define must(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s: must hold: %s\n", \
				__FILE__, __LINE__, __func__, #cond); \
			abort(); \
		} \
	} while (0)

/* input.c: the input */
void fuzz_begin(const uint8_t *data, size_t size);
size_t fuzz_left(void);
void fuzz_bytes(void *to, size_t len);
uint8_t fuzz_u8(void);
uint16_t fuzz_u16(void);
uint32_t fuzz_u32(void);
uint64_t fuzz_u64(void);
/* One of 0 to @n - 1. */
uint32_t fuzz_below(uint32_t n);
/* As fuzz_begin() says, for those who want all of it as it is. */
const uint8_t *fuzz_rest(size_t *len);

/*
 * input.c: the peer. It acts only between peer_on() and peer_off(), and only on
 * memory that it was told of: when the code under test is about to load from
 * there. peer_share() rounds nothing and copies nothing.
 */
void peer_share(void *mem, size_t len);
void peer_unshare(const void *mem);
/* As before a load, for a copy of @len bytes at @p, which no compiler tells of. */
void peer_look(const void *p, size_t len);
void peer_on(void);
void peer_off(void);
/* Loads from shared memory since peer_on(): what bounds work is bounded here. */
extern unsigned long peer_loads;
/* What it has written since fuzz_begin(). */
extern unsigned long peer_writes;

#endif /* PVBUS_FUZZ_H */
