// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel trouble on demand, to prove that the lab notices it.  (Distribution
 * kernels have no LKDTM.)
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/smp.h>

#include <asm/desc.h>

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "warn, oops, stuck or shutdown");

static void stuck(void *unused)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

/* A fault whose handler cannot be found, nor that of this fault, and so on. */
static void shut_down(void)
{
	const struct desc_ptr none = {};

	local_irq_disable();
	native_load_idt(&none);
	asm volatile("int3");
}

static int __init lab_fault_init(void)
{
	if (!strcmp(what, "warn"))
		WARN(1, "lab_fault: a warning\n");
	else if (!strcmp(what, "oops"))
		WRITE_ONCE(*(int *)8, 1);
	else if (!strcmp(what, "stuck"))
		on_each_cpu(stuck, NULL, 0);
	else if (!strcmp(what, "shutdown"))
		shut_down();
	else
		return -EINVAL;
	return 0;
}
module_init(lab_fault_init);

static void __exit lab_fault_exit(void)
{
}
module_exit(lab_fault_exit);

MODULE_DESCRIPTION("Kernel trouble on demand, for tests of the lab");
MODULE_LICENSE("GPL");
