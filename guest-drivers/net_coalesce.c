// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: network card, how interrupts are put off (ethtool -C, -Q).
 *
 * The count is the event index of the ring from the host, which NAPI stores; the
 * time is the host's to measure, and it is told by an entry in the other ring.
 * All is called with rtnl held, under which channels come and go.
 */
#include <linux/ethtool.h>
#include <linux/iopoll.h>
#include <linux/netlink.h>

#include "net.h"

/* How often it is tried, and for how long, to tell the host; microseconds. */
#define PVNET_COALESCE_STEP	1000
#define PVNET_COALESCE_TIMEOUT	(100 * USEC_PER_MSEC)

static bool pvnet_coalesce_is_own(const struct pvnet_coalesce *c)
{
	return !c->adaptive_rx || !c->adaptive_tx;
}

static u32 pvnet_arm_count(const struct pvnet_coalesce *c)
{
	if (c->adaptive_rx)
		return 0;
	if (!c->rx_usecs)
		return 1;
	return c->rx_frames ? c->rx_frames : PVNET_MAX_FRAMES;
}

static void pvnet_coalesce_fill(const struct pvnet_coalesce *c,
				struct pvbus_net_coalesce *e)
{
	memset(e, 0, sizeof(*e));
	e->type = PVBUS_NET_COALESCE;
	if (!c->adaptive_rx) {
		e->flags |= PVBUS_NET_COALESCE_RX;
		e->rx_usecs = cpu_to_le32(c->rx_usecs);
	}
	if (!c->adaptive_tx) {
		e->flags |= PVBUS_NET_COALESCE_TX;
		e->tx_usecs = cpu_to_le32(c->tx_usecs);
	}
}

/*
 * Tell the host. Return: 0, also when the channel is about to be opened anew;
 * -EBUSY while the host has not taken the last one; or -EPROTO.
 */
static int pvnet_coalesce_put(struct pvnet_queue *q)
{
	struct pvring_prod *tx = &q->ch->tx;
	struct pvbus_net_coalesce e;
	int err = 0;

	if (READ_ONCE(q->ch->broken))
		return 0;
	pvnet_coalesce_fill(&q->coalesce, &e);
	__netif_tx_lock_bh(q->txq);
	/* all of it: look what the host has read */
	if (pvring_prod_room(tx, tx->nr_slots) <= 0) {
		pvnet_break(q, "no room in the ring for settings", tx->head);
		err = -EPROTO;
	} else if ((s32)(tx->seen - q->coalesce_at) < 0) {
		err = -EBUSY;
	} else {
		pvring_put(tx, &e, sizeof(e));
		q->coalesce_at = tx->head;
		q->unannounced = 0;
		pvbus_channel_kick(q->ch);
	}
	__netif_tx_unlock_bh(q->txq);
	return err;
}

/**
 * pvnet_coalesce_init() - leave it all to the host and to idle CPUs
 * @q: queue of a new card
 */
void pvnet_coalesce_init(struct pvnet_queue *q)
{
	q->coalesce.adaptive_rx = true;
	q->coalesce.adaptive_tx = true;
}

/**
 * pvnet_coalesce_open() - tell a channel what was set
 * @q: queue whose channel was just opened; NAPI is not enabled yet
 */
void pvnet_coalesce_open(struct pvnet_queue *q)
{
	q->coalesce_at = 0;
	/* a host that breaks the protocol here is seen to as ever */
	if (pvnet_coalesce_is_own(&q->coalesce))
		pvnet_coalesce_put(q);
}

/* -- ethtool ------------------------------------------------------------------- */

static bool pvnet_can_coalesce(const struct pvnet *pn)
{
	return pn->features & PVBUS_NET_F_COALESCE;
}

/* The numbers in words are these. */
static_assert(PVBUS_NET_MAX_USECS == 1000 && PVNET_MAX_FRAMES == 128);

static int pvnet_coalesce_check(const struct pvnet_coalesce *now,
				const struct pvnet_coalesce *new,
				struct netlink_ext_ack *extack)
{
	if (new->rx_usecs > PVBUS_NET_MAX_USECS ||
	    new->tx_usecs > PVBUS_NET_MAX_USECS)
		NL_SET_ERR_MSG(extack, "rx-usecs and tx-usecs: give 0 to 1000");
	else if (new->rx_frames > PVNET_MAX_FRAMES)
		NL_SET_ERR_MSG(extack, "rx-frames: give 0 to 128");
	else if (new->adaptive_rx && (new->rx_usecs != now->rx_usecs ||
				      new->rx_frames != now->rx_frames))
		NL_SET_ERR_MSG(extack,
			       "rx-usecs and rx-frames hold with adaptive-rx off");
	else if (new->adaptive_tx && new->tx_usecs != now->tx_usecs)
		NL_SET_ERR_MSG(extack, "tx-usecs holds with adaptive-tx off");
	else
		return 0;
	return -EINVAL;
}

static int pvnet_coalesce_apply(struct pvnet_queue *q,
				const struct pvnet_coalesce *new)
{
	const struct pvnet_coalesce now = q->coalesce;
	int ret, err = 0;

	q->coalesce = *new;
	if (q->ch)
		err = read_poll_timeout(pvnet_coalesce_put, ret, ret != -EBUSY,
					PVNET_COALESCE_STEP,
					PVNET_COALESCE_TIMEOUT, false, q);
	if (!err && q->ch)
		err = ret;
	if (err) {
		q->coalesce = now;
		return err;
	}
	WRITE_ONCE(q->arm_count, pvnet_arm_count(new));
	/* arm the ring accordingly */
	local_bh_disable();
	if (q->ch)
		napi_schedule(&q->napi);
	local_bh_enable();
	return 0;
}

static void pvnet_coalesce_read(const struct pvnet_queue *q,
				struct ethtool_coalesce *ec)
{
	const struct pvnet_coalesce *c = &q->coalesce;

	ec->use_adaptive_rx_coalesce = c->adaptive_rx;
	ec->use_adaptive_tx_coalesce = c->adaptive_tx;
	ec->rx_coalesce_usecs = c->rx_usecs;
	ec->rx_max_coalesced_frames = c->rx_frames;
	ec->tx_coalesce_usecs = c->tx_usecs;
}

static int pvnet_coalesce_write(struct pvnet_queue *q,
				const struct ethtool_coalesce *ec,
				struct netlink_ext_ack *extack)
{
	const struct pvnet_coalesce new = {
		.adaptive_rx = ec->use_adaptive_rx_coalesce,
		.adaptive_tx = ec->use_adaptive_tx_coalesce,
		.rx_usecs = ec->rx_coalesce_usecs,
		.rx_frames = ec->rx_max_coalesced_frames,
		.tx_usecs = ec->tx_coalesce_usecs,
	};
	int err;

	err = pvnet_coalesce_check(&q->coalesce, &new, extack);
	if (err)
		return err;
	err = pvnet_coalesce_apply(q, &new);
	if (err == -ETIMEDOUT)
		NL_SET_ERR_MSG(extack, "the host does not look into the ring");
	return err;
}

/**
 * pvnet_get_coalesce() - ethtool_ops->get_coalesce()
 * @dev: net_device
 * @ec: what the first queue has goes here
 * @kernel_ec: not used
 * @extack: for words
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int pvnet_get_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
		       struct kernel_ethtool_coalesce *kernel_ec,
		       struct netlink_ext_ack *extack)
{
	return pvnet_get_queue_coalesce(dev, 0, ec);
}

/**
 * pvnet_set_coalesce() - ethtool_ops->set_coalesce()
 * @dev: net_device
 * @ec: for all queues
 * @kernel_ec: not used
 * @extack: for words
 *
 * Return: 0 or a negative errno; queues before the one that failed have it.
 */
int pvnet_set_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
		       struct kernel_ethtool_coalesce *kernel_ec,
		       struct netlink_ext_ack *extack)
{
	struct pvnet *pn = netdev_priv(dev);
	unsigned int i;
	int err = 0;

	if (!pvnet_can_coalesce(pn)) {
		NL_SET_ERR_MSG(extack,
			       "the host cannot do that: update pvbus there");
		return -EOPNOTSUPP;
	}
	for (i = 0; i < pn->nr_queues && !err; i++)
		err = pvnet_coalesce_write(&pn->queue[i], ec, extack);
	return err;
}

/**
 * pvnet_get_queue_coalesce() - ethtool_ops->get_per_queue_coalesce()
 * @dev: net_device
 * @queue: which
 * @ec: what it has goes here
 *
 * Return: 0, -EINVAL (no such queue) or -EOPNOTSUPP.
 */
int pvnet_get_queue_coalesce(struct net_device *dev, u32 queue,
			     struct ethtool_coalesce *ec)
{
	const struct pvnet *pn = netdev_priv(dev);

	if (queue >= pn->nr_queues)
		return -EINVAL;
	if (!pvnet_can_coalesce(pn))
		return -EOPNOTSUPP;
	pvnet_coalesce_read(&pn->queue[queue], ec);
	return 0;
}

/**
 * pvnet_set_queue_coalesce() - ethtool_ops->set_per_queue_coalesce()
 * @dev: net_device
 * @queue: which
 * @ec: what it is to have
 *
 * Return: 0 or a negative errno.
 */
int pvnet_set_queue_coalesce(struct net_device *dev, u32 queue,
			     struct ethtool_coalesce *ec)
{
	struct pvnet *pn = netdev_priv(dev);

	if (queue >= pn->nr_queues)
		return -EINVAL;
	if (!pvnet_can_coalesce(pn))
		return -EOPNOTSUPP;
	return pvnet_coalesce_write(&pn->queue[queue], ec, NULL);
}
