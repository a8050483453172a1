// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads on one tiny ring: a producer and a consumer that poll, or sleep
 * until the other end rings their doorbell, an eventfd each. They stumble at
 * random, and all entries must arrive, once, in order and whole. Who sleeps
 * although there is something to do, and nobody is about to ring, has lost a
 * wake-up.
 *
 * Built with the thread sanitizer, with a software store buffer, and as
 * mutants that must fail; see the Makefile and shadow/pvbus/user.h.
 */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <pvbus/ring.h>

#define SLOT_SIZE	64
#define WORDS		(SLOT_SIZE / sizeof(__u32))
/* at least so many, on however slow a machine: the index wraps after 1000 */
#define MIN_ENTRIES	4000
#define SLOWEST_S	30

/**
 * struct config - one run
 * @name: for the report
 * @nr_slots: size of the ring
 * @prod_sleeps: a producer that finds the ring full sleeps
 * @cons_sleeps: a consumer that finds it empty sleeps
 * @patient: and asks for patience first, half of the times
 * @clumsy: one in this many steps takes longer, 0 for none
 */
struct config {
	const char	*name;
	__u32		nr_slots;
	bool		prod_sleeps;
	bool		cons_sleeps;
	bool		patient;
	unsigned int	clumsy;
};

static const struct config configs[] = {
	{ "both ends poll", 8, false, false, false, 0 },
	{ "both ends poll, clumsily", 8, false, false, false, 16 },
	{ "the consumer sleeps", 8, false, true, false, 0 },
	{ "the consumer sleeps, clumsily", 8, false, true, false, 8 },
	{ "the consumer is patient", 8, false, true, true, 0 },
	{ "the consumer is patient, clumsily", 8, false, true, true, 8 },
	{ "the producer sleeps", 8, true, false, false, 0 },
	{ "the producer sleeps, clumsily", 8, true, false, false, 8 },
	{ "both ends sleep", 8, true, true, false, 0 },
	{ "both ends sleep, clumsily", 8, true, true, false, 8 },
	{ "both ends sleep on a larger ring", 64, true, true, false, 32 },
	{ "both ends sleep, one is patient", 64, true, true, true, 32 },
};

/**
 * struct run - what the two threads share besides the ring
 * @config: what to do
 * @deadline: when to stop, in nanoseconds of the monotonic clock
 * @mem: the ring
 * @first: index at which it begins
 * @total: entries put, once the producer is done
 * @failed: an end has given up
 * @fd_cons: the consumer's doorbell
 * @fd_prod: the producer's doorbell
 * @sleeps: times that an end slept
 * @rings: times that a doorbell was rung
 */
struct run {
	const struct config	*config;
	__u64			deadline;
	void			*mem;
	__u32			first;
	atomic_ullong		total;
	atomic_bool		failed;
	int			fd_cons;
	int			fd_prod;
	atomic_uint		sleeps;
	atomic_uint		rings;
};

/* of the command line, in milliseconds */
static unsigned int run_ms = 800;
static unsigned int watchdog_ms = 10000;

static __thread __u32 dice;

static __u32 roll(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return dice;
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool fail(struct run *run, const char *why)
{
	printf("# %s\n", why);
	atomic_store(&run->failed, true);
	return false;
}

/* Has the producer of @sent entries done its part? */
static bool run_is_over(const struct run *run, __u64 sent)
{
	__u64 now = now_ns();

	if (now > run->deadline + SLOWEST_S * 1000000000ULL)
		return true;
	return now > run->deadline && sent >= MIN_ENTRIES;
}

/* Take longer now and then, where a switch of threads hurts the most. */
static void stumble(const struct run *run)
{
	unsigned int clumsy = run->config->clumsy;
	__u32 spin;

	if (!clumsy || roll() % clumsy)
		return;
	switch (roll() % 16) {
	case 0:
		usleep(roll() % 50);
		break;
	case 1 ... 7:
		sched_yield();
		break;
	default:
		for (spin = roll() % 2000; spin > 0; spin--)
			pvring_barrier();
	}
}

static void ring_doorbell(struct run *run, int fd)
{
	__u64 one = 1;

	stress_settle();
	atomic_fetch_add_explicit(&run->rings, 1, memory_order_relaxed);
	if (write(fd, &one, sizeof(one)) != sizeof(one))
		fail(run, "a doorbell could not be rung");
}

/* Return: true when the doorbell was rung within @ms. */
static bool wait_doorbell(int fd, unsigned int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	__u64 count;

	return poll(&pfd, 1, ms) == 1 &&
	       read(fd, &count, sizeof(count)) == sizeof(count);
}

/* The waits of one end that does not sleep: other threads need the CPU too. */
static void relax(struct run *run)
{
	stress_settle();
	if (roll() % 4 == 0)
		sched_yield();
	stumble(run);
}

/**
 * struct producer - the producing thread
 * @run: what is shared
 * @p: its end of the ring
 * @sent: entries put so far
 * @reminded: head up to which a patient consumer was rung after all
 */
struct producer {
	struct run		*run;
	struct pvring_prod	p;
	__u64			sent;
	__u32			reminded;
};

/* Has a patient consumer missed what was put? To be called before waiting. */
static void producer_remind(struct producer *me)
{
	__u32 index;

	if (me->reminded == me->p.head || !pvring_prod_waiting(&me->p, &index))
		return;
	me->reminded = me->p.head;
	ring_doorbell(me->run, me->run->fd_cons);
}

/* Return: true when @want slots are free; false ends the run. */
static bool producer_wait(struct producer *me, __u32 want)
{
	struct run *run = me->run;
	int room;

	while (!atomic_load_explicit(&run->failed, memory_order_relaxed)) {
		room = pvring_prod_room(&me->p, want);
		if (room >= (int)want)
			return true;
		producer_remind(me);
		if (!run->config->prod_sleeps) {
			relax(run);
			continue;
		}
		stumble(run);
		room = pvring_prod_wait_room(&me->p, want);
		if (room < 0)
			return fail(run, "the consumer's index is impossible");
		if (room >= (int)want)
			return true;
		stress_settle();
		atomic_fetch_add_explicit(&run->sleeps, 1,
					  memory_order_relaxed);
		if (!wait_doorbell(run->fd_prod, watchdog_ms) &&
		    pvring_prod_room(&me->p, want) >= (int)want)
			return fail(run, "the producer was not woken");
	}
	return false;
}

static void producer_put(struct producer *me, __u32 count)
{
	__u32 entry[WORDS], i;

	while (count--) {
		entry[0] = roll();
		for (i = 1; i < WORDS; i++)
			entry[i] = (__u32)me->sent * 2654435761U + i;
		pvring_put(&me->p, entry, SLOT_SIZE);
		me->sent++;
		stumble(me->run);
	}
}

static void *producer_main(void *arg)
{
	struct run *run = arg;
	struct producer me = { .run = run };
	__u32 nr = run->config->nr_slots, count;

	dice = 0x1234567;
	pvring_prod_init(&me.p, run->mem, nr, SLOT_SIZE);
	me.p.head = run->first;
	me.p.told = run->first;
	me.p.seen = run->first;
	me.reminded = run->first;
	while (!run_is_over(run, me.sent)) {
		count = 1 + roll() % nr;
		if (!producer_wait(&me, count))
			break;
		producer_put(&me, count);
		stumble(run);
		if (pvring_prod_kick(&me.p))
			ring_doorbell(run, run->fd_cons);
		stumble(run);
		if (roll() % 4 == 0)
			producer_remind(&me);
	}
	stress_settle();
	atomic_store(&run->total, me.sent);
	/* the consumer may sleep for an entry that never comes */
	ring_doorbell(run, run->fd_cons);
	return NULL;
}

/**
 * struct consumer - the consuming thread
 * @run: what is shared
 * @c: its end of the ring
 * @got: entries got so far
 */
struct consumer {
	struct run		*run;
	struct pvring_cons	c;
	__u64			got;
};

static bool consumer_check(struct consumer *me, const __u32 *entry)
{
	__u32 i;

	if (le32_to_cpu(entry[0]) != me->c.head)
		return fail(me->run, "an entry has another's sequence");
	for (i = 1; i < WORDS; i++) {
		if (entry[i] != (__u32)me->got * 2654435761U + i)
			return fail(me->run, "an entry is lost, late or torn");
	}
	me->got++;
	return true;
}

static void consumer_publish(struct consumer *me)
{
	pvring_cons_publish(&me->c);
	stumble(me->run);
	if (pvring_cons_kick(&me->c) && me->run->config->prod_sleeps)
		ring_doorbell(me->run, me->run->fd_prod);
}

/* Return: false when all was got, or the run has failed. */
static bool consumer_wait(struct consumer *me)
{
	struct run *run = me->run;
	bool empty;

	if (atomic_load(&run->failed) ||
	    atomic_load(&run->total) == me->got)
		return false;
	if (!run->config->cons_sleeps) {
		relax(run);
		return true;
	}
	stumble(run);
	if (run->config->patient && roll() % 2)
		empty = pvring_cons_arm_count(&me->c, 1 + (__u32)roll() %
					      (me->c.nr_slots / 2 + 1));
	else
		empty = pvring_cons_arm(&me->c);
	if (!empty)
		return true;
	stress_settle();
	atomic_fetch_add_explicit(&run->sleeps, 1, memory_order_relaxed);
	if (!wait_doorbell(run->fd_cons, watchdog_ms) &&
	    pvring_pending(&me->c))
		return fail(run, "the consumer was not woken");
	return true;
}

static void *consumer_main(void *arg)
{
	struct run *run = arg;
	struct consumer me = { .run = run };
	__u32 entry[WORDS];
	__u32 budget;

	dice = 0x7654321;
	pvring_cons_init(&me.c, run->mem, run->config->nr_slots, SLOT_SIZE);
	me.c.head = run->first;
	me.c.told = run->first;
	do {
		budget = 1 + roll() % (2 * run->config->nr_slots);
		while (budget-- && pvring_get(&me.c, entry, SLOT_SIZE)) {
			if (!consumer_check(&me, entry))
				break;
			stumble(run);
		}
		consumer_publish(&me);
	} while (pvring_pending(&me.c) || consumer_wait(&me));
	/* a producer that sleeps learns of the failure */
	if (atomic_load(&run->failed))
		ring_doorbell(run, run->fd_prod);
	if (!atomic_load(&run->failed) && atomic_load(&run->total) != me.got)
		fail(run, "entries are missing at the end");
	return NULL;
}

static void run_setup(struct run *run, const struct config *config)
{
	struct pvring_hdr *hdr;
	__u32 i, nr = config->nr_slots;
	__u8 *slots;

	run->config = config;
	run->deadline = now_ns() + run_ms * 1000000ULL;
	run->mem = aligned_alloc(4096, 4096 * (1 + nr * SLOT_SIZE / 4096 + 1));
	/* the index wraps early in the run */
	run->first = -1000U;
	run->fd_cons = eventfd(0, EFD_NONBLOCK);
	run->fd_prod = eventfd(0, EFD_NONBLOCK);
	if (!run->mem || run->fd_cons < 0 || run->fd_prod < 0) {
		perror("# set-up");
		exit(1);
	}
	memset(run->mem, 0, pvring_bytes(nr, SLOT_SIZE));
	hdr = run->mem;
	hdr->index = cpu_to_le32(run->first);
	hdr->event = cpu_to_le32(run->first);
	hdr->space_event = cpu_to_le32(run->first);
	slots = (__u8 *)run->mem + PVRING_HDR_SIZE;
	for (i = run->first - nr; i != run->first; i++)
		*(__le32 *)(slots + (i & (nr - 1)) * SLOT_SIZE) =
			cpu_to_le32(i + 1);
	atomic_store(&run->total, ~0ULL);
}

/* Return: true when the run passed. */
static bool run_one(const struct config *config)
{
	pthread_t producer, consumer;
	struct run run = { .fd_cons = -1 };
	unsigned int sleeps;
	__u64 total;

	run_setup(&run, config);
	if (pthread_create(&producer, NULL, producer_main, &run) ||
	    pthread_create(&consumer, NULL, consumer_main, &run)) {
		printf("# no thread\n");
		exit(1);
	}
	pthread_join(producer, NULL);
	pthread_join(consumer, NULL);
	total = atomic_load(&run.total);
	sleeps = atomic_load(&run.sleeps);
	printf("# %" PRIu64 " entries, %" PRIu64 " laps, %u sleeps, %u doorbells\n",
	       (uint64_t)total, (uint64_t)(total / config->nr_slots), sleeps,
	       atomic_load(&run.rings));
	if ((config->prod_sleeps || config->cons_sleeps) && !sleeps)
		fail(&run, "nobody ever slept");
	if (total < MIN_ENTRIES)
		fail(&run, "too few entries for the index to wrap");
	close(run.fd_cons);
	close(run.fd_prod);
	free(run.mem);
	return !atomic_load(&run.failed);
}

int main(int argc, char **argv)
{
	size_t i, nr = sizeof(configs) / sizeof(configs[0]);
	bool ok, passed = true;

	if (argc > 1)
		run_ms = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		watchdog_ms = strtoul(argv[2], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", nr);
	for (i = 0; i < nr; i++) {
		ok = run_one(&configs[i]);
		printf("%s %zu - %s\n", ok ? "ok" : "not ok", i + 1,
		       configs[i].name);
		passed &= ok;
	}
	return passed ? 0 : 1;
}
