// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: devices come, change and go.
 *
 * ctl_work only notes what the host said, as events of the device; they are
 * acted upon in the device's own work, one after the other, so a driver may
 * sleep in probe() or remove() until the host has answered, and one device
 * does not wait for another. A work that is queued holds a reference.
 */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bus_internal.h"

static void pvbus_device_release(struct device *dev)
{
	kfree(to_pvbus_device(dev));
}

/**
 * pvbus_device_event() - have the device's work act on something
 * @pdev: device
 * @event: what happened
 *
 * Context: bus->lock held.
 */
void pvbus_device_event(struct pvbus_device *pdev, enum pvbus_event event)
{
	if (test_bit(PVBUS_EV_REMOVING, &pdev->events))
		return;
	if (event == PVBUS_EV_REMOVE)
		set_bit(PVBUS_EV_REMOVING, &pdev->events);
	set_bit(event, &pdev->events);
	get_device(&pdev->dev);
	if (!queue_work(pdev->bus->dev_wq, &pdev->work))
		put_device(&pdev->dev);
}

static void pvbus_device_add(struct pvbus_device *pdev)
{
	int err = device_add(&pdev->dev);

	if (err)
		dev_err_ratelimited(pdev->bus->parent,
				    "pvbus%d: device %s cannot be added: error %d\n",
				    pdev->bus->index, pdev->id, err);
}

/* The driver of the device, or NULL. device_lock() held. */
static struct pvbus_driver *pvbus_device_driver(struct pvbus_device *pdev)
{
	if (!pdev->dev.driver)
		return NULL;
	return container_of(pdev->dev.driver, struct pvbus_driver, driver);
}

static void pvbus_device_update(struct pvbus_device *pdev)
{
	struct pvbus_driver *drv;

	device_lock(&pdev->dev);
	drv = pvbus_device_driver(pdev);
	if (drv && drv->update)
		drv->update(pdev);
	device_unlock(&pdev->dev);
}

static void pvbus_device_broken(struct pvbus_device *pdev)
{
	struct pvbus_driver *drv;
	unsigned int queue;

	device_lock(&pdev->dev);
	drv = pvbus_device_driver(pdev);
	while (pvbus_channel_take_stopped(pdev, &queue))
		if (drv && drv->broken)
			drv->broken(pdev, queue);
	device_unlock(&pdev->dev);
}

static void pvbus_device_ack_rescind(struct pvbus_device *pdev)
{
	struct pvbus_offer_ref ref = { .offer = cpu_to_le32(pdev->offer) };

	/* it fails when the session is over: nobody waits for it then */
	pvbus_ctl_send(pdev->bus, PVBUS_MSG_RESCIND_ACK, &ref, sizeof(ref));
}

static void pvbus_device_remove(struct pvbus_device *pdev)
{
	struct pvbus *bus = pdev->bus;

	if (device_is_registered(&pdev->dev))
		device_del(&pdev->dev);
	if (test_bit(PVBUS_EV_RESCINDED, &pdev->events))
		pvbus_device_ack_rescind(pdev);
	spin_lock(&bus->lock);
	list_del(&pdev->node);
	bus->nr_devs--;
	spin_unlock(&bus->lock);
	wake_up_all(&bus->wait);
	pvbus_kick(bus);
	put_device(&pdev->dev);
}

static void pvbus_device_work(struct work_struct *work)
{
	struct pvbus_device *pdev = container_of(work, struct pvbus_device,
						 work);

	if (test_and_clear_bit(PVBUS_EV_ADD, &pdev->events) &&
	    !test_bit(PVBUS_EV_REMOVING, &pdev->events))
		pvbus_device_add(pdev);
	if (test_and_clear_bit(PVBUS_EV_UPDATE, &pdev->events))
		pvbus_device_update(pdev);
	if (test_and_clear_bit(PVBUS_EV_BROKEN, &pdev->events))
		pvbus_device_broken(pdev);
	if (test_and_clear_bit(PVBUS_EV_REMOVE, &pdev->events))
		pvbus_device_remove(pdev);
	put_device(&pdev->dev);
}

/**
 * pvbus_device_find() - the device of an offer
 * @bus: the bus
 * @offer: number of the offer
 *
 * Context: bus->lock held.
 */
struct pvbus_device *pvbus_device_find(struct pvbus *bus, u32 offer)
{
	struct pvbus_device *pdev;

	list_for_each_entry(pdev, &bus->devs, node)
		if (pdev->offer == offer)
			return pdev;
	return NULL;
}

static bool pvbus_valid_id(const u8 *id)
{
	size_t len = strnlen(id, PVBUS_ID_SIZE);
	size_t i;

	if (len == PVBUS_ID_SIZE || !isascii(id[0]) || !isalnum(id[0]))
		return false;
	for (i = 1; i < len; i++)
		if (!isascii(id[i]) ||
		    (!isalnum(id[i]) && !strchr("._-", id[i])))
			return false;
	return !memchr_inv(id + len, 0, PVBUS_ID_SIZE - len);
}

static int pvbus_check_offer(struct pvbus *bus, const struct pvbus_offer *o)
{
	u32 blob_len = le32_to_cpu(o->blob_len);

	if (!o->offer)
		return pvbus_violation(bus, "number of an offer", 0);
	if (!o->max_queues)
		return pvbus_violation(bus, "queues of an offer", 0);
	if (!pvbus_valid_id(o->id))
		return pvbus_violation(bus, "id of offer",
				       le32_to_cpu(o->offer));
	if (blob_len > PVBUS_BLOB_SIZE)
		return pvbus_violation(bus, "blob length of an offer",
				       blob_len);
	if (memchr_inv(o->blob + blob_len, 0, PVBUS_BLOB_SIZE - blob_len))
		return pvbus_violation(bus, "garbage behind the blob of offer",
				       le32_to_cpu(o->offer));
	if (o->reserved)
		return pvbus_violation(bus, "reserved field of an offer",
				       le32_to_cpu(o->reserved));
	return 0;
}

static struct pvbus_device *pvbus_device_alloc(struct pvbus *bus,
					       const struct pvbus_offer *o)
{
	struct pvbus_device *pdev = kzalloc(sizeof(*pdev), GFP_KERNEL);

	if (!pdev)
		return NULL;
	pdev->bus = bus;
	pdev->offer = le32_to_cpu(o->offer);
	pdev->type = le16_to_cpu(o->type);
	pdev->max_queues = le16_to_cpu(o->max_queues);
	pdev->features = le64_to_cpu(o->features);
	memcpy(pdev->id, o->id, sizeof(pdev->id));
	spin_lock_init(&pdev->lock);
	pdev->blob_len = le32_to_cpu(o->blob_len);
	memcpy(pdev->blob, o->blob, sizeof(pdev->blob));
	INIT_WORK(&pdev->work, pvbus_device_work);

	device_initialize(&pdev->dev);
	pdev->dev.parent = bus->parent;
	pdev->dev.bus = &pvbus_bus_type;
	pdev->dev.release = pvbus_device_release;
	if (dev_set_name(&pdev->dev, "pvbus%d:%u", bus->index, pdev->offer)) {
		put_device(&pdev->dev);
		return NULL;
	}
	return pdev;
}

/* Put a device into the list, unless the bus goes away. */
static int pvbus_device_insert(struct pvbus *bus, struct pvbus_device *pdev)
{
	const char *what = NULL;
	bool keep = false;

	spin_lock(&bus->lock);
	if (pvbus_device_find(bus, pdev->offer)) {
		what = "offer made twice";
	} else if (bus->nr_devs >= PVBUS_MAX_DEVICES) {
		what = "too many devices, with offer";
	} else if (!bus->closing) {
		keep = true;
		list_add_tail(&pdev->node, &bus->devs);
		bus->nr_devs++;
		pvbus_device_event(pdev, PVBUS_EV_ADD);
	}
	spin_unlock(&bus->lock);
	if (keep)
		return 0;
	if (what)
		pvbus_violation(bus, what, pdev->offer);
	put_device(&pdev->dev);
	return what ? -EPROTO : 0;
}

/**
 * pvbus_on_offer() - the host offers a device
 * @bus: the bus
 * @body: copy of struct pvbus_offer
 *
 * Context: ctl_work.
 * Return: 0, or -EPROTO when the host broke the protocol (logged).
 */
int pvbus_on_offer(struct pvbus *bus, const void *body)
{
	const struct pvbus_offer *o = body;
	struct pvbus_device *pdev;
	int err;

	err = pvbus_check_offer(bus, o);
	if (err)
		return err;
	pdev = pvbus_device_alloc(bus, o);
	if (!pdev) {
		dev_err_ratelimited(bus->parent,
				    "pvbus%d: no memory for device %s: remove it on the host and add it again\n",
				    bus->index, o->id);
		return 0;
	}
	return pvbus_device_insert(bus, pdev);
}

/* Only the blob of an offer may change. */
static bool pvbus_same_offer(const struct pvbus_device *pdev,
			     const struct pvbus_offer *o)
{
	return pdev->type == le16_to_cpu(o->type) &&
	       pdev->max_queues == le16_to_cpu(o->max_queues) &&
	       pdev->features == le64_to_cpu(o->features) &&
	       !memcmp(pdev->id, o->id, sizeof(pdev->id));
}

/**
 * pvbus_on_update() - the host has changed the blob of a device
 * @bus: the bus
 * @body: copy of struct pvbus_offer
 *
 * Context: ctl_work.
 * Return: 0, or -EPROTO when the host broke the protocol (logged).
 */
int pvbus_on_update(struct pvbus *bus, const void *body)
{
	const struct pvbus_offer *o = body;
	struct pvbus_device *pdev;
	bool same = true;
	int err;

	err = pvbus_check_offer(bus, o);
	if (err)
		return err;
	spin_lock(&bus->lock);
	/* one that could not be added is not missed */
	pdev = pvbus_device_find(bus, le32_to_cpu(o->offer));
	if (pdev)
		same = pvbus_same_offer(pdev, o);
	if (pdev && same) {
		spin_lock(&pdev->lock);
		pdev->blob_len = le32_to_cpu(o->blob_len);
		memcpy(pdev->blob, o->blob, sizeof(pdev->blob));
		spin_unlock(&pdev->lock);
		pvbus_device_event(pdev, PVBUS_EV_UPDATE);
	}
	spin_unlock(&bus->lock);
	if (!same)
		return pvbus_violation(bus,
				       "update of more than the blob of offer",
				       le32_to_cpu(o->offer));
	return 0;
}

/**
 * pvbus_on_rescind() - the host takes a device away
 * @bus: the bus
 * @body: copy of struct pvbus_offer_ref
 *
 * Context: ctl_work.
 * Return: 0, or -EPROTO when the host broke the protocol (logged).
 */
int pvbus_on_rescind(struct pvbus *bus, const void *body)
{
	const struct pvbus_offer_ref *ref = body;
	struct pvbus_device *pdev;

	if (ref->reserved)
		return pvbus_violation(bus, "reserved field of RESCIND",
				       le32_to_cpu(ref->reserved));
	spin_lock(&bus->lock);
	pdev = pvbus_device_find(bus, le32_to_cpu(ref->offer));
	if (pdev) {
		set_bit(PVBUS_EV_RESCINDED, &pdev->events);
		WRITE_ONCE(pdev->gone, true);
		pvbus_device_event(pdev, PVBUS_EV_REMOVE);
	}
	spin_unlock(&bus->lock);
	return 0;
}

/**
 * pvbus_devices_gone() - the session is over
 * @bus: the bus
 * @remove: remove the devices, too
 *
 * Context: ctl_work. Does not wait for the removal.
 */
void pvbus_devices_gone(struct pvbus *bus, bool remove)
{
	struct pvbus_device *pdev;

	spin_lock(&bus->lock);
	list_for_each_entry(pdev, &bus->devs, node) {
		WRITE_ONCE(pdev->gone, true);
		if (remove)
			pvbus_device_event(pdev, PVBUS_EV_REMOVE);
	}
	spin_unlock(&bus->lock);
}

/**
 * pvbus_devices_remove() - remove all devices while the host serves them
 * @bus: the bus
 *
 * Does not wait for the removal.
 */
void pvbus_devices_remove(struct pvbus *bus)
{
	struct pvbus_device *pdev;

	spin_lock(&bus->lock);
	list_for_each_entry(pdev, &bus->devs, node)
		pvbus_device_event(pdev, PVBUS_EV_REMOVE);
	spin_unlock(&bus->lock);
}
