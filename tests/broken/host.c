// SPDX-License-Identifier: GPL-2.0
/*
 * A broken host: window, mailbox and channels, by the rules save where it was
 * told otherwise. Guest and host are one kernel: a guest-physical address is a
 * physical one.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "broken.h"

#define DISK_BYTES	(8 << 20)

static struct pvbus_win_host *win_host(struct broken *b)
{
	return b->window + PVBUS_WIN_HOST;
}

/* -- interrupts and doorbells ------------------------------------------------- */

static void broken_irq(struct irq_work *work)
{
	struct broken_vector *v = container_of(work, struct broken_vector,
					       work);
	/* pairs with broken_start() */
	struct pvbus *bus = smp_load_acquire(&v->b->bus);

	if (bus)
		pvbus_interrupt(bus, v->nr);
}

static void broken_interrupt(struct broken *b, unsigned int vector)
{
	if (vector < BROKEN_VECTORS)
		irq_work_queue(&b->vector[vector].work);
}

static void broken_ring(struct pvbus *bus, unsigned int vector)
{
	struct broken *b = pvbus_priv(bus);

	queue_work(b->wq, &b->work);
}

static const struct pvbus_transport_ops broken_ops = {
	.name	= "broken",
	.ring	= broken_ring,
};

/* -- entries for the guest ---------------------------------------------------- */

static const struct broken_fault *fault_due(struct broken *b, unsigned int dev,
					    const u8 *entry)
{
	const struct broken_fault *f = b->fault[dev];

	/* of a disk, there is one type of entry */
	if (!f || f->how == HOW_EARLY || f->how == HOW_BLOB ||
	    (f->entry && f->entry != entry[sizeof(__le32)]))
		return NULL;
	if (b->after) {
		b->after--;
		return NULL;
	}
	if (b->times && b->done >= b->times)
		return NULL;
	b->done++;
	return f;
}

static void chan_put(struct broken *b, unsigned int dev, const void *entry)
{
	struct broken_chan *c = &b->chan[dev];

	if (!c->open || pvring_prod_room(&c->tx, 1) < 1)
		return;
	pvring_put(&c->tx, entry, PVBUS_SLOT_SIZE);
	if (pvring_prod_kick(&c->tx))
		broken_interrupt(b, c->vector);
}

static void late_work(struct work_struct *work)
{
	struct broken_late *late = container_of(to_delayed_work(work),
						struct broken_late, work);
	struct broken *b = late->b;

	mutex_lock(&b->lock);
	chan_put(b, late->dev, late->entry);
	mutex_unlock(&b->lock);
}

static void chan_put_late(struct broken *b, unsigned int dev,
			  const void *entry)
{
	/* one is enough */
	if (delayed_work_pending(&b->late.work))
		return;
	b->late.dev = dev;
	memcpy(b->late.entry, entry, PVBUS_SLOT_SIZE);
	queue_delayed_work(b->wq, &b->late.work, msecs_to_jiffies(b->late_ms));
}

static void spoil(const struct broken_fault *f, u8 *bytes)
{
	__le32 flip = cpu_to_le32(f->flip);
	unsigned int i;

	for (i = 0; i < f->size; i++)
		bytes[f->at + i] ^= ((u8 *)&flip)[i];
}

static void chan_put_wrong(struct broken *b, unsigned int dev,
			   const struct broken_fault *f, u8 *entry)
{
	struct broken_chan *c = &b->chan[dev];

	spoil(f, entry);
	switch (f->how) {
	case HOW_NEVER:
		return;
	case HOW_LATE:
		chan_put_late(b, dev, entry);
		return;
	case HOW_INDEX:
		pvring_store(&c->rx.hdr->index,
			     cpu_to_le32(c->rx.head + 0x40000000));
		break;
	case HOW_TWICE:
		chan_put(b, dev, entry);
		break;
	case HOW_ONCE:
	case HOW_EARLY:
	case HOW_BLOB:
		break;
	}
	chan_put(b, dev, entry);
}

/* The guest finds it, and has the time to act upon it, while it waits for us. */
static void chan_put_early(struct broken *b, unsigned int dev)
{
	const __le64 empty[PVBUS_SLOT_SIZE / sizeof(__le64)] = {};

	if (!b->fault[dev] || b->fault[dev]->how != HOW_EARLY)
		return;
	b->done++;
	chan_put(b, dev, empty);
	msleep(BROKEN_EARLY);
}

/**
 * broken_put() - put an entry for the guest, if it is not to be wrong
 * @b: the host; b->lock held
 * @dev: device
 * @entry: the entry
 */
void broken_put(struct broken *b, unsigned int dev, const void *entry)
{
	__le64 copy[PVBUS_SLOT_SIZE / sizeof(__le64)];
	const struct broken_fault *f = fault_due(b, dev, entry);

	memcpy(copy, entry, sizeof(copy));
	if (f)
		chan_put_wrong(b, dev, f, (u8 *)copy);
	else
		chan_put(b, dev, copy);
}

/**
 * broken_publish() - give what was read back to the guest
 * @b: the host; b->lock held
 * @dev: device
 */
void broken_publish(struct broken *b, unsigned int dev)
{
	struct broken_chan *c = &b->chan[dev];

	pvring_cons_publish(&c->rx);
	if (pvring_cons_kick(&c->rx))
		broken_interrupt(b, c->vector);
}

/* -- mailbox. b->lock held ---------------------------------------------------- */

/* @dev: what it is about; BROKEN_DEVS: neither. */
static void send(struct broken *b, unsigned int dev, u16 type,
		 const void *body, u16 len)
{
	struct pvbus_msg msg = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
		.generation = cpu_to_le32(b->generation),
	};

	if (!b->generation || b->mute & BIT(dev) ||
	    pvring_prod_room(&b->tx, 1) < 1)
		return;
	memcpy(msg.body, body, len);
	pvring_put(&b->tx, &msg, PVBUS_MBOX_SLOT_SIZE);
	if (pvring_prod_kick(&b->tx))
		broken_interrupt(b, PVBUS_VECTOR_CTL);
}

static void send_ref(struct broken *b, u16 type, unsigned int dev, u32 status)
{
	struct pvbus_chan_ref ref = {
		.offer = cpu_to_le32(b->offer[dev]),
		.status = cpu_to_le32(status),
	};

	send(b, dev, type, &ref, sizeof(ref));
}

/**
 * broken_offer() - offer a device
 * @b: the host; b->lock held
 * @dev: device, which is not offered
 */
void broken_offer(struct broken *b, unsigned int dev)
{
	const struct broken_fault *f = b->fault[dev];
	struct pvbus_offer offer = {
		.offer = cpu_to_le32(++b->next_offer),
		.type = cpu_to_le16(dev + 1),
		.max_queues = cpu_to_le16(1),
	};

	b->offer[dev] = b->next_offer;
	strscpy(offer.id, dev ? "card" : "disk", sizeof(offer.id));
	if (dev)
		broken_card_blob(&offer);
	else
		broken_disk_blob(&offer);
	if (f && f->how == HOW_BLOB) {
		spoil(f, offer.blob);
		b->done++;
	}
	send(b, dev, PVBUS_MSG_OFFER, &offer, sizeof(offer));
}

/**
 * broken_rescind() - take a device away
 * @b: the host; b->lock held
 * @dev: device
 *
 * Its channel is served until the guest closes it.
 */
void broken_rescind(struct broken *b, unsigned int dev)
{
	struct pvbus_offer_ref ref = { .offer = cpu_to_le32(b->offer[dev]) };

	send(b, dev, PVBUS_MSG_RESCIND, &ref, sizeof(ref));
}

/**
 * broken_tell_broken() - stop a channel that is not broken
 * @b: the host; b->lock held
 * @dev: device
 */
void broken_tell_broken(struct broken *b, unsigned int dev)
{
	send_ref(b, PVBUS_MSG_BROKEN, dev, PVBUS_ST_PROTO);
}

static void on_hello(struct broken *b, const struct pvbus_hello *hello)
{
	struct pvbus_hello_ack ack = {
		.version = hello->version,
		.vectors = cpu_to_le32(BROKEN_VECTORS),
	};
	unsigned int dev;

	send(b, BROKEN_DEVS, PVBUS_MSG_HELLO_ACK, &ack, sizeof(ack));
	for (dev = 0; dev < BROKEN_DEVS; dev++)
		broken_offer(b, dev);
	send(b, BROKEN_DEVS, PVBUS_MSG_OFFERS_DONE, "", 0);
}

static void set_open(struct broken *b, unsigned int dev, bool open)
{
	b->chan[dev].open = open;
	b->open = open ? b->open | BIT(dev) : b->open & ~BIT(dev);
}

/* The device of an offer; BROKEN_DEVS: there is none. */
static unsigned int dev_of(const struct broken *b, __le32 offer)
{
	unsigned int dev = 0;

	while (dev < BROKEN_DEVS && b->offer[dev] != le32_to_cpu(offer))
		dev++;
	return dev;
}

/* Ring memory is in one piece, as no device with an IOMMU is in between. */
static void on_open(struct broken *b, const struct pvbus_open *open)
{
	unsigned int dev = dev_of(b, open->offer);
	u32 g2h = le32_to_cpu(open->g2h_slots);
	struct broken_chan *c;
	__le64 *list;
	void *mem;

	if (dev == BROKEN_DEVS)
		return;
	c = &b->chan[dev];
	list = phys_to_virt(le64_to_cpu(open->gpadl));
	mem = phys_to_virt(le64_to_cpu(list[0]));
	pvring_cons_init(&c->rx, mem, g2h, PVBUS_SLOT_SIZE);
	mem += round_up(pvring_bytes(g2h, PVBUS_SLOT_SIZE), PVBUS_PAGE_SIZE);
	pvring_prod_init(&c->tx, mem, le32_to_cpu(open->h2g_slots),
			 PVBUS_SLOT_SIZE);
	c->vector = le16_to_cpu(open->vector);
	set_open(b, dev, true);
	if (dev)
		b->nr_bufs = 0;
	chan_put_early(b, dev);
	send_ref(b, PVBUS_MSG_OPEN_ACK, dev, PVBUS_ST_OK);
}

static void on_close(struct broken *b, const struct pvbus_chan_ref *ref)
{
	unsigned int dev = dev_of(b, ref->offer);

	if (dev == BROKEN_DEVS)
		return;
	set_open(b, dev, false);
	/* what is late for this channel is nothing to the next one */
	if (b->late.dev == dev)
		cancel_delayed_work(&b->late.work);
	send_ref(b, PVBUS_MSG_CLOSE_ACK, dev, PVBUS_ST_OK);
}

static void on_message(struct broken *b, const struct pvbus_msg *msg)
{
	switch (le16_to_cpu(msg->type)) {
	case PVBUS_MSG_HELLO:
		on_hello(b, (const void *)msg->body);
		break;
	case PVBUS_MSG_OPEN:
		on_open(b, (const void *)msg->body);
		break;
	case PVBUS_MSG_CLOSE:
		on_close(b, (const void *)msg->body);
		break;
	}
}

/* -- sessions. b->lock held --------------------------------------------------- */

static void forget(struct broken *b)
{
	unsigned int dev;

	for (dev = 0; dev < BROKEN_DEVS; dev++) {
		set_open(b, dev, false);
		b->offer[dev] = 0;
	}
}

static void check_reset(struct broken *b)
{
	struct pvbus_win_guest *guest = b->window + PVBUS_WIN_GUEST;
	u32 generation = le32_to_cpu(READ_ONCE(guest->generation));

	if (generation == b->generation)
		return;
	forget(b);
	b->generation = generation;
	memset(b->window + PVBUS_WIN_G2H, 0, PVBUS_WIN_SIZE - PVBUS_WIN_G2H);
	pvring_cons_init(&b->rx, b->window + PVBUS_WIN_G2H, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	pvring_prod_init(&b->tx, b->window + PVBUS_WIN_H2G, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	/* who sees its generation sees empty mailboxes */
	virt_store_release(&win_host(b)->generation, cpu_to_le32(generation));
	broken_interrupt(b, PVBUS_VECTOR_CTL);
}

static void read_mailbox(struct broken *b)
{
	struct pvbus_msg msg __aligned(8);

	do {
		while (pvring_get(&b->rx, &msg, sizeof(msg)))
			if (le32_to_cpu(msg.generation) == b->generation)
				on_message(b, &msg);
		pvring_cons_publish(&b->rx);
		if (pvring_cons_kick(&b->rx))
			broken_interrupt(b, PVBUS_VECTOR_CTL);
	} while (!pvring_cons_arm(&b->rx));
}

static void serve(struct broken *b, unsigned int dev)
{
	struct broken_chan *c = &b->chan[dev];

	while (c->open && !pvring_cons_arm(&c->rx)) {
		if (dev)
			broken_card_serve(b);
		else
			broken_disk_serve(b);
	}
}

static void broken_work(struct work_struct *work)
{
	struct broken *b = container_of(work, struct broken, work);
	unsigned int dev;

	mutex_lock(&b->lock);
	check_reset(b);
	if (b->generation)
		read_mailbox(b);
	for (dev = 0; dev < BROKEN_DEVS; dev++)
		serve(b, dev);
	mutex_unlock(&b->lock);
}

/**
 * broken_set_state() - go down, or be ready
 * @b: the host; b->lock held
 * @state: PVBUS_HOST_*
 */
void broken_set_state(struct broken *b, u32 state)
{
	if (state == PVBUS_HOST_DOWN)
		forget(b);
	WRITE_ONCE(win_host(b)->state, cpu_to_le32(state));
	broken_interrupt(b, PVBUS_VECTOR_CTL);
}

/**
 * broken_disown() - end the session
 * @b: the host; b->lock held
 */
void broken_disown(struct broken *b)
{
	forget(b);
	/* no channel is served any more */
	virt_store_release(&win_host(b)->generation, 0);
	broken_interrupt(b, PVBUS_VECTOR_CTL);
}

/* -- life --------------------------------------------------------------------- */

static void window_init(struct broken *b)
{
	struct pvbus_win_host *host = win_host(b);

	host->magic = cpu_to_le64(PVBUS_MAGIC);
	host->version_min = cpu_to_le16(PVBUS_VERSION_MIN);
	host->version_max = cpu_to_le16(PVBUS_VERSION_MAX);
	host->vectors = cpu_to_le32(BROKEN_VECTORS);
	host->state = cpu_to_le32(PVBUS_HOST_READY);
}

static int broken_alloc(struct broken *b)
{
	const struct platform_device_info info = {
		.name		= "pvbus_broken",
		.id		= PLATFORM_DEVID_AUTO,
		.dma_mask	= DMA_BIT_MASK(64),
	};

	b->window = vzalloc(PVBUS_WIN_SIZE);
	b->store = vzalloc(DISK_BYTES);
	b->wq = alloc_ordered_workqueue("pvbus-broken", 0);
	if (!b->window || !b->store || !b->wq)
		return -ENOMEM;
	b->pdev = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(b->pdev);
}

static void broken_free(struct broken *b)
{
	unsigned int i;

	for (i = 0; i < BROKEN_VECTORS; i++)
		irq_work_sync(&b->vector[i].work);
	if (!IS_ERR_OR_NULL(b->pdev))
		platform_device_unregister(b->pdev);
	if (b->wq)
		destroy_workqueue(b->wq);
	vfree(b->store);
	vfree(b->window);
}

/**
 * broken_start() - be there for the guest
 * @b: the host, zeroed
 *
 * Return: 0 or a negative errno.
 */
int broken_start(struct broken *b)
{
	struct pvbus *bus;
	unsigned int i;
	int err;

	mutex_init(&b->lock);
	INIT_WORK(&b->work, broken_work);
	INIT_DELAYED_WORK(&b->late.work, late_work);
	b->late.b = b;
	for (i = 0; i < BROKEN_VECTORS; i++) {
		b->vector[i].work = IRQ_WORK_INIT_HARD(broken_irq);
		b->vector[i].b = b;
		b->vector[i].nr = i;
	}
	err = broken_alloc(b);
	if (err)
		goto free;
	dma_set_max_seg_size(&b->pdev->dev, UINT_MAX);
	window_init(b);
	bus = pvbus_attach(&b->pdev->dev, &broken_ops, b, b->window,
			   BROKEN_VECTORS);
	err = PTR_ERR_OR_ZERO(bus);
	if (err)
		goto free;
	/* pairs with broken_irq() */
	smp_store_release(&b->bus, bus);
	for (i = 0; i < BROKEN_VECTORS; i++)
		broken_interrupt(b, i);
	return 0;

free:
	broken_free(b);
	return err;
}

/**
 * broken_stop() - undo broken_start()
 * @b: the host
 */
void broken_stop(struct broken *b)
{
	pvbus_detach(b->bus);
	cancel_delayed_work_sync(&b->late.work);
	cancel_work_sync(&b->work);
	broken_free(b);
}
