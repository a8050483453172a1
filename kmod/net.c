// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: network cards, the net_device and the channels' life. Packets
 * are in net_tx.c and net_rx.c.
 *
 * Locks: rtnl and vm->lock are never held together here. What the stack calls
 * takes no vm->lock; open and close take no rtnl; create and destroy, which
 * need rtnl, are called without vm->lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/kernel.h>
#include <linux/rtnetlink.h>

#include "net.h"

#define PVH_NET_FEATURES	(NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO | \
				 NETIF_F_TSO6)

/* -- counters ----------------------------------------------------------------- */

static void pvh_net_read_stats(const struct pvh_net_queue *q,
			       u64 count[PVH_NET_COUNTERS])
{
	unsigned int start;
	int i;

	do {
		start = u64_stats_fetch_begin(&q->stats.sync);
		for (i = 0; i < PVH_NET_COUNTERS; i++)
			count[i] = u64_stats_read(&q->stats.count[i]);
	} while (u64_stats_fetch_retry(&q->stats.sync, start));
}

static u64 pvh_net_read_drops(const struct pvh_net_queue *q)
{
	unsigned int start;
	u64 dropped;

	do {
		start = u64_stats_fetch_begin(&q->drops.sync);
		dropped = u64_stats_read(&q->drops.dropped);
	} while (u64_stats_fetch_retry(&q->drops.sync, start));
	return dropped;
}

/* The net_device sends what the guest receives. */
static void pvh_net_get_stats64(struct net_device *dev,
				struct rtnl_link_stats64 *stats)
{
	const struct pvh_net *net = netdev_priv(dev);
	u64 count[PVH_NET_COUNTERS];
	unsigned int i;

	for (i = 0; i < net->nr_queues; i++) {
		pvh_net_read_stats(&net->queue[i], count);
		stats->rx_packets += count[PVH_NET_TX_PACKETS];
		stats->rx_bytes += count[PVH_NET_TX_BYTES];
		stats->rx_errors += count[PVH_NET_TX_ERRORS];
		stats->rx_dropped += count[PVH_NET_TX_DROPPED];
		stats->tx_packets += count[PVH_NET_RX_PACKETS];
		stats->tx_bytes += count[PVH_NET_RX_BYTES];
		stats->tx_dropped += count[PVH_NET_RX_DROPPED] +
				     pvh_net_read_drops(&net->queue[i]);
	}
}

/* -- ethtool ------------------------------------------------------------------- */

static const char *const pvh_net_counter_names[PVH_NET_COUNTERS] = {
	[PVH_NET_TX_PACKETS] = "from_guest_packets",
	[PVH_NET_TX_BYTES] = "from_guest_bytes",
	[PVH_NET_TX_ERRORS] = "from_guest_errors",
	[PVH_NET_TX_DROPPED] = "from_guest_dropped",
	[PVH_NET_RX_PACKETS] = "to_guest_packets",
	[PVH_NET_RX_BYTES] = "to_guest_bytes",
	[PVH_NET_RX_DROPPED] = "to_guest_dropped",
};

static void pvh_net_get_drvinfo(struct net_device *dev,
				struct ethtool_drvinfo *info)
{
	const struct pvh_net *net = netdev_priv(dev);

	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->bus_info, net->pdev->vm->name, sizeof(info->bus_info));
}

static void pvh_net_get_channels(struct net_device *dev,
				 struct ethtool_channels *channels)
{
	struct pvh_net *net = netdev_priv(dev);

	channels->max_combined = net->nr_queues;
	channels->combined_count = hweight_long(READ_ONCE(net->open));
}

static int pvh_net_get_sset_count(struct net_device *dev, int sset)
{
	struct pvh_net *net = netdev_priv(dev);

	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return net->nr_queues * PVH_NET_COUNTERS;
}

static void pvh_net_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	struct pvh_net *net = netdev_priv(dev);
	unsigned int i, j;

	if (sset != ETH_SS_STATS)
		return;
	for (i = 0; i < net->nr_queues; i++)
		for (j = 0; j < PVH_NET_COUNTERS; j++)
			ethtool_sprintf(&data, "queue%u_%s", i,
					pvh_net_counter_names[j]);
}

static void pvh_net_get_ethtool_stats(struct net_device *dev,
				      struct ethtool_stats *stats, u64 *data)
{
	struct pvh_net *net = netdev_priv(dev);
	unsigned int i;

	for (i = 0; i < net->nr_queues; i++)
		pvh_net_read_stats(&net->queue[i], data + i * PVH_NET_COUNTERS);
}

static const struct ethtool_ops pvh_net_ethtool_ops = {
	.get_drvinfo		= pvh_net_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_channels		= pvh_net_get_channels,
	.get_sset_count		= pvh_net_get_sset_count,
	.get_strings		= pvh_net_get_strings,
	.get_ethtool_stats	= pvh_net_get_ethtool_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
};

/* -- net_device ------------------------------------------------------------------ */

/* The guest's cable is plugged in while the host's interface is up. rtnl. */
static void pvh_net_set_link(struct pvh_net *net, bool up)
{
	net->config.flags = cpu_to_le32(up ? PVBUS_NET_LINK_UP : 0);
	pvh_dev_update(net->pdev, &net->config, sizeof(net->config));
}

static int pvh_net_ndo_open(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	pvh_net_set_link(netdev_priv(dev), true);
	return 0;
}

static int pvh_net_ndo_stop(struct net_device *dev)
{
	netif_tx_stop_all_queues(dev);
	pvh_net_set_link(netdev_priv(dev), false);
	return 0;
}

/* See net_flow.h. */
static u16 pvh_net_select_queue(struct net_device *dev, struct sk_buff *skb,
				struct net_device *sb_dev)
{
	const struct pvh_net *net = netdev_priv(dev);
	int queue = 0;
	u32 hash;

	if (READ_ONCE(net->nr_open) > 1) {
		hash = __skb_get_hash_symmetric(skb);
		queue = pvh_net_flow_get(&net->flows, hash);
		if (queue < 0)
			queue = reciprocal_scale(hash, net->nr_queues);
	}
	return READ_ONCE(net->map[queue]);
}

/*
 * What the guest does not take unfinished, the stack finishes. This follows
 * the guest's open and close without the rtnl that changing dev->features
 * would need.
 */
static netdev_features_t pvh_net_features_check(struct sk_buff *skb,
						struct net_device *dev,
						netdev_features_t features)
{
	const struct pvh_net *net = netdev_priv(dev);
	u64 accepted = READ_ONCE(net->features);

	if (!(accepted & PVBUS_NET_F_GUEST_CSUM))
		features &= ~NETIF_F_CSUM_MASK;
	if (!(accepted & PVBUS_NET_F_GUEST_TSO4))
		features &= ~NETIF_F_TSO;
	if (!(accepted & PVBUS_NET_F_GUEST_TSO6))
		features &= ~NETIF_F_TSO6;
	if (skb_is_gso(skb) && skb->ip_summed != CHECKSUM_PARTIAL)
		features &= ~NETIF_F_GSO_MASK;
	return vlan_features_check(skb, features);
}

static const struct net_device_ops pvh_net_netdev_ops = {
	.ndo_open		= pvh_net_ndo_open,
	.ndo_stop		= pvh_net_ndo_stop,
	.ndo_start_xmit		= pvh_net_start_xmit,
	.ndo_select_queue	= pvh_net_select_queue,
	.ndo_features_check	= pvh_net_features_check,
	.ndo_get_stats64	= pvh_net_get_stats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

static void pvh_net_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &pvh_net_netdev_ops;
	dev->ethtool_ops = &pvh_net_ethtool_ops;
	dev->hw_features = PVH_NET_FEATURES;
	dev->features = PVH_NET_FEATURES | NETIF_F_HIGHDMA;
	dev->vlan_features = dev->features;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	/* packets wait in a backlog of ours */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->min_mtu = PVBUS_NET_MIN_MTU;
	dev->max_mtu = PVBUS_NET_MAX_MTU;
	eth_hw_addr_random(dev);
	netif_carrier_off(dev);
}

/* -- create and destroy ------------------------------------------------------------ */

static bool pvh_net_name_ok(const u8 *name)
{
	/* the kernel would take a % for a number to fill in */
	return !name[0] ||
	       (memchr(name, '\0', PVBUS_IFNAME_SIZE) && !strchr(name, '%') &&
		dev_valid_name(name));
}

static int pvh_net_check_args(const struct pvh_dev *pdev,
			      const struct pvbus_ioc_dev *args)
{
	const char *what;

	if (args->flags & PVBUS_DEV_READONLY)
		what = "flags: a network card cannot be read-only";
	else if (args->max_queues > PVH_MAX_QUEUES)
		what = "number of queues: give 1 to 16, or 0 for one per CPU";
	else if (args->mtu && (args->mtu < PVBUS_NET_MIN_MTU ||
			       args->mtu > PVBUS_NET_MAX_MTU))
		what = "MTU: give 68 to 65521, or 0 for 1500";
	else if (!is_zero_ether_addr(args->mac) &&
		 !is_valid_ether_addr(args->mac))
		what = "MAC address: give that of one station";
	else if (!pvh_net_name_ok(args->ifname))
		what = "interface name: see ip-link(8)";
	else
		return 0;
	pr_err_ratelimited("%s/%s: bad %s\n", pdev->vm->name, pdev->id, what);
	return -EINVAL;
}

static void pvh_net_init_queue(struct pvh_net *net, unsigned int index)
{
	struct pvh_net_queue *q = &net->queue[index];

	q->net = net;
	q->txq = netdev_get_tx_queue(net->dev, index);
	q->index = index;
	u64_stats_init(&q->stats.sync);
	u64_stats_init(&q->drops.sync);
	net->map[index] = index;
}

static void pvh_net_init_config(struct pvh_net *net,
				const struct pvbus_ioc_dev *args)
{
	if (is_zero_ether_addr(args->mac))
		eth_random_addr(net->config.mac);
	else
		ether_addr_copy(net->config.mac, args->mac);
	net->config.mtu = cpu_to_le32(args->mtu ? args->mtu : ETH_DATA_LEN);
}

/* Let who lists interfaces see whose it is. */
static void pvh_net_set_alias(struct pvh_net *net)
{
	char alias[2 * PVBUS_ID_SIZE];
	int len;

	len = scnprintf(alias, sizeof(alias), "%s/%s", net->pdev->vm->name,
			net->pdev->id);
	/* without memory for it there is none */
	dev_set_alias(net->dev, alias, len);
}

static struct pvh_net *pvh_net_alloc_dev(struct pvh_dev *pdev,
					 const struct pvbus_ioc_dev *args)
{
	const char *name = args->ifname[0] ? (char *)args->ifname : "pvbus%d";
	unsigned int i, nr = args->max_queues;
	struct net_device *dev;
	struct pvh_net *net;

	if (!nr)
		nr = min_t(unsigned int, num_online_cpus(), PVH_MAX_QUEUES);
	dev = alloc_netdev_mqs(struct_size(net, queue, nr), name,
			       args->ifname[0] ? NET_NAME_USER : NET_NAME_ENUM,
			       pvh_net_setup, nr, nr);
	if (!dev)
		return NULL;
	net = netdev_priv(dev);
	net->dev = dev;
	net->pdev = pdev;
	net->nr_queues = nr;
	for (i = 0; i < nr; i++)
		pvh_net_init_queue(net, i);
	pvh_net_init_config(net, args);
	pvh_net_set_alias(net);
	dev->mtu = le32_to_cpu(net->config.mtu);
	return net;
}

static void pvh_net_info(struct pvh_dev *pdev, struct pvbus_ioc_dev *args)
{
	const struct pvh_net *net = pdev->priv;

	/* who renames it meanwhile gets either name, or a mixture of both */
	memset(args->ifname, 0, sizeof(args->ifname));
	strscpy(args->ifname, net->dev->name, sizeof(args->ifname));
	ether_addr_copy(args->mac, net->config.mac);
	args->mtu = le32_to_cpu(net->config.mtu);
}

static int pvh_net_create(struct pvh_dev *pdev, struct pvbus_ioc_dev *args)
{
	struct pvh_net *net;
	int err;

	err = pvh_net_check_args(pdev, args);
	if (err)
		return err;
	net = pvh_net_alloc_dev(pdev, args);
	if (!net)
		return -ENOMEM;
	pdev->features = PVBUS_NET_F_ALL;
	pdev->max_queues = net->nr_queues;
	pdev->blob_len = sizeof(net->config);
	memcpy(pdev->blob, &net->config, sizeof(net->config));
	pdev->priv = net;

	/* from here on it may be brought up, and the blob may change */
	err = register_netdev(net->dev);
	if (err) {
		pdev->priv = NULL;
		free_netdev(net->dev);
		return err;
	}
	pvh_net_info(pdev, args);
	return 0;
}

static void pvh_net_destroy(struct pvh_dev *pdev)
{
	struct pvh_net *net = pdev->priv;

	unregister_netdev(net->dev);
	pdev->priv = NULL;
	free_netdev(net->dev);
}

/* -- channels ------------------------------------------------------------------------ */

/* Direct packets for queues that are not open to those that are. */
static void pvh_net_remap(struct pvh_net *net)
{
	unsigned int nr = net->nr_queues;
	unsigned int i, to = nr;

	WRITE_ONCE(net->nr_open, hweight_long(net->open));
	for (i = 0; i < nr; i++) {
		if (!net->open || test_bit(i, &net->open)) {
			WRITE_ONCE(net->map[i], i);
			continue;
		}
		to = find_next_bit(&net->open, nr, to + 1);
		if (to >= nr)
			to = find_first_bit(&net->open, nr);
		WRITE_ONCE(net->map[i], to);
	}
}

static bool pvh_net_accepted_ok(u64 features)
{
	if (features & (PVBUS_NET_F_HOST_TSO4 | PVBUS_NET_F_HOST_TSO6) &&
	    !(features & PVBUS_NET_F_HOST_CSUM))
		return false;
	return !(features & (PVBUS_NET_F_GUEST_TSO4 | PVBUS_NET_F_GUEST_TSO6)) ||
	       features & PVBUS_NET_F_GUEST_CSUM;
}

static int pvh_net_open(struct pvh_channel *ch)
{
	struct pvh_net *net = ch->dev->priv;
	struct pvh_net_queue *q = &net->queue[ch->queue];
	int err;

	/* no segmentation without checksums */
	if (!pvh_net_accepted_ok(ch->features))
		return -EINVAL;
	q->done.count = 0;
	ch->priv = q;
	err = pvh_net_rx_open(q, ch);
	if (err)
		return err;
	WRITE_ONCE(net->features, ch->features);
	__set_bit(ch->queue, &net->open);
	pvh_net_remap(net);
	if (ch->queue == 0)
		netif_carrier_on(net->dev);
	return 0;
}

static void pvh_net_close(struct pvh_channel *ch)
{
	struct pvh_net *net = ch->dev->priv;
	struct pvh_net_queue *q = ch->priv;

	if (ch->queue == 0)
		netif_carrier_off(net->dev);
	__clear_bit(ch->queue, &net->open);
	pvh_net_remap(net);
	pvh_net_rx_close(q);
	pvh_net_pages_free(&q->pages);
}

int pvh_net_room(struct pvh_channel *ch)
{
	int room = pvring_prod_room(&ch->tx, 1);

	if (!room)
		room = pvring_prod_wait_room(&ch->tx, 1);
	return room < 0 ? -PVBUS_ST_PROTO : room > 0;
}

/*
 * One turn: what the guest sent, then what it gets, so that the stack's answer
 * to a packet goes with the notice that it was taken, in one interrupt. Notices
 * that nothing goes with wait for more, until the guest sends no more; but those
 * of a bulk of data do not, see PVH_NET_TURN_BYTES.
 */
static int pvh_net_turn(struct pvh_net_queue *q)
{
	int taken, given, err = 0;

	taken = pvh_net_tx(q, PVH_BUDGET);
	if (taken < 0)
		return taken;
	given = pvh_net_rx(q, PVH_BUDGET);
	if (given < 0)
		return given;
	/* to a bulk of data come acknowledgements: there is more where that is from */
	if (given && q->ch->bulk)
		pvh_channel_lazy(q->ch);
	else if (given)
		q->hurry = true;
	if (given || !taken || q->ch->bulk)
		err = pvh_net_flush_done(q);
	return err ? err : taken + given;
}

static int pvh_net_work(struct pvh_channel *ch)
{
	struct pvh_net_queue *q = ch->priv;
	int did = pvh_net_turn(q);

	/* this was the last call: let the stack's packets not wait in vain */
	if (did < 0)
		pvh_net_rx_stop(q);
	else if (q->hurry)
		pvh_channel_interrupt(ch);
	if (did >= 0 && q->blocked)
		pvh_channel_stuck(ch);
	q->hurry = false;
	return did;
}

static bool pvh_net_pending(struct pvh_channel *ch)
{
	struct pvh_net_queue *q = ch->priv;

	return (q->done.count && pvh_net_room(ch)) || pvh_net_rx_pending(q);
}

const struct pvh_dev_ops pvh_net_ops = {
	.type		= PVBUS_TYPE_NET,
	.name		= "net",
	.create		= pvh_net_create,
	.destroy	= pvh_net_destroy,
	.info		= pvh_net_info,
	.open		= pvh_net_open,
	.close		= pvh_net_close,
	.work		= pvh_net_work,
	.pending	= pvh_net_pending,
};
