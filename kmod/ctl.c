// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the mailbox: control messages from and to the guest.
 *
 * Each message is copied, checked for its form by a table and then handed to
 * the function for its type. A message is only taken when there is room for its
 * answer, so that no answer is ever lost and nothing has to be queued for a
 * guest that does not read; when it reads, it rings, and the work goes on.
 *
 * What breaks the form or the order of messages ends the conversation until the
 * guest asks for a reset. What is merely refused (an unknown offer, memory that
 * cannot be pinned) is answered with a status.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "host.h"

/* Messages taken in one run of the work. */
#define CTL_BUDGET	32
/*
 * Runs in a row that found no message before the work slows down: a guest that
 * rings for nothing must not keep a CPU busy, and where channels share the
 * doorbell, their traffic must not either.
 */
#define CTL_IDLE_RUNS	32
#define CTL_IDLE_US	1000
/* Nanoseconds after which a run takes no other message: vm->lock is held. */
#define CTL_RUN_MAX	10000000ULL

/* -- sending ------------------------------------------------------------------- */

static void ctl_interrupt(struct pvh_vm *vm)
{
	vm->transport->interrupt(vm, PVBUS_VECTOR_CTL);
}

/* Nothing that the guest agreed to holds any more: it has to start over. */
static void ctl_end_session(struct pvh_vm *vm, u32 why)
{
	pvh_window_disown(vm);
	vm->refusal = why;
	vm->state = PVBUS_VM_REFUSED;
	pvh_vm_event(vm);
}

/* Is the guest one that is listened to? */
static bool ctl_open(struct pvh_vm *vm)
{
	return vm->generation && vm->state != PVBUS_VM_REFUSED;
}

/**
 * pvh_ctl_violation() - the guest broke the protocol: end the conversation
 * @vm: VM; vm->lock held
 * @what: what was wrong, for the log
 * @value: what it was, or 0
 *
 * The guest's driver is not what it says, or somebody else writes the mailbox.
 * Nothing more happens to a guest that is not listened to.
 */
void pvh_ctl_violation(struct pvh_vm *vm, const char *what, u64 value)
{
	lockdep_assert_held(&vm->lock);
	if (!ctl_open(vm))
		return;
	vm->violations++;
	pr_warn_ratelimited("%s: guest broke the protocol: %s (%llu); it has to start over\n",
			    vm->name, what, value);
	ctl_end_session(vm, PVBUS_ST_PROTO);
}

/* QEMU has unmapped guest RAM: what the guest has proven holds no longer. */
static void ctl_check_mem(struct pvh_vm *vm)
{
	if (!READ_ONCE(vm->mem_lost))
		return;
	if (ctl_open(vm))
		ctl_end_session(vm, PVBUS_ST_RAM);
	/* their workers look things up in it */
	if (vm->nr_channels)
		return;
	pr_warn_ratelimited("%s: QEMU has unmapped guest RAM: what the guest has proven holds no longer; start it anew\n",
			    vm->name);
	pvh_mem_forget(vm);
}

/**
 * pvh_ctl_room() - is there room for one more message to the guest?
 * @vm: VM; vm->lock held
 *
 * When there is none, the guest is asked to ring once it has read something.
 */
bool pvh_ctl_room(struct pvh_vm *vm)
{
	int room;

	lockdep_assert_held(&vm->lock);
	room = pvring_prod_room(&vm->mbox_tx, 1);
	if (!room)
		room = pvring_prod_wait_room(&vm->mbox_tx, 1);
	if (room < 0)
		pvh_ctl_violation(vm, "mailbox index beyond what was sent", 0);
	return room > 0;
}

/**
 * pvh_ctl_send() - send a message
 * @vm: VM; vm->lock held; the caller has seen pvh_ctl_room() return true
 * @type: PVBUS_MSG_*
 * @body: its body
 * @len: size of it, 0 when it has none
 */
void pvh_ctl_send(struct pvh_vm *vm, u16 type, const void *body, size_t len)
{
	struct pvbus_msg msg = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
		.generation = cpu_to_le32(vm->generation),
	};

	lockdep_assert_held(&vm->lock);
	if (len)
		memcpy(msg.body, body, len);
	pvring_put(&vm->mbox_tx, &msg, PVBUS_MBOX_SLOT_SIZE);
	if (pvring_prod_kick(&vm->mbox_tx))
		ctl_interrupt(vm);
}

/**
 * pvh_ctl_send_chan() - send a message about a channel
 * @vm: VM; as for pvh_ctl_send()
 * @type: PVBUS_MSG_*
 * @offer: device
 * @queue: channel of the device
 * @status: PVBUS_ST_*
 */
void pvh_ctl_send_chan(struct pvh_vm *vm, u16 type, u32 offer, u16 queue,
		       u32 status)
{
	const struct pvbus_chan_ref ref = {
		.offer = cpu_to_le32(offer),
		.queue = cpu_to_le16(queue),
		.status = cpu_to_le32(status),
	};

	pvh_ctl_send(vm, type, &ref, sizeof(ref));
}

/* -- devices and channels ---------------------------------------------------------- */

static const char *ctl_rescind_ack(struct pvh_vm *vm, const void *body)
{
	const struct pvbus_offer_ref *ref = body;
	struct pvh_dev *dev;

	if (ref->reserved)
		return "reserved field of a rescind_ack";
	dev = pvh_dev_find(vm, le32_to_cpu(ref->offer));
	/* the host waited no longer, and has forgotten it */
	if (!dev)
		return NULL;
	if (!dev->rescind_sent)
		return "rescind_ack without a rescind";
	pvh_channel_close_all(dev);
	complete(&dev->released);
	return NULL;
}

static u32 ctl_open_channel(struct pvh_vm *vm, const struct pvbus_open *open)
{
	struct pvh_dev *dev = pvh_dev_find(vm, le32_to_cpu(open->offer));

	if (!dev || !dev->offered)
		return PVBUS_ST_NOENT;
	if (dev->removing)
		return PVBUS_ST_GONE;
	return pvh_channel_open(dev, open);
}

static const char *ctl_open_msg(struct pvh_vm *vm, const void *body)
{
	const struct pvbus_open *open = body;

	if (open->reserved)
		return "reserved field of an open";
	pvh_ctl_send_chan(vm, PVBUS_MSG_OPEN_ACK, le32_to_cpu(open->offer),
			  le16_to_cpu(open->queue), ctl_open_channel(vm, open));
	return NULL;
}

/* Return: the channel, open or closing, or NULL. */
static struct pvh_channel *ctl_find_channel(struct pvh_vm *vm, u32 offer,
					    u16 queue)
{
	struct pvh_dev *dev = pvh_dev_find(vm, offer);

	if (!dev || queue >= dev->max_queues)
		return NULL;
	return dev->channel[array_index_nospec(queue, PVH_MAX_QUEUES)];
}

static const char *ctl_close_msg(struct pvh_vm *vm, const void *body)
{
	const struct pvbus_chan_ref *ref = body;
	u32 offer = le32_to_cpu(ref->offer);
	u16 queue = le16_to_cpu(ref->queue);
	struct pvh_channel *ch;

	if (ref->reserved || ref->reserved2 || ref->status)
		return "reserved field of a close";
	ch = ctl_find_channel(vm, offer, queue);
	if (!ch) {
		pvh_ctl_send_chan(vm, PVBUS_MSG_CLOSE_ACK, offer, queue,
				  PVBUS_ST_NOENT);
		return NULL;
	}
	/* while it is closing, nothing says that its memory is the guest's */
	ch->ack = true;
	pvh_channel_close(ch);
	return NULL;
}

/* -- receiving ----------------------------------------------------------------------- */

/**
 * struct ctl_entry - what is to be known of a type of message
 * @handle: does what it says, or NULL when a guest does not send it
 * @len: size of the body
 * @running: only after the handshake
 */
struct ctl_entry {
	const char *(*handle)(struct pvh_vm *vm, const void *body);
	u16	len;
	bool	running;
};

static const struct ctl_entry ctl_table[PVBUS_MSG_TYPES] = {
	[PVBUS_MSG_HELLO] = {
		pvh_hello_receive, sizeof(struct pvbus_hello), false },
	[PVBUS_MSG_RESCIND_ACK] = {
		ctl_rescind_ack, sizeof(struct pvbus_offer_ref), true },
	[PVBUS_MSG_OPEN] = {
		ctl_open_msg, sizeof(struct pvbus_open), true },
	[PVBUS_MSG_CLOSE] = {
		ctl_close_msg, sizeof(struct pvbus_chan_ref), true },
};

static const struct ctl_entry *ctl_lookup(u16 type)
{
	const struct ctl_entry *entry;

	if (type >= PVBUS_MSG_TYPES)
		return NULL;
	entry = &ctl_table[array_index_nospec(type, PVBUS_MSG_TYPES)];
	return entry->handle ? entry : NULL;
}

/* @msg is a private copy. */
static void ctl_message(struct pvh_vm *vm, const struct pvbus_msg *msg)
{
	const struct ctl_entry *entry;
	u16 type = le16_to_cpu(msg->type);
	u16 len = le16_to_cpu(msg->len);
	const char *wrong = NULL;

	/* of a driver that was there before, and was late */
	if (le32_to_cpu(msg->generation) != vm->generation)
		return;
	entry = ctl_lookup(type);
	if (!entry)
		wrong = "unknown type of message";
	else if (len != entry->len)
		wrong = "length of a message";
	else if (msg->reserved ||
		 memchr_inv(msg->body + len, 0, PVBUS_MSG_BODY - len))
		wrong = "reserved part of a message";
	else if (entry->running && !vm->running)
		wrong = "message before the handshake";
	else
		wrong = entry->handle(vm, msg->body);
	if (wrong)
		pvh_ctl_violation(vm, wrong, type);
}

/* Return: true when there may be more to do at once. */
static bool ctl_receive(struct pvh_vm *vm)
{
	/* bodies are read as structures with 64-bit fields */
	struct pvbus_msg msg __aligned(8);
	u64 end = ktime_get_ns() + CTL_RUN_MAX;
	unsigned int taken = 0;
	bool more = false;

	while (!more && ctl_open(vm) && pvh_ctl_room(vm) &&
	       pvring_get(&vm->mbox_rx, &msg, PVBUS_MBOX_SLOT_SIZE)) {
		pvring_cons_publish(&vm->mbox_rx);
		ctl_message(vm, &msg);
		more = ++taken == CTL_BUDGET || ktime_get_ns() > end;
	}
	vm->ctl_idle = taken ? 0 : vm->ctl_idle + 1;
	if (pvring_cons_kick(&vm->mbox_rx))
		ctl_interrupt(vm);
	if (more)
		return true;
	/*
	 * Refused: only a reset matters, which rings in any case. No room: the
	 * guest was asked to ring. Otherwise the ring was empty.
	 */
	if (!ctl_open(vm) || !pvring_prod_room(&vm->mbox_tx, 1))
		return false;
	return !pvring_cons_arm(&vm->mbox_rx);
}

/* -- what is due ------------------------------------------------------------------- */

static void ctl_send_offer(struct pvh_dev *dev, u16 type)
{
	struct pvbus_offer offer = {
		.offer = cpu_to_le32(dev->offer),
		.type = cpu_to_le16(dev->ops->type),
		.max_queues = cpu_to_le16(dev->max_queues),
		.features = cpu_to_le64(dev->features),
	};
	unsigned long flags;

	memcpy(offer.id, dev->id, sizeof(offer.id));
	spin_lock_irqsave(&dev->blob_lock, flags);
	offer.blob_len = cpu_to_le32(dev->blob_len);
	memcpy(offer.blob, dev->blob, dev->blob_len);
	dev->blob_changed = false;
	spin_unlock_irqrestore(&dev->blob_lock, flags);
	pvh_ctl_send(dev->vm, type, &offer, sizeof(offer));
}

static void ctl_send_rescind(struct pvh_vm *vm, u32 offer)
{
	const struct pvbus_offer_ref ref = {
		.offer = cpu_to_le32(offer),
	};

	pvh_ctl_send(vm, PVBUS_MSG_RESCIND, &ref, sizeof(ref));
}

/* Return: false when there was no room for all. */
static bool ctl_flush_owed(struct pvh_vm *vm)
{
	while (vm->nr_owed && pvh_ctl_room(vm))
		ctl_send_rescind(vm, vm->owed[--vm->nr_owed]);
	return !vm->nr_owed;
}

/* Return: false when there was no room for what is due. */
static bool ctl_flush_channel(struct pvh_channel *ch)
{
	struct pvh_vm *vm = ch->dev->vm;
	int broken = READ_ONCE(ch->broken);

	if (!broken || ch->broken_told)
		return true;
	/* who has closed it, or given up the device, need not be told */
	if (!ch->closing) {
		if (!pvh_ctl_room(vm))
			return false;
		pvh_ctl_send_chan(vm, PVBUS_MSG_BROKEN, ch->dev->offer,
				  ch->queue, broken);
	}
	ch->broken_told = true;
	vm->violations++;
	return true;
}

/* What message is due for the device itself? 0 if none. */
static u16 ctl_due(const struct pvh_dev *dev)
{
	if (dev->removing)
		return dev->offered && !dev->rescind_sent ?
		       PVBUS_MSG_RESCIND : 0;
	if (!dev->offered)
		return PVBUS_MSG_OFFER;
	return READ_ONCE(dev->blob_changed) ? PVBUS_MSG_UPDATE : 0;
}

static bool ctl_flush_dev(struct pvh_dev *dev)
{
	u16 due = ctl_due(dev);
	unsigned int i;

	if (due && !pvh_ctl_room(dev->vm))
		return false;
	if (due == PVBUS_MSG_RESCIND) {
		ctl_send_rescind(dev->vm, dev->offer);
		dev->rescind_sent = true;
	} else if (due) {
		ctl_send_offer(dev, due);
		dev->offered = true;
	}
	for (i = 0; i < dev->max_queues; i++)
		if (dev->channel[i] && !ctl_flush_channel(dev->channel[i]))
			return false;
	return true;
}

/**
 * pvh_ctl_flush() - send what is due, as far as there is room
 * @vm: VM; vm->lock held
 *
 * What finds no room is sent when the guest has read and rings.
 */
void pvh_ctl_flush(struct pvh_vm *vm)
{
	struct pvh_dev *dev;

	lockdep_assert_held(&vm->lock);
	/* an id may have been given to another device since */
	if (!vm->running || !ctl_flush_owed(vm))
		return;
	list_for_each_entry(dev, &vm->devs, node)
		if (!ctl_flush_dev(dev))
			return;
	if (vm->offers_done || !pvh_ctl_room(vm))
		return;
	pvh_ctl_send(vm, PVBUS_MSG_OFFERS_DONE, NULL, 0);
	vm->offers_done = true;
}

/**
 * pvh_ctl_work() - the guest rang the control doorbell, or something is due
 * @work: ctl_work of a VM
 */
void pvh_ctl_work(struct work_struct *work)
{
	struct pvh_vm *vm = container_of(work, struct pvh_vm, ctl_work);
	u64 begun, ns, us;
	bool settled;

	mutex_lock(&vm->lock);
	begun = ktime_get_ns();
	/* also of a VM that ends */
	pvh_channel_reap(vm);
	if (!READ_ONCE(vm->dead) && vm->state != PVBUS_VM_NEW) {
		settled = pvh_window_check_reset(vm);
		ctl_check_mem(vm);
		if (settled && ctl_receive(vm))
			queue_work(vm->wq, &vm->ctl_work);
		pvh_ctl_flush(vm);
	}
	/* this is no thread in QEMU's cgroup */
	ns = pvh_rest_after(&vm->ctl_rest, begun, ktime_get_ns());
	us = vm->ctl_idle > CTL_IDLE_RUNS ? CTL_IDLE_US : 0;
	mutex_unlock(&vm->lock);
	us = max_t(u64, us, ns / NSEC_PER_USEC);
	if (us)
		usleep_range(us, 2 * us);
}
