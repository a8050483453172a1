// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: channels.
 *
 * A channel is known to the core (bus->channels) from before OPEN is sent until
 * the host has let go of its memory. So every answer of the host finds what it
 * is for, however late it comes, and a queue whose close was not confirmed
 * cannot be opened again: the answers of the two could not be told apart.
 */
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "bus_internal.h"
#include "bus_trace.h"

static unsigned int max_unconfirmed = 64;
module_param(max_unconfirmed, uint, 0644);
MODULE_PARM_DESC(max_unconfirmed,
		 "Channels that a host may keep without confirming that they are closed; their memory is lost, and once there are so many, no channel is opened on that bus any more (default 64)");

/* -- memory ------------------------------------------------------------------ */

static size_t pvbus_ring_size(u32 nr_slots)
{
	return round_up(pvring_bytes(nr_slots, PVBUS_SLOT_SIZE),
			PVBUS_PAGE_SIZE);
}

static void pvbus_channel_free(struct pvbus_channel *ch)
{
	struct device *dma_dev = ch->pdev->bus->parent;

	if (ch->gpadl)
		dma_free_coherent(dma_dev, PVBUS_PAGE_SIZE, ch->gpadl,
				  ch->gpadl_dma);
	if (ch->mem)
		dma_free_coherent(dma_dev, ch->mem_size, ch->mem, ch->mem_dma);
	put_device(&ch->pdev->dev);
	kfree(ch);
}

static int pvbus_channel_alloc_rings(struct pvbus_channel *ch, u32 g2h_slots,
				     u32 h2g_slots)
{
	struct device *dma_dev = ch->pdev->bus->parent;
	size_t g2h_size = pvbus_ring_size(g2h_slots);
	size_t i;

	ch->mem_size = g2h_size + pvbus_ring_size(h2g_slots);
	ch->mem = dma_alloc_coherent(dma_dev, ch->mem_size, &ch->mem_dma,
				     GFP_KERNEL);
	ch->gpadl = dma_alloc_coherent(dma_dev, PVBUS_PAGE_SIZE,
				       &ch->gpadl_dma, GFP_KERNEL);
	if (!ch->mem || !ch->gpadl)
		return -ENOMEM;
	for (i = 0; i < ch->mem_size / PVBUS_PAGE_SIZE; i++)
		ch->gpadl[i] = cpu_to_le64(ch->mem_dma + i * PVBUS_PAGE_SIZE);
	pvring_prod_init(&ch->tx, ch->mem, g2h_slots, PVBUS_SLOT_SIZE);
	pvring_cons_init(&ch->rx, ch->mem + g2h_size, h2g_slots,
			 PVBUS_SLOT_SIZE);
	if (!ch->handler)
		pvring_cons_disarm(&ch->rx);
	return 0;
}

static struct pvbus_channel *
pvbus_channel_alloc(struct pvbus_device *pdev,
		    const struct pvbus_channel_config *cfg)
{
	struct pvbus_channel *ch = kzalloc(sizeof(*ch), GFP_KERNEL);

	if (!ch)
		return NULL;
	ch->pdev = pdev;
	get_device(&pdev->dev);
	ch->queue = cfg->queue;
	ch->handler = cfg->handler;
	ch->look = cfg->look;
	ch->expects = cfg->expects;
	ch->priv = cfg->priv;
	ch->vector = pvbus_vector_choose(pdev->bus, cfg);
	INIT_LIST_HEAD(&ch->on_vector);
	ch->state = PVBUS_CH_IDLE;
	init_completion(&ch->answered);
	if (pvbus_channel_alloc_rings(ch, cfg->g2h_slots, cfg->h2g_slots)) {
		pvbus_channel_free(ch);
		return NULL;
	}
	return ch;
}

/* -- opening and closing -------------------------------------------------------- */

/* bus->lock held */
static struct pvbus_channel *pvbus_channel_find(struct pvbus *bus, u32 offer,
						u16 queue)
{
	struct pvbus_channel *ch;

	list_for_each_entry(ch, &bus->channels, node)
		if (ch->pdev->offer == offer && ch->queue == queue)
			return ch;
	return NULL;
}

/*
 * A host that never confirms takes memory of each channel, which its driver does
 * not get back even if the host confirms later: that has to end. bus->lock held.
 */
static bool pvbus_channel_allowed(struct pvbus_device *pdev)
{
	unsigned int unconfirmed = pdev->bus->unconfirmed;

	if (!unconfirmed || unconfirmed < READ_ONCE(max_unconfirmed))
		return true;
	dev_err_ratelimited(&pdev->dev,
			    "no channel is opened any more: of %u before, the host did not confirm that they are closed, and their memory is lost: look at the host, then restart this system or raise max_unconfirmed\n",
			    unconfirmed);
	return false;
}

static int pvbus_channel_insert(struct pvbus_channel *ch)
{
	struct pvbus *bus = ch->pdev->bus;
	int err = 0;

	spin_lock(&bus->lock);
	if (bus->ended || ch->pdev->gone)
		err = -ENODEV;
	else if (pvbus_channel_find(bus, ch->pdev->offer, ch->queue))
		err = -EBUSY;
	else if (!pvbus_channel_allowed(ch->pdev))
		err = -EIO;
	else
		list_add_tail(&ch->node, &bus->channels);
	spin_unlock(&bus->lock);
	return err;
}

static void pvbus_channel_set_state(struct pvbus_channel *ch,
				    enum pvbus_channel_state state)
{
	struct pvbus *bus = ch->pdev->bus;

	spin_lock(&bus->lock);
	ch->state = state;
	spin_unlock(&bus->lock);
}

static int pvbus_status_errno(u32 status)
{
	switch (status) {
	case PVBUS_ST_OK:
		return 0;
	case PVBUS_ST_NOENT:
	case PVBUS_ST_GONE:
		return -ENODEV;
	case PVBUS_ST_BUSY:
		return -EBUSY;
	case PVBUS_ST_NOMEM:
		return -ENOMEM;
	case PVBUS_ST_FEATURES:
		return -EOPNOTSUPP;
	case PVBUS_ST_FAULT:
		return -EFAULT;
	case PVBUS_ST_INVAL:
		return -EINVAL;
	default:
		return -EPROTO;
	}
}

/* Send OPEN and wait for what the host says. */
static int pvbus_channel_request(struct pvbus_channel *ch,
				 const struct pvbus_channel_config *cfg)
{
	unsigned long timeout = min_not_zero(cfg->timeout,
					     (unsigned long)PVBUS_OPEN_TIMEOUT);
	struct pvbus *bus = ch->pdev->bus;
	struct pvbus_open msg = {
		.offer = cpu_to_le32(ch->pdev->offer),
		.queue = cpu_to_le16(ch->queue),
		.vector = cpu_to_le16(ch->vector),
		.gpadl = cpu_to_le64(ch->gpadl_dma),
		.nr_pages = cpu_to_le32(ch->mem_size / PVBUS_PAGE_SIZE),
		.g2h_slots = cpu_to_le32(ch->tx.nr_slots),
		.h2g_slots = cpu_to_le32(ch->rx.nr_slots),
		.features = cpu_to_le64(cfg->features),
	};
	int err;

	pvbus_channel_set_state(ch, PVBUS_CH_OPENING);
	err = pvbus_ctl_send(bus, PVBUS_MSG_OPEN, &msg, sizeof(msg));
	if (err) {
		pvbus_channel_set_state(ch, PVBUS_CH_IDLE);
		return err;
	}
	if (!wait_for_completion_timeout(&ch->answered, timeout)) {
		dev_err_ratelimited(&ch->pdev->dev,
				    "queue %u: the host did not answer OPEN within %lu s: look at the host's kernel log\n",
				    ch->queue, DIV_ROUND_UP(timeout, HZ));
		return -ETIMEDOUT;
	}
	if (READ_ONCE(bus->ended))
		return -ENODEV;
	if (ch->status)
		dev_err_ratelimited(&ch->pdev->dev,
				    "queue %u: the host refuses to open it: %s (status %u)\n",
				    ch->queue, pvbus_status_name(ch->status),
				    ch->status);
	return pvbus_status_errno(ch->status);
}

/* Ask the host to let go of the channel. */
static void pvbus_channel_ask_close(struct pvbus_channel *ch)
{
	struct pvbus *bus = ch->pdev->bus;
	struct pvbus_chan_ref msg = {
		.offer = cpu_to_le32(ch->pdev->offer),
		.queue = cpu_to_le16(ch->queue),
	};
	bool known;

	spin_lock(&bus->lock);
	known = ch->state != PVBUS_CH_IDLE;
	if (known) {
		ch->state = PVBUS_CH_CLOSING;
		reinit_completion(&ch->answered);
	}
	spin_unlock(&bus->lock);
	ch->close_until = jiffies;
	if (known && !pvbus_ctl_send(bus, PVBUS_MSG_CLOSE, &msg, sizeof(msg)))
		ch->close_until += PVBUS_CLOSE_TIMEOUT;
}

/* Wait until the host, which was asked, has let go of the channel; has it? */
static bool pvbus_channel_let_go(struct pvbus_channel *ch)
{
	struct pvbus *bus = ch->pdev->bus;
	unsigned long now = jiffies;
	bool known;

	spin_lock(&bus->lock);
	known = ch->state != PVBUS_CH_IDLE;
	spin_unlock(&bus->lock);
	if (!known)
		return true;

	if (time_before(now, ch->close_until) && !READ_ONCE(bus->ended))
		wait_for_completion_timeout(&ch->answered,
					    ch->close_until - now);
	/* when the session is over, all of its memory is let go at once */
	return READ_ONCE(bus->ended) &&
	       wait_for_completion_timeout(&bus->released,
					   PVBUS_END_TIMEOUT + HZ) &&
	       bus->let_go;
}

/* Free what may be freed of a channel that the host was asked to close. */
static bool pvbus_channel_retire(struct pvbus_channel *ch)
{
	struct pvbus *bus = ch->pdev->bus;
	bool let_go = pvbus_channel_let_go(ch);
	u32 offer = ch->pdev->offer;
	u16 queue = ch->queue;

	spin_lock(&bus->lock);
	let_go = let_go || ch->state == PVBUS_CH_CLOSED;
	if (let_go) {
		list_del(&ch->node);
	} else {
		/* from here on it is freed by the CLOSE_ACK that comes late */
		ch->state = PVBUS_CH_ZOMBIE;
		bus->unconfirmed++;
	}
	spin_unlock(&bus->lock);
	if (let_go) {
		pvbus_channel_free(ch);
		return true;
	}
	dev_err(bus->parent,
		"pvbus%d: the host did not confirm that queue %u of offer %u is closed: its memory is kept\n",
		bus->index, queue, offer);
	return false;
}

static int pvbus_channel_check(struct pvbus_device *pdev,
			       const struct pvbus_channel_config *cfg)
{
	if (cfg->queue >= pdev->max_queues ||
	    !pvring_valid_slots(cfg->g2h_slots) ||
	    !pvring_valid_slots(cfg->h2g_slots))
		return -EINVAL;
	if (pvbus_ring_size(cfg->g2h_slots) + pvbus_ring_size(cfg->h2g_slots) >
	    PVBUS_MAX_GPADL * PVBUS_PAGE_SIZE)
		return -EINVAL;
	if (cfg->features & ~pdev->features)
		return -EOPNOTSUPP;
	return 0;
}

struct pvbus_channel *pvbus_channel_open(struct pvbus_device *pdev,
					 const struct pvbus_channel_config *cfg)
{
	struct pvbus_channel *ch;
	int err;

	err = pvbus_channel_check(pdev, cfg);
	if (err)
		return ERR_PTR(err);
	ch = pvbus_channel_alloc(pdev, cfg);
	if (!ch)
		return ERR_PTR(-ENOMEM);
	err = pvbus_channel_insert(ch);
	if (err) {
		pvbus_channel_free(ch);
		return ERR_PTR(err);
	}
	pvbus_vector_add(ch);
	err = pvbus_channel_request(ch, cfg);
	if (err) {
		pvbus_vector_del(ch);
		pvbus_channel_ask_close(ch);
		pvbus_channel_retire(ch);
		return ERR_PTR(err);
	}
	ch->open = true;
	pvbus_sysfs_add_channel(ch);
	return ch;
}
EXPORT_SYMBOL_GPL(pvbus_channel_open);

void pvbus_channel_close_begin(struct pvbus_channel *ch)
{
	pvbus_sysfs_del_channel(ch);
	pvbus_vector_del(ch);
	pvbus_idle_forget(ch);
	pvbus_channel_ask_close(ch);
}
EXPORT_SYMBOL_GPL(pvbus_channel_close_begin);

bool pvbus_channel_close_end(struct pvbus_channel *ch)
{
	cond_synchronize_rcu(ch->idle_gp);
	return pvbus_channel_retire(ch);
}
EXPORT_SYMBOL_GPL(pvbus_channel_close_end);

bool pvbus_channel_close(struct pvbus_channel *ch)
{
	pvbus_channel_close_begin(ch);
	return pvbus_channel_close_end(ch);
}
EXPORT_SYMBOL_GPL(pvbus_channel_close);

void pvbus_channel_kick(struct pvbus_channel *ch)
{
	struct pvbus *bus = ch->pdev->bus;

	if (!pvring_prod_kick(&ch->tx))
		return;
	ch->doorbells++;
	trace_pvbus_doorbell(ch);
	bus->ops->ring(bus, ch->vector);
}
EXPORT_SYMBOL_GPL(pvbus_channel_kick);

void pvbus_channel_break(struct pvbus_channel *ch, const char *what, u64 value)
{
	if (xchg(&ch->broken, true))
		return;
	atomic_inc(&ch->pdev->violations);
	dev_err_ratelimited(&ch->pdev->dev,
			    "queue %u: the host broke the protocol: %s: %#llx; the queue is stopped\n",
			    ch->queue, what, value);
}
EXPORT_SYMBOL_GPL(pvbus_channel_break);

/* -- what the host says ------------------------------------------------------------ */

/* An answer that nobody waits for changes nothing. */
static void pvbus_unexpected(struct pvbus *bus, const char *what,
			     const struct pvbus_chan_ref *ref)
{
	dev_warn_ratelimited(bus->parent,
			     "pvbus%d: ignored %s of the host for queue %u of offer %u: it was not asked for\n",
			     bus->index, what, le16_to_cpu(ref->queue),
			     le32_to_cpu(ref->offer));
}

/* The channel that a message is about. bus->lock held. */
static struct pvbus_channel *pvbus_channel_ref(struct pvbus *bus,
					       const struct pvbus_chan_ref *ref)
{
	return pvbus_channel_find(bus, le32_to_cpu(ref->offer),
				  le16_to_cpu(ref->queue));
}

static int pvbus_check_ref(struct pvbus *bus, const struct pvbus_chan_ref *ref)
{
	if (ref->reserved || ref->reserved2)
		return pvbus_violation(bus, "reserved field about a channel",
				       le32_to_cpu(ref->reserved2));
	return 0;
}

/**
 * pvbus_on_open_ack() - the host has opened a channel, or refuses
 * @bus: the bus
 * @body: copy of struct pvbus_chan_ref
 *
 * Context: ctl_work.
 * Return: 0, or -EPROTO when the host broke the protocol (logged).
 */
int pvbus_on_open_ack(struct pvbus *bus, const void *body)
{
	const struct pvbus_chan_ref *ref = body;
	struct pvbus_channel *ch;

	if (pvbus_check_ref(bus, ref))
		return -EPROTO;
	spin_lock(&bus->lock);
	ch = pvbus_channel_ref(bus, ref);
	if (ch && ch->state == PVBUS_CH_OPENING) {
		ch->status = le32_to_cpu(ref->status);
		ch->state = ch->status ? PVBUS_CH_IDLE : PVBUS_CH_OPEN;
		complete(&ch->answered);
	}
	spin_unlock(&bus->lock);
	/* one that comes late is followed by the answer to CLOSE */
	if (!ch)
		pvbus_unexpected(bus, "OPEN_ACK", ref);
	return 0;
}

/**
 * pvbus_on_close_ack() - the host has let go of a channel
 * @bus: the bus
 * @body: copy of struct pvbus_chan_ref; whatever the status, the host does not
 *	have the channel any more
 *
 * Context: ctl_work.
 * Return: 0, or -EPROTO when the host broke the protocol (logged).
 */
int pvbus_on_close_ack(struct pvbus *bus, const void *body)
{
	const struct pvbus_chan_ref *ref = body;
	struct pvbus_channel *ch, *zombie = NULL;
	bool expected = false;

	if (pvbus_check_ref(bus, ref))
		return -EPROTO;
	spin_lock(&bus->lock);
	ch = pvbus_channel_ref(bus, ref);
	if (ch && ch->state == PVBUS_CH_CLOSING) {
		expected = true;
		ch->state = PVBUS_CH_CLOSED;
		complete(&ch->answered);
	} else if (ch && ch->state == PVBUS_CH_ZOMBIE) {
		expected = true;
		zombie = ch;
		list_del(&zombie->node);
	}
	spin_unlock(&bus->lock);
	if (zombie)
		pvbus_channel_free(zombie);
	if (!expected)
		pvbus_unexpected(bus, "CLOSE_ACK", ref);
	return 0;
}

/**
 * pvbus_on_broken() - the host has stopped a channel
 * @bus: the bus
 * @body: copy of struct pvbus_chan_ref
 *
 * Context: ctl_work.
 * Return: 0, or -EPROTO when the host broke the protocol (logged).
 */
int pvbus_on_broken(struct pvbus *bus, const void *body)
{
	const struct pvbus_chan_ref *ref = body;
	u32 status = le32_to_cpu(ref->status);
	struct pvbus_channel *ch;

	if (pvbus_check_ref(bus, ref))
		return -EPROTO;
	spin_lock(&bus->lock);
	ch = pvbus_channel_ref(bus, ref);
	/* one that is being closed needs nothing else */
	if (ch && ch->state == PVBUS_CH_OPEN && !ch->stopped) {
		ch->stopped = true;
		WRITE_ONCE(ch->broken, true);
		atomic_inc(&ch->pdev->violations);
		dev_err_ratelimited(&ch->pdev->dev,
				    "queue %u: the host has stopped it: %s (status %u)\n",
				    ch->queue, pvbus_status_name(status),
				    status);
		pvbus_device_event(ch->pdev, PVBUS_EV_BROKEN);
	}
	spin_unlock(&bus->lock);
	return 0;
}

/**
 * pvbus_channel_take_stopped() - next channel whose driver is to be told
 * @pdev: device
 * @queue: where to put its number
 *
 * Each stopped channel is returned once.
 * Return: false when there is no other.
 */
bool pvbus_channel_take_stopped(struct pvbus_device *pdev, unsigned int *queue)
{
	struct pvbus *bus = pdev->bus;
	struct pvbus_channel *ch;
	bool found = false;

	spin_lock(&bus->lock);
	list_for_each_entry(ch, &bus->channels, node) {
		if (ch->pdev != pdev || !ch->stopped ||
		    ch->state != PVBUS_CH_OPEN)
			continue;
		ch->stopped = false;
		*queue = ch->queue;
		found = true;
		break;
	}
	spin_unlock(&bus->lock);
	return found;
}

/**
 * pvbus_channels_abort() - no answer comes any more
 * @bus: the bus
 *
 * Context: ctl_work.
 */
void pvbus_channels_abort(struct pvbus *bus)
{
	struct pvbus_channel *ch;

	spin_lock(&bus->lock);
	WRITE_ONCE(bus->ended, true);
	list_for_each_entry(ch, &bus->channels, node)
		complete(&ch->answered);
	spin_unlock(&bus->lock);
	wake_up_all(&bus->wait);
}

/**
 * pvbus_channels_forget() - drop channels whose close was never confirmed
 * @bus: the bus, without devices: no driver has a channel
 * @let_go: the host has let go of all memory by now; otherwise the memory is
 *	leaked, as the host may still write to it
 */
void pvbus_channels_forget(struct pvbus *bus, bool let_go)
{
	struct pvbus_channel *ch, *next;
	LIST_HEAD(list);

	spin_lock(&bus->lock);
	list_splice_init(&bus->channels, &list);
	spin_unlock(&bus->lock);
	list_for_each_entry_safe(ch, next, &list, node) {
		if (!let_go) {
			ch->mem = NULL;
			ch->gpadl = NULL;
		}
		pvbus_channel_free(ch);
	}
}
