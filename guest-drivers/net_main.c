// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: network card, the life of the net_device and its channels.
 *
 * Channels are opened by ndo_open() and closed by ndo_stop(). When the host
 * breaks the protocol, stops a channel, or does not take packets for long, all
 * of them are closed and opened anew in a work of its own, but not without end:
 * a host that does so again and again has the card taken out of service.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>

#include "net.h"

#define CREATE_TRACE_POINTS
#include "net_trace.h"

#define PVNET_TX_TIMEOUT	(5 * HZ)
/* For all queues together to be opened: nobody else in this kernel can change
 * anything about networks meanwhile.
 */
#define PVNET_OPEN_TIMEOUT	(10 * HZ)
/* Resets are this far apart, and at most so many without a quiet time. */
#define PVNET_RESET_PAUSE	HZ
#define PVNET_RESET_MAX		5
#define PVNET_RESET_QUIET	(60 * HZ)

/* -- a queue ----------------------------------------------------------------------- */

/* Hard interrupt, or interrupts off. A NAPI that is not enabled stays so. */
static void pvnet_interrupt(struct pvbus_channel *ch)
{
	struct pvnet_queue *q = ch->priv;

	napi_schedule_irqoff(&q->napi);
}

/* Bottom halves are off. */
static void pvnet_look(struct pvbus_channel *ch)
{
	struct pvnet_queue *q = ch->priv;

	napi_schedule(&q->napi);
}

static void pvnet_queue_free(struct pvnet_queue *q, bool leak)
{
	pvnet_rx_free(q, leak);
	pvnet_tx_free(q, leak);
}

/* @timeout: for the host to answer, in jiffies */
static int pvnet_queue_open(struct pvnet_queue *q, unsigned long timeout)
{
	const struct pvbus_channel_config cfg = {
		.queue = q->index,
		.g2h_slots = PVNET_RING_SLOTS,
		.h2g_slots = PVNET_RING_SLOTS,
		.features = q->pn->features,
		.handler = pvnet_interrupt,
		.look = pvnet_look,
		.priv = q,
		.timeout = timeout,
	};
	struct pvbus_channel *ch;
	int err;

	err = pvnet_tx_alloc(q);
	if (!err)
		err = pvnet_rx_alloc(q);
	if (err)
		goto free;
	ch = pvbus_channel_open(q->pn->pdev, &cfg);
	if (IS_ERR(ch)) {
		err = PTR_ERR(ch);
		goto free;
	}
	q->ch = ch;
	return 0;

free:
	/* the host was told of nothing yet */
	pvnet_queue_free(q, false);
	return err;
}

/* Let packets flow. */
static void pvnet_queue_start(struct pvnet_queue *q)
{
	local_bh_disable();
	pvnet_rx_refill(q);
	pvnet_coalesce_open(q);
	napi_enable(&q->napi);
	/* look at what has come, and ask to be told of more */
	napi_schedule(&q->napi);
	local_bh_enable();
}

/* Neither context runs any more, and the host was asked to close the channel. */
static void pvnet_queue_close(struct pvnet_queue *q)
{
	struct pvnet *pn = q->pn;
	bool leak;

	q->doorbells += q->ch->doorbells;
	q->interrupts += q->ch->interrupts;
	q->breaks += READ_ONCE(q->ch->broken);
	leak = !pvbus_channel_close_end(q->ch);
	q->ch = NULL;
	pvnet_queue_free(q, leak);
	if (leak && !pn->leaked) {
		pn->leaked = true;
		netdev_err(pn->dev, "the host did not let go of a channel: its buffers are lost until this system restarts\n");
	}
}

/* -- the card. rtnl held ------------------------------------------------------------- */

static void pvnet_update_carrier(struct pvnet *pn)
{
	if (pn->link && pn->nr_open)
		netif_carrier_on(pn->dev);
	else
		netif_carrier_off(pn->dev);
}

/* All of them together: a host that does not answer is waited for once. */
static void pvnet_close_queues(struct pvnet *pn)
{
	unsigned int i;

	for (i = 0; i < pn->nr_open; i++)
		pvbus_channel_close_begin(pn->queue[i].ch);
	while (pn->nr_open)
		pvnet_queue_close(&pn->queue[--pn->nr_open]);
}

/* Open as many queues as the host lets us have in time, at least one. */
static int pvnet_open_queues(struct pvnet *pn)
{
	unsigned long until = jiffies + PVNET_OPEN_TIMEOUT;
	int err = 0;
	long left;

	while (pn->nr_open < pn->nr_queues) {
		left = until - jiffies;
		err = left > 0 ?
		      pvnet_queue_open(&pn->queue[pn->nr_open], left) :
		      -ETIMEDOUT;
		if (err)
			break;
		pn->nr_open++;
	}
	if (!pn->nr_open) {
		if (net_ratelimit())
			netdev_err(pn->dev, "the host opens no channel (error %d): see the line of the bus above, and the host's log\n",
				   err);
		return err;
	}
	if (err && net_ratelimit())
		netdev_warn(pn->dev, "%u of %u queues are in use: the next could not be opened (error %d)\n",
			    pn->nr_open, pn->nr_queues, err);
	return 0;
}

static int pvnet_up(struct pvnet *pn)
{
	struct net_device *dev = pn->dev;
	unsigned int i;
	int err;

	/* whatever was wrong was so with channels that are closed */
	WRITE_ONCE(pn->reset_wanted, false);
	err = pvnet_open_queues(pn);
	if (err)
		return err;
	err = netif_set_real_num_queues(dev, pn->nr_open, pn->nr_open);
	if (err) {
		pvnet_close_queues(pn);
		return err;
	}
	for (i = 0; i < pn->nr_open; i++)
		pvnet_queue_start(&pn->queue[i]);
	netif_tx_start_all_queues(dev);
	pvnet_update_carrier(pn);
	return 0;
}

/*
 * First NAPI ends, which could start tx queues again; then the tx queues are
 * stopped, and ndo_start_xmit() is not called any more; then channels close.
 */
static void pvnet_down(struct pvnet *pn)
{
	unsigned int i;

	netif_carrier_off(pn->dev);
	for (i = 0; i < pn->nr_open; i++) {
		napi_disable(&pn->queue[i].napi);
		timer_delete_sync(&pn->queue[i].refill);
	}
	netif_tx_disable(pn->dev);
	pvnet_close_queues(pn);
}

/* -- reset ------------------------------------------------------------------------- */

void pvnet_schedule_reset(struct pvnet *pn)
{
	unsigned long after = READ_ONCE(pn->reset_after);
	unsigned long now = jiffies;

	WRITE_ONCE(pn->reset_wanted, true);
	/* it waits for the host */
	queue_delayed_work(system_long_wq, &pn->reset,
			   time_after(after, now) ? after - now : 0);
}

void pvnet_break(struct pvnet_queue *q, const char *what, u64 value)
{
	pvbus_channel_break(q->ch, what, value);
	pvnet_schedule_reset(q->pn);
}

/* May there be one more? */
static bool pvnet_reset_allowed(struct pvnet *pn)
{
	if (time_after(jiffies, pn->last_reset + PVNET_RESET_QUIET))
		pn->resets = 0;
	pn->last_reset = jiffies;
	WRITE_ONCE(pn->reset_after, jiffies + PVNET_RESET_PAUSE);
	return ++pn->resets <= PVNET_RESET_MAX;
}

static void pvnet_reset_card(struct pvnet *pn)
{
	int err;

	pvnet_down(pn);
	if (!pvnet_reset_allowed(pn)) {
		netdev_err(pn->dev, "out of service: %u resets did not help. Set it down and up to try again\n",
			   PVNET_RESET_MAX);
		return;
	}
	err = pvnet_up(pn);
	if (!err)
		netdev_warn(pn->dev, "was reset\n");
	else if (!READ_ONCE(pn->pdev->gone))
		pvnet_schedule_reset(pn);
}

static void pvnet_reset_work(struct work_struct *work)
{
	struct pvnet *pn = container_of(to_delayed_work(work), struct pvnet,
					reset);

	rtnl_lock();
	if (READ_ONCE(pn->reset_wanted) && netif_running(pn->dev) &&
	    !READ_ONCE(pn->pdev->gone))
		pvnet_reset_card(pn);
	rtnl_unlock();
}

/* -- net_device --------------------------------------------------------------------- */

static int pvnet_open(struct net_device *dev)
{
	struct pvnet *pn = netdev_priv(dev);

	pn->resets = 0;
	return pvnet_up(pn);
}

static int pvnet_stop(struct net_device *dev)
{
	pvnet_down(netdev_priv(dev));
	return 0;
}

static void pvnet_tx_timeout(struct net_device *dev, unsigned int txqueue)
{
	netdev_err(dev, "queue %u: the host takes no packets: resetting\n",
		   txqueue);
	pvnet_schedule_reset(netdev_priv(dev));
}

/* What only software can do: a checksum that is not ours, or too long. */
static netdev_features_t pvnet_features_check(struct sk_buff *skb,
					      struct net_device *dev,
					      netdev_features_t features)
{
	if (skb_is_gso(skb) && (skb->ip_summed != CHECKSUM_PARTIAL ||
				skb->len > PVBUS_NET_MAX_LEN))
		features &= ~NETIF_F_GSO_MASK;
	return vlan_features_check(skb, features);
}

static void pvnet_add_tx_stats(const struct pvnet_queue *q,
			       struct rtnl_link_stats64 *stats)
{
	const struct pvnet_tx_stats *s = &q->tx_stats;
	u64 packets, bytes, drops;
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&s->sync);
		packets = u64_stats_read(&s->packets);
		bytes = u64_stats_read(&s->bytes);
		drops = u64_stats_read(&s->drops);
	} while (u64_stats_fetch_retry(&s->sync, start));
	stats->tx_packets += packets;
	stats->tx_bytes += bytes;
	stats->tx_dropped += drops;
}

static void pvnet_add_rx_stats(const struct pvnet_queue *q,
			       struct rtnl_link_stats64 *stats)
{
	const struct pvnet_rx_stats *s = &q->rx_stats;
	u64 packets, bytes, drops, errors;
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&s->sync);
		packets = u64_stats_read(&s->packets);
		bytes = u64_stats_read(&s->bytes);
		drops = u64_stats_read(&s->drops);
		errors = u64_stats_read(&s->errors);
	} while (u64_stats_fetch_retry(&s->sync, start));
	stats->rx_packets += packets;
	stats->rx_bytes += bytes;
	stats->rx_dropped += drops;
	stats->rx_errors += errors;
	stats->rx_frame_errors += errors;
}

static void pvnet_get_stats64(struct net_device *dev,
			      struct rtnl_link_stats64 *stats)
{
	const struct pvnet *pn = netdev_priv(dev);
	unsigned int i;

	for (i = 0; i < pn->nr_queues; i++) {
		pvnet_add_tx_stats(&pn->queue[i], stats);
		pvnet_add_rx_stats(&pn->queue[i], stats);
	}
}

static const struct net_device_ops pvnet_netdev_ops = {
	.ndo_open		= pvnet_open,
	.ndo_stop		= pvnet_stop,
	.ndo_start_xmit		= pvnet_start_xmit,
	.ndo_tx_timeout		= pvnet_tx_timeout,
	.ndo_features_check	= pvnet_features_check,
	.ndo_get_stats64	= pvnet_get_stats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

/* -- what the host offers -------------------------------------------------------------- */

/* What is wrong, the host may say as often as it likes: few lines of that. */
static int pvnet_read_config(struct pvbus_device *pdev,
			     struct pvbus_net_config *config)
{
	u32 mtu;
	int err;

	err = pvbus_read_blob(pdev, config, sizeof(*config));
	if (err) {
		dev_err_ratelimited(&pdev->dev,
				    "the host's configuration is too short\n");
		return err;
	}
	mtu = le32_to_cpu(config->mtu);
	if (!is_valid_ether_addr(config->mac))
		dev_err_ratelimited(&pdev->dev,
				    "the host gives MAC address %pM, which is not that of a station: configure another one there\n",
				    config->mac);
	else if (mtu < PVBUS_NET_MIN_MTU || mtu > PVBUS_NET_MAX_MTU)
		dev_err_ratelimited(&pdev->dev,
				    "the host gives MTU %u: configure %u to %u there\n",
				    mtu, PVBUS_NET_MIN_MTU, PVBUS_NET_MAX_MTU);
	else if (config->reserved ||
		 le32_to_cpu(config->flags) & ~PVBUS_NET_LINK_UP)
		dev_err_ratelimited(&pdev->dev,
				    "the host's configuration has flags %#x, of which this driver does not know all: use a newer one\n",
				    le32_to_cpu(config->flags));
	else
		return 0;
	return -EPROTO;
}

/* Of what the host offers, what makes sense together. */
static u64 pvnet_accept(u64 features)
{
	features &= PVBUS_NET_F_ALL;
	if (!(features & PVBUS_NET_F_HOST_CSUM))
		features &= ~(PVBUS_NET_F_HOST_TSO4 | PVBUS_NET_F_HOST_TSO6);
	if (!(features & PVBUS_NET_F_GUEST_CSUM))
		features &= ~(PVBUS_NET_F_GUEST_TSO4 | PVBUS_NET_F_GUEST_TSO6);
	return features;
}

static void pvnet_set_features(struct pvnet *pn)
{
	struct net_device *dev = pn->dev;

	dev->hw_features = NETIF_F_SG;
	if (pn->features & PVBUS_NET_F_HOST_CSUM)
		dev->hw_features |= NETIF_F_HW_CSUM;
	if (pn->features & PVBUS_NET_F_HOST_TSO4)
		dev->hw_features |= NETIF_F_TSO;
	if (pn->features & PVBUS_NET_F_HOST_TSO6)
		dev->hw_features |= NETIF_F_TSO6;
	/* the host looks at what is to be segmented for itself */
	dev->vlan_features = dev->hw_features | NETIF_F_HIGHDMA |
			     NETIF_F_GSO_ROBUST;
	if (pn->features & PVBUS_NET_F_GUEST_CSUM)
		dev->hw_features |= NETIF_F_RXCSUM;
	dev->features = dev->hw_features | NETIF_F_HIGHDMA | NETIF_F_GSO_ROBUST;
}

static void pvnet_init_queue(struct pvnet *pn, unsigned int index)
{
	struct pvnet_queue *q = &pn->queue[index];

	q->pn = pn;
	q->index = index;
	q->txq = netdev_get_tx_queue(pn->dev, index);
	u64_stats_init(&q->tx_stats.sync);
	u64_stats_init(&q->rx_stats.sync);
	pvnet_coalesce_init(q);
	netif_napi_add(pn->dev, &q->napi, pvnet_poll);
}

static void pvnet_init_dev(struct pvnet *pn,
			   const struct pvbus_net_config *config)
{
	struct net_device *dev = pn->dev;
	unsigned int i;

	SET_NETDEV_DEV(dev, &pn->pdev->dev);
	dev->netdev_ops = &pvnet_netdev_ops;
	dev->ethtool_ops = &pvnet_ethtool_ops;
	dev->watchdog_timeo = PVNET_TX_TIMEOUT;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	/* a packet may have to be linearized */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->min_mtu = PVBUS_NET_MIN_MTU;
	dev->max_mtu = PVBUS_NET_MAX_MTU;
	dev->mtu = pn->host_mtu;
	eth_hw_addr_set(dev, config->mac);
	pvnet_set_features(pn);
	for (i = 0; i < pn->nr_queues; i++)
		pvnet_init_queue(pn, i);
	netif_carrier_off(dev);
}

/* -- driver ----------------------------------------------------------------------------- */

static int pvnet_probe(struct pvbus_device *pdev)
{
	unsigned int nr = pvbus_nr_queues(pdev);
	struct pvbus_net_config config;
	struct net_device *dev;
	struct pvnet *pn;
	int err;

	err = pvnet_read_config(pdev, &config);
	if (err)
		return err;
	dev = alloc_etherdev_mq(struct_size(pn, queue, nr), nr);
	if (!dev)
		return -ENOMEM;
	pn = netdev_priv(dev);
	pn->dev = dev;
	pn->pdev = pdev;
	pn->dma = pvbus_dma_dev(pdev);
	pn->features = pvnet_accept(pdev->features);
	pn->link = le32_to_cpu(config.flags) & PVBUS_NET_LINK_UP;
	pn->host_mtu = le32_to_cpu(config.mtu);
	pn->reset_after = jiffies;
	pn->last_reset = jiffies;
	pn->nr_queues = nr;
	INIT_DELAYED_WORK(&pn->reset, pvnet_reset_work);
	pvnet_init_dev(pn, &config);
	dev_set_drvdata(&pdev->dev, pn);

	err = register_netdev(dev);
	if (err)
		free_netdev(dev);
	return err;
}

static void pvnet_remove(struct pvbus_device *pdev)
{
	struct pvnet *pn = dev_get_drvdata(&pdev->dev);

	unregister_netdev(pn->dev);
	/* it finds nothing to do any more */
	cancel_delayed_work_sync(&pn->reset);
	free_netdev(pn->dev);
}

static void pvnet_update(struct pvbus_device *pdev)
{
	struct pvnet *pn = dev_get_drvdata(&pdev->dev);
	struct pvbus_net_config config;
	u32 mtu;

	if (pvnet_read_config(pdev, &config))
		return;
	mtu = le32_to_cpu(config.mtu);
	rtnl_lock();
	pn->link = le32_to_cpu(config.flags) & PVBUS_NET_LINK_UP;
	pvnet_update_carrier(pn);
	/* an MTU that was set here stays until the host has a new one */
	if (mtu != pn->host_mtu)
		dev_set_mtu(pn->dev, mtu);
	pn->host_mtu = mtu;
	rtnl_unlock();
}

static void pvnet_broken(struct pvbus_device *pdev, unsigned int queue)
{
	pvnet_schedule_reset(dev_get_drvdata(&pdev->dev));
}

static struct pvbus_driver pvnet_driver = {
	.type	= PVBUS_TYPE_NET,
	.probe	= pvnet_probe,
	.remove	= pvnet_remove,
	.update	= pvnet_update,
	.broken	= pvnet_broken,
};

static int __init pvnet_init(void)
{
	return pvbus_register_driver(&pvnet_driver);
}
module_init(pvnet_init);

static void __exit pvnet_exit(void)
{
	pvbus_unregister_driver(&pvnet_driver);
}
module_exit(pvnet_exit);

MODULE_DESCRIPTION("pvbus guest: network cards");
MODULE_LICENSE("GPL");
MODULE_ALIAS_PVBUS("0002");
