// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: the state machine of the attachment to the host.
 *
 *	IDLE -> RESET -> HELLO -> RUNNING -> ENDING -> IDLE
 *	           \        \         \         \----> REFUSED, STOPPED
 *	            \--------\---------\-> (host gone, protocol broken, detach)
 *
 * It moves in ctl_work only, which runs when the host rings, when somebody in
 * this kernel asks (pvbus_kick()), and by a timer in the states that must not
 * last, so a lost interrupt costs time and nothing else.
 */
#include <linux/random.h>
#include <linux/sched/mm.h>

#include "bus_internal.h"

/* Steps that ctl_work takes before it makes way for others. */
#define PVBUS_MAX_STEPS		8

/**
 * pvbus_kick() - have the state machine look
 * @bus: the bus, not yet dead
 *
 * Context: any.
 */
void pvbus_kick(struct pvbus *bus)
{
	mod_delayed_work(bus->ctl_wq, &bus->ctl_work, 0);
}

static void pvbus_poll(struct pvbus *bus)
{
	queue_delayed_work(bus->ctl_wq, &bus->ctl_work, PVBUS_POLL);
}

/**
 * pvbus_set_state() - enter a state
 * @bus: the bus
 * @state: the state
 *
 * Context: ctl_work.
 */
void pvbus_set_state(struct pvbus *bus, enum pvbus_state state)
{
	WRITE_ONCE(bus->state, state);
	wake_up_all(&bus->wait);
}

/**
 * pvbus_set_generation() - tell the host which attachment there is
 * @bus: the bus
 * @generation: the attachment, or 0
 *
 * Context: any.
 */
void pvbus_set_generation(struct pvbus *bus, u32 generation)
{
	WRITE_ONCE(bus->guest->generation, cpu_to_le32(generation));
	/* the host reads it when it hears the doorbell */
	virt_mb();
	bus->ops->ring(bus, PVBUS_VECTOR_CTL);
}

/**
 * pvbus_refuse() - the handshake has failed for good
 * @bus: the bus
 *
 * The generation stays in the window: the host goes on showing the reason.
 *
 * Context: ctl_work.
 */
void pvbus_refuse(struct pvbus *bus)
{
	pvbus_hello_free(bus);
	spin_lock(&bus->lock);
	WRITE_ONCE(bus->ended, true);
	spin_unlock(&bus->lock);
	pvbus_set_state(bus, PVBUS_S_REFUSED);
}

static void pvbus_session_begin(struct pvbus *bus)
{
	u32 generation;

	do {
		generation = get_random_u32();
	} while (!generation || generation == bus->generation);

	WRITE_ONCE(bus->version, pvbus_pick_version(bus));
	if (!bus->version)
		pvbus_report_mismatch(bus);
	WRITE_ONCE(bus->generation, generation);
	reinit_completion(&bus->released);
	bus->let_go = false;
	bus->reported = false;
	bus->not_before = jiffies + PVBUS_BEGIN_PACE;
	bus->deadline = jiffies + PVBUS_RESET_TIMEOUT;
	pvbus_set_state(bus, PVBUS_S_RESET);
	pvbus_set_generation(bus, generation);
}

/* The host forgets the session; it is over for everyone in this kernel. */
static void pvbus_session_end(struct pvbus *bus, enum pvbus_state next)
{
	bus->next = next;
	pvbus_hello_free(bus);
	pvbus_channels_abort(bus);
	pvbus_devices_gone(bus, !bus->stopping);
	bus->deadline = jiffies + PVBUS_END_TIMEOUT;
	pvbus_set_state(bus, PVBUS_S_ENDING);
	pvbus_set_generation(bus, 0);
}

/* Steps return true when the state has changed. */

static bool pvbus_step_idle(struct pvbus *bus)
{
	if (READ_ONCE(bus->stopping)) {
		pvbus_set_generation(bus, 0);
		pvbus_set_state(bus, PVBUS_S_STOPPED);
		return true;
	}
	if (READ_ONCE(bus->closing) || READ_ONCE(bus->held) ||
	    pvbus_host_state(bus) != PVBUS_HOST_READY)
		return false;
	if (time_before(jiffies, bus->not_before)) {
		pvbus_poll(bus);
		return false;
	}
	pvbus_session_begin(bus);
	return true;
}

/* The mailboxes are fresh, and nothing of an earlier session is in use. */
static bool pvbus_session_open(struct pvbus *bus)
{
	pvbus_channels_forget(bus, true);
	pvbus_ctl_init(bus);
	bus->reported = false;
	bus->offers_done = false;
	bus->deadline = jiffies + PVBUS_HELLO_TIMEOUT;
	pvbus_set_state(bus, PVBUS_S_HELLO);
	if (pvbus_hello_send(bus))
		pvbus_refuse(bus);
	return true;
}

static bool pvbus_step_reset(struct pvbus *bus)
{
	if (READ_ONCE(bus->stopping) ||
	    pvbus_host_state(bus) != PVBUS_HOST_READY) {
		pvbus_set_state(bus, PVBUS_S_IDLE);
		return true;
	}
	if (pvbus_host_generation(bus) == bus->generation)
		return pvbus_session_open(bus);
	if (bus->reported) {
		/* the host rings again: start over */
		pvbus_set_state(bus, PVBUS_S_IDLE);
		return true;
	}
	if (time_before(jiffies, bus->deadline)) {
		pvbus_poll(bus);
		return false;
	}
	bus->reported = true;
	dev_warn(bus->parent,
		 "pvbus%d: the host did not answer within %u s; waiting for it: is pvbusd running for this VM?\n",
		 bus->index, PVBUS_RESET_TIMEOUT / HZ);
	return false;
}

static bool pvbus_session_lost(struct pvbus *bus)
{
	if (pvbus_host_state(bus) != PVBUS_HOST_READY)
		dev_warn(bus->parent,
			 "pvbus%d: the host has gone down; its devices are removed until it is back\n",
			 bus->index);
	else if (pvbus_host_generation(bus) != bus->generation)
		dev_warn(bus->parent,
			 "pvbus%d: the host has ended the session, its kernel log says why; its devices are removed and asked for again\n",
			 bus->index);
	else
		return false;
	return true;
}

static void pvbus_check_hello(struct pvbus *bus)
{
	if (bus->reported)
		return;
	if (time_before(jiffies, bus->deadline)) {
		pvbus_poll(bus);
		return;
	}
	bus->reported = true;
	dev_warn(bus->parent,
		 "pvbus%d: the host has not proven guest memory within %u s; waiting for it: look at the log of pvbusd on the host\n",
		 bus->index, PVBUS_HELLO_TIMEOUT / HZ);
}

static bool pvbus_step_session(struct pvbus *bus)
{
	enum pvbus_state before = bus->state;
	int ret;

	/* a host that refuses and goes has left its reason in the mailbox */
	if (before == PVBUS_S_HELLO && !READ_ONCE(bus->stopping) &&
	    pvbus_host_state(bus) != PVBUS_HOST_READY) {
		pvbus_ctl_receive(bus);
		if (bus->state != before)
			return true;
	}
	if (READ_ONCE(bus->stopping) || pvbus_session_lost(bus)) {
		pvbus_session_end(bus, PVBUS_S_IDLE);
		return true;
	}
	ret = pvbus_ctl_receive(bus);
	if (ret < 0) {
		pvbus_session_end(bus, PVBUS_S_REFUSED);
		return true;
	}
	if (ret > 0)
		pvbus_kick(bus);
	else if (bus->state == PVBUS_S_HELLO)
		pvbus_check_hello(bus);
	else if (READ_ONCE(bus->closing))
		pvbus_poll(bus);
	return bus->state != before;
}

/* Has the host let go of the memory of the session, or will it never? */
static bool pvbus_check_released(struct pvbus *bus)
{
	if (completion_done(&bus->released))
		return true;
	bus->let_go = !pvbus_host_generation(bus);
	if (!bus->let_go && time_before(jiffies, bus->deadline)) {
		pvbus_poll(bus);
		return false;
	}
	if (!bus->let_go)
		dev_warn(bus->parent,
			 "pvbus%d: the host did not confirm within %u s that it is done with guest memory: rings are not freed\n",
			 bus->index, PVBUS_END_TIMEOUT / HZ);
	complete_all(&bus->released);
	return true;
}

static bool pvbus_step_ending(struct pvbus *bus)
{
	bool empty;

	if (!pvbus_check_released(bus))
		return false;
	if (READ_ONCE(bus->stopping)) {
		pvbus_set_state(bus, PVBUS_S_STOPPED);
		return true;
	}
	spin_lock(&bus->lock);
	empty = list_empty(&bus->devs);
	spin_unlock(&bus->lock);
	/* the work of the last device to go kicks */
	if (!empty)
		return false;
	pvbus_set_state(bus, bus->next);
	return true;
}

static bool pvbus_step_refused(struct pvbus *bus)
{
	if (!READ_ONCE(bus->stopping) &&
	    pvbus_host_state(bus) == PVBUS_HOST_READY)
		return false;
	pvbus_set_state(bus, PVBUS_S_IDLE);
	return true;
}

static bool pvbus_step(struct pvbus *bus)
{
	switch (bus->state) {
	case PVBUS_S_IDLE:
		return pvbus_step_idle(bus);
	case PVBUS_S_RESET:
		return pvbus_step_reset(bus);
	case PVBUS_S_HELLO:
	case PVBUS_S_RUNNING:
		return pvbus_step_session(bus);
	case PVBUS_S_ENDING:
		return pvbus_step_ending(bus);
	case PVBUS_S_REFUSED:
		return pvbus_step_refused(bus);
	case PVBUS_S_STOPPED:
		break;
	}
	return false;
}

/**
 * pvbus_ctl_work() - the state machine
 * @work: of a bus
 */
void pvbus_ctl_work(struct work_struct *work)
{
	struct pvbus *bus = container_of(to_delayed_work(work), struct pvbus,
					 ctl_work);
	unsigned int steps = PVBUS_MAX_STEPS;
	/* memory must not wait for a disk that waits for us */
	unsigned int noio = memalloc_noio_save();

	/* there may be room in the mailbox */
	wake_up_all(&bus->wait);
	while (steps && pvbus_step(bus))
		steps--;
	if (!steps)
		pvbus_kick(bus);
	memalloc_noio_restore(noio);
}
