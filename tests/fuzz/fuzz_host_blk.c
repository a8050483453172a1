// SPDX-License-Identifier: GPL-2.0
/* KERNEL: yes */
/* SOURCES: tests/fuzz/kernel/vm.c kmod/hello.c kmod/ctl.c kmod/channel.c kmod/window.c */
/* SOURCES: kmod/dev.c kmod/mem.c kmod/pin.c kmod/copy.c kmod/blk_queue.c kmod/blk_map.c */
/* SOURCES: kmod/blk_parse.c */
/*
 * An open channel of a disk: requests and their tables come out of memory that
 * the guest writes while they are read. The backing store gets nothing that is
 * not within its limits, no page is held longer than its request, and each
 * request that was taken is answered once, or the channel is broken.
 */
#include "kernel/vm.h"

#define SLOTS		8
#define STEPS		64
#define LIST		1	/* page of the list of pages */
#define RING		2	/* first of the rings' */
#define DATA		4	/* first of those for data and tables */

static struct pvh_channel *ch;
static struct pvring_prod requests;
static struct pvring_cons completions;

static bool open_channel(void)
{
	__le64 *list = host_ram(host_gpa(LIST), PAGE_SIZE);
	struct pvbus_open open = {
		.offer = cpu_to_le32(1),
		.gpadl = cpu_to_le64(host_gpa(LIST)),
		.nr_pages = cpu_to_le32(2),
		.g2h_slots = cpu_to_le32(SLOTS),
		.h2g_slots = cpu_to_le32(SLOTS),
		.features = cpu_to_le64(PVBUS_BLK_F_ALL),
	};
	struct pvh_dev *dev;

	if (host_add("a", PVBUS_TYPE_BLK))
		return false;
	dev = list_entry(vm.devs.next, struct pvh_dev, node);
	list[0] = cpu_to_le64(host_gpa(RING));
	list[1] = cpu_to_le64(host_gpa(RING + 1));
	mutex_lock(&vm.lock);
	pvh_channel_open(dev, &open);
	mutex_unlock(&vm.lock);
	ch = dev->channel[0];
	if (!ch)
		return false;
	pvring_prod_init(&requests, ch->ring_mem, SLOTS, PVBUS_SLOT_SIZE);
	pvring_cons_init(&completions, (u8 *)ch->ring_mem + PAGE_SIZE, SLOTS,
			 PVBUS_SLOT_SIZE);
	peer_share(ch->ring_mem, 2 * PAGE_SIZE);
	return true;
}

/* A table in guest RAM: a few pieces of the input, over and over. */
static u64 make_table(unsigned int nr, u32 *sum)
{
	u64 gpa = host_gpa(DATA + fuzz_below(4));
	struct pvbus_blk_seg *table = host_ram(gpa, PAGE_SIZE);
	unsigned int i;

	*sum = 0;
	for (i = 0; i < nr && i < PVBUS_BLK_MAX_SEGS; i++) {
		table[i].addr = cpu_to_le64(host_gpa(DATA + 4 + i));
		table[i].len = cpu_to_le32(4096);
		table[i].reserved = 0;
		*sum += 4096;
	}
	i = fuzz_u8();
	if (i < nr) {
		table[i].addr = cpu_to_le64(fuzz_u64());
		table[i].len = cpu_to_le32(fuzz_u32());
	}
	return gpa;
}

static void make_data(struct pvbus_blk_req *req, unsigned int nr)
{
	unsigned int i;
	u32 sum = 0;

	req->nr_segs = cpu_to_le16(nr);
	if (nr > PVBUS_BLK_INLINE_SEGS) {
		req->flags |= PVBUS_BLK_REQ_INDIRECT;
		req->addr[0] = cpu_to_le64(make_table(nr, &sum));
		req->seg_len[0] = cpu_to_le32(nr * 16);
	}
	for (i = 0; i < nr && nr <= PVBUS_BLK_INLINE_SEGS; i++) {
		u32 len = 4096 * (1 + fuzz_below(8));

		req->addr[i] = cpu_to_le64(host_gpa(DATA + fuzz_u8()));
		req->seg_len[i] = cpu_to_le32(len);
		sum += len;
	}
	req->len = cpu_to_le32(sum);
}

static void put(void)
{
	struct pvbus_blk_req req = {};
	unsigned int i;

	req.tag = cpu_to_le16(fuzz_below(SLOTS));
	req.cookie = cpu_to_le16(fuzz_u8());
	req.op = 1 + fuzz_below(5);
	if (req.op <= PVBUS_BLK_WRITE)
		make_data(&req, 1 + fuzz_u8());
	else if (req.op != PVBUS_BLK_FLUSH)
		req.len = cpu_to_le32(4096);
	/* one word of it may be wrong */
	i = fuzz_u8();
	if (i < sizeof(req) / 4)
		((u32 *)&req)[i] ^= fuzz_u32();
	pvring_put(&requests, &req, sizeof(req));
}

static void put_any(void)
{
	struct pvbus_blk_req req;

	fuzz_bytes(&req, sizeof(req));
	pvring_put(&requests, &req, sizeof(req));
}

static void read_some(void)
{
	struct pvbus_blk_cpl cpl;
	unsigned int n = fuzz_below(SLOTS + 1);

	while (n-- && pvring_get(&completions, &cpl, sizeof(cpl)))
		;
	pvring_cons_publish(&completions);
}

static void check(void)
{
	struct pvh_blk_queue *q = ch->priv;
	unsigned int i, busy = 0;

	must(q->nr_reqs == SLOTS);
	for (i = 0; i < q->nr_reqs; i++)
		busy += q->reqs[i].busy;
	must(busy == q->in_flight);
	must(ch->stats.requests - ch->stats.completions == busy);
}

static void work(void)
{
	/* a request is read once, a table likewise */
	const unsigned long most = PVH_BUDGET * (PVBUS_SLOT_SIZE / 8 + 4) + 64;

	peer_on();
	host_work(ch);
	peer_off();
	must(peer_loads < most);
	check();
}

/* QEMU takes pages away, as a balloon does; it may take its time about it. */
static void invalidate(void)
{
	u64 first = fuzz_u8();

	atomic_set(&vm.invalidating, first & 1);
	pvh_pin_invalidate(&vm, first, first + fuzz_u8());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (* const steps[])(void) = {
		put, put, put, put_any, read_some, work, work, host_finish_io,
		invalidate,
	};
	unsigned int i;

	fuzz_begin(data, size);
	host_begin();
	host_set_mem();
	vm.vectors = 8;
	for (i = 0; i < 4; i++)
		peer_share(ram[DATA + i].data, PAGE_SIZE);
	if (open_channel())
		for (i = 0; i < STEPS && fuzz_left(); i++)
			steps[fuzz_below(ARRAY_SIZE(steps))]();
	host_end();
	return 0;
}
