// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the frequency of this machine's TSC in kHz.
 *
 * TCG passes the TSC through.  A host VM that has to find its frequency out
 * by itself while the machine is busy may be wrong by a factor, and then all
 * its time limits are.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct sample {
	double ns;
	double ticks;
};

/* Of many looks at both clocks the one that was disturbed least. */
static struct sample look(void)
{
	unsigned long long before, after, best = ~0ULL;
	struct sample sample = { 0 };
	struct timespec ts;

	for (int i = 0; i < 1000; i++) {
		before = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
		after = __rdtsc();
		if (after - before >= best)
			continue;
		best = after - before;
		sample.ns = ts.tv_sec * 1e9 + ts.tv_nsec;
		sample.ticks = before + best / 2.0;
	}
	return sample;
}

int main(void)
{
	struct sample first = look(), second;

	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	second = look();
	printf("%.0f\n", (second.ticks - first.ticks) * 1e6 / (second.ns - first.ns));
	return 0;
}
