// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: bus type and drivers.
 */
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/module.h>

#include "bus_internal.h"

#define CREATE_TRACE_POINTS
#include "bus_trace.h"

static inline const struct pvbus_driver *
to_pvbus_driver(const struct device_driver *drv)
{
	return container_of(drv, struct pvbus_driver, driver);
}

static int pvbus_bus_match(struct device *dev,
			   PVBUS_MATCH_CONST struct device_driver *drv)
{
	return to_pvbus_device(dev)->type == to_pvbus_driver(drv)->type;
}

static int pvbus_bus_uevent(PVBUS_UEVENT_CONST struct device *dev,
			    struct kobj_uevent_env *env)
{
	PVBUS_UEVENT_CONST struct pvbus_device *pdev = to_pvbus_device(dev);

	if (add_uevent_var(env, "PVBUS_ID=%s", pdev->id))
		return -ENOMEM;
	return add_uevent_var(env, "MODALIAS=pvbus:t%04x", pdev->type);
}

static int pvbus_bus_probe(struct device *dev)
{
	struct pvbus_device *pdev = to_pvbus_device(dev);
	int err;

	if (READ_ONCE(pdev->gone))
		return -ENODEV;
	err = pvbus_sysfs_add_dir(pdev);
	if (err)
		return err;
	err = to_pvbus_driver(dev->driver)->probe(pdev);
	if (!err)
		return 0;
	pvbus_sysfs_del_dir(pdev);
	/* the driver core would have a line for each device, and the host can offer
	 * as many as it likes, one after the other; -ENODEV is no news to it
	 */
	dev_err_ratelimited(dev, "probe failed with error %d\n", err);
	return -ENODEV;
}

static void pvbus_bus_remove(struct device *dev)
{
	struct pvbus_device *pdev = to_pvbus_device(dev);

	to_pvbus_driver(dev->driver)->remove(pdev);
	pvbus_sysfs_del_dir(pdev);
}

pvbus_bus_type_t pvbus_bus_type = {
	.name		= "pvbus",
	.dev_groups	= pvbus_device_groups,
	.match		= pvbus_bus_match,
	.uevent		= pvbus_bus_uevent,
	.probe		= pvbus_bus_probe,
	.remove		= pvbus_bus_remove,
};

/**
 * __pvbus_register_driver() - register a driver of devices
 * @drv: the driver; type, probe and remove are set
 * @owner: its module
 * @name: its name
 *
 * Return: 0 or a negative error code.
 */
int __pvbus_register_driver(struct pvbus_driver *drv, struct module *owner,
			    const char *name)
{
	drv->driver.name = name;
	drv->driver.owner = owner;
	drv->driver.bus = &pvbus_bus_type;
	return driver_register(&drv->driver);
}
EXPORT_SYMBOL_GPL(__pvbus_register_driver);

/**
 * pvbus_unregister_driver() - undo pvbus_register_driver()
 * @drv: the driver; its remove() has run for each device when this returns
 */
void pvbus_unregister_driver(struct pvbus_driver *drv)
{
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL_GPL(pvbus_unregister_driver);

int pvbus_read_blob(struct pvbus_device *pdev, void *buf, size_t len)
{
	int err = 0;

	spin_lock(&pdev->lock);
	if (len > pdev->blob_len)
		err = -EPROTO;
	else
		memcpy(buf, pdev->blob, len);
	spin_unlock(&pdev->lock);
	return err;
}
EXPORT_SYMBOL_GPL(pvbus_read_blob);

/**
 * pvbus_dma_dev() - the device for the DMA API
 * @pdev: device
 */
struct device *pvbus_dma_dev(struct pvbus_device *pdev)
{
	return pdev->bus->parent;
}
EXPORT_SYMBOL_GPL(pvbus_dma_dev);

unsigned int pvbus_nr_queues(struct pvbus_device *pdev)
{
	unsigned int vectors = READ_ONCE(pdev->bus->vectors);
	unsigned int nr = min_t(unsigned int, pdev->max_queues,
				num_online_cpus());

	if (vectors > 1)
		nr = min(nr, vectors - 1);
	return max(nr, 1U);
}
EXPORT_SYMBOL_GPL(pvbus_nr_queues);

static int __init pvbus_init(void)
{
	int err;

	err = pvbus_params_check();
	if (err)
		return err;
	err = pvbus_idle_init();
	if (err)
		return err;
	err = bus_register(&pvbus_bus_type);
	if (err)
		goto exit_idle;
	err = pvbus_ivshmem_init();
	if (err)
		goto unregister;
	return 0;

unregister:
	bus_unregister(&pvbus_bus_type);
exit_idle:
	pvbus_idle_exit();
	return err;
}

static void __exit pvbus_exit(void)
{
	pvbus_ivshmem_exit();
	bus_unregister(&pvbus_bus_type);
	pvbus_idle_exit();
}

module_init(pvbus_init);
module_exit(pvbus_exit);

MODULE_DESCRIPTION("pvbus: paravirtual bus for guests of KVM");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
