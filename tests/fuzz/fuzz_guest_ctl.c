// SPDX-License-Identifier: GPL-2.0
/* KERNEL: yes */
/* SOURCES: tests/fuzz/kernel/bus.c guest-drivers/attach.c */
/* SOURCES: guest-drivers/bus.c guest-drivers/session.c */
/* SOURCES: guest-drivers/hello.c guest-drivers/ctl.c guest-drivers/device.c */
/* SOURCES: guest-drivers/channel.c guest-drivers/vector.c */
/* SOURCES: guest-drivers/blk_config.c */
/*
 * The guest's end of the window: a host that comes and goes, acknowledges or
 * does not, offers devices, changes and takes them away, and answers what was
 * not asked, at any time, also while a driver waits. The guest ends its
 * attachment in bounded time, whatever the host did, and frees no memory that
 * the host may still have.
 */
#include "kernel/bus.h"

#include "guest-drivers/blk.h"

#define STEPS		96
#define QUEUES		3

static u8 window[PVBUS_WIN_SIZE] __aligned(4096);
static struct device parent;
static struct pvbus *bus;
static struct pvring_prod mbox;		/* the host's ends */
static struct pvring_cons asked;
/* what the guest asked for last, and how often it rang */
static struct pvbus_chan_ref opened, closed;
static unsigned int vectors;
/* the host speaks a version of the future alone, and accepts a guest that does not */
static bool foreign;

static struct pvbus_win_host *host_regs(void)
{
	return (struct pvbus_win_host *)(window + PVBUS_WIN_HOST);
}

static struct pvbus_win_guest *guest_regs(void)
{
	return (struct pvbus_win_guest *)(window + PVBUS_WIN_GUEST);
}

/* -- the host ------------------------------------------------------------------------ */

static void acknowledge(void)
{
	memset(window + PVBUS_WIN_G2H, 0, PVBUS_WIN_SIZE - PVBUS_WIN_G2H);
	pvring_prod_init(&mbox, window + PVBUS_WIN_H2G, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	pvring_cons_init(&asked, window + PVBUS_WIN_G2H, PVBUS_MBOX_SLOTS,
			 PVBUS_MBOX_SLOT_SIZE);
	host_regs()->generation = guest_regs()->generation;
}

static void let_go(void)
{
	host_regs()->generation = 0;
}

static void send(u16 type, u16 len, const void *body)
{
	struct pvbus_msg msg = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
		.generation = guest_regs()->generation,
	};

	memcpy(msg.body, body, min_t(size_t, len, sizeof(msg.body)));
	pvring_put(&mbox, &msg, PVBUS_MBOX_SLOT_SIZE);
}

/* One word of a message may be wrong. */
static void send_nearly(u16 type, void *body, u16 len)
{
	unsigned int i = fuzz_u8();

	if (i < len / 4)
		((u32 *)body)[i] ^= fuzz_u32();
	send(type, len, body);
}

static void send_any(void)
{
	u8 body[PVBUS_MSG_BODY];
	u16 type = fuzz_u8() % (PVBUS_MSG_TYPES + 1);
	u16 len = fuzz_u8();

	fuzz_bytes(body, min_t(size_t, len, sizeof(body)));
	send(type, len, body);
}

static void send_hello_ack(void)
{
	struct pvbus_hello_ack ack = {
		.version = cpu_to_le16(foreign ? 0 : PVBUS_VERSION_MAX),
		.vectors = cpu_to_le32(1 + fuzz_below(4)),
	};

	send_nearly(PVBUS_MSG_HELLO_ACK, &ack, sizeof(ack));
}

static void make_offer(struct pvbus_offer *offer)
{
	struct pvbus_blk_config *cfg = (struct pvbus_blk_config *)offer->blob;

	memset(offer, 0, sizeof(*offer));
	offer->offer = cpu_to_le32(1 + fuzz_below(4));
	offer->type = cpu_to_le16(PVBUS_TYPE_BLK);
	offer->max_queues = cpu_to_le16(QUEUES);
	/* as long as they may be: a word less and they have no end */
	memset(offer->id, 'a', sizeof(offer->id) - 1);
	offer->features = cpu_to_le64(PVBUS_BLK_F_ALL);
	offer->blob_len = cpu_to_le32(sizeof(*cfg));
	cfg->capacity = cpu_to_le64(1 << 20);
	cfg->logical_block = cpu_to_le32(512);
	cfg->physical_block = cpu_to_le32(4096);
	cfg->max_bytes = cpu_to_le32(1 << 20);
	cfg->max_segments = cpu_to_le32(256);
	cfg->max_discard = cpu_to_le32(1 << 16);
	cfg->dma_alignment = cpu_to_le32(512);
	memset(cfg->serial, 'S', sizeof(cfg->serial) - 1);
}

static void send_offer(void)
{
	struct pvbus_offer offer;

	make_offer(&offer);
	send_nearly(PVBUS_MSG_OFFER, &offer, sizeof(offer));
}

static void send_update(void)
{
	struct pvbus_offer offer;

	make_offer(&offer);
	send_nearly(PVBUS_MSG_UPDATE, &offer, sizeof(offer));
}

static void send_offers_done(void)
{
	send(PVBUS_MSG_OFFERS_DONE, 0, "");
}

static void send_rescind(void)
{
	struct pvbus_offer_ref ref = {
		.offer = cpu_to_le32(1 + fuzz_below(4)),
	};

	send_nearly(PVBUS_MSG_RESCIND, &ref, sizeof(ref));
}

static void send_open_ack(void)
{
	struct pvbus_chan_ref ref = opened;

	ref.status = cpu_to_le32(fuzz_u8() % 16 == 1 ? fuzz_u8() : 0);
	send_nearly(PVBUS_MSG_OPEN_ACK, &ref, sizeof(ref));
}

static void send_close_ack(void)
{
	struct pvbus_chan_ref ref = closed;

	send_nearly(PVBUS_MSG_CLOSE_ACK, &ref, sizeof(ref));
}

static void send_broken(void)
{
	struct pvbus_chan_ref ref = opened;

	ref.status = cpu_to_le32(fuzz_u8());
	send_nearly(PVBUS_MSG_BROKEN, &ref, sizeof(ref));
}

/* What the guest sends is well-formed, whatever it was told. */
static void check_open(const struct pvbus_open *open)
{
	u32 g2h = le32_to_cpu(open->g2h_slots);
	u32 h2g = le32_to_cpu(open->h2g_slots);

	must(pvring_valid_slots(g2h) && pvring_valid_slots(h2g));
	must(le32_to_cpu(open->nr_pages) <= PVBUS_MAX_GPADL);
	must(le16_to_cpu(open->vector) < vectors);
	must(!open->reserved);
}

static void take(const struct pvbus_msg *msg)
{
	const struct pvbus_open *open = (const void *)msg->body;
	const struct pvbus_chan_ref *ref = (const void *)msg->body;

	switch (le16_to_cpu(msg->type)) {
	case PVBUS_MSG_HELLO:
		must(le16_to_cpu(msg->len) == sizeof(struct pvbus_hello));
		break;
	case PVBUS_MSG_OPEN:
		check_open(open);
		opened.offer = open->offer;
		opened.queue = open->queue;
		break;
	case PVBUS_MSG_CLOSE:
		must(!ref->status && !ref->reserved && !ref->reserved2);
		closed = *ref;
		break;
	case PVBUS_MSG_RESCIND_ACK:
		break;
	default:
		must(!"a type that a guest sends");
	}
}

/* Not what the fuzzer itself has written over the guest's ring. */
static bool spoilt;

static void receive(void)
{
	struct pvbus_msg msg;
	unsigned int n = fuzz_below(PVBUS_MBOX_SLOTS);

	while (n-- && pvring_get(&asked, &msg, sizeof(msg)))
		if (!spoilt && !peer_writes)
			take(&msg);
	pvring_cons_publish(&asked);
}

/* As a good host would. */
static void serve(void)
{
	receive();
	send_open_ack();
	send_close_ack();
}

static void set_versions(void)
{
	u16 lo = foreign ? 99 : PVBUS_VERSION_MIN;
	u16 hi = foreign ? 99 : PVBUS_VERSION_MAX;

	host_regs()->version_min = cpu_to_le16(lo);
	host_regs()->version_max = cpu_to_le16(hi);
}

static void come_and_go(void)
{
	u8 how = fuzz_u8();

	if (how >= 0xf0) {
		foreign = !foreign;
		set_versions();
	}
	host_regs()->state = cpu_to_le32(how & 3 ? PVBUS_HOST_READY :
						   fuzz_u8());
}

static void write_window(void)
{
	u32 at = fuzz_u16() % (PVBUS_WIN_SIZE / 4);

	spoilt = true;
	((__le32 *)window)[at] = fuzz_u32();
}

static void interrupt(void)
{
	unsigned int vector = fuzz_u8() % (PVBUS_MAX_VECTORS + 1);

	/* a transport has no bus to tell before pvbus_attach() returns */
	if (!bus)
		return;
	peer_on();
	pvbus_interrupt(bus, vector);
	peer_off();
}

static void pass_time(void)
{
	jiffies += fuzz_u8() * 8;
}

static void (* const host_steps[])(void) = {
	acknowledge, acknowledge, let_go, send_any, send_hello_ack, send_offer,
	send_offer, send_update, send_offers_done, send_rescind, send_open_ack,
	send_close_ack, send_broken, receive, serve, serve, come_and_go,
	write_window, interrupt, pass_time,
};

static void host_step(void)
{
	/* beyond the input, a host that has fallen silent */
	if (fuzz_left())
		host_steps[fuzz_below(ARRAY_SIZE(host_steps))]();
}

/* What the host does while somebody in the guest waits for it. */
static void turn(void)
{
	unsigned int n = fuzz_u8() & 3;

	while (n--)
		host_step();
	/* the interrupt that it raises */
	if (bus && fuzz_u8() & 1)
		pvbus_interrupt(bus, PVBUS_VECTOR_CTL);
}

/* -- a driver ------------------------------------------------------------------------ */

static struct pvbus_channel *channel[8][QUEUES];

static void handler(struct pvbus_channel *ch)
{
	u8 entry[PVBUS_SLOT_SIZE];

	must(ch->pdev->bus == bus);
	while (pvring_get(&ch->rx, entry, sizeof(entry)))
		if (entry[4] == 0xff) {
			pvbus_channel_break(ch, "an entry", entry[5]);
			break;
		}
}

static void open_queue(struct pvbus_device *pdev, unsigned int queue)
{
	struct pvbus_channel_config cfg = {
		.queue = queue,
		.g2h_slots = PVRING_MIN_SLOTS << fuzz_below(3),
		.h2g_slots = PVRING_MIN_SLOTS << fuzz_below(3),
		.features = pdev->features & PVBUS_BLK_F_ALL,
		.handler = fuzz_u8() & 1 ? handler : NULL,
	};
	struct pvbus_channel *ch = pvbus_channel_open(pdev, &cfg);

	channel[pdev->offer % 8][queue] = IS_ERR(ch) ? NULL : ch;
}

static void close_queue(struct pvbus_device *pdev, unsigned int queue)
{
	struct pvbus_channel **ch = &channel[pdev->offer % 8][queue];

	if (*ch && (*ch)->pdev == pdev) {
		pvbus_channel_close(*ch);
		*ch = NULL;
	}
}

static void check_config(const struct pvblk_config *cfg)
{
	must(is_power_of_2(cfg->logical_block) && cfg->logical_block >= 512 &&
	     cfg->logical_block <= PAGE_SIZE);
	must(cfg->physical_block >= cfg->logical_block);
	/* of which the kernel makes how far it reads ahead */
	must(cfg->io_opt <= SZ_16M);
	must(cfg->capacity <= (u64)S64_MAX / 512);
	must(cfg->max_bytes >= PAGE_SIZE);
	must(cfg->max_segments && cfg->max_segments <= PVBUS_BLK_MAX_SEGS);
	must(is_power_of_2(cfg->dma_alignment));
	must(strnlen(cfg->serial, sizeof(cfg->serial)) < sizeof(cfg->serial));
}

static int probe(struct pvbus_device *pdev)
{
	struct pvblk_config cfg;
	unsigned int i;

	must(strnlen(pdev->id, sizeof(pdev->id)) < sizeof(pdev->id));
	must(pdev->blob_len <= PVBUS_BLOB_SIZE);
	/* where there is no session, there is no device */
	must(pdev->bus->version);
	/* another offer is in the place of this one */
	if (channel[pdev->offer % 8][0])
		return -EBUSY;
	if (pvblk_read_config(pdev, &cfg))
		return -EPROTO;
	check_config(&cfg);
	for (i = 0; i < QUEUES && i < pvbus_nr_queues(pdev); i++)
		open_queue(pdev, i);
	return 0;
}

static void remove_device(struct pvbus_device *pdev)
{
	struct pvbus_channel **chs = channel[pdev->offer % 8];
	unsigned int i;

	/* together, as drivers do */
	for (i = 0; i < QUEUES; i++)
		if (chs[i] && chs[i]->pdev == pdev)
			pvbus_channel_close_begin(chs[i]);
	for (i = 0; i < QUEUES; i++)
		if (chs[i] && chs[i]->pdev == pdev) {
			pvbus_channel_close_end(chs[i]);
			chs[i] = NULL;
		}
}

static void update(struct pvbus_device *pdev)
{
	struct pvblk_config cfg;

	if (!pvblk_read_config(pdev, &cfg))
		check_config(&cfg);
}

static void broken(struct pvbus_device *pdev, unsigned int queue)
{
	must(queue < QUEUES);
	close_queue(pdev, queue);
	if (fuzz_u8() & 1)
		open_queue(pdev, queue);
}

static struct pvbus_driver test_driver = {
	.type	= PVBUS_TYPE_BLK,
	.probe	= probe,
	.remove	= remove_device,
	.update	= update,
	.broken	= broken,
};

/* -- the guest ----------------------------------------------------------------------- */

static void ring(struct pvbus *b, unsigned int vector)
{
	must(vector < vectors);
}

static const struct pvbus_transport_ops transport = {
	.name	= "fuzz",
	.ring	= ring,
};

static void check(void)
{
	struct pvbus_device *pdev;
	unsigned int nr = 0;

	must(!bus->lock.held && !bus->send_lock.held);
	must(bus->vectors >= 1 && bus->vectors <= bus->max_vectors);
	must(bus->nr_proofs <= PVBUS_MAX_NONCES);
	list_for_each_entry(pdev, &bus->devs, node) {
		must(pdev->dev.refs > 0);
		nr++;
	}
	must(nr == bus->nr_devs);
	must(bus->version || !nr);
}

static void run_guest(void)
{
	pvbus_interrupt(bus, PVBUS_VECTOR_CTL);
	peer_on();
	kernel_run();
	peer_off();
}

static void window_begin(void)
{
	u8 how = fuzz_u8();

	vectors = 1 + how % 4;
	foreign = how >= 0xf0;
	memset(window, 0, sizeof(window));
	host_regs()->magic = cpu_to_le64(PVBUS_MAGIC);
	set_versions();
	host_regs()->features = cpu_to_le64(PVBUS_F_ALL);
	host_regs()->state = cpu_to_le32(PVBUS_HOST_READY);
	acknowledge();
	peer_share(window, sizeof(window));
	memset(channel, 0, sizeof(channel));
	memset(&opened, 0, sizeof(opened));
	memset(&closed, 0, sizeof(closed));
	spoilt = false;
}

static void detach(void)
{
	bool let_go_of;

	pvbus_detach(bus);
	let_go_of = bus->let_go;
	must(list_empty(&bus->devs) && list_empty(&bus->channels));
	/* only what the host may still write to is left */
	must(!guest_end() || !let_go_of || spoilt || peer_writes);
	free(bus);
	bus = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int i;

	fuzz_begin(data, size);
	guest_begin();
	window_begin();
	memset(&parent, 0, sizeof(parent));
	parent.coherent_dma_mask = DMA_BIT_MASK(64);
	pvbus_register_driver(&test_driver);
	kernel_turn = turn;
	bus = NULL;
	bus = pvbus_attach(&parent, &transport, NULL, window, vectors);
	if (IS_ERR(bus)) {
		must(!guest_end());
		return 0;
	}
	for (i = 0; i < STEPS && fuzz_left(); i++) {
		host_step();
		run_guest();
		check();
	}
	detach();
	return 0;
}
