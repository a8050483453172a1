// SPDX-License-Identifier: GPL-2.0
/*
 * Wakes emulated CPUs that have lost an interrupt.
 *
 * QEMU's TCG, as of 10.0, changes the word of a CPU's pending interrupts without a
 * lock when a CPU of the host VM enters a guest that waits for an interrupt window.
 * An interrupt that comes at that moment stays in the APIC, and the CPU halts.  Any
 * other interrupt makes it take both, but none need come: the timer may be what was
 * lost, and who wants to wake a CPU does not do so a second time.
 *
 * So each CPU sends its neighbour an interrupt twenty times a second, for the
 * functions that it has to call, if there are any.  There is no way to unload this:
 * the host VM ends before.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/timer.h>

#define POKE_INTERVAL	(HZ / 20)

static DEFINE_PER_CPU(struct timer_list, poke_timer);

static void poke(struct timer_list *timer)
{
	unsigned int cpu = cpumask_next(smp_processor_id(), cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	if (cpu != smp_processor_id())
		smp_ops.send_call_func_single_ipi(cpu);
	mod_timer(timer, jiffies + POKE_INTERVAL);
}

static int __init poke_init(void)
{
	struct timer_list *timer;
	int cpu;

	for_each_online_cpu(cpu) {
		timer = per_cpu_ptr(&poke_timer, cpu);
		timer_setup(timer, poke, TIMER_PINNED);
		timer->expires = jiffies + POKE_INTERVAL;
		add_timer_on(timer, cpu);
	}
	return 0;
}
module_init(poke_init);

MODULE_DESCRIPTION("wakes emulated CPUs that have lost an interrupt");
MODULE_LICENSE("GPL");
