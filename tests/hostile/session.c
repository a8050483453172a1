// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: the bus, taken away from its driver. As long as the core is
 * held, what is in the window is ours, and the host hears of no one else.
 */
#include <linux/delay.h>
#include <linux/random.h>

#include "hostile.h"

/* The core sleeps in a session that runs, and is woken by interrupts only. */
void hostile_hold(struct hostile *h)
{
	WRITE_ONCE(h->bus->dead, true);
	synchronize_rcu();
	cancel_delayed_work_sync(&h->bus->ctl_work);
	h->held = true;
}

/* It finds another generation than its own, and begins anew. */
void hostile_release(struct hostile *h)
{
	unsigned long flags;

	h->held = false;
	WRITE_ONCE(h->bus->dead, false);
	local_irq_save(flags);
	pvbus_interrupt(h->bus, PVBUS_VECTOR_CTL);
	local_irq_restore(flags);
}

static void ring_ctl(struct hostile *h)
{
	h->bus->ops->ring(h->bus, PVBUS_VECTOR_CTL);
}

static bool lost(const struct hostile *h)
{
	return pvbus_host_generation(h->bus) != h->generation;
}

/* A new generation: 0, once the host has taken it up, or GOT_NOTHING. */
int session_reset(struct hostile *h)
{
	unsigned long end = jiffies + hostile_patience * HZ;

	h->generation = (h->generation ? h->generation : get_random_u32()) + 1;
	if (!h->generation)
		h->generation++;
	WRITE_ONCE(h->bus->guest->generation, cpu_to_le32(h->generation));
	/* the host reads it when it hears the doorbell */
	virt_mb();
	ring_ctl(h);
	while (lost(h)) {
		if (time_after(jiffies, end))
			return GOT_NOTHING;
		usleep_range(50, 100);
	}
	pvring_prod_init(&h->tx, h->bus->window + PVBUS_WIN_G2H,
			 PVBUS_MBOX_SLOTS, PVBUS_MBOX_SLOT_SIZE);
	pvring_cons_init(&h->rx, h->bus->window + PVBUS_WIN_H2G,
			 PVBUS_MBOX_SLOTS, PVBUS_MBOX_SLOT_SIZE);
	return 0;
}

/* 0, GOT_LOST or GOT_NOTHING. */
int session_send(struct hostile *h, struct pvbus_msg *msg)
{
	unsigned long end = jiffies + hostile_patience * HZ;

	while (pvring_prod_room(&h->tx, 1) < 1) {
		if (lost(h))
			return GOT_LOST;
		if (time_after(jiffies, end))
			return GOT_NOTHING;
		usleep_range(50, 100);
	}
	pvring_put(&h->tx, msg, PVBUS_MBOX_SLOT_SIZE);
	ring_ctl(h);
	return 0;
}

static int session_get(struct hostile *h, struct pvbus_msg *msg)
{
	unsigned long end = jiffies + hostile_patience * HZ;

	while (!pvring_get(&h->rx, msg, PVBUS_MBOX_SLOT_SIZE)) {
		if (lost(h))
			return GOT_LOST;
		if (time_after(jiffies, end))
			return GOT_NOTHING;
		usleep_range(50, 100);
	}
	pvring_cons_publish(&h->rx);
	if (pvring_cons_kick(&h->rx))
		ring_ctl(h);
	return 0;
}

static void session_offered(struct hostile *h, const struct pvbus_msg *msg)
{
	const struct pvbus_offer *offer = (const void *)msg->body;
	u16 type = le16_to_cpu(offer->type);

	if (type && type <= HOSTILE_TYPES)
		h->offer[type - 1] = *offer;
}

/* Status in the next message of a type, or GOT_*. */
int session_answer(struct hostile *h, u16 type)
{
	struct pvbus_msg msg __aligned(8);
	int got;

	do {
		got = session_get(h, &msg);
		if (got)
			return got;
		if (msg.type == cpu_to_le16(PVBUS_MSG_OFFER))
			session_offered(h, &msg);
	} while (msg.type != cpu_to_le16(type));
	if (type == PVBUS_MSG_HELLO_ACK)
		return le32_to_cpup((__le32 *)msg.body);
	if (type == PVBUS_MSG_OFFERS_DONE)
		return 0;
	return le32_to_cpu(((struct pvbus_chan_ref *)msg.body)->status);
}

int session_try(struct hostile *h, struct pvbus_msg *msg, u16 answer)
{
	int got = session_send(h, msg);

	return got ? got : session_answer(h, answer);
}

/* By the rules, to the offers. */
int session_attach(struct hostile *h)
{
	struct pvbus_msg msg __aligned(8);
	int got = session_reset(h);

	if (got)
		return got;
	session_hello(h, &msg);
	got = session_try(h, &msg, PVBUS_MSG_HELLO_ACK);
	return got ? got : session_answer(h, PVBUS_MSG_OFFERS_DONE);
}

/* -- messages that are right -------------------------------------------------- */

static void *session_msg(struct hostile *h, struct pvbus_msg *msg, u16 type,
			 u16 len)
{
	*msg = (struct pvbus_msg) {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
		.generation = cpu_to_le32(h->generation),
	};
	return msg->body;
}

/* Of RAM, no more than a page is named. */
void session_hello(struct hostile *h, struct pvbus_msg *msg)
{
	struct pvbus_hello *hello = session_msg(h, msg, PVBUS_MSG_HELLO,
						sizeof(*hello));

	hello->version = cpu_to_le16(PVBUS_VERSION_MAX);
	hello->nr_ranges = 1;
	hello->nr_nonces = 1;
	hello->vectors = cpu_to_le32(h->bus->max_vectors);
	hello->range[0].start = cpu_to_le64(h->dma);
	hello->range[0].size = cpu_to_le64(PAGE_SIZE);
	hello->nonce[0].addr = cpu_to_le64(h->dma);
	get_random_bytes(hello->nonce[0].value, PVBUS_NONCE_SIZE);
	memcpy(h->buf, hello->nonce[0].value, PVBUS_NONCE_SIZE);
}

void session_open_msg(struct hostile *h, u16 type, struct pvbus_msg *msg)
{
	struct pvbus_open *open = session_msg(h, msg, PVBUS_MSG_OPEN,
					      sizeof(*open));
	__le64 *list = h->list;
	unsigned int i;

	/* the same each time: the host may still read it for another one */
	for (i = 0; i < HOSTILE_RING_PAGES; i++)
		WRITE_ONCE(list[i], cpu_to_le64(h->rings_dma + i * PAGE_SIZE));
	memset(h->rings, 0, HOSTILE_RING_PAGES * PAGE_SIZE);
	open->offer = h->offer[type - 1].offer;
	open->gpadl = cpu_to_le64(h->list_dma);
	open->nr_pages = cpu_to_le32(HOSTILE_RING_PAGES);
	open->g2h_slots = cpu_to_le32(HOSTILE_SLOTS);
	open->h2g_slots = cpu_to_le32(HOSTILE_SLOTS);
}

void session_close_msg(struct hostile *h, u16 type, struct pvbus_msg *msg)
{
	struct pvbus_chan_ref *ref = session_msg(h, msg, PVBUS_MSG_CLOSE,
						 sizeof(*ref));

	ref->offer = h->offer[type - 1].offer;
}
