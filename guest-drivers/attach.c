// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: a bus comes and goes, and is interrupted.
 */
#include <linux/idr.h>
#include <linux/panic_notifier.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include "bus_internal.h"

static DEFINE_IDA(pvbus_ida);

/* The host must not write to memory that a crash dump or the next kernel uses.
 * Everything may be locked and nothing may be waited for.
 */
static int pvbus_panic(struct notifier_block *nb, unsigned long event,
		       void *unused)
{
	pvbus_set_generation(container_of(nb, struct pvbus, panic_nb), 0);
	return NOTIFY_DONE;
}

/* Is a host attached, or will one be in a moment? */
static bool pvbus_attached(const struct pvbus *bus)
{
	switch (pvbus_get_state(bus)) {
	case PVBUS_S_IDLE:
		return pvbus_host_state(bus) == PVBUS_HOST_READY;
	case PVBUS_S_REFUSED:
	case PVBUS_S_STOPPED:
		return false;
	default:
		return true;
	}
}

/* An image of this kernel's memory would have rings and requests in it whose
 * other end is gone when it runs again; and the host writes to memory that is
 * being saved, or overwritten by an image. So none is made while there is a
 * session, and no session begins before that is over.
 */
static int pvbus_pm_prepare(struct pvbus *bus)
{
	WRITE_ONCE(bus->held, true);
	/* it may have begun a session just before */
	flush_delayed_work(&bus->ctl_work);
	if (!pvbus_attached(bus))
		return NOTIFY_DONE;
	WRITE_ONCE(bus->held, false);
	pvbus_kick(bus);
	dev_err(bus->parent,
		"pvbus%d: no hibernation while the host is attached: shut down instead, or unload pvbus and its drivers first\n",
		bus->index);
	return NOTIFY_BAD;
}

static int pvbus_pm(struct notifier_block *nb, unsigned long event,
		    void *unused)
{
	struct pvbus *bus = container_of(nb, struct pvbus, pm_nb);

	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		return pvbus_pm_prepare(bus);
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		WRITE_ONCE(bus->held, false);
		pvbus_kick(bus);
		break;
	}
	return NOTIFY_DONE;
}

static void pvbus_setup(struct pvbus *bus)
{
	unsigned int i;

	INIT_DELAYED_WORK(&bus->ctl_work, pvbus_ctl_work);
	init_waitqueue_head(&bus->wait);
	init_completion(&bus->released);
	mutex_init(&bus->send_lock);
	spin_lock_init(&bus->lock);
	INIT_LIST_HEAD(&bus->devs);
	INIT_LIST_HEAD(&bus->channels);
	for (i = 0; i < PVBUS_MAX_VECTORS; i++) {
		spin_lock_init(&bus->vector[i].lock);
		INIT_LIST_HEAD(&bus->vector[i].channels);
	}
	bus->panic_nb.notifier_call = pvbus_panic;
	bus->pm_nb.notifier_call = pvbus_pm;
	bus->state = PVBUS_S_IDLE;
	bus->ended = true;
	bus->host = bus->window + PVBUS_WIN_HOST;
	bus->guest = bus->window + PVBUS_WIN_GUEST;
	bus->vectors = 1;
	bus->not_before = jiffies;
}

/* A disk that is given up ends its requests when ctl_work has its answers, so
 * that must go on without memory. Works of devices need not, and may not: they
 * register and remove devices, which waits for works of others.
 */
static int pvbus_alloc_queues(struct pvbus *bus)
{
	bus->index = ida_alloc(&pvbus_ida, GFP_KERNEL);
	if (bus->index < 0)
		return bus->index;
	bus->ctl_wq = alloc_ordered_workqueue("pvbus%d", WQ_MEM_RECLAIM,
					      bus->index);
	if (!bus->ctl_wq)
		goto err_ida;
	bus->dev_wq = alloc_workqueue("pvbus%d-dev", WQ_UNBOUND, 0, bus->index);
	if (!bus->dev_wq)
		goto err_ctl_wq;
	return 0;

err_ctl_wq:
	destroy_workqueue(bus->ctl_wq);
err_ida:
	ida_free(&pvbus_ida, bus->index);
	return -ENOMEM;
}

/* No device is left; from here on neither works of devices nor interrupts queue
 * ctl_work.
 */
static void pvbus_teardown(struct pvbus *bus)
{
	unregister_pm_notifier(&bus->pm_nb);
	atomic_notifier_chain_unregister(&panic_notifier_list, &bus->panic_nb);
	WRITE_ONCE(bus->dead, true);
	/* interrupt handlers that did not see it yet */
	synchronize_rcu();
	destroy_workqueue(bus->dev_wq);
	cancel_delayed_work_sync(&bus->ctl_work);
	destroy_workqueue(bus->ctl_wq);
	pvbus_hello_free(bus);
	pvbus_channels_forget(bus, bus->let_go);
	ida_free(&pvbus_ida, bus->index);
}

/* No new session or device from here on. */
static void pvbus_close_doors(struct pvbus *bus)
{
	spin_lock(&bus->lock);
	WRITE_ONCE(bus->closing, true);
	spin_unlock(&bus->lock);
}

static bool pvbus_no_devices(struct pvbus *bus)
{
	bool empty;

	spin_lock(&bus->lock);
	empty = list_empty(&bus->devs);
	spin_unlock(&bus->lock);
	return empty;
}

/* End the session; the host has let go or time is up when this returns. */
static void pvbus_stop(struct pvbus *bus)
{
	WRITE_ONCE(bus->stopping, true);
	pvbus_kick(bus);
	wait_event_timeout(bus->wait,
			   pvbus_get_state(bus) == PVBUS_S_STOPPED,
			   PVBUS_END_TIMEOUT + HZ);
}

void pvbus_detach(struct pvbus *bus)
{
	pvbus_close_doors(bus);
	/* drivers finish their I/O while the host still serves it; the time
	 * that their remove() takes is bounded by theirs
	 */
	pvbus_devices_remove(bus);
	pvbus_kick(bus);
	wait_event(bus->wait, pvbus_no_devices(bus));
	pvbus_stop(bus);
	pvbus_teardown(bus);
}
EXPORT_SYMBOL_GPL(pvbus_detach);

/*
 * Did ctl_work find no version that both speak, and was the host told? What the
 * window says by now does not matter: it is the host's to change.
 */
static bool pvbus_attach_refused(struct pvbus *bus)
{
	flush_delayed_work(&bus->ctl_work);
	if (pvbus_get_state(bus) == PVBUS_S_IDLE || READ_ONCE(bus->version))
		return false;
	wait_event_timeout(bus->wait,
			   pvbus_get_state(bus) == PVBUS_S_REFUSED,
			   PVBUS_RESET_TIMEOUT);
	/* a host that has not answered yet is waited for, as any other */
	return pvbus_get_state(bus) == PVBUS_S_REFUSED &&
	       !READ_ONCE(bus->version);
}

/*
 * The generation stays in the window, so that the host goes on showing why there
 * is no session; unless it has gone and come back since, with another version.
 */
static void pvbus_attach_undo(struct pvbus *bus)
{
	pvbus_close_doors(bus);
	/* it may have begun a session just before */
	flush_delayed_work(&bus->ctl_work);
	if (pvbus_get_state(bus) == PVBUS_S_REFUSED)
		pvbus_teardown(bus);
	else
		pvbus_detach(bus);
}

struct pvbus *pvbus_attach(struct device *dma_dev,
			   const struct pvbus_transport_ops *ops, void *priv,
			   void *window, unsigned int vectors)
{
	struct pvbus *bus;
	int err;

	if (!vectors || vectors > PVBUS_MAX_VECTORS)
		return ERR_PTR(-EINVAL);
	/* an interrupt that is late for pvbus_detach() still finds it */
	bus = devm_kzalloc(dma_dev, sizeof(*bus), GFP_KERNEL);
	if (!bus)
		return ERR_PTR(-ENOMEM);
	bus->parent = dma_dev;
	bus->ops = ops;
	bus->priv = priv;
	bus->window = window;
	bus->max_vectors = vectors;
	pvbus_setup(bus);
	err = pvbus_alloc_queues(bus);
	if (err) {
		devm_kfree(dma_dev, bus);
		return ERR_PTR(err);
	}
	atomic_notifier_chain_register(&panic_notifier_list, &bus->panic_nb);
	register_pm_notifier(&bus->pm_nb);

	if (pvbus_host_state(bus) != PVBUS_HOST_READY)
		dev_info(dma_dev,
			 "pvbus%d: the host is not ready yet; waiting for it\n",
			 bus->index);
	pvbus_kick(bus);
	if (pvbus_attach_refused(bus)) {
		pvbus_attach_undo(bus);
		devm_kfree(dma_dev, bus);
		return ERR_PTR(-EPROTO);
	}
	return bus;
}
EXPORT_SYMBOL_GPL(pvbus_attach);

void pvbus_quiesce(struct pvbus *bus)
{
	pvbus_close_doors(bus);
	pvbus_stop(bus);
}
EXPORT_SYMBOL_GPL(pvbus_quiesce);

/**
 * pvbus_priv() - what the transport gave to pvbus_attach()
 * @bus: the bus
 */
void *pvbus_priv(struct pvbus *bus)
{
	return bus->priv;
}
EXPORT_SYMBOL_GPL(pvbus_priv);

void pvbus_interrupt(struct pvbus *bus, unsigned int vector)
{
	bool shared;

	if (READ_ONCE(bus->dead) || vector >= bus->max_vectors)
		return;
	shared = pvbus_vector_run(&bus->vector[vector]);
	if (vector == PVBUS_VECTOR_CTL && (!shared || pvbus_ctl_pending(bus)))
		pvbus_kick(bus);
}
EXPORT_SYMBOL_GPL(pvbus_interrupt);
