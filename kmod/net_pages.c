// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: pages for the big packets of a guest. Kernels are built to clear what
 * they allocate, which takes half as long as the copy that then fills it. So a queue
 * keeps the pages of its last packets, and uses again those that whoever got the
 * packets has let go of. What is left in them is the same guest's.
 */
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "net.h"

#define PAGES_ORDER	3
#define PAGES_BYTES	(PAGE_SIZE << PAGES_ORDER)

/* With a reference for the packet; NULL without memory. */
static struct page *pages_get(struct pvh_net_pages *p)
{
	struct page **slot = &p->page[p->next++ % PVH_NET_PAGES];
	struct page *page = *slot;

	/* whoever had it has read it before he gave up his reference */
	if (page && page_ref_count(page) == 1) {
		get_page(page);
		return page;
	}
	page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_NOWARN |
			   __GFP_NORETRY, PAGES_ORDER);
	/* those of the last reserve are for packets that free memory */
	if (!page || page_is_pfmemalloc(page))
		return page;
	if (*slot)
		put_page(*slot);
	get_page(page);
	*slot = page;
	return page;
}

/**
 * pvh_net_pages_suit() - is that many bytes worth such pages?
 * @len: bytes
 *
 * A socket is charged for the whole of them.
 */
bool pvh_net_pages_suit(u32 len)
{
	return len <= MAX_SKB_FRAGS * PAGES_BYTES &&
	       len >= round_up(len, PAGES_BYTES) / 4 * 3;
}

/**
 * pvh_net_pages_add() - append room to a packet
 * @p: the queue's pages
 * @skb: packet without fragments
 * @len: bytes, that pvh_net_pages_suit()
 *
 * Context: the queue's worker; may sleep.
 * Return: false without memory; @skb is to be freed then.
 */
bool pvh_net_pages_add(struct pvh_net_pages *p, struct sk_buff *skb, u32 len)
{
	struct page *page;
	unsigned int i;
	u32 part;

	for (i = 0; len; i++, len -= part) {
		page = pages_get(p);
		if (!page)
			return false;
		part = min_t(u32, len, PAGES_BYTES);
		skb_add_rx_frag(skb, i, page, 0, part, PAGES_BYTES);
	}
	return true;
}

/**
 * pvh_net_pages_free() - let go of all
 * @p: pages of a queue that is closed
 *
 * What packets have is freed with them.
 */
void pvh_net_pages_free(struct pvh_net_pages *p)
{
	unsigned int i;

	for (i = 0; i < PVH_NET_PAGES; i++) {
		if (p->page[i])
			put_page(p->page[i]);
		p->page[i] = NULL;
	}
}
