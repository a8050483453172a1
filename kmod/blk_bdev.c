// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host, disk: a block device behind it. Data goes by bios straight from
 * and to guest pages.
 */
#include <linux/blkdev.h>
#include <linux/errno.h>
#include <linux/pagemap.h>

#include "blk.h"

static u64 pvh_bdev_size(const struct pvh_blk *blk)
{
	return bdev_nr_bytes(blk->bdev);
}

static int pvh_bdev_setup(struct pvh_blk *blk)
{
	struct address_space *mapping = blk->file->f_mapping;
	struct block_device *bdev = I_BDEV(mapping->host);
	struct pvh_blk_geometry *geo = &blk->geo;
	int err;

	if (bdev_is_zoned(bdev))
		return -EOPNOTSUPP;
	if (!blk->readonly && bdev_read_only(bdev))
		return -EACCES;
	/* what the host wrote to it through its page cache */
	err = filemap_write_and_wait(mapping);
	if (err)
		return err;

	blk->bdev = bdev;
	geo->size = pvh_bdev_size(blk);
	geo->logical_block = bdev_logical_block_size(bdev);
	geo->physical_block = bdev_physical_block_size(bdev);
	geo->io_min = bdev_io_min(bdev);
	geo->io_opt = max(bdev_io_opt(bdev), 0);
	geo->mem_align = bdev_dma_alignment(bdev) + 1;
	geo->rotational = !bdev_nonrot(bdev);

	if (bdev_write_cache(bdev))
		blk->features |= PVBUS_BLK_F_FLUSH;
	if (bdev_write_cache(bdev) && bdev_fua(bdev))
		blk->features |= PVBUS_BLK_F_FUA;
	if (bdev_max_discard_sectors(bdev))
		blk->features |= PVBUS_BLK_F_DISCARD;
	if (bdev_write_zeroes_sectors(bdev))
		blk->features |= PVBUS_BLK_F_WRITE_ZEROES;
	return 0;
}

static void pvh_bdev_end_io(struct bio *bio)
{
	struct pvh_blk_req *req = bio->bi_private;
	int err = blk_status_to_errno(bio->bi_status);

	bio_uninit(bio);
	pvh_blk_req_done(req, pvh_blk_errno(err));
}

static blk_opf_t pvh_bdev_opf(const struct pvh_blk_cmd *cmd)
{
	switch (cmd->op) {
	case PVBUS_BLK_READ:
		return REQ_OP_READ;
	case PVBUS_BLK_FLUSH:
		return REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC;
	default:
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE |
		       (cmd->fua ? REQ_FUA : 0);
	}
}

/*
 * The vectors of the request are the bio's: however many they are, it is one
 * bio, and the block layer splits it to what the device can do.
 */
static void pvh_bdev_submit(struct pvh_blk_req *req)
{
	struct bio *bio = &req->bio;

	if (req->cmd.op == PVBUS_BLK_DISCARD ||
	    req->cmd.op == PVBUS_BLK_WRITE_ZEROES) {
		pvh_blk_defer(req);
		return;
	}
	bio_init(bio, req->q->blk->bdev, req->vec, req->nr_vecs,
		 pvh_bdev_opf(&req->cmd));
	bio->bi_vcnt = req->nr_vecs;
	bio->bi_iter.bi_sector = req->cmd.sector;
	bio->bi_iter.bi_size = req->cmd.len;
	bio->bi_end_io = pvh_bdev_end_io;
	bio->bi_private = req;
	submit_bio(bio);
}

static void pvh_bdev_slow(struct pvh_blk_req *req)
{
	struct block_device *bdev = req->q->blk->bdev;
	sector_t nr = req->cmd.len / PVBUS_BLK_SECTOR;
	int err;

	if (req->cmd.op == PVBUS_BLK_DISCARD)
		err = blkdev_issue_discard(bdev, req->cmd.sector, nr, GFP_NOIO);
	else
		err = blkdev_issue_zeroout(bdev, req->cmd.sector, nr, GFP_NOIO,
					   req->cmd.nounmap ?
					   BLKDEV_ZERO_NOUNMAP : 0);
	if (!err && req->cmd.fua)
		err = blkdev_issue_flush(bdev);
	pvh_blk_req_done(req, pvh_blk_errno(err));
}

/*
 * A reader on the host, udev for one, may have left pages in the page cache,
 * which bios go past.
 */
static void pvh_bdev_reap(struct pvh_blk_req *req)
{
	struct address_space *mapping = req->q->blk->file->f_mapping;
	u64 first = req->cmd.sector * PVBUS_BLK_SECTOR;

	if (req->cmd.op == PVBUS_BLK_READ || !req->cmd.len ||
	    !READ_ONCE(mapping->nrpages))
		return;
	invalidate_inode_pages2_range(mapping, first >> PAGE_SHIFT,
				      (first + req->cmd.len - 1) >> PAGE_SHIFT);
}

const struct pvh_blk_backing pvh_blk_bdev = {
	.name	= "block device",
	.setup	= pvh_bdev_setup,
	.size	= pvh_bdev_size,
	.submit	= pvh_bdev_submit,
	.slow	= pvh_bdev_slow,
	.reap	= pvh_bdev_reap,
};
