// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel of the fuzzers: see shim.h.
 */
#include "shim.h"

/* The most that is asked for at once: the pin cache of a channel, with room. */
#define MAX_ALLOC	(4UL << 20)
/* Works that are run in a row, and within each other's waits. */
#define MAX_RUNS	256
#define MAX_DEPTH	3

unsigned long jiffies;
unsigned long kernel_slept_us;
unsigned int kernel_fail_at;
void (*kernel_turn)(void);

static LIST_HEAD(works);
static unsigned int depth;
/* A work is not run within itself; it may be gone, so only its address counts. */
static const struct work_struct *running[MAX_DEPTH];

void kernel_say(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
}

void *kernel_alloc(size_t n, size_t size)
{
	must(!n || size <= MAX_ALLOC / n);
	if (kernel_fail_at && !--kernel_fail_at)
		return NULL;
	return calloc(n, size);
}

bool kernel_queue(struct work_struct *work, unsigned long delay)
{
	if (work->pending)
		return false;
	work->pending = true;
	work->when = jiffies + delay;
	list_add_tail(&work->node, &works);
	return true;
}

void kernel_cancel(struct work_struct *work)
{
	if (work->pending)
		list_del(&work->node);
	work->pending = false;
}

static bool is_running(const struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < depth; i++)
		if (running[i] == work)
			return true;
	return false;
}

static struct work_struct *next_work(void)
{
	struct work_struct *work;

	list_for_each_entry(work, &works, node)
		if (!is_running(work) && !time_before(jiffies, work->when))
			return work;
	return NULL;
}

void kernel_run(void)
{
	struct work_struct *work;
	unsigned int n;

	if (depth == MAX_DEPTH)
		return;
	depth++;
	running[depth - 1] = NULL;
	for (n = 0; n < MAX_RUNS && (work = next_work()); n++) {
		kernel_cancel(work);
		running[depth - 1] = work;
		work->func(work);
		running[depth - 1] = NULL;
	}
	depth--;
}

void kernel_wait(void)
{
	if (kernel_turn && depth < MAX_DEPTH)
		kernel_turn();
	jiffies++;
	kernel_run();
}

void kernel_reset(void)
{
	INIT_LIST_HEAD(&works);
	depth = 0;
	jiffies = 1000;
	kernel_fail_at = 0;
	kernel_turn = NULL;
}

unsigned long wait_for_completion_timeout(struct completion *c,
					  unsigned long timeout)
{
	int looks = KERNEL_LOOKS;

	while (!c->done && looks--)
		kernel_wait();
	if (!c->done) {
		jiffies += timeout;
		return 0;
	}
	if (c->done != U32_MAX)
		c->done--;
	return 1;
}
