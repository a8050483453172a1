// SPDX-License-Identifier: GPL-2.0
/* KERNEL: yes */
/* SOURCES: tests/fuzz/kernel/bus.c guest-drivers/net_rx.c */
/* SOURCES: guest-drivers/net_tx.c */
/*
 * A card of the guest with a host that gives packets and notices as it likes:
 * each packet that was sent is freed once, each buffer is the host's or ours,
 * the stack gets packets that are as long as they say, and the host's nonsense
 * ends the channel.
 */
#include "kernel/bus.h"
#include "guest-drivers/net.h"

#define STEPS		64
#define SENT		32
/* all buffers, and packets that keep theirs */
#define PAGES		(2 * PVNET_RX_BUFS)

static struct pvbus_channel ch;
static struct device parent;
static struct net_device dev;
static struct netdev_queue txq;
static struct pvnet *pn;
static struct pvnet_queue *q;
static unsigned int live_skbs, live_pages;
static struct page pages[PAGES];
static struct page *free_pages[PAGES];

/* the host's ends, and what it was given */
static struct pvring_cons given;
static struct pvring_prod told;
static __le16 bufs[PVNET_RX_BUFS];
static unsigned int nr_bufs;
static struct pvbus_net_done sent[SENT];
static unsigned int nr_sent;

/* -- the stack ----------------------------------------------------------------------- */

struct sk_buff *kernel_alloc_skb(u32 room)
{
	struct sk_buff *skb;

	if (kernel_fail_at && !--kernel_fail_at)
		return NULL;
	skb = calloc(1, sizeof(*skb));
	skb->data = malloc(room);
	skb->room = room;
	live_skbs++;
	return skb;
}

static void free_page_of(struct page *page)
{
	must(page->pins == 1);
	page->pins = 0;
	free_pages[--live_pages] = page;
}

void kernel_free_skb(struct sk_buff *skb)
{
	unsigned int i;

	for (i = 0; i < skb->shinfo.nr_frags; i++)
		if (skb->shinfo.frags[i].page)
			free_page_of(skb->shinfo.frags[i].page);
	live_skbs--;
	free(skb->data);
	free(skb);
}

void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	u32 i, sum = 0;

	for (i = 0; i < skb->shinfo.nr_frags; i++)
		sum += skb->shinfo.frags[i].len;
	must(sum == skb->data_len && skb->len <= PVBUS_NET_MAX_LEN);
	must(skb_headlen(skb) >= ETH_HLEN);
	kernel_free_skb(skb);
}

u32 eth_get_headlen(const struct net_device *d, const void *data, u32 len)
{
	return ETH_HLEN + fuzz_u8() % (len - ETH_HLEN + 1);
}

u16 eth_type_trans(struct sk_buff *skb, struct net_device *d)
{
	must(skb_headlen(skb) >= ETH_HLEN);
	return 0;
}

/* As far as it matters here: the checksum lies in the packet. */
int virtio_net_hdr_to_skb(struct sk_buff *skb, const struct virtio_net_hdr *hdr,
			  bool little_endian)
{
	u32 end = (u32)hdr->csum_start + hdr->csum_offset + 2;

	must(hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE ||
	     hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;
	must(pn->features & PVBUS_NET_F_GUEST_CSUM);
	skb->ip_summed = CHECKSUM_PARTIAL;
	return end > skb->len ? -EINVAL : 0;
}

int virtio_net_hdr_from_skb(const struct sk_buff *skb,
			    struct virtio_net_hdr *hdr, bool little_endian,
			    bool data_valid, int vlan_hlen)
{
	memset(hdr, 0, sizeof(*hdr));
	return fuzz_u8() == 0xff ? -EINVAL : 0;
}

bool netdev_xmit_more(void)
{
	return fuzz_u8() & 1;
}

struct page_pool *page_pool_create(const struct page_pool_params *params)
{
	void *pool = kernel_alloc(1, 1);

	return pool ? pool : ERR_PTR(-ENOMEM);
}

struct page *page_pool_dev_alloc_pages(struct page_pool *pool)
{
	struct page *page;

	if (kernel_fail_at && !--kernel_fail_at)
		return NULL;
	must(live_pages < PAGES);
	page = free_pages[live_pages++];
	must(!page->pins);
	page->pins = 1;
	return page;
}

void page_pool_put_full_page(struct page_pool *pool, struct page *page,
			     bool direct)
{
	free_page_of(page);
}

void page_pool_destroy(struct page_pool *pool)
{
	free(pool);
}

/* -- the channel, the card ------------------------------------------------------------- */

void pvbus_channel_kick(struct pvbus_channel *c)
{
	must(txq.held);
	pvring_prod_kick(&c->tx);
}

void pvnet_break(struct pvnet_queue *queue, const char *what, u64 value)
{
	kernel_say("%s %llu", what, value);
	queue->ch->broken = true;
}

/* -- the host -------------------------------------------------------------------------- */

static void read_ring(void)
{
	union {
		struct pvbus_net_tx	tx;
		struct pvbus_net_bufs	bufs;
	} e;
	unsigned int i;

	while (pvring_get(&given, &e, sizeof(e))) {
		if (e.tx.type == PVBUS_NET_TX) {
			sent[nr_sent % SENT].tag = e.tx.tag;
			sent[nr_sent++ % SENT].cookie = e.tx.cookie;
			continue;
		}
		for (i = 0; i < PVBUS_NET_BUFS_MAX; i++)
			bufs[nr_bufs++ % PVNET_RX_BUFS] = e.bufs.id[i];
	}
	pvring_cons_publish(&given);
}

/* One word of it may be wrong. */
static void tell(void *entry)
{
	unsigned int i = fuzz_u8();

	if (i < PVBUS_SLOT_SIZE / 4)
		((u32 *)entry)[i] ^= fuzz_u32();
	pvring_put(&told, entry, PVBUS_SLOT_SIZE);
}

static void give_packet(void)
{
	struct pvbus_net_rx e = { .type = PVBUS_NET_RX };
	u32 len = fuzz_u8() & 1 ? ETH_HLEN + fuzz_u8() : fuzz_u32() % 65600;
	u32 i, nr = DIV_ROUND_UP(len, PVNET_BUF_SIZE);
	u8 first = fuzz_u8();

	e.len = cpu_to_le32(len);
	e.nr_bufs = cpu_to_le16(nr);
	e.hdr.flags = fuzz_u8() & 3;
	e.hdr.gso_type = fuzz_u8() & 7;
	e.hdr.csum_start = cpu_to_le16(ETH_HLEN);
	for (i = 0; i < nr && i < PVBUS_NET_RX_BUFS_MAX; i++)
		e.id[i] = bufs[(first + i) % PVNET_RX_BUFS];
	tell(&e);
}

static void give_notices(void)
{
	struct pvbus_net_tx_done e = { .type = PVBUS_NET_TX_DONE };
	unsigned int i, count = 1 + fuzz_below(PVBUS_NET_DONE_MAX);

	e.count = cpu_to_le16(count);
	for (i = 0; i < count; i++)
		e.done[i] = sent[fuzz_below(SENT)];
	tell(&e);
}

static void write_ring(void)
{
	u32 at = fuzz_u16();

	((__le32 *)ch.mem)[at % (ch.mem_size / 4)] = fuzz_u32();
}

/* -- the guest ------------------------------------------------------------------------- */

static void add_frag(struct sk_buff *skb)
{
	skb_frag_t *frag = &skb->shinfo.frags[skb->shinfo.nr_frags++];

	frag->page = NULL;
	frag->off = 0;
	frag->len = fuzz_u16() % (PAGE_SIZE + 1);
	skb->len += frag->len;
	skb->data_len += frag->len;
}

static void xmit(void)
{
	struct sk_buff *skb;
	unsigned int n;

	if (txq.stopped)
		return;
	skb = kernel_alloc_skb(256);
	if (!skb)
		return;
	skb->held = SKB_HELD_ALL;
	__skb_put(skb, fuzz_u8());
	for (n = fuzz_below(MAX_SKB_FRAGS + 1); n; n--)
		add_frag(skb);
	__netif_tx_lock(&txq, 0);
	pvnet_start_xmit(skb, &dev);
	__netif_tx_unlock(&txq);
}

static void poll(void)
{
	int budget = fuzz_u8() & 0x3f;
	int work = pvnet_poll(&q->napi, budget);

	must(work >= 0 && work <= budget);
}

static void refill(void)
{
	if (q->refill.pending)
		q->refill.func(&q->refill);
	q->refill.pending = false;
}

static void check(void)
{
	unsigned int i, busy = 0, posted = 0;

	must(!txq.held);
	for (i = 0; i < PVNET_TX_TAGS; i++)
		busy += q->tx[i].busy;
	must(q->tag_tail - q->tag_head <= PVNET_TX_TAGS);
	/* a tag that was named by a notice that then broke is lost */
	must(ch.broken ||
	     busy == PVNET_TX_TAGS - (q->tag_tail - q->tag_head));
	for (i = 0; i < PVNET_RX_BUFS; i++)
		posted += q->rx[i].posted;
	must(posted == PVNET_RX_BUFS - q->nr_rx_free);
	must(q->stash_pos <= q->stash_nr && q->stash_nr <= PVNET_STASH);
}

static bool begin(void)
{
	unsigned int i;

	memset(&ch, 0, sizeof(ch));
	memset(&txq, 0, sizeof(txq));
	memset(bufs, 0, sizeof(bufs));
	memset(sent, 0, sizeof(sent));
	nr_bufs = 0;
	nr_sent = 0;
	live_skbs = 0;
	live_pages = 0;
	for (i = 0; i < PAGES; i++)
		free_pages[i] = &pages[i];
	pn = aligned_alloc(64, round_up(sizeof(*pn) + sizeof(*q), 64UL));
	memset(pn, 0, sizeof(*pn) + sizeof(*q));
	q = &pn->queue[0];
	q->pn = pn;
	q->txq = &txq;
	pn->dev = &dev;
	pn->dma = &parent;
	pn->nr_queues = 1;
	pn->features = fuzz_u8() & PVBUS_NET_F_ALL;
	dev.priv = pn;
	dev.features = NETIF_F_RXCSUM;
	q->arm_count = fuzz_below(3);
	ch.mem_size = 2 * pvring_bytes(PVNET_RING_SLOTS, PVBUS_SLOT_SIZE);
	ch.mem = dma_alloc_coherent(&parent, ch.mem_size, &ch.mem_dma, 0);
	if (!ch.mem || pvnet_tx_alloc(q) || pvnet_rx_alloc(q))
		return false;
	pvring_prod_init(&ch.tx, ch.mem, PVNET_RING_SLOTS, PVBUS_SLOT_SIZE);
	pvring_cons_init(&given, ch.mem, PVNET_RING_SLOTS, PVBUS_SLOT_SIZE);
	pvring_cons_init(&ch.rx, ch.mem + ch.mem_size / 2, PVNET_RING_SLOTS,
			 PVBUS_SLOT_SIZE);
	pvring_prod_init(&told, ch.mem + ch.mem_size / 2, PVNET_RING_SLOTS,
			 PVBUS_SLOT_SIZE);
	q->ch = &ch;
	pvnet_rx_refill(q);
	return true;
}

/* What the host did not let go of is left as it is, and holds nothing else. */
static void leak_sent(void)
{
	struct sk_buff *left[PVNET_TX_TAGS];
	unsigned int i, n = 0;

	for (i = 0; i < PVNET_TX_TAGS; i++)
		if (q->tx[i].busy)
			left[n++] = q->tx[i].skb;
	pvnet_tx_free(q, true);
	while (n--) {
		must(!left[n]->held);
		kernel_free_skb(left[n]);
	}
}

static void finish(void)
{
	/* now and then, by what has come of the input */
	bool leak = q->tx && q->tag_head & 1;

	pvnet_rx_free(q, false);
	if (leak)
		leak_sent();
	else
		pvnet_tx_free(q, false);
	if (ch.mem)
		dma_free_coherent(&parent, ch.mem_size, ch.mem, ch.mem_dma);
	must(!live_skbs && !live_pages);
	must(!guest_end() || leak);
	free(pn);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static void (* const steps[])(void) = {
		xmit, xmit, read_ring, read_ring, give_packet, give_packet,
		give_notices, give_notices, write_ring, poll, poll, poll,
		refill,
	};
	unsigned int i;

	fuzz_begin(in, size);
	guest_begin();
	if (begin())
		for (i = 0; i < STEPS && fuzz_left(); i++) {
			peer_on();
			steps[fuzz_below(ARRAY_SIZE(steps))]();
			peer_off();
			check();
		}
	finish();
	return 0;
}
