// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host, disk: a disk is made of an open file, described to the guest and
 * given back.
 */
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "blk.h"

/*
 * Threads that one disk may have for flushes of a file, discards and zeroes: they
 * are the host's, not QEMU's, and each may keep the store busy.
 */
#define PVH_BLK_SLOW_MAX	4

/* A serial number ends up in logs and in udev's rules of the guest. */
static bool pvh_blk_serial_ok(const u8 serial[PVBUS_BLK_SERIAL])
{
	size_t i, len = strnlen(serial, PVBUS_BLK_SERIAL);

	if (len == PVBUS_BLK_SERIAL)
		return false;
	for (i = 0; i < len; i++) {
		if (!isascii(serial[i]) || !isprint(serial[i]))
			return false;
	}
	return true;
}

static int pvh_blk_check_args(const struct pvbus_ioc_dev *args)
{
	if (args->max_queues > PVH_MAX_QUEUES)
		return -EINVAL;
	if (!pvh_blk_serial_ok(args->serial))
		return -EINVAL;
	return 0;
}

/* Permissions were checked when user space opened it: the mode tells. */
static int pvh_blk_take_file(struct pvh_blk *blk, int fd)
{
	umode_t mode;

	blk->file = fget(fd);
	if (!blk->file)
		return -EBADF;
	mode = file_inode(blk->file)->i_mode;
	if (S_ISBLK(mode))
		blk->backing = &pvh_blk_bdev;
	else if (S_ISREG(mode))
		blk->backing = &pvh_blk_file;
	else
		return -ENOTBLK;
	if (!(blk->file->f_mode & FMODE_READ))
		return -EACCES;
	if (!blk->readonly && !(blk->file->f_mode & FMODE_WRITE))
		return -EACCES;
	return 0;
}

static bool pvh_blk_block_ok(u32 bytes)
{
	return is_power_of_2(bytes) && bytes >= PVBUS_BLK_SECTOR;
}

static int pvh_blk_check_geometry(const struct pvh_blk_geometry *geo)
{
	if (!pvh_blk_block_ok(geo->logical_block) ||
	    geo->logical_block > PVBUS_PAGE_SIZE)
		return -EOPNOTSUPP;
	if (!is_power_of_2(geo->mem_align) || geo->mem_align > PVBUS_PAGE_SIZE)
		return -EOPNOTSUPP;
	if (!geo->size || geo->size % geo->logical_block)
		return -EMSGSIZE;
	return 0;
}

/* Preferences are no reason to refuse a store: odd ones are not passed on. */
static void pvh_blk_tidy_geometry(struct pvh_blk_geometry *geo)
{
	if (!pvh_blk_block_ok(geo->physical_block) ||
	    geo->physical_block < geo->logical_block)
		geo->physical_block = geo->logical_block;
	if (geo->io_min % geo->logical_block)
		geo->io_min = 0;
	if (geo->io_opt % geo->logical_block)
		geo->io_opt = 0;
}

static void pvh_blk_set_limits(struct pvh_blk *blk)
{
	struct pvh_blk_limits *lim = &blk->limits;

	lim->capacity = blk->geo.size / PVBUS_BLK_SECTOR;
	lim->features = blk->features;
	lim->logical_block = blk->geo.logical_block;
	/*
	 * No less than a block: the block layer splits requests between
	 * segments, and must be able to do so between blocks.
	 */
	lim->alignment = max3((u32)PVBUS_BLK_SECTOR, blk->geo.logical_block,
			      blk->geo.mem_align);
	lim->max_bytes = PVH_BLK_MAX_BYTES;
	lim->max_segments = PVBUS_BLK_MAX_SEGS;
	if (blk->features & (PVBUS_BLK_F_DISCARD | PVBUS_BLK_F_WRITE_ZEROES))
		lim->max_discard = PVH_BLK_MAX_DISCARD;
	lim->readonly = blk->readonly;
}

static void pvh_blk_describe(const struct pvh_blk *blk,
			     struct pvbus_blk_config *cfg)
{
	u32 flags = 0;

	if (blk->readonly)
		flags |= PVBUS_BLK_READONLY;
	if (blk->geo.rotational)
		flags |= PVBUS_BLK_ROTATIONAL;

	memset(cfg, 0, sizeof(*cfg));
	cfg->capacity = cpu_to_le64(blk->limits.capacity);
	cfg->logical_block = cpu_to_le32(blk->limits.logical_block);
	cfg->physical_block = cpu_to_le32(blk->geo.physical_block);
	cfg->io_min = cpu_to_le32(blk->geo.io_min);
	cfg->io_opt = cpu_to_le32(blk->geo.io_opt);
	cfg->max_bytes = cpu_to_le32(blk->limits.max_bytes);
	cfg->max_segments = cpu_to_le32(blk->limits.max_segments);
	cfg->max_discard = cpu_to_le32(blk->limits.max_discard);
	cfg->flags = cpu_to_le32(flags);
	cfg->dma_alignment = cpu_to_le32(blk->limits.alignment);
	memcpy(cfg->serial, blk->serial, sizeof(cfg->serial));
}

static void pvh_blk_free(struct pvh_blk *blk)
{
	if (blk->wq)
		destroy_workqueue(blk->wq);
	/* who waits for the device to be gone may open its store at once */
	if (blk->file && current->flags & PF_KTHREAD)
		__fput_sync(blk->file);
	else if (blk->file)
		fput(blk->file);
	kfree(blk);
}

static int pvh_blk_setup(struct pvh_blk *blk)
{
	int err = blk->backing->setup(blk);

	if (err)
		return err;
	err = pvh_blk_check_geometry(&blk->geo);
	if (err)
		return err;
	pvh_blk_tidy_geometry(&blk->geo);
	if (blk->readonly)
		blk->features &= PVBUS_BLK_F_FLUSH | PVBUS_BLK_F_FUA;
	pvh_blk_set_limits(blk);
	return 0;
}

/* Twice as many as a guest of our size has CPUs: it may want to poll some. */
static u16 pvh_blk_default_queues(void)
{
	return min_t(unsigned int, 2 * num_online_cpus(), PVH_MAX_QUEUES);
}

/**
 * pvh_blk_create() - make a disk of an open file
 * @dev: device to set up
 * @args: what user space asks for; capacity is stored
 *
 * Return: 0 or an error as those of PVBUS_IOC_DEV_ADD
 */
int pvh_blk_create(struct pvh_dev *dev, struct pvbus_ioc_dev *args)
{
	struct pvh_blk *blk;
	int err;

	err = pvh_blk_check_args(args);
	if (err)
		return err;
	blk = kzalloc(sizeof(*blk), GFP_KERNEL_ACCOUNT);
	if (!blk)
		return -ENOMEM;
	blk->readonly = args->flags & PVBUS_DEV_READONLY;
	memcpy(blk->serial, args->serial,
	       strnlen(args->serial, sizeof(blk->serial) - 1));
	err = pvh_blk_take_file(blk, args->fd);
	if (err)
		goto free;
	err = pvh_blk_setup(blk);
	if (err)
		goto free;
	/* unbound: what runs here waits for the store, and not for a CPU */
	blk->wq = alloc_workqueue("pvbus-disk", WQ_UNBOUND | WQ_MEM_RECLAIM,
				  PVH_BLK_SLOW_MAX);
	err = -ENOMEM;
	if (!blk->wq)
		goto free;

	dev->priv = blk;
	dev->features = blk->features;
	dev->max_queues = args->max_queues ?: pvh_blk_default_queues();
	dev->blob_len = sizeof(struct pvbus_blk_config);
	pvh_blk_describe(blk, (struct pvbus_blk_config *)dev->blob);
	args->capacity = blk->geo.size;
	return 0;

free:
	pvh_blk_free(blk);
	return err;
}

/**
 * pvh_blk_destroy() - let go of the backing store
 * @dev: device; no channel is open
 */
void pvh_blk_destroy(struct pvh_dev *dev)
{
	pvh_blk_free(dev->priv);
	dev->priv = NULL;
}

/**
 * pvh_blk_info() - tell user space about a disk
 * @dev: device
 * @args: outputs
 */
void pvh_blk_info(struct pvh_dev *dev, struct pvbus_ioc_dev *args)
{
	const struct pvh_blk *blk = dev->priv;

	args->fd = -1;
	args->flags = blk->readonly ? PVBUS_DEV_READONLY : 0;
	args->capacity = blk->geo.size;
	memcpy(args->serial, blk->serial, sizeof(args->serial));
}

/**
 * pvh_blk_resize() - the backing store may have grown or shrunk
 * @dev: device; vm->lock held
 * @capacity: where its size goes, in bytes
 *
 * Requests that were checked against a larger size get the store's own error.
 *
 * Return: 0, or -EMSGSIZE when a disk cannot have that size: it keeps its own
 */
int pvh_blk_resize(struct pvh_dev *dev, u64 *capacity)
{
	struct pvh_blk *blk = dev->priv;
	struct pvh_blk_geometry geo = blk->geo;
	struct pvbus_blk_config cfg;
	int err;

	geo.size = blk->backing->size(blk);
	err = pvh_blk_check_geometry(&geo);
	if (err)
		return err;
	blk->geo.size = geo.size;
	/* pairs with pvh_blk_take() */
	WRITE_ONCE(blk->limits.capacity, geo.size / PVBUS_BLK_SECTOR);
	pvh_blk_describe(blk, &cfg);
	pvh_dev_update(dev, &cfg, sizeof(cfg));
	*capacity = geo.size;
	return 0;
}

const struct pvh_dev_ops pvh_blk_ops = {
	.type		= PVBUS_TYPE_BLK,
	.name		= "disk",
	.create		= pvh_blk_create,
	.destroy	= pvh_blk_destroy,
	.info		= pvh_blk_info,
	.resize		= pvh_blk_resize,
	.open		= pvh_blk_open,
	.drain		= pvh_blk_drain,
	.close		= pvh_blk_close,
	.work		= pvh_blk_work,
	.pending	= pvh_blk_pending,
};
