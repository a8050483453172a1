// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host, disk: from a checked request's segments to held guest pages and
 * the bio_vecs that both kinds of backing store take.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "blk.h"

/**
 * pvh_blk_errno() - the status that a guest is told for an error
 * @err: 0 or a negative errno, of the backing store or of guest memory
 *
 * The one map. What is left is a failure of the device: it was given nothing
 * that was not checked.
 *
 * Return: PVBUS_BLK_ST_*
 */
u32 pvh_blk_errno(int err)
{
	switch (err) {
	case 0:
		return PVBUS_BLK_ST_OK;
	case -EOPNOTSUPP:
		return PVBUS_BLK_ST_UNSUPP;
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		return PVBUS_BLK_ST_NOSPC;
	case -EROFS:
		return PVBUS_BLK_ST_READONLY;
	case -EFAULT:
		return PVBUS_BLK_ST_FAULT;
	case -ENOMEM:
	case -EAGAIN:
		return PVBUS_BLK_ST_NOMEM;
	case -ETIMEDOUT:
		return PVBUS_BLK_ST_TIMEOUT;
	default:
		return PVBUS_BLK_ST_IOERR;
	}
}

static unsigned int pvh_blk_count_pages(const struct pvh_blk_req *req)
{
	const struct pvh_blk_seg *seg = req->q->segs;
	unsigned int i, nr = 0;

	for (i = 0; i < req->cmd.nr_segs; i++, seg++)
		nr += DIV_ROUND_UP(offset_in_page(seg->addr) + seg->len,
				   PAGE_SIZE);
	return nr;
}

/*
 * At most PVH_BLK_MAX_BYTES and two pages more for each segment: 16 KiB. All of
 * these pages may be one and the same, so they count for themselves, too. The
 * worker may serve a disk that memory is reclaimed to, in this kernel on
 * loopback, hence NOIO.
 */
static int pvh_blk_alloc_vecs(struct pvh_blk_req *req, unsigned int nr)
{
	struct pvh_channel *ch = req->q->ch;
	struct bio_vec *vec;
	unsigned int charged;

	req->nr_pins = 0;
	req->nr_vecs = 0;
	req->vec = req->own_vec;
	req->pin = req->own_pin;
	if (nr <= PVH_BLK_INLINE_PAGES)
		return 0;
	charged = DIV_ROUND_UP(nr * (sizeof(*vec) + sizeof(*req->pin)),
			       PAGE_SIZE);
	if (!pvh_pin_charge(ch, charged))
		return -ENOMEM;
	vec = kmalloc_array(nr, sizeof(*vec) + sizeof(*req->pin),
			    GFP_NOIO | __GFP_NOWARN);
	if (!vec) {
		pvh_vm_uncharge(ch->dev->vm, charged);
		return -ENOMEM;
	}
	req->charged = charged;
	req->vec = vec;
	req->pin = (struct pvh_pin **)(vec + nr);
	return 0;
}

static bool pvh_blk_adjoins(const struct bio_vec *last, struct page *page,
			    unsigned int offset)
{
	unsigned int end = last->bv_offset + last->bv_len;

	return !is_zone_device_page(page) && !offset_in_page(end) && !offset &&
	       last->bv_page + end / PAGE_SIZE == page &&
	       page_to_pfn(last->bv_page) + end / PAGE_SIZE ==
	       page_to_pfn(page);
}

static void pvh_blk_add_page(struct pvh_blk_req *req, struct page *page,
			     unsigned int offset, unsigned int len)
{
	struct bio_vec *bv = req->vec + req->nr_vecs;

	if (req->nr_vecs && pvh_blk_adjoins(bv - 1, page, offset)) {
		bv[-1].bv_len += len;
		return;
	}
	bv->bv_page = page;
	bv->bv_offset = offset;
	bv->bv_len = len;
	req->nr_vecs++;
}

static int pvh_blk_map_seg(struct pvh_blk_req *req,
			   const struct pvh_blk_seg *seg)
{
	struct pvh_channel *ch = req->q->ch;
	u64 addr = seg->addr;
	u32 left = seg->len;

	while (left) {
		unsigned int offset = offset_in_page(addr);
		unsigned int len = min_t(u32, left, PAGE_SIZE - offset);
		struct pvh_pin *pin = pvh_pin_get(ch, addr);

		if (IS_ERR(pin))
			return PTR_ERR(pin);
		req->pin[req->nr_pins++] = pin;
		pvh_blk_add_page(req, pin->page, offset, len);
		addr += len;
		left -= len;
	}
	return 0;
}

/**
 * pvh_blk_map() - hold the pages of a request
 * @req: request, checked; its segments are in @req->q->segs
 *
 * Context: worker
 * Return: PVBUS_BLK_ST_*; when it is not _OK, nothing is held
 */
u32 pvh_blk_map(struct pvh_blk_req *req)
{
	unsigned int i;
	int err;

	err = pvh_blk_alloc_vecs(req, pvh_blk_count_pages(req));
	if (err)
		return pvh_blk_errno(err);
	for (i = 0; i < req->cmd.nr_segs && !err; i++)
		err = pvh_blk_map_seg(req, &req->q->segs[i]);
	if (err)
		pvh_blk_unmap(req);
	return pvh_blk_errno(err);
}

/**
 * pvh_blk_unmap() - let go of the pages of a request
 * @req: request, which the backing store is done with; without pages is fine
 *
 * Context: worker, or ->close()
 */
void pvh_blk_unmap(struct pvh_blk_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_pins; i++)
		pvh_pin_put(req->q->ch, req->pin[i]);
	if (req->vec != req->own_vec) {
		kfree(req->vec);
		pvh_vm_uncharge(req->q->ch->dev->vm, req->charged);
	}
	req->vec = req->own_vec;
	req->pin = req->own_pin;
	req->nr_pins = 0;
	req->nr_vecs = 0;
}
