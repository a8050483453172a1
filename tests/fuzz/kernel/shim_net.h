/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the network stack as the guest's cards use: socket buffers that
 * know how long they are, a queue that knows what is under way in it, pages of a
 * pool that come back.
 */
#ifndef FUZZ_SHIM_NET_H
#define FUZZ_SHIM_NET_H

#define ETH_HLEN		14
#define MAX_SKB_FRAGS		17
#define NETIF_F_RXCSUM		1
#define CHECKSUM_NONE		0
#define CHECKSUM_UNNECESSARY	1
#define CHECKSUM_PARTIAL	3
#define smp_processor_id()	0

struct ethtool_coalesce;
struct ethtool_ops;
struct kernel_ethtool_coalesce;
struct netlink_ext_ack;

struct net_device {
	u64	features;
	void	*priv;
};

#define netdev_priv(d)		((d)->priv)

/* -- socket buffers ------------------------------------------------------------------ */

typedef struct {
	struct page	*page;
	u32		off;
	u32		len;
} skb_frag_t;

struct skb_shared_info {
	unsigned int	nr_frags;
	skb_frag_t	frags[MAX_SKB_FRAGS];
};

/*
 * A packet; @data: the linear part, which has just @room bytes; @held: of what
 * others count, it holds something.
 */
struct sk_buff {
	u8			*data;
	u32			room;
	u32			len;
	u32			data_len;
	u16			queue;
	u8			ip_summed;
	u16			protocol;
	u8			held;
	struct skb_shared_info	shinfo;
};

/* bits of @held */
#define SKB_SOCKET			1
#define SKB_CONNECTION			2
#define SKB_EXTENSION			4
#define SKB_ROUTE			8
#define SKB_HELD_ALL			15

/* by the fuzzer of cards */
struct sk_buff *kernel_alloc_skb(u32 room);
void kernel_free_skb(struct sk_buff *skb);

#define skb_shinfo(skb)			(&(skb)->shinfo)
#define skb_headlen(skb)		((skb)->len - (skb)->data_len)
#define skb_get_queue_mapping(skb)	((skb)->queue)
#define skb_frag_size(frag)		((frag)->len)
#define skb_tx_timestamp(skb)		((void)(skb))
#define skb_record_rx_queue(skb, n)	((void)(n))
#define skb_orphan(skb)			((skb)->held &= ~SKB_SOCKET)
#define nf_reset_ct(skb)		((skb)->held &= ~SKB_CONNECTION)
#define skb_ext_reset(skb)		((skb)->held &= ~SKB_EXTENSION)
#define skb_dst_drop(skb)		((skb)->held &= ~SKB_ROUTE)
#define skb_mark_for_recycle(skb)	((void)(skb))
#define napi_alloc_skb(napi, n)		kernel_alloc_skb(n)
#define dev_kfree_skb_any(skb)		kernel_free_skb(skb)
#define napi_consume_skb(skb, budget)	kernel_free_skb(skb)

/* Not always is there memory for it; here, never. */
static inline int skb_linearize(struct sk_buff *skb)
{
	return -ENOMEM;
}

static inline void *__skb_put(struct sk_buff *skb, u32 len)
{
	u8 *end = skb->data + skb->len;

	must(!skb->data_len && len <= skb->room - skb->len);
	skb->len += len;
	return end;
}

static inline void skb_put_data(struct sk_buff *skb, const void *from, u32 len)
{
	memcpy(__skb_put(skb, len), from, len);
}

static inline void skb_add_rx_frag(struct sk_buff *skb, unsigned int i,
				   struct page *page, u32 off, u32 len,
				   u32 truesize)
{
	must(i == skb->shinfo.nr_frags && i < MAX_SKB_FRAGS);
	must(page->pins == 1 && off <= PAGE_SIZE && len <= PAGE_SIZE - off);
	skb->shinfo.frags[i].page = page;
	skb->shinfo.frags[i].off = off;
	skb->shinfo.frags[i].len = len;
	skb->shinfo.nr_frags++;
	skb->len += len;
	skb->data_len += len;
}

u32 eth_get_headlen(const struct net_device *dev, const void *data, u32 len);
u16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);
int virtio_net_hdr_to_skb(struct sk_buff *skb, const struct virtio_net_hdr *hdr,
			  bool little_endian);
int virtio_net_hdr_from_skb(const struct sk_buff *skb,
			    struct virtio_net_hdr *hdr, bool little_endian,
			    bool data_valid, int vlan_hlen);

#define skb_frag_dma_map(d, frag, off, n, dir)	((void)(d), kernel_dma_map(n))
#define dma_map_single(d, p, n, dir)		((void)(d), kernel_dma_map(n))
#define dma_unmap_single(d, dma, n, dir)	((void)(d), kernel_dma_unmap(dma, n))
#define dma_sync_single_for_device(d, dma, n, dir)	do { } while (0)
#define dma_sync_single_for_cpu(d, dma, n, dir)	must((n) <= PAGE_SIZE)

/* -- queues -------------------------------------------------------------------------- */

/**
 * struct netdev_queue - a tx queue
 * @held: its lock
 * @stopped: no packets come
 * @packets: under way, as the limits of byte queues count them
 * @bytes: likewise
 */
struct netdev_queue {
	bool	held;
	bool	stopped;
	u32	packets;
	u32	bytes;
};

#define __netif_tx_lock(q, cpu)		kernel_lock(q)
#define __netif_tx_unlock(q)		kernel_unlock(q)
#define netif_tx_stop_queue(q)		((q)->stopped = true)
#define netif_tx_start_queue(q)		((q)->stopped = false)
#define netif_tx_wake_queue(q)		((q)->stopped = false)
#define netif_tx_queue_stopped(q)	((q)->stopped)
#define netif_xmit_stopped(q)		((q)->stopped)
#define netdev_tx_reset_queue(q)	((q)->packets = (q)->bytes = 0)
bool netdev_xmit_more(void);

typedef int netdev_tx_t;
#define NETDEV_TX_OK			0

static inline bool __netdev_tx_sent_queue(struct netdev_queue *q, u32 bytes,
					  bool more)
{
	q->packets++;
	q->bytes += bytes;
	return !more;
}

/* The kernel ends when more is completed than was sent. */
static inline void netdev_tx_completed_queue(struct netdev_queue *q,
					     u32 packets, u32 bytes)
{
	must(packets <= q->packets && bytes <= q->bytes);
	q->packets -= packets;
	q->bytes -= bytes;
}

struct napi_struct {
	bool	scheduled;
};

#define napi_schedule(n)		((n)->scheduled = true)
#define napi_complete(n)		((n)->scheduled = false)
#define napi_complete_done(n, work)	((void)(work), napi_complete(n))
void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb);

struct timer_list {
	void	(*func)(struct timer_list *t);
	bool	pending;
};

#define timer_setup(t, f, flags)	((t)->func = (f), (t)->pending = false)
#define mod_timer(t, when)		((void)(when), (t)->pending = true)

struct u64_stats_sync { int unused; };
typedef struct { u64 v; } u64_stats_t;
#define u64_stats_update_begin(s)	((void)(s))
#define u64_stats_update_end(s)		((void)(s))
#define u64_stats_inc(c)		((c)->v++)
#define u64_stats_add(c, n)		((c)->v += (n))

/* -- pages --------------------------------------------------------------------------- */

#define PP_FLAG_DMA_MAP			0
#define PP_FLAG_DMA_SYNC_DEV		0

struct page_pool_params {
	unsigned int		flags;
	unsigned int		pool_size;
	int			nid;
	struct device		*dev;
	enum dma_data_direction	dma_dir;
	unsigned int		max_len;
};

struct page_pool *page_pool_create(const struct page_pool_params *params);
struct page *page_pool_dev_alloc_pages(struct page_pool *pool);
void page_pool_put_full_page(struct page_pool *pool, struct page *page,
			     bool direct);
void page_pool_destroy(struct page_pool *pool);

#define page_pool_get_dma_addr(p)	((dma_addr_t)(uintptr_t)(p))
#define page_address(p)			((void *)(p)->data)

#endif /* FUZZ_SHIM_NET_H */
