// SPDX-License-Identifier: GPL-2.0
/* KERNEL: yes */
/* SOURCES: tests/fuzz/kernel/vm.c kmod/hello.c kmod/ctl.c kmod/channel.c kmod/window.c */
/* SOURCES: kmod/dev.c kmod/mem.c kmod/pin.c kmod/copy.c kmod/blk_queue.c kmod/blk_map.c */
/* SOURCES: kmod/blk_parse.c */
/*
 * The host's end of the window: a guest that attaches, says hello, opens and
 * closes channels, rings, reads or does not, and puts any message at any time,
 * while the administrator adds and removes devices. Whatever comes, all that the
 * guest was lent is given back in the end, and the host's own state agrees with
 * itself after each step.
 */
#include "kernel/vm.h"

#define STEPS		128
#define NONCE		0x5a

static struct pvring_prod mbox;		/* the guest's ends */
static struct pvring_cons answers;
static u32 generation;
static u64 broken;			/* channels that the guest has broken */
static bool wrote;			/* it has written to the window, anywhere */

static struct pvbus_win_guest *guest_regs(void)
{
	return vm.win + PVBUS_WIN_GUEST;
}

/* A guest's ends begin anew with its generation, if it does as it should. */
static void attach(u32 gen)
{
	generation = gen;
	guest_regs()->generation = cpu_to_le32(gen);
	pvring_prod_init(&mbox, vm.win + PVBUS_WIN_G2H, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	pvring_cons_init(&answers, vm.win + PVBUS_WIN_H2G, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
}

static void send(u16 type, u16 len, const void *body)
{
	struct pvbus_msg msg = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
		.generation = cpu_to_le32(generation),
	};

	memcpy(msg.body, body, min_t(size_t, len, sizeof(msg.body)));
	pvring_put(&mbox, &msg, PVBUS_MBOX_SLOT_SIZE);
}

/* Any message, mostly of the right length, and so read as what it says. */
static void send_any(void)
{
	static const u16 lens[PVBUS_MSG_TYPES] = {
		[PVBUS_MSG_HELLO] = sizeof(struct pvbus_hello),
		[PVBUS_MSG_RESCIND_ACK] = sizeof(struct pvbus_offer_ref),
		[PVBUS_MSG_OPEN] = sizeof(struct pvbus_open),
		[PVBUS_MSG_CLOSE] = sizeof(struct pvbus_chan_ref),
	};
	struct pvbus_msg msg;
	u16 type = fuzz_u8() % (PVBUS_MSG_TYPES + 1);
	u16 len = type < PVBUS_MSG_TYPES ? lens[type] : 0;

	if (fuzz_u8() > 0xf8)
		len = fuzz_u16();
	fuzz_bytes(msg.body, min_t(size_t, len, sizeof(msg.body)));
	send(type, len, msg.body);
}

static void send_hello(void)
{
	struct pvbus_hello hello = {
		.version = cpu_to_le16(PVBUS_VERSION_MAX),
		.nr_ranges = 2,
		.nr_nonces = 2,
		.vectors = cpu_to_le32(1 + fuzz_below(16)),
	};
	unsigned int i;
	u8 *value;

	hello.range[0].size = cpu_to_le64(RAM_LOW_PAGES * PAGE_SIZE);
	hello.range[1].start = cpu_to_le64(RAM_HIGH);
	hello.range[1].size = hello.range[0].size;
	for (i = 0; i < 2; i++) {
		u64 gpa = host_gpa(i * RAM_LOW_PAGES) + 16 * fuzz_u8();

		hello.nonce[i].addr = cpu_to_le64(gpa);
		value = host_ram(gpa, PVBUS_NONCE_SIZE);
		memset(value, NONCE, PVBUS_NONCE_SIZE);
		value[0] = i;
		memcpy(hello.nonce[i].value, value, PVBUS_NONCE_SIZE);
	}
	/* one word of it may be wrong */
	i = fuzz_u8();
	if (i < sizeof(hello) / 4)
		((u32 *)&hello)[i] ^= fuzz_u32();
	send(PVBUS_MSG_HELLO, sizeof(hello), &hello);
}

/* A list of pages that is good, but for the one that the input makes bad. */
static void make_list(u64 gpadl, unsigned int nr)
{
	__le64 *list = host_ram(gpadl, PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < nr; i++)
		list[i] = cpu_to_le64(host_gpa(2 + i % (RAM_PAGES - 2)));
	i = fuzz_u8();
	if (i < nr)
		list[i] = cpu_to_le64(fuzz_u64());
}

static void send_open(void)
{
	u32 g2h = PVRING_MIN_SLOTS << fuzz_below(8);
	u32 h2g = PVRING_MIN_SLOTS << fuzz_below(8);
	u32 nr = (PAGE_ALIGN(pvring_bytes(g2h, PVBUS_SLOT_SIZE)) +
		  PAGE_ALIGN(pvring_bytes(h2g, PVBUS_SLOT_SIZE))) / PAGE_SIZE;
	struct pvbus_open open = {
		.offer = cpu_to_le32(1 + fuzz_below(4)),
		.queue = cpu_to_le16(fuzz_below(18)),
		.vector = cpu_to_le16(fuzz_below(9)),
		.gpadl = cpu_to_le64(host_gpa(1)),
		.nr_pages = cpu_to_le32(nr),
		.g2h_slots = cpu_to_le32(g2h),
		.h2g_slots = cpu_to_le32(h2g),
	};
	u8 i;

	make_list(host_gpa(1), nr);
	i = fuzz_u8();
	if (i < sizeof(open) / 4)
		((u32 *)&open)[i] ^= fuzz_u32();
	send(PVBUS_MSG_OPEN, sizeof(open), &open);
}

static void send_close(void)
{
	struct pvbus_chan_ref ref = {
		.offer = cpu_to_le32(1 + fuzz_below(4)),
		.queue = cpu_to_le16(fuzz_below(18)),
	};

	send(PVBUS_MSG_CLOSE, sizeof(ref), &ref);
}

static void send_rescind_ack(void)
{
	struct pvbus_offer_ref ref = {
		.offer = cpu_to_le32(1 + fuzz_below(4)),
	};

	send(PVBUS_MSG_RESCIND_ACK, sizeof(ref), &ref);
}

static void read_answers(void)
{
	struct pvbus_msg msg;
	unsigned int n = fuzz_u8();

	/* what the guest itself has written there says nothing of the host */
	while (n-- && pvring_get(&answers, &msg, sizeof(msg)))
		must(peer_writes || wrote ||
		     (le16_to_cpu(msg.type) < PVBUS_MSG_TYPES &&
		      le16_to_cpu(msg.len) <= PVBUS_MSG_BODY));
	pvring_cons_publish(&answers);
}

static void write_window(void)
{
	u32 at = fuzz_u16() % (PVBUS_WIN_SIZE / 4);

	((__le32 *)vm.win)[at] = fuzz_u32();
	wrote = true;
}

/* Someone has rung, for whatever reason: the host looks. */
static void ring(void)
{
	kernel_queue(&vm.ctl_work, 0);
	peer_on();
	kernel_run();
	peer_off();
	/* budget, look at the window, answer: all of it is bounded */
	must(peer_loads < 64 * PVBUS_MBOX_SLOTS * PVBUS_MBOX_SLOT_SIZE / 8);
}

static void set_mem(void)
{
	struct pvbus_ioc_vm_set_mem mem = host_mem();
	u8 i = fuzz_u8();

	if (i < sizeof(mem) / 4)
		((u32 *)&mem)[i] ^= fuzz_u32();
	pvh_vm_set_mem(&vm, &mem);
}

static struct pvh_channel *any_channel(void)
{
	unsigned int n = fuzz_u8();
	struct pvh_dev *dev;

	list_for_each_entry(dev, &vm.devs, node) {
		if (n < PVH_MAX_QUEUES)
			return dev->channel[n];
		n -= PVH_MAX_QUEUES;
	}
	return NULL;
}

static void work_channel(void)
{
	struct pvh_channel *ch = any_channel();
	u32 n, at;

	if (!ch)
		return;
	for (n = fuzz_u8() % 64; n; n--) {
		at = fuzz_u16() % (ch->nr_ring_pages * PAGE_SIZE / 4);
		((__le32 *)ch->ring_mem)[at] = fuzz_u32();
	}
	if (ch->broken)
		return;
	host_work(ch);
	if (!ch->broken)
		return;
	broken++;
	/* the administrator sees it, whatever the guest does before it is told */
	if (fuzz_u8() & 1)
		kernel_queue(&vm.ctl_work, 0);
}

/* While the host waits for the guest to let a device go. */
static void answer_turn(void)
{
	host_finish_io();
	if (fuzz_u8() & 1)
		send_rescind_ack();
	if (fuzz_u8() & 1)
		send_any();
	kernel_queue(&vm.ctl_work, 0);
}

static void take_away(void)
{
	static const char * const ids[] = { "a", "b", "c", "d" };
	void (*turn)(void) = kernel_turn;

	kernel_turn = answer_turn;
	pvh_dev_remove(&vm, ids[fuzz_below(4)], 100);
	kernel_turn = turn;
}

static void add(void)
{
	static const char * const ids[] = { "a", "b", "c", "d", "", "-", "a b" };

	host_add(ids[fuzz_below(7)], 1 + fuzz_below(3));
}

static void resize(void)
{
	static const char * const ids[] = { "a", "b", "c", "d" };
	u64 capacity;

	pvh_dev_resize(&vm, ids[fuzz_below(4)], &capacity);
}

static void update(void)
{
	struct pvh_dev *dev = NULL;
	u8 blob[PVBUS_BLOB_SIZE];
	size_t len = fuzz_below(PVBUS_BLOB_SIZE + 1);

	mutex_lock(&vm.lock);
	dev = pvh_dev_find(&vm, 1 + fuzz_below(4));
	mutex_unlock(&vm.lock);
	memset(blob, 1, sizeof(blob));
	if (dev)
		pvh_dev_update(dev, blob, len);
}

/* More news than the mailbox has room for: a guest that does not read. */
static void flood(void)
{
	unsigned int n;

	for (n = 0; n <= PVBUS_MBOX_SLOTS; n++) {
		update();
		kernel_run();
	}
}

static void check_dev(const struct pvh_dev *dev)
{
	unsigned int i, nr = 0;

	must(dev->max_queues && dev->max_queues <= PVH_MAX_QUEUES);
	must(dev->offered || !dev->rescind_sent);
	/* nobody lets go of what is not being taken away */
	must(dev->removing || !completion_done(&dev->released));
	for (i = 0; i < PVH_MAX_QUEUES; i++) {
		const struct pvh_channel *ch = dev->channel[i];

		if (!ch)
			continue;
		nr++;
		must(i < dev->max_queues && ch->queue == i);
		must(!(ch->features & ~dev->features));
		must(ch->nr_ring_pages <= PVBUS_MAX_GPADL);
		if (ch->closing)
			continue;
		must(!dev->ending && !ch->drained);
		must(vm.running && vm.state == PVBUS_VM_RUNNING && dev->offered);
		must(ch->vector < vm.vectors);
	}
	must(nr == dev->nr_channels);
}

static void check(void)
{
	unsigned int nr = 0, channels = 0;
	struct pvh_dev *dev;

	must(!vm.lock.held);
	must(vm.state >= PVBUS_VM_ATTACHED && vm.state <= PVBUS_VM_REFUSED);
	must(vm.running == (vm.state == PVBUS_VM_RUNNING));
	/* before the handshake nothing is answered but hello */
	if (vm.state != PVBUS_VM_RUNNING && vm.state != PVBUS_VM_REFUSED)
		must(vm.resetting || !vm.mbox_tx.head);
	if (vm.running)
		must(vm.mem && vm.generation && vm.vectors &&
		     vm.vectors <= vm.nr_vectors &&
		     vm.vectors >= vm.min_vectors);
	list_for_each_entry(dev, &vm.devs, node) {
		check_dev(dev);
		nr++;
		channels += dev->nr_channels;
	}
	must(nr == vm.nr_devs && channels == vm.nr_channels);
	/* no guest is told that its memory is its own before it is */
	must(vm.resetting || !channels || vm.state == PVBUS_VM_RUNNING ||
	     vm.state == PVBUS_VM_REFUSED);
	/* there is a place for each RESCIND that found no room */
	must(nr + vm.nr_owed <= PVH_MAX_DEVS && (vm.running || !vm.nr_owed));
}

static void (* const steps[])(void) = {
	send_any, send_hello, send_open, send_close, send_rescind_ack,
	read_answers, write_window, ring, ring, set_mem, work_channel,
	host_finish_io, take_away, add, update, resize, flood,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int i, op;

	fuzz_begin(data, size);
	host_begin();
	broken = 0;
	wrote = false;
	attach(1 + fuzz_u8());
	for (i = 0; i < STEPS && fuzz_left(); i++) {
		op = fuzz_below(ARRAY_SIZE(steps) + 2);
		if (op < ARRAY_SIZE(steps))
			steps[op]();
		else if (op == ARRAY_SIZE(steps))
			attach(fuzz_u8());
		else
			vm.next_offer = 0xfffffff0 | fuzz_u8();
		check();
	}
	host_end();
	must(vm.violations >= broken);
	return 0;
}
