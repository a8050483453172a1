// SPDX-License-Identifier: GPL-2.0
/*
 * A broken host: a disk of memory, whose requests all find their data, and whose
 * completions may be anything.
 */
#include <linux/io.h>
#include <linux/string.h>

#include "broken.h"

#define DISK		(PVBUS_TYPE_BLK - 1)
#define DISK_BYTES	(8 << 20)

void broken_disk_blob(struct pvbus_offer *offer)
{
	struct pvbus_blk_config *cfg = (void *)offer->blob;

	offer->blob_len = cpu_to_le32(sizeof(*cfg));
	cfg->capacity = cpu_to_le64(DISK_BYTES / PVBUS_BLK_SECTOR);
	cfg->logical_block = cpu_to_le32(512);
	cfg->physical_block = cpu_to_le32(512);
	cfg->max_bytes = cpu_to_le32(1 << 20);
	cfg->max_segments = cpu_to_le32(PVBUS_BLK_MAX_SEGS);
	cfg->dma_alignment = cpu_to_le32(512);
}

static void disk_copy(struct broken *b, const struct pvbus_blk_req *req,
		      u64 *at, __le64 addr, __le32 len)
{
	void *guest = phys_to_virt(le64_to_cpu(addr));

	if (req->op == PVBUS_BLK_WRITE)
		memcpy(b->store + *at, guest, le32_to_cpu(len));
	else
		memcpy(guest, b->store + *at, le32_to_cpu(len));
	*at += le32_to_cpu(len);
}

/* The guest is the one that keeps to the rules here. */
static u32 disk_do(struct broken *b, const struct pvbus_blk_req *req)
{
	u64 at = le64_to_cpu(req->sector) * PVBUS_BLK_SECTOR;
	const struct pvbus_blk_seg *seg;
	unsigned int i, nr = le16_to_cpu(req->nr_segs);

	if (req->op != PVBUS_BLK_READ && req->op != PVBUS_BLK_WRITE)
		return PVBUS_BLK_ST_UNSUPP;
	if (at > DISK_BYTES || le32_to_cpu(req->len) > DISK_BYTES - at)
		return PVBUS_BLK_ST_RANGE;
	if (!(req->flags & PVBUS_BLK_REQ_INDIRECT)) {
		for (i = 0; i < nr; i++)
			disk_copy(b, req, &at, req->addr[i], req->seg_len[i]);
		return PVBUS_BLK_ST_OK;
	}
	seg = phys_to_virt(le64_to_cpu(req->addr[0]));
	for (i = 0; i < nr; i++)
		disk_copy(b, req, &at, seg[i].addr, seg[i].len);
	return PVBUS_BLK_ST_OK;
}

void broken_disk_serve(struct broken *b)
{
	struct broken_chan *c = &b->chan[DISK];
	struct pvbus_blk_req req;

	while (pvring_get(&c->rx, &req, sizeof(req))) {
		struct pvbus_blk_cpl cpl = { .count = cpu_to_le16(1) };

		cpl.done[0].tag = req.tag;
		cpl.done[0].cookie = req.cookie;
		cpl.done[0].status = cpu_to_le32(disk_do(b, &req));
		broken_publish(b, DISK);
		broken_put(b, DISK, &cpl);
	}
}

#define FLIP(name, field, flip) \
	{ name, 0, HOW_ONCE, offsetof(struct pvbus_blk_cpl, field), \
	  sizeof_field(struct pvbus_blk_cpl, field), flip }

const struct broken_fault broken_disk_faults[] = {
	FLIP("tag-high", done[0].tag, 0x8000),
	FLIP("tag-free", done[0].tag, 0x40),
	FLIP("cookie", done[0].cookie, 1),
	FLIP("status", done[0].status, 0x100),
	FLIP("count-none", count, 1),
	FLIP("count-high", count, 9),
	FLIP("count-more", count, 3),
	FLIP("reserved", reserved, 1),
	FLIP("error-io", done[0].status, PVBUS_BLK_ST_IOERR),
	FLIP("error-inval", done[0].status, PVBUS_BLK_ST_INVAL),
	FLIP("error-range", done[0].status, PVBUS_BLK_ST_RANGE),
	FLIP("error-readonly", done[0].status, PVBUS_BLK_ST_READONLY),
	FLIP("error-nospc", done[0].status, PVBUS_BLK_ST_NOSPC),
	FLIP("error-fault", done[0].status, PVBUS_BLK_ST_FAULT),
	FLIP("error-nomem", done[0].status, PVBUS_BLK_ST_NOMEM),
	FLIP("error-timeout", done[0].status, PVBUS_BLK_ST_TIMEOUT),
	{ "twice", 0, HOW_TWICE },
	{ "never", 0, HOW_NEVER },
	{ "late", 0, HOW_LATE },
	{ "index", 0, HOW_INDEX },
	{ "early", 0, HOW_EARLY },
	{ "blob", 0, HOW_BLOB, offsetof(struct pvbus_blk_config, logical_block),
	  sizeof_field(struct pvbus_blk_config, logical_block), 1 },
	{}
};
