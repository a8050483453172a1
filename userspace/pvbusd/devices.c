// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: adding devices to the VM.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "daemon.h"
#include "device.h"

static void set_tuning(struct pvbus_ioc_dev *dev,
		       const struct tuning_spec *tuning)
{
	dev->flags |= tuning->flags;
	dev->poll_us = tuning->poll_us;
	dev->coalesce_us = tuning->coalesce_us;
}

/**
 * devices_add_disk - offer the guest a disk
 * @d: the daemon
 * @disk: the disk
 * @fd: what backs it, from disk_open(); stays the caller's
 * @dev: result: what the module made of it
 * @err: why it was not added
 *
 * Returns 0 or a negative errno.
 */
int devices_add_disk(struct daemon *d, const struct disk_spec *disk, int fd,
		     struct pvbus_ioc_dev *dev, struct pv_err *err)
{
	int ret;

	memset(dev, 0, sizeof(*dev));
	dev->type = PVBUS_TYPE_BLK;
	dev->max_queues = disk->queues;
	dev->flags = disk->readonly ? PVBUS_DEV_READONLY : 0;
	set_tuning(dev, &disk->tuning);
	dev->fd = fd;
	memcpy(dev->id, disk->id, sizeof(dev->id));
	memcpy(dev->serial, disk->serial, sizeof(dev->serial));
	ret = device_add(d->dev, dev, err);
	if (!ret)
		json_object_set_new(d->paths, disk->id,
				    json_string(disk->path));
	return ret;
}

/**
 * devices_check_net - check that the host can have the interface
 * @net: the network card
 * @err: why it cannot
 *
 * Returns 0 or a negative errno.
 */
int devices_check_net(const struct net_spec *net, struct pv_err *err)
{
	if (!net->ifname[0] || !if_nametoindex(net->ifname))
		return 0;
	pv_err(err,
	       "network card '%s': ifname '%s' is in use by an interface of this host: choose another name, or leave ifname out",
	       net->id, net->ifname);
	return -EEXIST;
}

/**
 * devices_add_net - offer the guest a network card
 * @d: the daemon
 * @net: the network card
 * @dev: result: what the module made of it
 * @err: why it was not added
 *
 * Returns 0 or a negative errno.
 */
int devices_add_net(struct daemon *d, const struct net_spec *net,
		    struct pvbus_ioc_dev *dev, struct pv_err *err)
{
	memset(dev, 0, sizeof(*dev));
	dev->type = PVBUS_TYPE_NET;
	dev->max_queues = net->queues;
	set_tuning(dev, &net->tuning);
	dev->fd = -1;
	dev->mtu = net->mtu;
	memcpy(dev->id, net->id, sizeof(dev->id));
	memcpy(dev->ifname, net->ifname, sizeof(dev->ifname));
	memcpy(dev->mac, net->mac, sizeof(dev->mac));
	return device_add(d->dev, dev, err);
}

/**
 * devices_vectors - how many vectors the VM can make use of
 * @d: the daemon
 * @cpus: CPUs of the guest: a driver opens no more channels than that
 *
 * Returns the number: one for control and one for each channel.
 */
unsigned int devices_vectors(struct daemon *d, unsigned int cpus)
{
	struct pvbus_ioc_dev dev = { .offer = 0 };
	unsigned int nr = 1;
	struct pv_err err;

	while (nr < PVBUS_MAX_VECTORS && !device_next(d->dev, &dev, &err))
		nr += dev.max_queues && dev.max_queues < cpus ?
		      dev.max_queues : cpus;
	return nr < PVBUS_MAX_VECTORS ? nr : PVBUS_MAX_VECTORS;
}
