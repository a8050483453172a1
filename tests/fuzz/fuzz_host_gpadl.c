// SPDX-License-Identifier: GPL-2.0
/* KERNEL: yes */
/* SOURCES: tests/fuzz/kernel/vm.c kmod/hello.c kmod/ctl.c kmod/channel.c kmod/window.c */
/* SOURCES: kmod/dev.c kmod/mem.c kmod/pin.c kmod/copy.c kmod/blk_queue.c kmod/blk_map.c */
/* SOURCES: kmod/blk_parse.c */
/*
 * Lists of pages (GPADL) that a guest opens a channel with: any list, anywhere,
 * in tables of guest RAM of any kind, which the guest changes while it is read.
 * What is opened has just the pages that were named once, all of them RAM.
 */
#include "kernel/vm.h"

#define MAX_LIST	PVBUS_MAX_GPADL
#define OPEN_SLEEPS_US	15000

static u64 any_address(void)
{
	u8 how = fuzz_u8();

	if (how < 0xc0)
		return host_gpa(how);
	if (how < 0xe0)
		return host_gpa(how) + fuzz_u16();
	return fuzz_u64();
}

static u32 pages_of(u32 slots)
{
	return PAGE_ALIGN(pvring_bytes(slots, PVBUS_SLOT_SIZE)) / PAGE_SIZE;
}

static void make_open(struct pvbus_open *open)
{
	u8 how = fuzz_u8();
	u32 g2h = how & 0x80 ? fuzz_u32() : PVRING_MIN_SLOTS << (how & 7);
	u32 h2g = how & 0x80 ? fuzz_u32() : PVRING_MIN_SLOTS << fuzz_below(10);

	memset(open, 0, sizeof(*open));
	open->offer = cpu_to_le32(1);
	open->queue = cpu_to_le16(fuzz_below(PVH_MAX_QUEUES + 1));
	open->vector = cpu_to_le16(fuzz_below(9));
	open->g2h_slots = cpu_to_le32(g2h);
	open->h2g_slots = cpu_to_le32(h2g);
	open->gpadl = cpu_to_le64(any_address());
	open->nr_pages = cpu_to_le32(pages_of(g2h) + pages_of(h2g));
	if (how & 0x40)
		open->nr_pages = cpu_to_le32(fuzz_u32());
	if (how & 0x20)
		open->features = cpu_to_le64(fuzz_u8());
}

/* A few addresses of the input, over and over, and one that differs. */
static void make_list(u64 gpadl)
{
	__le64 *list = host_ram(gpadl & PAGE_MASK, PAGE_SIZE);
	unsigned int i, n = 1 + fuzz_below(8);

	if (!list)
		return;
	for (i = 0; i < n; i++)
		list[i] = cpu_to_le64(any_address());
	for (; i < MAX_LIST; i++)
		list[i] = list[i - n];
	i = fuzz_u16();
	if (i < MAX_LIST)
		list[i] = cpu_to_le64(any_address());
	peer_share(list, PAGE_SIZE);
}

static void check_channel(const struct pvh_channel *ch,
			  const struct pvbus_open *open)
{
	u32 nr = pages_of(ch->rx_slots) + pages_of(ch->tx_slots);
	unsigned int i;

	must(ch->nr_ring_pages == nr && nr <= MAX_LIST);
	must(nr == le32_to_cpu(open->nr_pages));
	must(PAGE_ALIGNED(le64_to_cpu(open->gpadl)));
	must(!(ch->features & ~ch->dev->features));
	must(ch->vector < vm.vectors && ch->queue < ch->dev->max_queues);
	must(pvring_valid_slots(ch->rx_slots) &&
	     pvring_valid_slots(ch->tx_slots));
	for (i = 0; i < nr; i++)
		must(ch->ring_pages[i] >= ram &&
		     ch->ring_pages[i] < ram + RAM_PAGES &&
		     ch->ring_pages[i]->pins > 0);
	/* both rings lie in what was mapped: the sanitizer looks on */
	must((u8 *)ch->rx.hdr == (u8 *)ch->ring_mem);
	must(ch->tx.slots + ch->tx_slots * PVBUS_SLOT_SIZE <=
	     (u8 *)ch->ring_mem + nr * PAGE_SIZE);
	READ_ONCE(ch->tx.slots[ch->tx_slots * PVBUS_SLOT_SIZE - 1]);
}

static void open_one(struct pvh_dev *dev)
{
	unsigned long slept = kernel_slept_us;
	struct pvbus_open open;
	u32 status;

	make_open(&open);
	make_list(le64_to_cpu(open.gpadl));
	mutex_lock(&vm.lock);
	peer_on();
	status = pvh_channel_open(dev, &open);
	peer_off();
	if (status == PVBUS_ST_OK)
		check_channel(dev->channel[le16_to_cpu(open.queue)], &open);
	mutex_unlock(&vm.lock);
	must(status <= PVBUS_ST_GONE);
	/* whoever wants the lock waits for all of it, be it for room below the limit */
	must(kernel_slept_us - slept <= OPEN_SLEEPS_US);
}

static void close_one(struct pvh_dev *dev)
{
	unsigned int queue = fuzz_below(PVH_MAX_QUEUES);

	mutex_lock(&vm.lock);
	if (dev->channel[queue])
		pvh_channel_close(dev->channel[queue]);
	mutex_unlock(&vm.lock);
	kernel_run();
}

/* Is it RAM? Only if all of it lies in one region. */
static void ask(void)
{
	u64 gpa = any_address(), hva, off;
	u64 len = fuzz_u8() & 1 ? fuzz_u16() : fuzz_u64();
	unsigned int i;

	if (!pvh_mem_hva(vm.mem, gpa, len, &hva))
		return;
	for (i = 0; i < vm.mem->nr; i++) {
		const struct pvh_mem_region *r = &vm.mem->region[i];

		off = gpa - r->gpa;
		if (gpa >= r->gpa && off < r->size && len <= r->size - off &&
		    hva == r->hva + off)
			return;
	}
	must(!"in one region");
}

/* A table of the daemon's may be any that pvh_mem_check() has passed. */
static void change_mem(void)
{
	struct pvbus_ioc_vm_set_mem mem = host_mem();
	unsigned int i;

	for (i = 0; i < 2; i++) {
		mem.region[i].gpa += (u64)fuzz_u8() << PAGE_SHIFT;
		mem.region[i].size = (u64)fuzz_u8() << PAGE_SHIFT;
	}
	mem.nr_regions = fuzz_below(3);
	if (pvh_mem_check(&mem))
		return;
	vm.mem->nr = mem.nr_regions;
	for (i = 0; i < mem.nr_regions; i++) {
		vm.mem->region[i].gpa = mem.region[i].gpa;
		vm.mem->region[i].hva = mem.region[i].hva;
		vm.mem->region[i].size = mem.region[i].size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pvh_dev *dev = NULL;
	unsigned int i;

	fuzz_begin(data, size);
	host_begin();
	host_set_mem();
	vm.vectors = 8;
	if (fuzz_u8() & 1)
		change_mem();
	if (!host_add("a", fuzz_u8() & 1 ? PVBUS_TYPE_NET : PVBUS_TYPE_BLK)) {
		dev = list_entry(vm.devs.next, struct pvh_dev, node);
		for (i = 0; i < 16 && fuzz_left(); i++)
			switch (fuzz_below(6)) {
			case 0:
				close_one(dev);
				break;
			case 1:
				ask();
				break;
			default:
				open_one(dev);
			}
	}
	host_end();
	return 0;
}
