// SPDX-License-Identifier: GPL-2.0
/*
 * Is linked into every contender, and prints how many ns its main() took: what
 * it takes to start and end a process is not the ring's.
 */
#include <stdio.h>
#include <time.h>

static struct timespec begin;

__attribute__((constructor)) static void clock_begin(void)
{
	clock_gettime(CLOCK_MONOTONIC, &begin);
}

__attribute__((destructor)) static void clock_end(void)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL +
	       end.tv_nsec - begin.tv_nsec);
}
