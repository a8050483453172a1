// SPDX-License-Identifier: GPL-2.0
/* SOURCES: kmod/blk_parse.c */
/*
 * Requests for a disk and their tables of segments: whatever is accepted is
 * within all limits, which are written down here once more.
 */
#include <blk_parse.h>

#include "fuzz.h"

#define MEND_SUM	0x01	/* the length is the segments' */
#define MEND_TABLE	0x02	/* the size of the table is that of its entries */
#define MEND_SECTOR	0x04	/* near the end of the disk, */
#define MEND_HUGE	0x08	/* or of what numbers there are */

static struct pvh_blk_limits lim;

static void make_limits(void)
{
	__u8 how = fuzz_u8();

	lim.capacity = how & 1 ? 0x100000 : fuzz_u64();
	lim.features = how & 2 ? PVBUS_BLK_F_ALL : fuzz_u8();
	lim.logical_block = 512 << (how >> 2 & 3);
	lim.alignment = lim.logical_block << (how >> 4 & 1);
	lim.max_bytes = 0x100000;
	lim.max_segments = how & 0x20 ? PVBUS_BLK_MAX_SEGS : 1 + fuzz_u8();
	lim.max_discard = 1 << 17;
	lim.readonly = how & 0x40;
}

static bool is_data(__u8 op)
{
	return op == PVBUS_BLK_READ || op == PVBUS_BLK_WRITE;
}

static void check_op(const struct pvbus_blk_req *req,
		     const struct pvh_blk_cmd *cmd)
{
	must(req->op >= PVBUS_BLK_READ && req->op <= PVBUS_BLK_WRITE_ZEROES);
	must(cmd->op == req->op);
	must(!req->reserved);
	if (cmd->op != PVBUS_BLK_READ && cmd->op != PVBUS_BLK_FLUSH)
		must(!lim.readonly);
	if (cmd->op == PVBUS_BLK_FLUSH)
		must(lim.features & PVBUS_BLK_F_FLUSH);
	if (cmd->op == PVBUS_BLK_DISCARD)
		must(lim.features & PVBUS_BLK_F_DISCARD);
	if (cmd->op == PVBUS_BLK_WRITE_ZEROES)
		must(lim.features & PVBUS_BLK_F_WRITE_ZEROES);
	if (req->flags & PVBUS_BLK_REQ_FUA)
		must(cmd->op == PVBUS_BLK_WRITE &&
		     lim.features & PVBUS_BLK_F_FUA);
	must(cmd->fua == (req->flags & PVBUS_BLK_REQ_FUA ||
			  (cmd->op != PVBUS_BLK_READ && cmd->op != PVBUS_BLK_FLUSH &&
			   !(lim.features & PVBUS_BLK_F_FLUSH))));
	must(!cmd->nounmap || cmd->op == PVBUS_BLK_WRITE_ZEROES);
}

static void check_extent(const struct pvh_blk_cmd *cmd)
{
	__u64 nr = cmd->len / PVBUS_BLK_SECTOR;

	if (cmd->op == PVBUS_BLK_FLUSH) {
		must(!cmd->len && !cmd->sector);
		return;
	}
	must(cmd->len && !(cmd->len % lim.logical_block));
	must(!(cmd->sector % (lim.logical_block / PVBUS_BLK_SECTOR)));
	must(nr <= lim.capacity && cmd->sector <= lim.capacity - nr);
	must(is_data(cmd->op) ? cmd->len <= lim.max_bytes :
				nr <= lim.max_discard);
}

static void check_segs(const struct pvh_blk_cmd *cmd,
		       const struct pvh_blk_seg *segs)
{
	__u64 end, sum = 0;
	unsigned int i;

	must(cmd->nr_segs && cmd->nr_segs <= lim.max_segments);
	for (i = 0; i < cmd->nr_segs; i++) {
		must(segs[i].len);
		must(!__builtin_add_overflow(segs[i].addr, segs[i].len, &end));
		must(!((segs[i].addr | segs[i].len) % lim.alignment));
		sum += segs[i].len;
	}
	must(sum == cmd->len);
}

/* What a mutation hardly finds by itself. */
static void mend(struct pvbus_blk_req *req, struct pvbus_blk_seg *table,
		 __u8 how)
{
	unsigned int i, nr = le16_to_cpu(req->nr_segs);
	__u32 sum = 0;

	if (how & MEND_SECTOR)
		req->sector = cpu_to_le64((how & MEND_HUGE ? 0 : lim.capacity) -
					  8 * fuzz_u8());
	if (how & MEND_TABLE && req->flags & PVBUS_BLK_REQ_INDIRECT)
		req->seg_len[0] = cpu_to_le32(nr * sizeof(*table));
	if (!(how & MEND_SUM) || nr > PVBUS_BLK_MAX_SEGS)
		return;
	for (i = 0; i < nr; i++)
		if (req->flags & PVBUS_BLK_REQ_INDIRECT)
			sum += le32_to_cpu(table[i].len);
		else if (i < PVBUS_BLK_INLINE_SEGS)
			sum += le32_to_cpu(req->seg_len[i]);
	req->len = cpu_to_le32(sum);
}

/* A few segments of the input, over and over. */
static void make_table(struct pvbus_blk_seg *table)
{
	unsigned int i, n = 1 + fuzz_below(8);

	fuzz_bytes(table, n * sizeof(*table));
	for (i = n; i < PVBUS_BLK_MAX_SEGS; i++)
		table[i] = table[i - n];
}

/* The table has as many entries as the request says, and not one more. */
static __u32 parse_table(const struct pvbus_blk_seg *all,
			 const struct pvh_blk_cmd *cmd,
			 struct pvh_blk_seg *segs)
{
	size_t size = pvh_blk_table_size(cmd);
	struct pvbus_blk_seg *table;
	__u32 status;

	must(cmd->table && !(cmd->table % PVBUS_PAGE_SIZE));
	must(size && size <= PVBUS_PAGE_SIZE);
	table = malloc(size);
	memcpy(table, all, size);
	status = pvh_blk_parse_table(table, &lim, cmd, segs);
	free(table);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pvbus_blk_seg all[PVBUS_BLK_MAX_SEGS];
	struct pvh_blk_seg *segs;
	struct pvbus_blk_req req;
	struct pvh_blk_cmd cmd;
	__u32 status;
	__u8 how;

	fuzz_begin(data, size);
	make_limits();
	how = fuzz_u8();
	fuzz_bytes(&req, sizeof(req));
	make_table(all);
	mend(&req, all, how);
	segs = malloc(PVBUS_BLK_MAX_SEGS * sizeof(*segs));
	status = pvh_blk_parse(&req, &lim, &cmd, segs);
	if (status == PVBUS_BLK_ST_OK && cmd.table)
		status = parse_table(all, &cmd, segs);
	must(status < PVBUS_BLK_ST_COUNT);
	if (status == PVBUS_BLK_ST_OK) {
		check_op(&req, &cmd);
		check_extent(&cmd);
		if (is_data(cmd.op))
			check_segs(&cmd, segs);
		else
			must(!cmd.nr_segs);
	}
	free(segs);
	return 0;
}
