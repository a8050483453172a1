// SPDX-License-Identifier: GPL-2.0
/*
 * pvblk: the host's description of a disk is checked before the block layer,
 * which warns or worse about odd values, gets to see any of it.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "blk.h"

/* Sectors of a disk so that its size in bytes fits a signed number. */
#define PVBLK_MAX_CAPACITY	((u64)S64_MAX / PVBUS_BLK_SECTOR)

/* Larger blocks than this do not exist. */
#define PVBLK_MAX_PHYSICAL	SZ_16M

/* The kernel reads ahead twice what is preferred, into memory of the guest: more
 * than this is not preferred.
 */
#define PVBLK_MAX_IO_OPT	SZ_16M

static int pvblk_refuse(struct pvbus_device *pdev, const char *what, u64 value)
{
	/* it may say so as often as it likes */
	dev_err_ratelimited(&pdev->dev,
			    "the host describes an impossible disk: %s is %llu; update the host or this driver\n",
			    what, value);
	return -EPROTO;
}

static bool pvblk_power(u32 value, u32 min, u32 max)
{
	return is_power_of_2(value) && value >= min && value <= max;
}

static int pvblk_check_blocks(struct pvbus_device *pdev,
			      const struct pvblk_config *cfg)
{
	if (!pvblk_power(cfg->logical_block, PVBUS_BLK_SECTOR,
			 PVBUS_PAGE_SIZE))
		return pvblk_refuse(pdev, "the logical block size",
				    cfg->logical_block);
	if (!pvblk_power(cfg->physical_block, cfg->logical_block,
			 PVBLK_MAX_PHYSICAL))
		return pvblk_refuse(pdev, "the physical block size",
				    cfg->physical_block);
	if (cfg->io_min % cfg->logical_block)
		return pvblk_refuse(pdev, "the minimum I/O size", cfg->io_min);
	if (cfg->io_opt % cfg->logical_block)
		return pvblk_refuse(pdev, "the optimal I/O size", cfg->io_opt);
	if (cfg->capacity > PVBLK_MAX_CAPACITY ||
	    cfg->capacity % (cfg->logical_block / PVBUS_BLK_SECTOR))
		return pvblk_refuse(pdev, "the capacity in sectors",
				    cfg->capacity);
	return 0;
}

static int pvblk_check_limits(struct pvbus_device *pdev,
			      const struct pvblk_config *cfg)
{
	if (cfg->max_bytes < PAGE_SIZE || cfg->max_bytes % cfg->logical_block)
		return pvblk_refuse(pdev, "the request size", cfg->max_bytes);
	if (!cfg->max_segments || cfg->max_segments > PVBUS_BLK_MAX_SEGS)
		return pvblk_refuse(pdev, "the number of segments",
				    cfg->max_segments);
	if (cfg->max_discard > U32_MAX / PVBUS_BLK_SECTOR)
		return pvblk_refuse(pdev, "the discard size in sectors",
				    cfg->max_discard);
	if (!pvblk_power(cfg->dma_alignment, 1, PVBUS_PAGE_SIZE))
		return pvblk_refuse(pdev, "the DMA alignment",
				    cfg->dma_alignment);
	return 0;
}

static void pvblk_convert(const struct pvbus_blk_config *wire,
			  struct pvblk_config *cfg)
{
	u32 flags = le32_to_cpu(wire->flags);

	cfg->capacity = le64_to_cpu(wire->capacity);
	cfg->logical_block = le32_to_cpu(wire->logical_block);
	cfg->physical_block = le32_to_cpu(wire->physical_block);
	cfg->io_min = le32_to_cpu(wire->io_min);
	cfg->io_opt = le32_to_cpu(wire->io_opt);
	if (cfg->io_opt > PVBLK_MAX_IO_OPT)
		cfg->io_opt = 0;
	cfg->max_bytes = le32_to_cpu(wire->max_bytes);
	cfg->max_segments = le32_to_cpu(wire->max_segments);
	cfg->max_discard = le32_to_cpu(wire->max_discard);
	cfg->dma_alignment = le32_to_cpu(wire->dma_alignment);
	cfg->readonly = flags & PVBUS_BLK_READONLY;
	cfg->rotational = flags & PVBUS_BLK_ROTATIONAL;
	memcpy(cfg->serial, wire->serial, sizeof(cfg->serial));
}

/**
 * pvblk_read_config() - read and check what the host says about a disk
 * @pdev: device
 * @cfg: what it says
 *
 * Return: 0, or -EPROTO when it makes no sense, which is logged
 */
int pvblk_read_config(struct pvbus_device *pdev, struct pvblk_config *cfg)
{
	struct pvbus_blk_config wire;
	u32 flags;
	int err;

	err = pvbus_read_blob(pdev, &wire, sizeof(wire));
	if (err)
		return pvblk_refuse(pdev, "the size of its description",
				    pdev->blob_len);
	flags = le32_to_cpu(wire.flags);
	if (flags & ~(PVBUS_BLK_READONLY | PVBUS_BLK_ROTATIONAL))
		return pvblk_refuse(pdev, "a set of flags", flags);
	if (wire.reserved)
		return pvblk_refuse(pdev, "a reserved field",
				    le32_to_cpu(wire.reserved));
	if (strnlen(wire.serial, sizeof(wire.serial)) == sizeof(wire.serial))
		return pvblk_refuse(pdev, "the length of the serial number",
				    sizeof(wire.serial));
	pvblk_convert(&wire, cfg);
	err = pvblk_check_blocks(pdev, cfg);
	if (err)
		return err;
	return pvblk_check_limits(pdev, cfg);
}
