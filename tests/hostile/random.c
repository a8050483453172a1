// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: anything, at random, from a seed. What the host is asked to
 * write goes to memory of ours, or to where there is none: this guest is to
 * live. What it is asked to read is any page of RAM, those among them that the
 * balloon has taken.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "hostile.h"

#define STEPS_MAX	200
/* The host takes no request for more bytes. */
#define HOSTILE_BLK_MAX	SZ_1M

static u32 rnd(struct hostile *h, u32 below)
{
	return prandom_u32_state(&h->rnd) % below;
}

static bool chance(struct hostile *h, u32 in)
{
	return !rnd(h, in);
}

/* Numbers at which things end. */
static u64 rnd_value(struct hostile *h)
{
	static const u64 value[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 65, 255, 256, 257,
		511, 512, 4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x100000, 0x7fffffff, 0x80000000, 0xfffff000, U32_MAX,
		1ULL << 32, 1ULL << 40, 1ULL << 63, U64_MAX - 511, U64_MAX,
	};

	if (chance(h, 4))
		return (u64)prandom_u32_state(&h->rnd) << 32 |
		       prandom_u32_state(&h->rnd);
	return value[rnd(h, ARRAY_SIZE(value))];
}

/* Whatever lies in RAM, ballooned or not. */
static u64 rnd_ram(struct hostile *h)
{
	return (u64)rnd(h, h->ram_end >> PAGE_SHIFT) << PAGE_SHIFT;
}

static u64 rnd_own(struct hostile *h)
{
	return h->dma + rnd(h, HOSTILE_BUF / PAGE_SIZE) * PAGE_SIZE;
}

static u64 rnd_addr(struct hostile *h, bool host_writes)
{
	switch (rnd(h, 4)) {
	case 0:
		return hostile_place(h, rnd(h, PLACES));
	case 1:
		return host_writes ? rnd_own(h) : rnd_ram(h);
	default:
		return rnd_own(h);
	}
}

static void mutate(struct hostile *h, void *what, unsigned int size)
{
	static const u8 width[] = { 1, 2, 4, 8 };
	unsigned int n, nr = rnd(h, 4);

	while (nr--) {
		__le64 value = cpu_to_le64(rnd_value(h));

		n = width[rnd(h, ARRAY_SIZE(width))];
		memcpy(what + rnd(h, size / n) * n, &value, n);
	}
}

/* Would the host write to memory that is not ours? */
static bool is_wild(const struct hostile *h, __le64 addr, u32 len)
{
	u64 at = le64_to_cpu(addr);

	if (at >= h->ram_end)
		return false;
	return at < h->dma || at - h->dma >= HOSTILE_BUF ||
	       len > HOSTILE_BUF - (at - h->dma);
}

static void tame(const struct hostile *h, __le64 *addr, u32 len)
{
	if (is_wild(h, *addr, len))
		*addr = cpu_to_le64(hostile_place(h, PLACE_HOLE));
}

/* -- disk --------------------------------------------------------------------- */

/*
 * The host may read this meanwhile, and the address of one moment with the
 * length of another: all lengths but impossible ones are within a page.
 */
static void rnd_table(struct hostile *h)
{
	static const u32 len[] = { 0, 1, 511, 512, 4096, U32_MAX };
	struct pvbus_blk_seg *seg = h->table;
	unsigned int i;

	for (i = 0; i < PVBUS_BLK_MAX_SEGS; i++) {
		WRITE_ONCE(seg[i].addr, cpu_to_le64(rnd_own(h)));
		WRITE_ONCE(seg[i].len, cpu_to_le32(4096));
		WRITE_ONCE(seg[i].reserved, 0);
	}
	for (i = rnd(h, 3); i; i--) {
		unsigned int n = rnd(h, 16);
		__le64 addr = cpu_to_le64(rnd_addr(h, true));

		tame(h, &addr, 4096);
		WRITE_ONCE(seg[n].addr, addr);
		if (chance(h, 4))
			WRITE_ONCE(seg[n].len,
				   cpu_to_le32(len[rnd(h, ARRAY_SIZE(len))]));
	}
}

/*
 * What is left of another entry in this slot may be taken for a part of this
 * one: whatever the operation, only what is written has addresses beside the
 * first, and that is one of ours for no more than a page.
 */
static void blk_tame(struct hostile *h, struct pvbus_blk_req *req)
{
	if (le32_to_cpu(req->seg_len[0]) > PAGE_SIZE &&
	    le32_to_cpu(req->seg_len[0]) <= HOSTILE_BLK_MAX)
		req->seg_len[0] = cpu_to_le32(PAGE_SIZE);
	if (req->op == PVBUS_BLK_READ &&
	    le16_to_cpu(req->nr_segs) <= PVBUS_BLK_INLINE_SEGS)
		req->nr_segs = cpu_to_le16(1);
	if (!(req->flags & PVBUS_BLK_REQ_INDIRECT)) {
		tame(h, &req->addr[0], 0);
		return;
	}
	rnd_table(h);
	if (le64_to_cpu(req->addr[0]) < h->ram_end)
		req->addr[0] = cpu_to_le64(h->table_dma);
}

static void rnd_blk(struct hostile *h, void *entry)
{
	struct pvbus_blk_req *req = entry;

	blk_good(h, req);
	req->op = 1 + rnd(h, 6);
	req->sector = cpu_to_le64(rnd(h, 64) * 8);
	if (chance(h, 3)) {
		unsigned int nr = 1 + rnd(h, PVBUS_BLK_MAX_SEGS);

		req->flags = PVBUS_BLK_REQ_INDIRECT;
		req->nr_segs = cpu_to_le16(nr);
		req->len = cpu_to_le32(nr * 4096);
		req->addr[0] = cpu_to_le64(h->table_dma);
		req->seg_len[0] = cpu_to_le32(nr * sizeof(struct pvbus_blk_seg));
	} else if (req->op == PVBUS_BLK_WRITE) {
		req->nr_segs = cpu_to_le16(2);
		req->len = cpu_to_le32(8192);
		req->addr[1] = cpu_to_le64(rnd_addr(h, false));
		req->seg_len[1] = cpu_to_le32(4096);
	}
	if (chance(h, 2))
		mutate(h, req, sizeof(*req));
	blk_tame(h, req);
}

/* -- card --------------------------------------------------------------------- */

/* As blk_tame(): of buffers there is one, or an impossible number. */
static void net_tame(struct hostile *h, struct pvbus_net_bufs *bufs)
{
	if (bufs->type != PVBUS_NET_BUFS)
		return;
	if (le16_to_cpu(bufs->count) <= PVBUS_NET_BUFS_MAX)
		bufs->count = cpu_to_le16(1);
	tame(h, &bufs->addr[0], le16_to_cpu(bufs->len));
}

static void rnd_net(struct hostile *h, void *entry)
{
	struct pvbus_net_tx *tx = entry;

	if (chance(h, 3)) {
		net_good_bufs(h, entry);
	} else {
		net_good(h, tx);
		tx->addr[0] = cpu_to_le64(rnd_addr(h, false));
	}
	if (chance(h, 2))
		mutate(h, entry, PVBUS_SLOT_SIZE);
	net_tame(h, entry);
}

/* -- steps -------------------------------------------------------------------- */

static void rnd_entry(struct hostile *h, void *entry)
{
	if (h->ch->pdev->type == PVBUS_TYPE_BLK)
		rnd_blk(h, entry);
	else
		rnd_net(h, entry);
}

static void step_put(struct hostile *h)
{
	__le64 entry[PVBUS_SLOT_SIZE / 8];

	rnd_entry(h, entry);
	if (chance(h, 16)) {
		hostile_put_at(h, 1 + rnd(h, 2 * HOSTILE_SLOTS), entry);
		return;
	}
	if (pvring_prod_room(&h->ch->tx, 1) < 1)
		return;
	pvring_put(&h->ch->tx, entry, PVBUS_SLOT_SIZE);
	if (chance(h, 2))
		hostile_ring(h);
}

static void step_header(struct hostile *h)
{
	struct pvring_hdr *hdr = h->ch->rx.hdr;
	__le32 value = cpu_to_le32(rnd_value(h));

	switch (rnd(h, 4)) {
	case 0:
		WRITE_ONCE(hdr->index, value);
		break;
	case 1:
		WRITE_ONCE(h->ch->tx.hdr->space_event, value);
		break;
	default:
		WRITE_ONCE(hdr->event, value);
	}
}

static void step_read(struct hostile *h)
{
	__le64 entry[PVBUS_SLOT_SIZE / 8];

	while (pvring_get(&h->ch->rx, entry, PVBUS_SLOT_SIZE))
		;
	pvring_cons_publish(&h->ch->rx);
}

static void step_ring(struct hostile *h)
{
	unsigned int i;

	for (i = rnd(h, 64); i; i--)
		h->bus->ops->ring(h->bus, rnd(h, PVBUS_MAX_VECTORS));
}

/* Through the mailbox of the core, which hears of answers that it did not ask. */
static void core_send(struct hostile *h, struct pvbus_msg *msg)
{
	struct pvbus *bus = h->bus;

	mutex_lock(&bus->send_lock);
	if (pvring_prod_room(&bus->tx, 1) > 0) {
		msg->generation = cpu_to_le32(READ_ONCE(bus->generation));
		pvring_put(&bus->tx, msg, PVBUS_MBOX_SLOT_SIZE);
		bus->ops->ring(bus, PVBUS_VECTOR_CTL);
	}
	mutex_unlock(&bus->send_lock);
}

/* Of the devices that the core has, and of such as it has not. */
static void step_message(struct hostile *h)
{
	unsigned int i, type = rnd(h, HOSTILE_TYPES);
	struct pvbus_msg msg __aligned(8);
	struct pvbus_open *open = (void *)msg.body;

	for (i = 0; i < HOSTILE_TYPES; i++)
		h->offer[i].offer = cpu_to_le32(h->pdev[i]->offer);
	if (chance(h, 2)) {
		session_close_msg(h, 1 + type, &msg);
	} else {
		session_open_msg(h, 1 + type, &msg);
		open->queue = cpu_to_le16(1 + rnd(h, 3));
		if (chance(h, 2))
			mutate(h, open, offsetof(struct pvbus_open, reserved));
	}
	core_send(h, &msg);
}

/* The session does not survive it. */
static void step_end(struct hostile *h)
{
	struct pvbus_msg msg __aligned(8);

	if (chance(h, 2)) {
		WRITE_ONCE(h->bus->guest->generation,
			   cpu_to_le32(prandom_u32_state(&h->rnd)));
		h->bus->ops->ring(h->bus, PVBUS_VECTOR_CTL);
		return;
	}
	session_close_msg(h, PVBUS_TYPE_BLK, &msg);
	msg.type = cpu_to_le16(PVBUS_MSG_TYPES + rnd(h, 100));
	core_send(h, &msg);
}

static void step(struct hostile *h)
{
	switch (rnd(h, 16)) {
	case 0:
		step_header(h);
		break;
	case 1:
		step_ring(h);
		break;
	case 2:
		if (chance(h, 4))
			step_message(h);
		break;
	case 3:
		if (chance(h, 256))
			step_end(h);
		break;
	case 4:
		usleep_range(100, 1000);
		break;
	case 5:
	case 6:
		step_read(h);
		break;
	case 7:
		rnd_table(h);
		break;
	default:
		step_put(h);
	}
}

static bool is_usable(const struct hostile *h)
{
	return !READ_ONCE(h->ch->broken) && !READ_ONCE(h->ch->pdev->gone);
}

/* One channel, as long as it bears. */
static void round_of(struct hostile *h)
{
	unsigned int steps = 1 + rnd(h, STEPS_MAX);

	if (hostile_open(h, 1 + rnd(h, HOSTILE_TYPES))) {
		/* the host has a channel of which the core does not know */
		step_end(h);
		return;
	}
	while (steps-- && is_usable(h))
		step(h);
	hostile_close(h);
}

/*
 * Return: 0, or a negative error code when the devices did not come back.
 *
 * A session that was ended takes the core a second to begin anew.
 */
int hostile_random(struct hostile *h, u32 seed, unsigned int seconds)
{
	unsigned long end = jiffies + seconds * HZ;
	unsigned int rounds = 0;

	prandom_seed_state(&h->rnd, seed);
	hostile_close(h);
	while (time_before(jiffies, end)) {
		round_of(h);
		rounds++;
		hostile_leave(h);
		/* whoever wants to remove the devices now can */
		usleep_range(500, 1000);
		if (!hostile_take(h))
			return -ENODEV;
	}
	pr_info("# random: %u rounds\n", rounds);
	return 0;
}
