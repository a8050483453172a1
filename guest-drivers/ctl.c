// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: the control mailbox.
 *
 * A message is copied out of the window once; length, reserved fields and what
 * lies behind the body are checked by table before its handler sees the copy.
 */
#include <linux/string.h>

#include "bus_internal.h"

/* Messages handled before ctl_work makes way for others. */
#define PVBUS_CTL_BUDGET	64

static int pvbus_on_offers_done(struct pvbus *bus, const void *body)
{
	if (bus->offers_done)
		return pvbus_violation(bus, "second control message of type",
				       PVBUS_MSG_OFFERS_DONE);
	bus->offers_done = true;
	dev_info(bus->parent,
		 "pvbus%d: attached: protocol version %u, %u vectors, %u devices\n",
		 bus->index, bus->version, bus->vectors, bus->nr_devs);
	return 0;
}

/**
 * struct pvbus_msg_type - what the host may send
 * @state: in which state of the bus
 * @len: bytes of the body
 * @handle: acts on a body whose length was checked. Runs in ctl_work: must not
 *	wait for the host or for a driver. Returns 0, or a negative error code
 *	when the host broke the protocol (logged).
 */
struct pvbus_msg_type {
	enum pvbus_state	state;
	u16			len;
	int			(*handle)(struct pvbus *bus, const void *body);
};

static const struct pvbus_msg_type pvbus_msg_types[PVBUS_MSG_TYPES] = {
	[PVBUS_MSG_HELLO_ACK] = {
		PVBUS_S_HELLO, sizeof(struct pvbus_hello_ack),
		pvbus_on_hello_ack,
	},
	[PVBUS_MSG_OFFER] = {
		PVBUS_S_RUNNING, sizeof(struct pvbus_offer), pvbus_on_offer,
	},
	[PVBUS_MSG_OFFERS_DONE] = {
		PVBUS_S_RUNNING, 0, pvbus_on_offers_done,
	},
	[PVBUS_MSG_UPDATE] = {
		PVBUS_S_RUNNING, sizeof(struct pvbus_offer), pvbus_on_update,
	},
	[PVBUS_MSG_RESCIND] = {
		PVBUS_S_RUNNING, sizeof(struct pvbus_offer_ref),
		pvbus_on_rescind,
	},
	[PVBUS_MSG_OPEN_ACK] = {
		PVBUS_S_RUNNING, sizeof(struct pvbus_chan_ref),
		pvbus_on_open_ack,
	},
	[PVBUS_MSG_CLOSE_ACK] = {
		PVBUS_S_RUNNING, sizeof(struct pvbus_chan_ref),
		pvbus_on_close_ack,
	},
	[PVBUS_MSG_BROKEN] = {
		PVBUS_S_RUNNING, sizeof(struct pvbus_chan_ref),
		pvbus_on_broken,
	},
};

/**
 * pvbus_violation() - report that the host broke the control protocol
 * @bus: the bus
 * @what: what was wrong
 * @value: the value that was wrong
 *
 * Return: -EPROTO, on which ctl_work ends the session.
 */
int pvbus_violation(struct pvbus *bus, const char *what, u64 value)
{
	dev_err(bus->parent,
		"pvbus%d: the host broke the protocol: %s: %#llx; its devices are removed, reload pvbus when the host is mended\n",
		bus->index, what, value);
	return -EPROTO;
}

/**
 * pvbus_status_name() - words for a status of the host
 * @status: PVBUS_ST_*, or anything else
 */
const char *pvbus_status_name(u32 status)
{
	static const char * const names[] = {
		[PVBUS_ST_OK]		= "success",
		[PVBUS_ST_VERSION]	= "no common protocol version",
		[PVBUS_ST_RAM]		= "guest memory could not be proven",
		[PVBUS_ST_VECTORS]	= "too few vectors",
		[PVBUS_ST_INVAL]	= "malformed request",
		[PVBUS_ST_NOENT]	= "no such device or channel",
		[PVBUS_ST_BUSY]		= "open already",
		[PVBUS_ST_NOMEM]	= "host is out of memory or quota",
		[PVBUS_ST_FEATURES]	= "feature not offered",
		[PVBUS_ST_FAULT]	= "address is not guest memory",
		[PVBUS_ST_PROTO]	= "ring broken",
		[PVBUS_ST_GONE]		= "device was removed",
	};

	return status < ARRAY_SIZE(names) ? names[status] : "unknown status";
}

/**
 * pvbus_ctl_init() - take up both mailboxes after the host has reset them
 * @bus: the bus
 */
void pvbus_ctl_init(struct pvbus *bus)
{
	mutex_lock(&bus->send_lock);
	pvring_prod_init(&bus->tx, bus->window + PVBUS_WIN_G2H,
			 PVBUS_MBOX_SLOTS, PVBUS_MBOX_SLOT_SIZE);
	pvring_cons_init(&bus->rx, bus->window + PVBUS_WIN_H2G,
			 PVBUS_MBOX_SLOTS, PVBUS_MBOX_SLOT_SIZE);
	bus->stuck = false;
	spin_lock(&bus->lock);
	WRITE_ONCE(bus->ended, false);
	spin_unlock(&bus->lock);
	mutex_unlock(&bus->send_lock);
}

/* Wait until there is a free slot. send_lock held. */
static int pvbus_ctl_wait_room(struct pvbus *bus)
{
	int room = pvring_prod_room(&bus->tx, 1);

	if (!room)
		room = pvring_prod_wait_room(&bus->tx, 1);
	/* who has much to send does not wait for each message */
	if (!room && !bus->stuck)
		wait_event_timeout(bus->wait, READ_ONCE(bus->ended) ||
				   (room = pvring_prod_room(&bus->tx, 1)),
				   PVBUS_SEND_TIMEOUT);
	bus->stuck = !room;
	if (READ_ONCE(bus->ended))
		return -ENODEV;
	if (room > 0)
		return 0;
	dev_err_ratelimited(bus->parent,
			    "pvbus%d: the host %s the control mailbox: look at the host's kernel log\n",
			    bus->index, room ? "has corrupted" : "does not read");
	return room ? room : -ETIMEDOUT;
}

/**
 * pvbus_ctl_send() - send a control message
 * @bus: the bus
 * @type: PVBUS_MSG_*
 * @body: the type's structure
 * @len: bytes of it
 *
 * Sleeps in bounded time when the mailbox is full, unless somebody has done so in
 * vain and it still is.
 * Return: 0, -ENODEV when the session is over, -ETIMEDOUT or -EPROTO.
 */
int pvbus_ctl_send(struct pvbus *bus, u16 type, const void *body, size_t len)
{
	struct pvbus_msg msg = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
	};
	int err;

	memcpy(msg.body, body, len);
	mutex_lock(&bus->send_lock);
	err = pvbus_ctl_wait_room(bus);
	if (!err) {
		msg.generation = cpu_to_le32(READ_ONCE(bus->generation));
		pvring_put(&bus->tx, &msg, PVBUS_MBOX_SLOT_SIZE);
		if (pvring_prod_kick(&bus->tx))
			bus->ops->ring(bus, PVBUS_VECTOR_CTL);
	}
	mutex_unlock(&bus->send_lock);
	return err;
}

static int pvbus_ctl_dispatch(struct pvbus *bus, const struct pvbus_msg *msg)
{
	const struct pvbus_msg_type *mt;
	u16 type = le16_to_cpu(msg->type);
	u16 len = le16_to_cpu(msg->len);

	/* left over from before a reset */
	if (le32_to_cpu(msg->generation) != bus->generation)
		return 0;
	if (type >= PVBUS_MSG_TYPES || !pvbus_msg_types[type].handle)
		return pvbus_violation(bus, "unknown control message", type);
	mt = &pvbus_msg_types[type];
	if (bus->state != mt->state)
		return pvbus_violation(bus, "control message out of turn",
				       type);
	if (len != mt->len)
		return pvbus_violation(bus, "length of a control message",
				       len);
	if (msg->reserved)
		return pvbus_violation(bus,
				       "reserved field of a control message",
				       le32_to_cpu(msg->reserved));
	if (memchr_inv(msg->body + len, 0, sizeof(msg->body) - len))
		return pvbus_violation(bus, "garbage behind a control message",
				       type);
	return mt->handle(bus, msg->body);
}

static bool pvbus_ctl_open(const struct pvbus *bus)
{
	return bus->state == PVBUS_S_HELLO || bus->state == PVBUS_S_RUNNING;
}

/**
 * pvbus_ctl_receive() - handle what the host has sent
 * @bus: the bus, in state PVBUS_S_HELLO or PVBUS_S_RUNNING
 *
 * Context: ctl_work.
 * Return: 0: all was read, and the host rings for the next message; 1: there
 * is more; -EPROTO: the host broke the protocol.
 */
int pvbus_ctl_receive(struct pvbus *bus)
{
	/* handlers read bodies as structures with 64-bit fields */
	struct pvbus_msg msg __aligned(8);
	unsigned int budget = PVBUS_CTL_BUDGET;
	int err = 0;

	while (budget && pvbus_ctl_open(bus)) {
		if (!pvring_get(&bus->rx, &msg, PVBUS_MBOX_SLOT_SIZE)) {
			pvring_cons_publish(&bus->rx);
			if (pvring_cons_kick(&bus->rx))
				bus->ops->ring(bus, PVBUS_VECTOR_CTL);
			if (pvring_cons_arm(&bus->rx))
				return 0;
			budget--;
			continue;
		}
		budget--;
		err = pvbus_ctl_dispatch(bus, &msg);
		if (err)
			return err;
	}
	pvring_cons_publish(&bus->rx);
	if (pvring_cons_kick(&bus->rx))
		bus->ops->ring(bus, PVBUS_VECTOR_CTL);
	return 1;
}

/**
 * pvbus_ctl_pending() - does a control interrupt tell of something?
 * @bus: the bus
 *
 * Asked when channels share the control vector, so that their interrupts need
 * not wake ctl_work. What it reads may just be changing: whoever changes it
 * looks at the window again afterwards.
 *
 * Context: any.
 */
bool pvbus_ctl_pending(struct pvbus *bus)
{
	/* who waits looks at the mailbox after it has queued itself */
	if (waitqueue_active(&bus->wait))
		return true;
	return pvbus_get_state(bus) != PVBUS_S_RUNNING ||
	       READ_ONCE(bus->stopping) || pvring_pending(&bus->rx) ||
	       pvbus_host_state(bus) != PVBUS_HOST_READY ||
	       pvbus_host_generation(bus) != READ_ONCE(bus->generation);
}
