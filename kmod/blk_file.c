// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host, disk: a regular file behind it. Reads and writes are direct and
 * asynchronous; what can only be waited for is left to the workqueue.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/sched/mm.h>
#include <linux/stat.h>
#include <linux/uio.h>

#include "blk.h"

/* What direct I/O asks for, if the file system tells, and by guess if not. */
static int pvh_file_alignment(struct file *file, struct pvh_blk_geometry *geo)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct kstat st;
	int err;

	err = vfs_getattr(&file->f_path, &st, STATX_DIOALIGN,
			  AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	geo->logical_block = PVBUS_BLK_SECTOR;
	geo->mem_align = PVBUS_BLK_SECTOR;
	if (st.result_mask & STATX_DIOALIGN) {
		if (!st.dio_offset_align || !st.dio_mem_align)
			return -EOPNOTSUPP;
		geo->logical_block = max_t(u32, st.dio_offset_align,
					   PVBUS_BLK_SECTOR);
		geo->mem_align = st.dio_mem_align;
	} else if (sb->s_bdev) {
		geo->logical_block = bdev_logical_block_size(sb->s_bdev);
	}
	return 0;
}

/* Behind the end of the file, where there is nothing to lose. */
static bool pvh_file_punches(struct file *file, u64 size, u32 block)
{
	return !vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      size, block);
}

static u64 pvh_file_size(const struct pvh_blk *blk)
{
	return i_size_read(file_inode(blk->file));
}

static int pvh_file_setup(struct pvh_blk *blk)
{
	struct pvh_blk_geometry *geo = &blk->geo;
	struct file *file = blk->file;
	struct inode *inode = file_inode(file);
	struct block_device *bdev = inode->i_sb->s_bdev;
	int err;

	if (!(file->f_flags & O_DIRECT) ||
	    !(file->f_mode & FMODE_CAN_ODIRECT) ||
	    !file->f_op->read_iter || !file->f_op->write_iter)
		return -EOPNOTSUPP;
	err = pvh_file_alignment(file, geo);
	if (err)
		return err;
	geo->size = pvh_file_size(blk);
	geo->physical_block = max_t(u32, geo->logical_block,
				    min_t(u32, i_blocksize(inode),
					  PVBUS_PAGE_SIZE));
	geo->rotational = bdev && !bdev_nonrot(bdev);

	blk->features = PVBUS_BLK_F_FLUSH | PVBUS_BLK_F_FUA;
	if (!blk->readonly &&
	    pvh_file_punches(file, geo->size, geo->logical_block))
		blk->features |= PVBUS_BLK_F_DISCARD | PVBUS_BLK_F_WRITE_ZEROES;
	return 0;
}

/* A disk has no short reads and writes: the file was cut under us. */
static u32 pvh_file_status(const struct pvh_blk_req *req, long ret)
{
	if (ret == req->cmd.len)
		return PVBUS_BLK_ST_OK;
	return pvh_blk_errno(ret < 0 ? ret : -EIO);
}

static void pvh_file_complete(struct kiocb *iocb, long ret)
{
	struct pvh_blk_req *req = container_of(iocb, struct pvh_blk_req, iocb);

	if (req->cmd.op == PVBUS_BLK_WRITE)
		kiocb_end_write(iocb);
	pvh_blk_req_done(req, pvh_file_status(req, ret));
}

/*
 * Flags are ours and not the file's: user space, which still has it, could
 * change those. DSYNC covers the file's metadata that the data needs.
 */
static void pvh_file_init_iocb(struct pvh_blk_req *req)
{
	struct kiocb *iocb = &req->iocb;

	init_sync_kiocb(iocb, req->q->blk->file);
	iocb->ki_pos = req->cmd.sector * PVBUS_BLK_SECTOR;
	iocb->ki_flags = IOCB_DIRECT;
	if (req->cmd.op == PVBUS_BLK_WRITE)
		iocb->ki_flags |= IOCB_WRITE;
	if (req->cmd.fua)
		iocb->ki_flags |= IOCB_DSYNC;
	iocb->ki_complete = pvh_file_complete;
}

static ssize_t pvh_file_call(struct pvh_blk_req *req)
{
	bool write = req->cmd.op == PVBUS_BLK_WRITE;
	struct file *file = req->q->blk->file;
	struct iov_iter iter;

	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, req->vec,
		      req->nr_vecs, req->cmd.len);
	if (write)
		return file->f_op->write_iter(&req->iocb, &iter);
	return file->f_op->read_iter(&req->iocb, &iter);
}

/* Writes hold off a freeze of the file system; pvh_file_complete() ends it. */
static void pvh_file_rw(struct pvh_blk_req *req)
{
	unsigned int noio = memalloc_noio_save();
	ssize_t ret = pvh_file_call(req);

	memalloc_noio_restore(noio);
	if (ret != -EIOCBQUEUED)
		pvh_file_complete(&req->iocb, ret);
}

static void pvh_file_submit(struct pvh_blk_req *req)
{
	struct inode *inode = file_inode(req->q->blk->file);

	switch (req->cmd.op) {
	case PVBUS_BLK_WRITE:
		/* a frozen file system stops this request, not the worker */
		if (!sb_start_write_trylock(inode->i_sb))
			break;
		__sb_writers_release(inode->i_sb, SB_FREEZE_WRITE);
		fallthrough;
	case PVBUS_BLK_READ:
		pvh_file_init_iocb(req);
		pvh_file_rw(req);
		return;
	default:
		break;
	}
	pvh_blk_defer(req);
}

static void pvh_file_thawed_write(struct pvh_blk_req *req)
{
	pvh_file_init_iocb(req);
	kiocb_start_write(&req->iocb);
	pvh_file_rw(req);
}

static int pvh_file_punch(struct file *file, loff_t pos, loff_t len)
{
	return vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     pos, len);
}

/* Where there is no zeroing in place: take the range away and get a new one. */
static int pvh_file_zero(struct file *file, loff_t pos, loff_t len)
{
	int err;

	err = vfs_fallocate(file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			    pos, len);
	if (err != -EOPNOTSUPP)
		return err;
	err = pvh_file_punch(file, pos, len);
	if (err)
		return err;
	return vfs_fallocate(file, FALLOC_FL_KEEP_SIZE, pos, len);
}

static int pvh_file_extent(struct pvh_blk_req *req)
{
	struct file *file = req->q->blk->file;
	loff_t pos = req->cmd.sector * PVBUS_BLK_SECTOR;

	if (req->cmd.nounmap)
		return pvh_file_zero(file, pos, req->cmd.len);
	return pvh_file_punch(file, pos, req->cmd.len);
}

static void pvh_file_slow(struct pvh_blk_req *req)
{
	int err;

	switch (req->cmd.op) {
	case PVBUS_BLK_WRITE:
		pvh_file_thawed_write(req);
		return;
	case PVBUS_BLK_FLUSH:
		err = vfs_fsync(req->q->blk->file, 1);
		break;
	default:
		err = pvh_file_extent(req);
		if (!err && req->cmd.fua)
			err = vfs_fsync(req->q->blk->file, 1);
		break;
	}
	pvh_blk_req_done(req, pvh_blk_errno(err));
}

const struct pvh_blk_backing pvh_blk_file = {
	.name	= "file",
	.setup	= pvh_file_setup,
	.size	= pvh_file_size,
	.submit	= pvh_file_submit,
	.slow	= pvh_file_slow,
};
