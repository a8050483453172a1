// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the guest's bus core: the host that does as it is told.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mock.h"

struct mock_driver mock_drv;

/* -- mailbox ------------------------------------------------------------------ */

void mock_interrupt(struct mock *m, unsigned int vector)
{
	struct pvbus *bus = READ_ONCE(m->bus);
	unsigned long flags;

	if (!bus)
		return;
	local_irq_save(flags);
	pvbus_interrupt(bus, vector);
	local_irq_restore(flags);
}

static struct pvbus_win_host *mock_host(struct mock *m)
{
	return m->window + PVBUS_WIN_HOST;
}

u32 mock_guest_generation(struct mock *m)
{
	struct pvbus_win_guest *guest = m->window + PVBUS_WIN_GUEST;

	return le32_to_cpu(READ_ONCE(guest->generation));
}

/* m->lock held */
static void mock_put(struct mock *m, struct pvbus_msg *msg)
{
	if (pvring_prod_room(&m->tx, 1) <= 0)
		return;
	pvring_put(&m->tx, msg, PVBUS_MBOX_SLOT_SIZE);
	if (pvring_prod_kick(&m->tx))
		mock_interrupt(m, PVBUS_VECTOR_CTL);
}

/* m->lock held */
static void mock_answer(struct mock *m, u16 type, const void *body, u16 len)
{
	struct pvbus_msg msg = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
		.generation = cpu_to_le32(m->generation),
	};

	memcpy(msg.body, body, len);
	mock_put(m, &msg);
}

void mock_send_raw(struct mock *m, struct pvbus_msg *msg)
{
	mutex_lock(&m->lock);
	msg->generation = cpu_to_le32(m->generation);
	mock_put(m, msg);
	mutex_unlock(&m->lock);
}

void mock_send(struct mock *m, u16 type, const void *body, u16 len)
{
	mutex_lock(&m->lock);
	mock_answer(m, type, body, len);
	mutex_unlock(&m->lock);
}

/* m->lock held */
static void mock_answer_offer(struct mock *m, u16 type, u32 offer, u8 blob)
{
	struct pvbus_offer o = {
		.offer = cpu_to_le32(offer),
		.type = cpu_to_le16(MOCK_TYPE),
		.max_queues = cpu_to_le16(MOCK_QUEUES),
		.id = "mock.0_-",
		.blob_len = cpu_to_le32(1),
		.blob = { blob },
	};

	mock_answer(m, type, &o, sizeof(o));
}

void mock_offer(struct mock *m, u16 type, u32 offer, u8 blob)
{
	mutex_lock(&m->lock);
	mock_answer_offer(m, type, offer, blob);
	mutex_unlock(&m->lock);
}

void mock_send_ref(struct mock *m, u16 type, u32 offer, u16 queue, u32 status)
{
	struct pvbus_chan_ref ref = {
		.offer = cpu_to_le32(offer),
		.queue = cpu_to_le16(queue),
		.status = cpu_to_le32(status),
	};

	mock_send(m, type, &ref, sizeof(ref));
}

void mock_rescind(struct mock *m, u32 offer)
{
	struct pvbus_offer_ref ref = { .offer = cpu_to_le32(offer) };

	mock_send(m, PVBUS_MSG_RESCIND, &ref, sizeof(ref));
}

static void mock_hello(struct mock *m, const struct pvbus_hello *hello)
{
	struct pvbus_hello_ack ack = m->ack;

	if (m->mute & MOCK_NO_HELLO)
		return;
	ack.status = cpu_to_le32(m->status);
	if (!m->status && !ack.version && !m->reckless)
		ack.version = hello->version;
	mock_answer(m, PVBUS_MSG_HELLO_ACK, &ack, sizeof(ack));
	if (m->reckless)
		mock_answer_offer(m, PVBUS_MSG_OFFER, 1, 11);
}

static void mock_note(struct mock *m, u16 type, const void *body)
{
	u32 *count = &m->count[type < PVBUS_MSG_TYPES ? type : 0];

	if (type == PVBUS_MSG_HELLO)
		m->hello = *(const struct pvbus_hello *)body;
	else if (type == PVBUS_MSG_OPEN)
		m->open = *(const struct pvbus_open *)body;
	/* a case looks at the message as soon as it is counted, and without a lock */
	smp_store_release(count, *count + 1);
}

static void mock_handle(struct mock *m, const struct pvbus_msg *msg)
{
	u16 type = le16_to_cpu(msg->type);
	struct pvbus_chan_ref ref = *(const struct pvbus_chan_ref *)msg->body;

	mock_note(m, type, msg->body);
	switch (type) {
	case PVBUS_MSG_HELLO:
		mock_hello(m, (const void *)msg->body);
		break;
	case PVBUS_MSG_OPEN:
		ref.reserved = 0;
		ref.status = cpu_to_le32(m->status);
		ref.reserved2 = 0;
		if (!(m->mute & MOCK_NO_OPEN))
			mock_answer(m, PVBUS_MSG_OPEN_ACK, &ref, sizeof(ref));
		break;
	case PVBUS_MSG_CLOSE:
		if (!(m->mute & MOCK_NO_CLOSE))
			mock_answer(m, PVBUS_MSG_CLOSE_ACK, &ref, sizeof(ref));
		break;
	}
}

static void mock_reset(struct mock *m)
{
	u32 generation = mock_guest_generation(m);

	if (generation == m->generation || (m->mute & MOCK_NO_RESET))
		return;
	m->generation = generation;
	m->resets++;
	memset(m->window + PVBUS_WIN_G2H, 0, PVBUS_WIN_SIZE - PVBUS_WIN_G2H);
	pvring_cons_init(&m->rx, m->window + PVBUS_WIN_G2H, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	pvring_prod_init(&m->tx, m->window + PVBUS_WIN_H2G, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	/* who sees its generation sees empty mailboxes */
	virt_store_release(&mock_host(m)->generation, cpu_to_le32(generation));
	mock_interrupt(m, PVBUS_VECTOR_CTL);
}

/* An answer needs room; the guest rings when there is some again. */
static bool mock_room(struct mock *m)
{
	return pvring_prod_room(&m->tx, 1) > 0 ||
	       pvring_prod_wait_room(&m->tx, 1) > 0;
}

static void mock_read(struct mock *m)
{
	struct pvbus_msg msg __aligned(8);

	do {
		while (mock_room(m) && pvring_get(&m->rx, &msg, sizeof(msg)))
			if (le32_to_cpu(msg.generation) == m->generation)
				mock_handle(m, &msg);
		pvring_cons_publish(&m->rx);
		if (pvring_cons_kick(&m->rx))
			mock_interrupt(m, PVBUS_VECTOR_CTL);
	} while (mock_room(m) && !pvring_cons_arm(&m->rx));
}

static void mock_work(struct work_struct *work)
{
	struct mock *m = container_of(work, struct mock, work);

	mutex_lock(&m->lock);
	mock_reset(m);
	if (!(m->mute & MOCK_NO_READ))
		mock_read(m);
	mutex_unlock(&m->lock);
	wake_up_all(&m->wait);
}

static void mock_ring(struct pvbus *bus, unsigned int vector)
{
	struct mock *m = pvbus_priv(bus);

	queue_work(system_unbound_wq, &m->work);
}

static const struct pvbus_transport_ops mock_ops = {
	.name	= "mock",
	.ring	= mock_ring,
};

void mock_set_state(struct mock *m, u32 state)
{
	WRITE_ONCE(mock_host(m)->state, cpu_to_le32(state));
	mock_interrupt(m, PVBUS_VECTOR_CTL);
}

/* Change what is left undone; what was left is done late, where it can be. */
void mock_mute(struct mock *m, unsigned int mute)
{
	mutex_lock(&m->lock);
	m->mute = mute;
	mutex_unlock(&m->lock);
	queue_work(system_unbound_wq, &m->work);
}

/* -- life ---------------------------------------------------------------------- */

struct mock *mock_new(void)
{
	const struct platform_device_info info = {
		.name		= "pvbus_mock",
		.id		= PLATFORM_DEVID_AUTO,
		.dma_mask	= DMA_BIT_MASK(64),
	};
	struct mock *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct pvbus_win_host *host;

	if (!m)
		return NULL;
	m->window = vzalloc(PVBUS_WIN_SIZE);
	m->pdev = platform_device_register_full(&info);
	if (!m->window || IS_ERR(m->pdev)) {
		vfree(m->window);
		kfree(m);
		return NULL;
	}
	mutex_init(&m->lock);
	INIT_WORK(&m->work, mock_work);
	init_waitqueue_head(&m->wait);
	pvring_cons_init(&m->rx, m->window + PVBUS_WIN_G2H, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	pvring_prod_init(&m->tx, m->window + PVBUS_WIN_H2G, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	m->ack.vectors = cpu_to_le32(MOCK_VECTORS);
	host = mock_host(m);
	host->magic = cpu_to_le64(PVBUS_MAGIC);
	host->version_min = cpu_to_le16(PVBUS_VERSION_MIN);
	host->version_max = cpu_to_le16(PVBUS_VERSION_MAX);
	host->vectors = cpu_to_le32(MOCK_VECTORS);
	host->state = cpu_to_le32(PVBUS_HOST_READY);
	memset(&mock_drv, 0, sizeof(mock_drv));
	mock_drv.wait = &m->wait;
	return m;
}

int mock_attach(struct mock *m)
{
	struct pvbus *bus = pvbus_attach(&m->pdev->dev, &mock_ops, m,
					 m->window, MOCK_VECTORS);

	if (IS_ERR(bus))
		return PTR_ERR(bus);
	WRITE_ONCE(m->bus, bus);
	mock_interrupt(m, PVBUS_VECTOR_CTL);
	return 0;
}

void mock_detach(struct mock *m)
{
	if (m->bus)
		pvbus_detach(m->bus);
}

void mock_free(struct mock *m)
{
	flush_work(&m->work);
	platform_device_unregister(m->pdev);
	vfree(m->window);
	kfree(m);
}

/* -- driver ---------------------------------------------------------------------- */

static void mock_handler(struct pvbus_channel *ch)
{
	atomic_inc(&mock_drv.handled);
}

static struct pvbus_channel *mock_open_of(struct pvbus_device *pdev,
					  unsigned int queue)
{
	struct pvbus_channel_config cfg = {
		.queue = queue,
		.g2h_slots = 64,
		.h2g_slots = 128,
		.handler = mock_handler,
		.timeout = mock_drv.timeout,
	};

	return pvbus_channel_open(pdev, &cfg);
}

struct pvbus_channel *mock_open(unsigned int queue)
{
	return mock_open_of(mock_drv.pdev, queue);
}

static void mock_did(atomic_t *count)
{
	atomic_inc(count);
	wake_up_all(mock_drv.wait);
}

static int mock_probe(struct pvbus_device *pdev)
{
	struct pvbus_channel **chs, *ch;
	unsigned int i;

	chs = kcalloc(MOCK_QUEUES, sizeof(*chs), GFP_KERNEL);
	if (!chs)
		return -ENOMEM;
	dev_set_drvdata(&pdev->dev, chs);
	mock_drv.pdev = pdev;
	mock_drv.ch = chs;
	pvbus_read_blob(pdev, &mock_drv.blob, 1);
	msleep(mock_drv.probe_ms);
	for (i = 0; i < mock_drv.queues; i++) {
		ch = mock_open_of(pdev, i);
		if (IS_ERR(ch)) {
			mock_drv.open_err = PTR_ERR(ch);
			atomic_inc(&mock_drv.failed);
		} else {
			chs[i] = ch;
		}
	}
	mock_did(&mock_drv.probes);
	return 0;
}

static void mock_remove(struct pvbus_device *pdev)
{
	struct pvbus_channel **chs = dev_get_drvdata(&pdev->dev);
	bool let_go = true;
	unsigned int i;

	mock_drv.gone = READ_ONCE(pdev->gone);
	for (i = 0; i < MOCK_QUEUES; i++)
		if (chs[i] && !pvbus_channel_close(chs[i]))
			let_go = false;
	mock_drv.let_go = let_go;
	kfree(chs);
	mock_did(&mock_drv.removes);
}

static void mock_update(struct pvbus_device *pdev)
{
	pvbus_read_blob(pdev, &mock_drv.blob, 1);
	mock_did(&mock_drv.updates);
}

static void mock_broken(struct pvbus_device *pdev, unsigned int queue)
{
	struct pvbus_channel **chs = dev_get_drvdata(&pdev->dev);

	if (queue < MOCK_QUEUES && chs[queue] && chs[queue]->broken)
		mock_did(&mock_drv.brokens);
}

static struct pvbus_driver mock_driver = {
	.type	= MOCK_TYPE,
	.probe	= mock_probe,
	.remove	= mock_remove,
	.update	= mock_update,
	.broken	= mock_broken,
};

int mock_driver_register(void)
{
	return pvbus_register_driver(&mock_driver);
}

void mock_driver_unregister(void)
{
	pvbus_unregister_driver(&mock_driver);
}
