// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host, disk: checks of a guest's requests. Nothing here touches shared
 * memory: requests and tables are private copies.
 */
#include "blk_parse.h"

#define PVH_BLK_DATA	0x01	/* segments move data */
#define PVH_BLK_EXTENT	0x02	/* names an extent, moves nothing */
#define PVH_BLK_CHANGES	0x04	/* not on a read-only disk */

/**
 * struct pvh_blk_rule - what an operation asks for
 * @kind: PVH_BLK_*, 0 for an operation that does not exist
 * @flags: PVBUS_BLK_REQ_* that it may carry
 * @feature: PVBUS_BLK_F_* without which it is not offered, or 0
 */
struct pvh_blk_rule {
	__u8	kind;
	__u8	flags;
	__u64	feature;
};

static const struct pvh_blk_rule pvh_blk_none;

static const struct pvh_blk_rule pvh_blk_read = {
	.kind	= PVH_BLK_DATA,
	.flags	= PVBUS_BLK_REQ_INDIRECT,
};

static const struct pvh_blk_rule pvh_blk_write = {
	.kind	= PVH_BLK_DATA | PVH_BLK_CHANGES,
	.flags	= PVBUS_BLK_REQ_INDIRECT | PVBUS_BLK_REQ_FUA,
};

static const struct pvh_blk_rule pvh_blk_flush = {
	.feature = PVBUS_BLK_F_FLUSH,
};

static const struct pvh_blk_rule pvh_blk_discard = {
	.kind	= PVH_BLK_EXTENT | PVH_BLK_CHANGES,
	.feature = PVBUS_BLK_F_DISCARD,
};

static const struct pvh_blk_rule pvh_blk_write_zeroes = {
	.kind	= PVH_BLK_EXTENT | PVH_BLK_CHANGES,
	.flags	= PVBUS_BLK_REQ_NOUNMAP,
	.feature = PVBUS_BLK_F_WRITE_ZEROES,
};

/* A switch and no table: the operation is the guest's to choose. */
static const struct pvh_blk_rule *pvh_blk_rule(__u8 op)
{
	switch (op) {
	case PVBUS_BLK_READ:
		return &pvh_blk_read;
	case PVBUS_BLK_WRITE:
		return &pvh_blk_write;
	case PVBUS_BLK_FLUSH:
		return &pvh_blk_flush;
	case PVBUS_BLK_DISCARD:
		return &pvh_blk_discard;
	case PVBUS_BLK_WRITE_ZEROES:
		return &pvh_blk_write_zeroes;
	default:
		return &pvh_blk_none;
	}
}

static __u32 pvh_blk_check_op(const struct pvh_blk_rule *rule,
			      const struct pvh_blk_limits *lim, __u8 flags)
{
	if (rule == &pvh_blk_none)
		return PVBUS_BLK_ST_UNSUPP;
	if (rule->feature & ~lim->features)
		return PVBUS_BLK_ST_UNSUPP;
	if (flags & ~rule->flags)
		return PVBUS_BLK_ST_INVAL;
	if ((flags & PVBUS_BLK_REQ_FUA) && !(lim->features & PVBUS_BLK_F_FUA))
		return PVBUS_BLK_ST_INVAL;
	return PVBUS_BLK_ST_OK;
}

static __u32 pvh_blk_check_extent(const struct pvh_blk_rule *rule,
				  const struct pvh_blk_limits *lim,
				  const struct pvh_blk_cmd *cmd)
{
	__u64 max = rule->kind & PVH_BLK_DATA ?
		    lim->max_bytes :
		    (__u64)lim->max_discard * PVBUS_BLK_SECTOR;
	__u32 block = lim->logical_block / PVBUS_BLK_SECTOR;
	__u32 nr = cmd->len / PVBUS_BLK_SECTOR;

	if (!cmd->len || cmd->len > max || cmd->len % lim->logical_block)
		return PVBUS_BLK_ST_INVAL;
	if (cmd->sector & (block - 1))
		return PVBUS_BLK_ST_INVAL;
	if (nr > lim->capacity || cmd->sector > lim->capacity - nr)
		return PVBUS_BLK_ST_RANGE;
	if ((rule->kind & PVH_BLK_CHANGES) && lim->readonly)
		return PVBUS_BLK_ST_READONLY;
	return PVBUS_BLK_ST_OK;
}

/* All that is not used is 0. */
static bool pvh_blk_tail_zero(const struct pvbus_blk_req *req,
			      unsigned int used)
{
	unsigned int i;

	for (i = used; i < PVBUS_BLK_INLINE_SEGS; i++) {
		if (req->addr[i] || req->seg_len[i])
			return false;
	}
	return true;
}

static bool pvh_blk_seg_ok(const struct pvh_blk_seg *seg,
			   const struct pvh_blk_limits *lim)
{
	if (!seg->len || seg->len > lim->max_bytes)
		return false;
	if ((seg->addr | seg->len) & (lim->alignment - 1))
		return false;
	return seg->addr <= ~(__u64)0 - seg->len;
}

/* Each segment by itself, and all of them together are the data. */
static __u32 pvh_blk_check_segs(const struct pvh_blk_limits *lim,
				const struct pvh_blk_cmd *cmd,
				const struct pvh_blk_seg *segs)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < cmd->nr_segs; i++) {
		if (!pvh_blk_seg_ok(&segs[i], lim))
			return PVBUS_BLK_ST_INVAL;
		sum += segs[i].len;
	}
	return sum == cmd->len ? PVBUS_BLK_ST_OK : PVBUS_BLK_ST_INVAL;
}

static __u32 pvh_blk_parse_inline(const struct pvbus_blk_req *req,
				  const struct pvh_blk_limits *lim,
				  const struct pvh_blk_cmd *cmd,
				  struct pvh_blk_seg *segs)
{
	unsigned int i;

	if (cmd->nr_segs > PVBUS_BLK_INLINE_SEGS ||
	    !pvh_blk_tail_zero(req, cmd->nr_segs))
		return PVBUS_BLK_ST_INVAL;
	for (i = 0; i < cmd->nr_segs; i++) {
		segs[i].addr = le64_to_cpu(req->addr[i]);
		segs[i].len = le32_to_cpu(req->seg_len[i]);
	}
	return pvh_blk_check_segs(lim, cmd, segs);
}

static __u32 pvh_blk_parse_indirect(const struct pvbus_blk_req *req,
				    struct pvh_blk_cmd *cmd)
{
	cmd->table = le64_to_cpu(req->addr[0]);
	if (!cmd->table || cmd->table % PVBUS_PAGE_SIZE)
		return PVBUS_BLK_ST_INVAL;
	if (le32_to_cpu(req->seg_len[0]) != pvh_blk_table_size(cmd) ||
	    !pvh_blk_tail_zero(req, 1))
		return PVBUS_BLK_ST_INVAL;
	return PVBUS_BLK_ST_OK;
}

static __u32 pvh_blk_parse_data(const struct pvbus_blk_req *req,
				const struct pvh_blk_limits *lim,
				struct pvh_blk_cmd *cmd,
				struct pvh_blk_seg *segs)
{
	if (!cmd->nr_segs || cmd->nr_segs > lim->max_segments)
		return PVBUS_BLK_ST_INVAL;
	if (req->flags & PVBUS_BLK_REQ_INDIRECT)
		return pvh_blk_parse_indirect(req, cmd);
	return pvh_blk_parse_inline(req, lim, cmd, segs);
}

/**
 * pvh_blk_parse() - check a request
 * @req: private copy of it; its tag is the caller's to check
 * @lim: limits of disk and channel
 * @cmd: what was asked for; meaningless but for @cmd->cookie when the return
 *	value is not PVBUS_BLK_ST_OK
 * @segs: room for PVBUS_BLK_MAX_SEGS segments, the inline ones are put here;
 *	when @cmd->table is set, pvh_blk_parse_table() does it
 *
 * Return: PVBUS_BLK_ST_*
 */
__u32 pvh_blk_parse(const struct pvbus_blk_req *req,
		    const struct pvh_blk_limits *lim,
		    struct pvh_blk_cmd *cmd, struct pvh_blk_seg *segs)
{
	const struct pvh_blk_rule *rule = pvh_blk_rule(req->op);
	__u32 status;

	cmd->sector = le64_to_cpu(req->sector);
	cmd->len = le32_to_cpu(req->len);
	cmd->nr_segs = le16_to_cpu(req->nr_segs);
	cmd->cookie = le16_to_cpu(req->cookie);
	cmd->op = req->op;
	/* who does not flush is promised that nothing is lost without */
	cmd->fua = req->flags & PVBUS_BLK_REQ_FUA ||
		   (rule->kind & PVH_BLK_CHANGES &&
		    !(lim->features & PVBUS_BLK_F_FLUSH));
	cmd->nounmap = req->flags & PVBUS_BLK_REQ_NOUNMAP;
	cmd->table = 0;

	status = pvh_blk_check_op(rule, lim, req->flags);
	if (status)
		return status;
	if (req->reserved)
		return PVBUS_BLK_ST_INVAL;
	if (!rule->kind && (cmd->len || cmd->sector))
		return PVBUS_BLK_ST_INVAL;
	if (!(rule->kind & PVH_BLK_DATA) &&
	    (cmd->nr_segs || !pvh_blk_tail_zero(req, 0)))
		return PVBUS_BLK_ST_INVAL;
	if (rule->kind) {
		status = pvh_blk_check_extent(rule, lim, cmd);
		if (status)
			return status;
	}
	if (rule->kind & PVH_BLK_DATA)
		return pvh_blk_parse_data(req, lim, cmd, segs);
	return PVBUS_BLK_ST_OK;
}

/**
 * pvh_blk_parse_table() - check a table of segments
 * @table: private copy of the table at @cmd->table, @cmd->nr_segs entries
 * @lim: limits of disk and channel
 * @cmd: request, as pvh_blk_parse() left it
 * @segs: room for PVBUS_BLK_MAX_SEGS segments
 *
 * Return: PVBUS_BLK_ST_*
 */
__u32 pvh_blk_parse_table(const struct pvbus_blk_seg *table,
			  const struct pvh_blk_limits *lim,
			  const struct pvh_blk_cmd *cmd,
			  struct pvh_blk_seg *segs)
{
	unsigned int i;

	for (i = 0; i < cmd->nr_segs; i++) {
		if (table[i].reserved)
			return PVBUS_BLK_ST_INVAL;
		segs[i].addr = le64_to_cpu(table[i].addr);
		segs[i].len = le32_to_cpu(table[i].len);
	}
	return pvh_blk_check_segs(lim, cmd, segs);
}
