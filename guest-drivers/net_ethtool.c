// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: network card, ethtool. All is called with rtnl held, under which
 * channels come and go.
 */
#include "net.h"

enum pvnet_stat {
	PVNET_STAT_TX_PACKETS,
	PVNET_STAT_TX_BYTES,
	PVNET_STAT_TX_DROPS,
	PVNET_STAT_RX_PACKETS,
	PVNET_STAT_RX_BYTES,
	PVNET_STAT_RX_DROPS,
	PVNET_STAT_RX_ERRORS,
	PVNET_STAT_DOORBELLS,
	PVNET_STAT_INTERRUPTS,
	PVNET_STAT_BREAKS,
	PVNET_STATS
};

static const char *const pvnet_stat_names[PVNET_STATS] = {
	[PVNET_STAT_TX_PACKETS] = "tx_packets",
	[PVNET_STAT_TX_BYTES] = "tx_bytes",
	[PVNET_STAT_TX_DROPS] = "tx_drops",
	[PVNET_STAT_RX_PACKETS] = "rx_packets",
	[PVNET_STAT_RX_BYTES] = "rx_bytes",
	[PVNET_STAT_RX_DROPS] = "rx_drops",
	[PVNET_STAT_RX_ERRORS] = "rx_errors",
	[PVNET_STAT_DOORBELLS] = "doorbells",
	[PVNET_STAT_INTERRUPTS] = "interrupts",
	[PVNET_STAT_BREAKS] = "breaks",
};

static void pvnet_get_drvinfo(struct net_device *dev,
			      struct ethtool_drvinfo *info)
{
	const struct pvnet *pn = netdev_priv(dev);

	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->bus_info, dev_name(&pn->pdev->dev),
		sizeof(info->bus_info));
}

static void pvnet_get_channels(struct net_device *dev,
			       struct ethtool_channels *channels)
{
	const struct pvnet *pn = netdev_priv(dev);

	channels->max_combined = pn->nr_queues;
	channels->combined_count = pn->nr_open;
}

static void pvnet_get_ringparam(struct net_device *dev,
				struct ethtool_ringparam *ring,
				struct kernel_ethtool_ringparam *kernel_ring,
				struct netlink_ext_ack *extack)
{
	ring->tx_max_pending = PVNET_TX_TAGS;
	ring->tx_pending = PVNET_TX_TAGS;
	ring->rx_max_pending = PVNET_RX_BUFS;
	ring->rx_pending = PVNET_RX_BUFS;
}

static int pvnet_get_sset_count(struct net_device *dev, int sset)
{
	const struct pvnet *pn = netdev_priv(dev);

	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return pn->nr_queues * PVNET_STATS;
}

static void pvnet_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	const struct pvnet *pn = netdev_priv(dev);
	unsigned int i, j;

	if (sset != ETH_SS_STATS)
		return;
	for (i = 0; i < pn->nr_queues; i++)
		for (j = 0; j < PVNET_STATS; j++)
			ethtool_sprintf(&data, "queue%u_%s", i,
					pvnet_stat_names[j]);
}

static void pvnet_queue_stats(const struct pvnet_queue *q, u64 *data)
{
	const struct pvnet_tx_stats *tx = &q->tx_stats;
	const struct pvnet_rx_stats *rx = &q->rx_stats;
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&tx->sync);
		data[PVNET_STAT_TX_PACKETS] = u64_stats_read(&tx->packets);
		data[PVNET_STAT_TX_BYTES] = u64_stats_read(&tx->bytes);
		data[PVNET_STAT_TX_DROPS] = u64_stats_read(&tx->drops);
	} while (u64_stats_fetch_retry(&tx->sync, start));
	do {
		start = u64_stats_fetch_begin(&rx->sync);
		data[PVNET_STAT_RX_PACKETS] = u64_stats_read(&rx->packets);
		data[PVNET_STAT_RX_BYTES] = u64_stats_read(&rx->bytes);
		data[PVNET_STAT_RX_DROPS] = u64_stats_read(&rx->drops);
		data[PVNET_STAT_RX_ERRORS] = u64_stats_read(&rx->errors);
	} while (u64_stats_fetch_retry(&rx->sync, start));
	data[PVNET_STAT_DOORBELLS] = q->doorbells;
	data[PVNET_STAT_INTERRUPTS] = q->interrupts;
	data[PVNET_STAT_BREAKS] = q->breaks;
	if (q->ch) {
		data[PVNET_STAT_DOORBELLS] += READ_ONCE(q->ch->doorbells);
		data[PVNET_STAT_INTERRUPTS] += READ_ONCE(q->ch->interrupts);
	}
}

static void pvnet_get_ethtool_stats(struct net_device *dev,
				    struct ethtool_stats *stats, u64 *data)
{
	const struct pvnet *pn = netdev_priv(dev);
	unsigned int i;

	for (i = 0; i < pn->nr_queues; i++)
		pvnet_queue_stats(&pn->queue[i], data + i * PVNET_STATS);
}

const struct ethtool_ops pvnet_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_USECS |
				     ETHTOOL_COALESCE_RX_MAX_FRAMES |
				     ETHTOOL_COALESCE_USE_ADAPTIVE,
	.get_drvinfo		= pvnet_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_channels		= pvnet_get_channels,
	.get_ringparam		= pvnet_get_ringparam,
	.get_coalesce		= pvnet_get_coalesce,
	.set_coalesce		= pvnet_set_coalesce,
	.get_per_queue_coalesce	= pvnet_get_queue_coalesce,
	.set_per_queue_coalesce	= pvnet_set_queue_coalesce,
	.get_sset_count		= pvnet_get_sset_count,
	.get_strings		= pvnet_get_strings,
	.get_ethtool_stats	= pvnet_get_ethtool_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
};
