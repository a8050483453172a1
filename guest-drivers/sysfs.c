// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: what user space sees of devices and channels.
 * Documentation/ABI/testing/sysfs-bus-pvbus describes each attribute.
 */
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "bus_internal.h"

#define PVBUS_DEVICE_ATTR(name, fmt, value)				\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	struct pvbus_device *pdev = to_pvbus_device(dev);		\
									\
	return sysfs_emit(buf, fmt "\n", value);			\
}									\
static DEVICE_ATTR_RO(name)

PVBUS_DEVICE_ATTR(device_type, "%u", pdev->type);
PVBUS_DEVICE_ATTR(id, "%s", pdev->id);
PVBUS_DEVICE_ATTR(offer, "%u", pdev->offer);
PVBUS_DEVICE_ATTR(features, "0x%016llx", pdev->features);
PVBUS_DEVICE_ATTR(max_queues, "%u", pdev->max_queues);
PVBUS_DEVICE_ATTR(modalias, "pvbus:t%04x", pdev->type);
PVBUS_DEVICE_ATTR(violations, "%u", atomic_read(&pdev->violations));
PVBUS_DEVICE_ATTR(state, "%s", READ_ONCE(pdev->gone) ? "gone" : "offered");

static struct attribute *pvbus_device_attrs[] = {
	&dev_attr_device_type.attr,
	&dev_attr_id.attr,
	&dev_attr_offer.attr,
	&dev_attr_features.attr,
	&dev_attr_max_queues.attr,
	&dev_attr_modalias.attr,
	&dev_attr_violations.attr,
	&dev_attr_state.attr,
	NULL
};

static const struct attribute_group pvbus_device_group = {
	.attrs = pvbus_device_attrs,
};

const struct attribute_group *pvbus_device_groups[] = {
	&pvbus_device_group,
	NULL
};

/**
 * struct pvbus_channel_dir - directory of an open channel
 * @kobj: the directory; lives until its last reference is gone
 * @ch: the channel; valid while the directory is in sysfs
 */
struct pvbus_channel_dir {
	struct kobject		kobj;
	struct pvbus_channel	*ch;
};

struct pvbus_channel_attr {
	struct attribute	attr;
	u64			(*get)(const struct pvbus_channel *ch);
};

#define PVBUS_CHANNEL_ATTR(_name, value)				\
static u64 _name##_get(const struct pvbus_channel *ch)			\
{									\
	return value;							\
}									\
static struct pvbus_channel_attr pvbus_channel_##_name = {		\
	.attr = { .name = #_name, .mode = 0444 },			\
	.get = _name##_get,						\
}

PVBUS_CHANNEL_ATTR(vector, ch->vector);
PVBUS_CHANNEL_ATTR(g2h_slots, ch->tx.nr_slots);
PVBUS_CHANNEL_ATTR(h2g_slots, ch->rx.nr_slots);
PVBUS_CHANNEL_ATTR(sent, READ_ONCE(ch->tx.head));
PVBUS_CHANNEL_ATTR(received, READ_ONCE(ch->rx.head));
PVBUS_CHANNEL_ATTR(interrupts, READ_ONCE(ch->interrupts));
PVBUS_CHANNEL_ATTR(doorbells, READ_ONCE(ch->doorbells));
PVBUS_CHANNEL_ATTR(broken, READ_ONCE(ch->broken));

static struct attribute *pvbus_channel_attrs[] = {
	&pvbus_channel_vector.attr,
	&pvbus_channel_g2h_slots.attr,
	&pvbus_channel_h2g_slots.attr,
	&pvbus_channel_sent.attr,
	&pvbus_channel_received.attr,
	&pvbus_channel_interrupts.attr,
	&pvbus_channel_doorbells.attr,
	&pvbus_channel_broken.attr,
	NULL
};
ATTRIBUTE_GROUPS(pvbus_channel);

static ssize_t pvbus_channel_show(struct kobject *kobj, struct attribute *attr,
				  char *buf)
{
	struct pvbus_channel_dir *dir = container_of(kobj,
						     struct pvbus_channel_dir,
						     kobj);
	struct pvbus_channel_attr *ca = container_of(attr,
						     struct pvbus_channel_attr,
						     attr);

	return sysfs_emit(buf, "%llu\n", ca->get(dir->ch));
}

static const struct sysfs_ops pvbus_channel_sysfs_ops = {
	.show = pvbus_channel_show,
};

static void pvbus_channel_dir_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct pvbus_channel_dir, kobj));
}

static const struct kobj_type pvbus_channel_ktype = {
	.release	= pvbus_channel_dir_release,
	.sysfs_ops	= &pvbus_channel_sysfs_ops,
	.default_groups	= pvbus_channel_groups,
};

/**
 * pvbus_sysfs_add_dir() - make the directory of a device's channels
 * @pdev: device, about to be probed
 *
 * Return: 0 or -ENOMEM.
 */
int pvbus_sysfs_add_dir(struct pvbus_device *pdev)
{
	pdev->channels_dir = kobject_create_and_add("channels",
						    &pdev->dev.kobj);
	return pdev->channels_dir ? 0 : -ENOMEM;
}

/**
 * pvbus_sysfs_del_dir() - undo pvbus_sysfs_add_dir()
 * @pdev: device, without channels
 */
void pvbus_sysfs_del_dir(struct pvbus_device *pdev)
{
	kobject_put(pdev->channels_dir);
	pdev->channels_dir = NULL;
}

/**
 * pvbus_sysfs_add_channel() - show an open channel
 * @ch: channel
 *
 * A channel that cannot be shown works all the same.
 */
void pvbus_sysfs_add_channel(struct pvbus_channel *ch)
{
	struct pvbus_channel_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL);

	if (!dir)
		return;
	dir->ch = ch;
	if (kobject_init_and_add(&dir->kobj, &pvbus_channel_ktype,
				 ch->pdev->channels_dir, "%u", ch->queue)) {
		kobject_put(&dir->kobj);
		return;
	}
	ch->dir = dir;
}

/**
 * pvbus_sysfs_del_channel() - undo pvbus_sysfs_add_channel()
 * @ch: channel; nobody reads it through sysfs when this returns
 */
void pvbus_sysfs_del_channel(struct pvbus_channel *ch)
{
	if (!ch->dir)
		return;
	kobject_del(&ch->dir->kobj);
	kobject_put(&ch->dir->kobj);
	ch->dir = NULL;
}
