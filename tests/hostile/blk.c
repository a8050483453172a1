// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: cases on an open channel of a disk.
 */
#include <linux/delay.h>
#include <linux/random.h>

#include "hostile.h"

#define BLOCK		4096
/* Segments that are spread over RAM, so that no two share what is pinned. */
#define SPREAD		SZ_128K
/* Pages of a request that the host needs no memory of its own for. */
#define PIN_KEPT	8
/* More pages than the host holds of this guest: tests/lab/scenarios/hostile.sh. */
#define PIN_FILL	2304
/* More than the pages that the host drops at once when it is at its limit. */
#define PIN_ROOM	40

/* A read of one block. */
void blk_good(struct hostile *h, struct pvbus_blk_req *req)
{
	h->tag = (h->tag + 1) % HOSTILE_SLOTS;
	*req = (struct pvbus_blk_req) {
		.tag = cpu_to_le16(h->tag),
		.cookie = cpu_to_le16(++h->cookie),
		.op = PVBUS_BLK_READ,
		.nr_segs = cpu_to_le16(1),
		.len = cpu_to_le32(BLOCK),
		.addr = { cpu_to_le64(h->dma) },
		.seg_len = { cpu_to_le32(BLOCK) },
	};
}

/* The same with a table of @nr segments, which the caller fills in. */
static void blk_good_table(struct hostile *h, struct pvbus_blk_req *req,
			   u32 nr)
{
	blk_good(h, req);
	req->flags = PVBUS_BLK_REQ_INDIRECT;
	req->nr_segs = cpu_to_le16(nr);
	req->len = cpu_to_le32(nr * BLOCK);
	req->addr[0] = cpu_to_le64(h->table_dma);
	req->seg_len[0] = cpu_to_le32(nr * sizeof(struct pvbus_blk_seg));
}

static void blk_table(struct hostile *h, u64 addr, u64 step, u32 nr)
{
	struct pvbus_blk_seg *seg = h->table;
	u32 i;

	memset(h->table, 0, PAGE_SIZE);
	for (i = 0; i < nr; i++) {
		seg[i].addr = cpu_to_le64(addr + i * step);
		seg[i].len = cpu_to_le32(BLOCK);
	}
}

/* Status of the request that was put last, or GOT_*. */
static int blk_answer(struct hostile *h)
{
	struct pvbus_blk_cpl cpl;
	unsigned int i;
	int got;

	for (;;) {
		got = hostile_get(h, &cpl);
		if (got)
			return got;
		for (i = 0; i < le16_to_cpu(cpl.count); i++)
			if (le16_to_cpu(cpl.done[i].tag) == h->tag)
				return le32_to_cpu(cpl.done[i].status);
	}
}

int blk_try(struct hostile *h, struct pvbus_blk_req *req)
{
	int err = hostile_put(h, req);

	return err ? err : blk_answer(h);
}

/* Read the answers of @nr requests; 0 or GOT_*. */
static int blk_answers(struct hostile *h, unsigned int nr)
{
	struct pvbus_blk_cpl cpl;
	unsigned int done = 0;
	int got = 0;

	while (done < nr && !got) {
		got = hostile_get(h, &cpl);
		if (!got)
			done += le16_to_cpu(cpl.count);
	}
	return got;
}

/* -- requests ----------------------------------------------------------------- */

static void blk_spoilt(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	blk_good(h, &req);
	hostile_got(c, blk_try(h, hostile_spoil(h, c, &req)));
}

/* Of another operation than a read. */
static void blk_write(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	blk_good(h, &req);
	req.op = PVBUS_BLK_WRITE;
	hostile_got(c, blk_try(h, hostile_spoil(h, c, &req)));
}

static void blk_flush(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req = { .op = PVBUS_BLK_FLUSH };

	req.tag = cpu_to_le16(h->tag);
	hostile_got(c, blk_try(h, hostile_spoil(h, c, &req)));
}

/* From or to the last page of RAM and the one behind it. */
static void blk_over_end(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	blk_good(h, &req);
	req.len = cpu_to_le32(2 * BLOCK);
	req.seg_len[0] = req.len;
	hostile_got(c, blk_try(h, hostile_spoil(h, c, &req)));
}

/* Lengths whose sum is that of one block, if it may overflow. */
static void blk_sum(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	blk_good(h, &req);
	req.nr_segs = cpu_to_le16(3);
	req.addr[1] = req.addr[0];
	req.addr[2] = req.addr[0];
	req.seg_len[0] = cpu_to_le32(0x80000000);
	req.seg_len[1] = cpu_to_le32(0x80000000);
	req.seg_len[2] = cpu_to_le32(BLOCK);
	hostile_got(c, blk_try(h, &req));
}

static void blk_spoilt_indirect(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	blk_table(h, h->dma, BLOCK, 2);
	blk_good_table(h, &req, 2);
	hostile_got(c, blk_try(h, hostile_spoil(h, c, &req)));
}

static void blk_spoilt_table(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	blk_table(h, h->dma, BLOCK, 2);
	hostile_spoil(h, c, h->table);
	blk_good_table(h, &req, 2);
	hostile_got(c, blk_try(h, &req));
}

/* -- tables, while the host reads them ---------------------------------------- */

/* What one moment names is not what was checked in the other. */
static void table_flip(struct hostile *h, unsigned int us)
{
	struct pvbus_blk_seg *seg = h->table;
	__le64 hole = cpu_to_le64(hostile_place(h, PLACE_HOLE));
	__le64 good = cpu_to_le64(h->dma);

	while (us--) {
		WRITE_ONCE(seg[0].addr, hole);
		WRITE_ONCE(seg[1].len, cpu_to_le32(U32_MAX));
		udelay(1);
		WRITE_ONCE(seg[0].addr, good);
		WRITE_ONCE(seg[1].len, cpu_to_le32(BLOCK));
	}
}

static void blk_changing(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;
	unsigned int round, i;
	int got = 0;

	for (round = 0; round < 16 && !got; round++) {
		blk_table(h, h->dma, 0, 256);
		for (i = 0; i < 8; i++) {
			blk_good_table(h, &req, 256);
			hostile_put(h, &req);
		}
		table_flip(h, 100);
		got = blk_answers(h, 8);
	}
	hostile_got(c, got);
}

/* -- tags --------------------------------------------------------------------- */

/* Both are there before the first is taken. */
static void blk_tag_twice(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	blk_good(h, &req);
	hostile_put_at(h, 1, &req);
	hostile_put_at(h, 0, &req);
	hostile_ring(h);
	hostile_got(c, hostile_wait_broken(h));
}

/* -- rings -------------------------------------------------------------------- */

/* More requests than there is room for answers, of which none is read. */
static void fill_answers(struct hostile *h, u32 index)
{
	struct pvring_hdr *hdr = h->ch->rx.hdr;
	struct pvbus_blk_req req;
	unsigned int i;

	/* a host that was kept from running has several for one slot */
	for (i = 0; i < 2 * HOSTILE_SLOTS * PVBUS_BLK_DONE_MAX &&
	     !READ_ONCE(h->ch->broken); i++) {
		WRITE_ONCE(hdr->index, cpu_to_le32(index));
		blk_good(h, &req);
		hostile_put(h, &req);
		/* so that each has its slot */
		usleep_range(200, 400);
	}
}

static void blk_index(struct hostile *h, const struct hostile_case *c)
{
	fill_answers(h, c->value);
	hostile_got(c, hostile_wait_broken(h));
}

/* A word of a ring's header that only says who wants to be told. */
static void blk_header(struct hostile *h, const struct hostile_case *c)
{
	void *hdr = c->at < offsetof(struct pvring_hdr, index) ?
		    h->ch->tx.hdr : h->ch->rx.hdr;
	struct pvbus_blk_req req;
	unsigned int i;
	int got = 0;

	for (i = 0; i < 32 && !got; i++) {
		WRITE_ONCE(*(u32 *)(hdr + c->at), get_random_u32());
		blk_good(h, &req);
		got = blk_try(h, &req);
	}
	hostile_got(c, got);
}

/* Sequence numbers of other rounds announce nothing. */
static void blk_sequence(struct hostile *h, const struct hostile_case *c)
{
	struct pvring_prod *tx = &h->ch->tx;
	struct pvbus_blk_req req;
	unsigned int i;

	for (i = 0; i < HOSTILE_SLOTS; i++) {
		__le32 *slot = (__le32 *)(tx->slots + i * PVBUS_SLOT_SIZE);

		WRITE_ONCE(*slot, cpu_to_le32(i - HOSTILE_SLOTS));
	}
	hostile_ring(h);
	msleep(20);
	blk_good(h, &req);
	hostile_got(c, blk_try(h, &req));
}

/* As many entries as the ring has slots, of which each is nonsense. */
static void blk_garbage(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;
	unsigned int i;

	for (i = HOSTILE_SLOTS; i--;) {
		get_random_bytes(&req, sizeof(req));
		/* nothing that would write to memory of others here */
		if (req.op == PVBUS_BLK_READ)
			req.op = 0;
		hostile_put_at(h, i, &req);
	}
	hostile_ring(h);
	hostile_got(c, hostile_wait_broken(h));
}

/* The rings themselves are what a read fills, with zeroes. */
static void blk_over_rings(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;
	unsigned int i;

	for (i = 0; i < h->ch->mem_size / BLOCK; i++) {
		blk_good(h, &req);
		/* where nothing was ever written */
		req.sector = cpu_to_le64(SZ_32M / PVBUS_BLK_SECTOR);
		req.addr[0] = cpu_to_le64(h->ch->mem_dma + i * BLOCK);
		hostile_put(h, &req);
	}
	msleep(50);
}

/* -- load --------------------------------------------------------------------- */

static void blk_storm(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;

	hostile_storm(h, 1000);
	blk_good(h, &req);
	hostile_got(c, blk_try(h, &req));
}

/* A write of @nr pages of RAM, each @step behind the one before. */
static int blk_write_pages(struct hostile *h, u64 at, u64 step, u32 nr)
{
	struct pvbus_blk_req req;

	blk_table(h, at, step, nr);
	blk_good_table(h, &req, nr);
	req.op = PVBUS_BLK_WRITE;
	return blk_try(h, &req);
}

/* Every page of a part of RAM is held for a moment: more than may be. */
static void blk_pin_all(struct hostile *h, const struct hostile_case *c)
{
	u64 at, step = 256 * SPREAD;
	int got = 0;

	for (at = SZ_16M; !got && at + step <= h->ram_end; at += step)
		got = blk_write_pages(h, at, SPREAD, 256);
	hostile_got(c, got);
}

/*
 * The host remembers as many pages as it may hold. What a big request needs besides
 * is to be had all the same, however little room the last page has left.
 */
static void blk_pin_kept(struct hostile *h, const struct hostile_case *c)
{
	unsigned int i;
	int got = 0;
	u64 at;

	for (i = 0; !got && i < PIN_FILL; i += PIN_KEPT)
		got = blk_write_pages(h, SZ_16M + i * SPREAD, SPREAD, PIN_KEPT);
	for (i = 0; !got && i < PIN_ROOM; i++) {
		at = SZ_16M + i * SPREAD + BLOCK;
		got = blk_write_pages(h, at, 0, 1);
		if (!got)
			got = blk_write_pages(h, h->dma, 0, 256);
	}
	hostile_got(c, got);
}

/* Stopped as soon as it is open, again and again. */
static void blk_break_often(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;
	unsigned int round;

	for (round = 0; round < 32; round++) {
		blk_good(h, &req);
		req.tag = cpu_to_le16(HOSTILE_SLOTS);
		EXPECT(blk_try(h, &req) == GOT_BROKEN);
		hostile_close(h);
		EXPECT(!hostile_open(h, c->type));
	}
}

/* Closed at once with all that it was asked for. */
static void blk_close_busy(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_blk_req req;
	unsigned int round, i;

	for (round = 0; round < 4; round++) {
		blk_table(h, h->dma, 0, 256);
		for (i = 0; i < HOSTILE_SLOTS; i++) {
			blk_good_table(h, &req, 256);
			hostile_put(h, &req);
		}
		hostile_close(h);
		EXPECT(!hostile_open(h, c->type));
	}
}

#define REQ(name, run, field, v, status) \
	{ name, run, PVBUS_TYPE_BLK, 0, \
	  offsetof(struct pvbus_blk_req, field), \
	  sizeof_field(struct pvbus_blk_req, field), v, 0, status }
#define REQ_PLACE(name, run, field, place, status) \
	{ name, run, PVBUS_TYPE_BLK, 0, \
	  offsetof(struct pvbus_blk_req, field), sizeof(__le64), 0, place, \
	  status }
#define SEG(name, nr, field, v, status) \
	{ name, blk_spoilt_table, PVBUS_TYPE_BLK, 0, \
	  (nr) * sizeof(struct pvbus_blk_seg) + \
	  offsetof(struct pvbus_blk_seg, field), \
	  sizeof_field(struct pvbus_blk_seg, field), v, 0, status }
#define HEADER(name, field) \
	{ name, blk_header, PVBUS_TYPE_BLK, 0, \
	  offsetof(struct pvring_hdr, field) }
#define OTHER(name, run, want) \
	{ name, run, PVBUS_TYPE_BLK, 0, 0, 0, 0, 0, want }

#define ST(status)	PVBUS_BLK_ST_##status

const struct hostile_case hostile_blk_cases[] = {
	REQ("blk_op_zero", blk_spoilt, op, 0, ST(UNSUPP)),
	REQ("blk_op_unknown", blk_spoilt, op, 0xff, ST(UNSUPP)),
	REQ("blk_flag_unknown", blk_spoilt, flags, 0x80, ST(INVAL)),
	REQ("blk_flag_of_other", blk_spoilt, flags, PVBUS_BLK_REQ_FUA,
	    ST(INVAL)),
	REQ("blk_reserved", blk_spoilt, reserved, 1, ST(INVAL)),
	REQ("blk_len_zero", blk_spoilt, len, 0, ST(INVAL)),
	REQ("blk_len_odd", blk_spoilt, len, 4095, ST(INVAL)),
	REQ("blk_len_short", blk_spoilt, len, 512, ST(INVAL)),
	REQ("blk_len_huge", blk_spoilt, len, 0xfffffe00, ST(INVAL)),
	REQ("blk_sector_far", blk_spoilt, sector, BIT_ULL(40), ST(RANGE)),
	REQ("blk_sector_wraps", blk_write, sector, U64_MAX, ST(RANGE)),
	REQ("blk_segs_none", blk_spoilt, nr_segs, 0, ST(INVAL)),
	REQ("blk_segs_more", blk_spoilt, nr_segs, 4, ST(INVAL)),
	REQ("blk_segs_many", blk_spoilt, nr_segs, 0xffff, ST(INVAL)),
	REQ("blk_seg_len_zero", blk_spoilt, seg_len[0], 0, ST(INVAL)),
	REQ("blk_seg_len_huge", blk_spoilt, seg_len[0], U32_MAX, ST(INVAL)),
	REQ("blk_seg_unused", blk_spoilt, seg_len[2], 1, ST(INVAL)),
	REQ("blk_addr_unused", blk_spoilt, addr[1], 1, ST(INVAL)),
	REQ("blk_addr_odd", blk_spoilt, addr[0], 0x100001, ST(INVAL)),
	OTHER("blk_sum_wraps", blk_sum, ST(INVAL)),
	REQ("blk_flush_len", blk_flush, len, 512, ST(INVAL)),
	REQ("blk_flush_addr", blk_flush, addr[0], 4096, ST(INVAL)),
	REQ_PLACE("blk_hole", blk_spoilt, addr[0], PLACE_HOLE, ST(FAULT)),
	REQ_PLACE("blk_registers", blk_spoilt, addr[0], PLACE_REGS, ST(FAULT)),
	REQ_PLACE("blk_window", blk_spoilt, addr[0], PLACE_WINDOW, ST(FAULT)),
	REQ_PLACE("blk_apic", blk_write, addr[0], PLACE_APIC, ST(FAULT)),
	REQ_PLACE("blk_rom", blk_spoilt, addr[0], PLACE_ROM, ST(FAULT)),
	REQ_PLACE("blk_beyond", blk_write, addr[0], PLACE_END, ST(FAULT)),
	REQ_PLACE("blk_over_end", blk_over_end, addr[0], PLACE_LAST,
		  ST(FAULT)),
	REQ_PLACE("blk_far", blk_spoilt, addr[0], PLACE_FAR, ST(FAULT)),
	REQ_PLACE("blk_top", blk_spoilt, addr[0], PLACE_TOP, ST(INVAL)),
	REQ("blk_table_odd", blk_spoilt_indirect, addr[0], 0x100010,
	    ST(INVAL)),
	REQ_PLACE("blk_table_hole", blk_spoilt_indirect, addr[0], PLACE_HOLE,
		  ST(FAULT)),
	REQ_PLACE("blk_table_registers", blk_spoilt_indirect, addr[0],
		  PLACE_REGS, ST(FAULT)),
	REQ_PLACE("blk_table_beyond", blk_spoilt_indirect, addr[0], PLACE_END,
		  ST(FAULT)),
	REQ("blk_table_size", blk_spoilt_indirect, seg_len[0], 4096,
	    ST(INVAL)),
	REQ("blk_table_segs", blk_spoilt_indirect, nr_segs, 257, ST(INVAL)),
	SEG("blk_table_reserved", 1, reserved, 1, ST(INVAL)),
	SEG("blk_table_len_zero", 0, len, 0, ST(INVAL)),
	SEG("blk_table_len_more", 1, len, 2 * BLOCK, ST(INVAL)),
	SEG("blk_table_addr", 1, addr, 0xc0000001, ST(INVAL)),
	SEG("blk_table_addr_hole", 1, addr, 0, ST(FAULT)),
	OTHER("blk_table_changes", blk_changing, 0),
	REQ("blk_tag_next", blk_spoilt, tag, HOSTILE_SLOTS, GOT_BROKEN),
	REQ("blk_tag_last", blk_spoilt, tag, 0xffff, GOT_BROKEN),
	OTHER("blk_tag_twice", blk_tag_twice, GOT_BROKEN),
	REQ("blk_index_stays", blk_index, seq, 0, GOT_BROKEN),
	REQ("blk_index_ahead", blk_index, seq, 0x40000000, GOT_BROKEN),
	REQ("blk_index_behind", blk_index, seq, U32_MAX, GOT_BROKEN),
	HEADER("blk_event", event),
	HEADER("blk_space_event", space_event),
	OTHER("blk_sequence", blk_sequence, 0),
	OTHER("blk_garbage", blk_garbage, GOT_BROKEN),
	OTHER("blk_over_rings", blk_over_rings, 0),
	OTHER("blk_storm", blk_storm, 0),
	OTHER("blk_pin_all", blk_pin_all, 0),
	OTHER("blk_pin_kept", blk_pin_kept, 0),
	OTHER("blk_break_often", blk_break_often, 0),
	OTHER("blk_close_busy", blk_close_busy, 0),
	{}
};
