// SPDX-License-Identifier: GPL-2.0
/*
 * pvblk: disks come and go.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/kdev_t.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "blk.h"

#define CREATE_TRACE_POINTS
#include "blk_trace.h"

/* None, as in other drivers: each costs a thread of the host, rings, requests and
 * a vector, for every disk, and only who knows that he polls gains by it.
 */
static unsigned int poll_queues;
module_param(poll_queues, uint, 0644);
MODULE_PARM_DESC(poll_queues,
		 "Queues for polled I/O (io_uring with IORING_SETUP_IOPOLL) that a disk gets in addition to the others, at most one for each CPU; for disks that come after it was set (default 0)");

static int pvblk_major;
static DEFINE_IDA(pvblk_ida);

#define PVBLK_MAX_INDEX		((1 << (MINORBITS - PVBLK_PART_BITS)) - 1)

/* pvda ... pvdz, pvdaa ...: digits with no zero. */
static void pvblk_name(char *name, size_t size, unsigned int index)
{
	char letters[8];
	char *p = letters + sizeof(letters) - 1;

	*p = '\0';
	for (index++; index; index = (index - 1) / 26)
		*--p = 'a' + (index - 1) % 26;
	snprintf(name, size, "pvd%s", p);
}

static ssize_t serial_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct pvblk *blk = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", blk->cfg.serial);
}
static DEVICE_ATTR_RO(serial);

static struct attribute *pvblk_attrs[] = {
	&dev_attr_serial.attr,
	NULL
};

static const struct attribute_group pvblk_group = {
	.attrs = pvblk_attrs,
};

static const struct attribute_group *pvblk_groups[] = {
	&pvblk_group,
	NULL
};

static void pvblk_free(struct pvblk *blk)
{
	ida_free(&pvblk_ida, blk->index);
	kfree(blk->queue);
	kfree(blk);
}

/* The last user has closed the disk; the device may be gone since long. */
static void pvblk_free_disk(struct gendisk *disk)
{
	pvblk_free(disk->private_data);
}

static const struct block_device_operations pvblk_fops = {
	.owner		= THIS_MODULE,
	.free_disk	= pvblk_free_disk,
};

static void pvblk_init_queues(struct pvblk *blk)
{
	unsigned int i;

	for (i = 0; i < blk->nr_queues; i++) {
		blk->queue[i].blk = blk;
		blk->queue[i].polled = i >= blk->nr_queues - blk->nr_polled;
		spin_lock_init(&blk->queue[i].tx_lock);
		spin_lock_init(&blk->queue[i].rx_lock);
	}
}

/* At least one is for those who do not poll. */
static void pvblk_count_queues(struct pvblk *blk)
{
	struct pvbus_device *pdev = blk->pdev;
	unsigned int most = max_t(unsigned int, pdev->max_queues, 1);
	unsigned int want = min(READ_ONCE(poll_queues), num_online_cpus());

	blk->nr_polled = min(want, most - 1);
	if (blk->nr_polled < want)
		dev_warn_ratelimited(&pdev->dev,
				     "%u queues for polling in place of %u: the host offers %u queues in all: give the disk queues=%u there\n",
				     blk->nr_polled, want, most,
				     num_online_cpus() + want);
	blk->nr_queues = min(pvbus_nr_queues(pdev), most - blk->nr_polled) +
			 blk->nr_polled;
}

static struct pvblk *pvblk_alloc(struct pvbus_device *pdev)
{
	struct pvblk *blk = kzalloc(sizeof(*blk), GFP_KERNEL);

	if (!blk)
		return NULL;
	blk->pdev = pdev;
	blk->dma_dev = pvbus_dma_dev(pdev);
	pvblk_count_queues(blk);
	mutex_init(&blk->stop_lock);
	pvblk_init_works(blk);
	blk->queue = kcalloc(blk->nr_queues, sizeof(*blk->queue), GFP_KERNEL);
	if (!blk->queue)
		goto free;
	pvblk_init_queues(blk);
	blk->index = ida_alloc_max(&pvblk_ida, PVBLK_MAX_INDEX, GFP_KERNEL);
	if (blk->index < 0)
		goto free_queue;
	return blk;

free_queue:
	kfree(blk->queue);
free:
	kfree(blk);
	return NULL;
}

static int pvblk_init_set(struct pvblk *blk)
{
	struct blk_mq_tag_set *set = &blk->set;

	set->ops = &pvblk_mq_ops;
	set->nr_hw_queues = blk->nr_queues;
	set->nr_maps = blk->nr_polled ? HCTX_MAX_TYPES : 1;
	set->queue_depth = PVBLK_DEPTH;
	set->numa_node = dev_to_node(blk->dma_dev);
	set->cmd_size = sizeof(struct pvblk_req);
	/* requests are put in order where the disk is: on the host */
	set->flags = BLK_MQ_F_SHOULD_MERGE | BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	set->driver_data = blk;
	return blk_mq_alloc_tag_set(set);
}

/* FUA is nothing without a cache to be forced through. */
static u64 pvblk_choose_features(const struct pvblk *blk)
{
	u64 features = blk->pdev->features & PVBUS_BLK_F_ALL;

	if (!(features & PVBUS_BLK_F_FLUSH))
		features &= ~PVBUS_BLK_F_FUA;
	if (!blk->cfg.max_discard)
		features &= ~(PVBUS_BLK_F_DISCARD | PVBUS_BLK_F_WRITE_ZEROES);
	return features;
}

static void pvblk_fill_limits(const struct pvblk *blk,
			      struct pvbus_disk_limits *lim)
{
	const struct pvblk_config *cfg = &blk->cfg;

	lim->logical_block_size = cfg->logical_block;
	lim->physical_block_size = cfg->physical_block;
	lim->io_min = cfg->io_min;
	lim->io_opt = cfg->io_opt;
	lim->max_hw_sectors = cfg->max_bytes / PVBUS_BLK_SECTOR;
	lim->max_segments = cfg->max_segments;
	lim->max_segment_size = blk->max_segment;
	lim->dma_alignment = cfg->dma_alignment - 1;
	if (blk->features & PVBUS_BLK_F_DISCARD)
		lim->max_discard_sectors = cfg->max_discard;
	if (blk->features & PVBUS_BLK_F_WRITE_ZEROES)
		lim->max_write_zeroes_sectors = cfg->max_discard;
	lim->write_cache = blk->features & PVBUS_BLK_F_FLUSH;
	lim->fua = blk->features & PVBUS_BLK_F_FUA;
	lim->rotational = cfg->rotational;
}

static int pvblk_alloc_disk(struct pvblk *blk)
{
	struct pvbus_disk_limits lim = {};
	struct gendisk *disk;

	pvblk_fill_limits(blk, &lim);
	disk = pvbus_alloc_disk(&blk->set, &lim, blk);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	blk->disk = disk;
	pvblk_name(disk->disk_name, DISK_NAME_LEN, blk->index);
	disk->major = pvblk_major;
	disk->first_minor = blk->index << PVBLK_PART_BITS;
	disk->minors = 1 << PVBLK_PART_BITS;
	disk->fops = &pvblk_fops;
	disk->private_data = blk;
	set_disk_ro(disk, blk->cfg.readonly);
	set_capacity(disk, blk->cfg.capacity);
	return 0;
}

/* Bounce buffers bound what can be mapped in one piece. */
static int pvblk_init_dma(struct pvblk *blk)
{
	size_t max = min_t(size_t, dma_max_mapping_size(blk->dma_dev),
			   SZ_1G);

	blk->max_segment = round_down(max, PAGE_SIZE);
	if (!blk->max_segment)
		return -EIO;
	return pvblk_init_tables(blk);
}

/* Undone by pvblk_teardown(), save the disk itself. */
static int pvblk_setup(struct pvblk *blk)
{
	int err;

	err = pvblk_init_dma(blk);
	if (err)
		return err;
	err = pvblk_open_queues(blk);
	if (err)
		goto free_tables;
	err = pvblk_init_set(blk);
	if (err)
		goto stop;
	err = pvblk_alloc_disk(blk);
	if (err)
		goto free_set;
	return 0;

free_set:
	blk_mq_free_tag_set(&blk->set);
stop:
	pvblk_stop(blk);
free_tables:
	pvblk_free_tables(blk);
	return err;
}

/* No request is left, or can come. A channel that breaks now, queues a work. */
static void pvblk_teardown(struct pvblk *blk)
{
	pvblk_stop(blk);
	cancel_work_sync(&blk->fail_work);
	cancel_delayed_work_sync(&blk->watch_work);
	blk_mq_free_tag_set(&blk->set);
	pvblk_free_tables(blk);
}

static int pvblk_probe(struct pvbus_device *pdev)
{
	struct pvblk *blk;
	int err;

	blk = pvblk_alloc(pdev);
	if (!blk)
		return -ENOMEM;
	err = pvblk_read_config(pdev, &blk->cfg);
	if (err)
		goto free;
	blk->features = pvblk_choose_features(blk);
	err = pvblk_setup(blk);
	if (err)
		goto free;
	dev_set_drvdata(&pdev->dev, blk);
	/* it reads the partition table, and cannot be disturbed by remove() */
	pvblk_watch(blk);
	err = device_add_disk(&pdev->dev, blk->disk, pvblk_groups);
	cancel_delayed_work_sync(&blk->watch_work);
	if (err)
		goto teardown;
	dev_info_ratelimited(&pdev->dev,
			     "%s: %llu sectors of 512 bytes, %u queues, %u of them for polling%s\n",
			     blk->disk->disk_name, blk->cfg.capacity,
			     blk->nr_queues, blk->nr_polled,
			     blk->cfg.readonly ? ", read-only" : "");
	return 0;

teardown:
	pvblk_stop(blk);
	/* a disk that was never added does not free us */
	put_disk(blk->disk);
	pvblk_teardown(blk);
free:
	cancel_work_sync(&blk->fail_work);
	pvblk_free(blk);
	return err;
}

/*
 * Data that the guest has not written yet still goes to the disk: a host that
 * takes it away serves it until we say that we are done. If nothing is
 * answered, the disk is given up and what is left ends with errors.
 */
static void pvblk_remove(struct pvbus_device *pdev)
{
	struct pvblk *blk = dev_get_drvdata(&pdev->dev);

	pvblk_watch(blk);
	del_gendisk(blk->disk);
	pvblk_teardown(blk);
	put_disk(blk->disk);
}

/* The capacity may change, and whether it can be written to. */
static void pvblk_update(struct pvbus_device *pdev)
{
	struct pvblk *blk = dev_get_drvdata(&pdev->dev);
	struct pvblk_config cfg;

	if (pvblk_read_config(pdev, &cfg))
		return;
	if (cfg.logical_block != blk->cfg.logical_block) {
		dev_err_ratelimited(&pdev->dev,
				    "the host changed the logical block size from %u to %u, which is ignored: remove the disk and add it again\n",
				    blk->cfg.logical_block, cfg.logical_block);
		return;
	}
	set_disk_ro(blk->disk, cfg.readonly);
	set_capacity_and_notify(blk->disk, cfg.capacity);
}

static void pvblk_broken(struct pvbus_device *pdev, unsigned int queue)
{
	pvblk_stop(dev_get_drvdata(&pdev->dev));
}

static struct pvbus_driver pvblk_driver = {
	.type	= PVBUS_TYPE_BLK,
	.probe	= pvblk_probe,
	.remove	= pvblk_remove,
	.update	= pvblk_update,
	.broken	= pvblk_broken,
};

static int __init pvblk_init(void)
{
	int err;

	err = pvblk_init_wq();
	if (err)
		return err;
	err = register_blkdev(0, "pvblk");
	if (err < 0)
		goto exit_wq;
	pvblk_major = err;
	err = pvbus_register_driver(&pvblk_driver);
	if (err)
		goto unregister;
	return 0;

unregister:
	unregister_blkdev(pvblk_major, "pvblk");
exit_wq:
	pvblk_exit_wq();
	return err;
}

static void __exit pvblk_exit(void)
{
	pvbus_unregister_driver(&pvblk_driver);
	unregister_blkdev(pvblk_major, "pvblk");
	ida_destroy(&pvblk_ida);
	pvblk_exit_wq();
}

module_init(pvblk_init);
module_exit(pvblk_exit);

MODULE_ALIAS_PVBUS("0001");
MODULE_DESCRIPTION("pvbus guest: disks");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
