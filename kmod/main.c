// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: module parameters, and what is there as long as the module is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/moduleparam.h>

#include "host.h"

#define CREATE_TRACE_POINTS
#include "host_trace.h"

#define PVH_PIN_LIMIT_MB_MAX	1048576

static int pvh_set_pin_limit(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, PVH_PIN_LIMIT_MB_MAX);
}

static const struct kernel_param_ops pvh_pin_limit_ops = {
	.set	= pvh_set_pin_limit,
	.get	= param_get_uint,
};

unsigned int pvh_pin_limit_mb = 256;
module_param_cb(pin_limit_mb, &pvh_pin_limit_ops, &pvh_pin_limit_mb, 0644);
MODULE_PARM_DESC(pin_limit_mb,
		 "Most guest memory, in MiB, pinned for a VM whose daemon sets no limit (default 256)");

unsigned short pvh_protocol_min = PVBUS_VERSION_MIN;
module_param_named(protocol_min, pvh_protocol_min, ushort, 0444);
MODULE_PARM_DESC(protocol_min,
		 "Lowest protocol version to offer to guests; for tests");

unsigned short pvh_protocol_max = PVBUS_VERSION_MAX;
module_param_named(protocol_max, pvh_protocol_max, ushort, 0444);
MODULE_PARM_DESC(protocol_max,
		 "Highest protocol version to offer to guests; for tests");

struct workqueue_struct *pvh_reap_wq;

static int __init pvh_init(void)
{
	int err;

	if (!pvh_protocol_min || pvh_protocol_min > pvh_protocol_max) {
		pr_err("protocol_min=%u protocol_max=%u: give 1 or more, and min not above max\n",
		       pvh_protocol_min, pvh_protocol_max);
		return -EINVAL;
	}
	pvh_reap_wq = alloc_workqueue("pvbus_reap", WQ_UNBOUND, 0);
	if (!pvh_reap_wq)
		return -ENOMEM;
	err = pvh_chardev_init();
	if (err)
		goto destroy_wq;
	return 0;

destroy_wq:
	destroy_workqueue(pvh_reap_wq);
	return err;
}

/*
 * Each VM and each open control device holds the module, so none is left. The
 * work that ended the last VM may still be on its way out of this code.
 */
static void __exit pvh_exit(void)
{
	pvh_chardev_exit();
	destroy_workqueue(pvh_reap_wq);
}

module_init(pvh_init);
module_exit(pvh_exit);

MODULE_DESCRIPTION("pvbus host: paravirtual I/O bus for guests of stock QEMU");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
