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
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sched/clock.h>
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
/*
 * A run that took longer than the least of these, in microseconds, is followed by a
 * pause as long, and no longer than the most: this is no thread in QEMU's cgroup,
 * and a guest that opens and closes channels for ever gets half of a CPU for it.
 */
#define CTL_REST_MIN_US	100
#define CTL_REST_MAX_US	50000

/* -- sending ------------------------------------------------------------------- */

static void ctl_interrupt(struct pvh_vm *vm)
{
	vm->transport->interrupt(vm, PVBUS_VECTOR_CTL);
}

/* Nothing that the guest agreed to holds any more: it has to start over. */
static void ctl_end_session(struct pvh_vm *vm, u32 why)
{
	pvh_window_forget(vm);
	pvh_window_disown(vm);
	vm->refusal = why;
	vm->state = PVBUS_VM_REFUSED;
	pvh_vm_event(vm);
}

/* The guest's driver is not what it says, or somebody else writes the mailbox. */
static void ctl_violation(struct pvh_vm *vm, const char *what, u64 value)
{
	vm->violations++;
	pr_warn_ratelimited("%s: guest broke the protocol: %s (%llu); it has to start over\n",
			    vm->name, what, value);
	ctl_end_session(vm, PVBUS_ST_PROTO);
}

/* Is the guest one that is listened to? */
static bool ctl_open(struct pvh_vm *vm)
{
	return vm->generation && vm->state != PVBUS_VM_REFUSED;
}

/* QEMU has unmapped guest RAM: what the guest has proven holds no longer. */
static void ctl_check_mem(struct pvh_vm *vm)
{
	if (!READ_ONCE(vm->mem_lost))
		return;
	pr_warn_ratelimited("%s: QEMU has unmapped guest RAM: what the guest has proven holds no longer; start it anew\n",
			    vm->name);
	if (ctl_open(vm))
		ctl_end_session(vm, PVBUS_ST_RAM);
	/* without a session there are no channels */
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
	if (room < 0 && ctl_open(vm))
		ctl_violation(vm, "mailbox index beyond what was sent", 0);
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

static void ctl_send_chan(struct pvh_vm *vm, u16 type, u32 offer, u16 queue,
			  u32 status)
{
	const struct pvbus_chan_ref ref = {
		.offer = cpu_to_le32(offer),
		.queue = cpu_to_le16(queue),
		.status = cpu_to_le32(status),
	};

	pvh_ctl_send(vm, type, &ref, sizeof(ref));
}

/* -- hello ----------------------------------------------------------------------- */

static bool range_ok(const struct pvbus_range *range, u64 above, u64 *end)
{
	u64 start = le64_to_cpu(range->start);
	u64 size = le64_to_cpu(range->size);

	return size && start >= above && !check_add_overflow(start, size, end);
}

/* Ranges in use are ascending and disjoint, the others zero. */
static bool hello_ranges_ok(const struct pvbus_hello *hello)
{
	u64 end = 0;
	unsigned int i;

	if (!hello->nr_ranges || hello->nr_ranges > PVBUS_MAX_RANGES)
		return false;
	for (i = 0; i < hello->nr_ranges; i++)
		if (!range_ok(&hello->range[i], end, &end))
			return false;
	return !memchr_inv(&hello->range[i], 0,
			   (PVBUS_MAX_RANGES - i) * sizeof(hello->range[0]));
}

/* Whether they lie in the ranges, and are true, is what pvh_mem_verify() asks. */
static bool hello_nonces_ok(const struct pvbus_hello *hello)
{
	unsigned int i;

	if (hello->nr_nonces < hello->nr_ranges ||
	    hello->nr_nonces > PVBUS_MAX_NONCES)
		return false;
	for (i = 0; i < hello->nr_nonces; i++)
		if (le64_to_cpu(hello->nonce[i].addr) % PVBUS_NONCE_SIZE)
			return false;
	return !memchr_inv(&hello->nonce[i], 0,
			   (PVBUS_MAX_NONCES - i) * sizeof(hello->nonce[0]));
}

static bool hello_version_ok(const struct pvh_vm *vm)
{
	return vm->version >= pvh_protocol_min &&
	       vm->version <= pvh_protocol_max;
}

static bool hello_form_ok(const struct pvbus_hello *hello)
{
	return !hello->reserved[0] && !hello->reserved[1] && hello->vectors &&
	       hello_ranges_ok(hello) && hello_nonces_ok(hello);
}

/* Can the host work with such a guest? Whether it tells the truth comes later. */
static u32 hello_acceptable(const struct pvh_vm *vm)
{
	if (vm->features & ~PVBUS_F_ALL)
		return PVBUS_ST_FEATURES;
	if (vm->guest_vectors < vm->min_vectors)
		return PVBUS_ST_VECTORS;
	return PVBUS_ST_OK;
}

static void hello_log_refusal(struct pvh_vm *vm, u32 status)
{
	switch (status) {
	case PVBUS_ST_VERSION:
		pr_warn_ratelimited("%s: guest speaks protocol version %u, this host %u to %u: update the older one\n",
				    vm->name, vm->version, pvh_protocol_min,
				    pvh_protocol_max);
		break;
	case PVBUS_ST_VECTORS:
		pr_warn_ratelimited("%s: guest has %u vectors, at least %u are required: start QEMU with vectors=%u\n",
				    vm->name, vm->guest_vectors,
				    vm->min_vectors, vm->nr_vectors);
		break;
	case PVBUS_ST_RAM:
		pr_warn_ratelimited("%s: guest RAM could not be proven; pvbusd's log says what was found\n",
				    vm->name);
		break;
	default:
		pr_warn_ratelimited("%s: guest refused with status %u\n",
				    vm->name, status);
	}
}

static void hello_accept(struct pvh_vm *vm)
{
	vm->vectors = min(vm->guest_vectors, vm->nr_vectors);
	vm->refusal = PVBUS_ST_OK;
	vm->running = true;
	vm->state = PVBUS_VM_RUNNING;
}

static void hello_refuse(struct pvh_vm *vm, u32 status)
{
	hello_log_refusal(vm, status);
	vm->refusal = status;
	vm->state = PVBUS_VM_REFUSED;
}

/**
 * pvh_ctl_hello_ack() - answer the hello that is pending
 * @vm: VM; vm->lock held
 * @status: PVBUS_ST_OK, and offers follow; otherwise the guest is refused
 */
void pvh_ctl_hello_ack(struct pvh_vm *vm, u32 status)
{
	struct pvbus_hello_ack ack = {
		.status = cpu_to_le32(status),
	};

	lockdep_assert_held(&vm->lock);
	/* the first message of a generation: no room means a broken ring */
	if (!pvh_ctl_room(vm)) {
		if (ctl_open(vm))
			ctl_violation(vm, "no room to answer its hello", 0);
		return;
	}
	if (status == PVBUS_ST_OK) {
		hello_accept(vm);
		ack.version = cpu_to_le16(vm->version);
		ack.vectors = cpu_to_le32(vm->vectors);
		ack.features = cpu_to_le64(vm->features);
	} else {
		hello_refuse(vm, status);
		if (status == PVBUS_ST_VECTORS)
			ack.vectors = cpu_to_le32(vm->min_vectors);
	}
	pvh_ctl_send(vm, PVBUS_MSG_HELLO_ACK, &ack, sizeof(ack));
	pvh_vm_event(vm);
	pvh_ctl_flush(vm);
}

/*
 * Each function for a type returns NULL, or what broke the protocol.
 */
static const char *ctl_hello(struct pvh_vm *vm, const void *body)
{
	const struct pvbus_hello *hello = body;
	u32 status;

	if (vm->state != PVBUS_VM_ATTACHED)
		return "second hello";
	/* of a version that is not known, nothing else is */
	vm->version = le16_to_cpu(hello->version);
	if (!hello_version_ok(vm)) {
		pvh_ctl_hello_ack(vm, PVBUS_ST_VERSION);
		return NULL;
	}
	if (!hello_form_ok(hello))
		return "malformed hello";

	vm->hello = *hello;
	vm->features = le64_to_cpu(hello->features);
	vm->guest_vectors = le32_to_cpu(hello->vectors);
	status = hello_acceptable(vm);
	if (status == PVBUS_ST_OK && !vm->mem &&
	    !(vm->flags & PVBUS_VM_LOOPBACK)) {
		/* the daemon has to find the memory first */
		vm->state = PVBUS_VM_PROVING;
		pvh_vm_event(vm);
		return NULL;
	}
	if (status == PVBUS_ST_OK && pvh_mem_verify(vm))
		status = PVBUS_ST_RAM;
	pvh_ctl_hello_ack(vm, status);
	return NULL;
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
	ctl_send_chan(vm, PVBUS_MSG_OPEN_ACK, le32_to_cpu(open->offer),
		      le16_to_cpu(open->queue), ctl_open_channel(vm, open));
	return NULL;
}

static u32 ctl_close_channel(struct pvh_vm *vm, u32 offer, u16 queue)
{
	struct pvh_dev *dev = pvh_dev_find(vm, offer);

	if (!dev || queue >= dev->max_queues)
		return PVBUS_ST_NOENT;
	queue = array_index_nospec(queue, PVH_MAX_QUEUES);
	if (!dev->channel[queue])
		return PVBUS_ST_NOENT;
	pvh_channel_close(dev->channel[queue]);
	return PVBUS_ST_OK;
}

static const char *ctl_close_msg(struct pvh_vm *vm, const void *body)
{
	const struct pvbus_chan_ref *ref = body;
	u32 offer = le32_to_cpu(ref->offer);
	u16 queue = le16_to_cpu(ref->queue);

	if (ref->reserved || ref->reserved2 || ref->status)
		return "reserved field of a close";
	ctl_send_chan(vm, PVBUS_MSG_CLOSE_ACK, offer, queue,
		      ctl_close_channel(vm, offer, queue));
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
		ctl_hello, sizeof(struct pvbus_hello), false },
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
		ctl_violation(vm, wrong, type);
}

/* Return: true when there may be more to do at once. */
static bool ctl_receive(struct pvh_vm *vm)
{
	/* bodies are read as structures with 64-bit fields */
	struct pvbus_msg msg __aligned(8);
	unsigned int budget = CTL_BUDGET;

	while (budget && ctl_open(vm) && pvh_ctl_room(vm) &&
	       pvring_get(&vm->mbox_rx, &msg, PVBUS_MBOX_SLOT_SIZE)) {
		budget--;
		pvring_cons_publish(&vm->mbox_rx);
		ctl_message(vm, &msg);
	}
	vm->ctl_idle = budget == CTL_BUDGET ? vm->ctl_idle + 1 : 0;
	if (pvring_cons_kick(&vm->mbox_rx))
		ctl_interrupt(vm);
	if (!budget)
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
	if (!pvh_ctl_room(vm))
		return false;
	ctl_send_chan(vm, PVBUS_MSG_BROKEN, ch->dev->offer, ch->queue, broken);
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
	u64 us, start = local_clock();
	bool slow;

	mutex_lock(&vm->lock);
	if (!READ_ONCE(vm->dead) && vm->state != PVBUS_VM_NEW) {
		pvh_window_check_reset(vm);
		ctl_check_mem(vm);
		if (ctl_receive(vm))
			queue_work(vm->wq, &vm->ctl_work);
		pvh_ctl_flush(vm);
	}
	slow = vm->ctl_idle > CTL_IDLE_RUNS;
	mutex_unlock(&vm->lock);
	us = min_t(u64, (local_clock() - start) / NSEC_PER_USEC, CTL_REST_MAX_US);
	if (us < CTL_REST_MIN_US)
		us = slow ? CTL_IDLE_US : 0;
	if (us)
		usleep_range(us, 2 * us);
}
