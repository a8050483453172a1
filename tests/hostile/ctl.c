// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: cases on the bus: wrong messages, in any order and state,
 * lists that change, resets in the middle, doorbells without end.
 *
 * HELLO with a version that the host does not speak is left out: it ends the
 * daemon, which is to be seen by the administrator, and has its own scenario.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/random.h>

#include "hostile.h"

static unsigned int opens = 100;
module_param(opens, uint, 0444);
MODULE_PARM_DESC(opens, "how often channels are opened, beside 20 times as many that are refused");

static u16 answer_to(u16 msg)
{
	switch (msg) {
	case PVBUS_MSG_HELLO:
		return PVBUS_MSG_HELLO_ACK;
	case PVBUS_MSG_OPEN:
		return PVBUS_MSG_OPEN_ACK;
	default:
		return PVBUS_MSG_CLOSE_ACK;
	}
}

static void message(struct hostile *h, u16 type, struct pvbus_msg *msg)
{
	switch (type) {
	case PVBUS_MSG_HELLO:
		session_hello(h, msg);
		break;
	case PVBUS_MSG_OPEN:
		session_open_msg(h, PVBUS_TYPE_BLK, msg);
		break;
	case PVBUS_MSG_RESCIND_ACK:
		session_close_msg(h, PVBUS_TYPE_BLK, msg);
		msg->type = cpu_to_le16(type);
		msg->len = cpu_to_le16(sizeof(struct pvbus_offer_ref));
		break;
	default:
		session_close_msg(h, PVBUS_TYPE_BLK, msg);
	}
}

/* A message in a session that runs. */
static void ctl_spoilt(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);

	EXPECT(!session_attach(h));
	message(h, c->msg, &msg);
	hostile_spoil(h, c, &msg);
	hostile_got(c, session_try(h, &msg, answer_to(c->msg)));
}

/* And before it does. */
static void ctl_early(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);

	EXPECT(!session_attach(h));
	EXPECT(!session_reset(h));
	message(h, c->msg, &msg);
	hostile_spoil(h, c, &msg);
	hostile_got(c, session_try(h, &msg, answer_to(c->msg)));
}

/* What lies in memory is not what was said to lie there. */
static void ctl_nonce(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);

	EXPECT(!session_reset(h));
	session_hello(h, &msg);
	*(u8 *)h->buf ^= 1;
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_HELLO_ACK));
}

/* A page of the rings, or where the list of them is. */
static void ctl_list(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);

	EXPECT(!session_attach(h));
	session_open_msg(h, PVBUS_TYPE_NET, &msg);
	hostile_spoil(h, c, h->list);
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_OPEN_ACK));
}

static void ctl_open_twice(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);

	EXPECT(!session_attach(h));
	session_open_msg(h, PVBUS_TYPE_BLK, &msg);
	EXPECT(!session_try(h, &msg, PVBUS_MSG_OPEN_ACK));
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_OPEN_ACK));
}

/* What was never opened, and what is not any more. */
static void ctl_close_twice(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);

	EXPECT(!session_attach(h));
	session_open_msg(h, PVBUS_TYPE_NET, &msg);
	EXPECT(!session_try(h, &msg, PVBUS_MSG_OPEN_ACK));
	session_close_msg(h, PVBUS_TYPE_NET, &msg);
	EXPECT(!session_try(h, &msg, PVBUS_MSG_CLOSE_ACK));
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_CLOSE_ACK));
}

/* Of another generation nothing is answered; the next message is. */
static void ctl_stale(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	unsigned int i;

	EXPECT(!session_attach(h));
	for (i = 0; i < 2 * PVBUS_MBOX_SLOTS; i++) {
		message(h, PVBUS_MSG_OPEN, &msg);
		msg.generation = cpu_to_le32(h->generation + 1 + i);
		EXPECT(!session_send(h, &msg));
	}
	message(h, PVBUS_MSG_CLOSE, &msg);
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_CLOSE_ACK));
}

/* Send without reading, as far as the host takes it; how many? */
static unsigned int send_unread(struct hostile *h, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	struct pvbus_msg msg __aligned(8);
	unsigned int nr = 0;

	message(h, PVBUS_MSG_CLOSE, &msg);
	while (time_before(jiffies, end)) {
		if (pvring_prod_room(&h->tx, 1) < 1) {
			usleep_range(50, 100);
			continue;
		}
		session_send(h, &msg);
		nr++;
	}
	return nr;
}

/* The host takes no more than it can answer, and all of it later. */
static void ctl_not_read(struct hostile *h, const struct hostile_case *c)
{
	unsigned int i, nr;
	int got = 0;

	EXPECT(!session_attach(h));
	nr = send_unread(h, 300);
	EXPECT(nr >= PVBUS_MBOX_SLOTS && nr <= 2 * PVBUS_MBOX_SLOTS);
	for (i = 0; i < nr && got != GOT_NOTHING; i++)
		got = session_answer(h, PVBUS_MSG_CLOSE_ACK);
	hostile_got(c, got);
}

/* Answers were read that were never sent. */
static void ctl_index(struct hostile *h, const struct hostile_case *c)
{
	EXPECT(!session_attach(h));
	WRITE_ONCE(h->rx.hdr->index, cpu_to_le32(c->value));
	send_unread(h, 200);
	hostile_got(c, session_answer(h, PVBUS_MSG_HELLO_ACK));
}

/* Sequence numbers of all rounds but the next announce nothing. */
static void ctl_sequence(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	unsigned int i;

	EXPECT(!session_attach(h));
	for (i = 0; i < PVBUS_MBOX_SLOTS; i++)
		memset(h->tx.slots + i * PVBUS_MBOX_SLOT_SIZE, 0xa0 + i,
		       PVBUS_MBOX_SLOT_SIZE);
	message(h, PVBUS_MSG_CLOSE, &msg);
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_CLOSE_ACK));
}

/* All of the window but our generation: what the host reads back is its own. */
static void ctl_window(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_win_host host = *h->bus->host;
	unsigned int i;

	EXPECT(!session_attach(h));
	for (i = 0; i < 64; i++) {
		get_random_bytes(h->bus->window + PVBUS_WIN_G2H,
				 PVBUS_WIN_SIZE - PVBUS_WIN_G2H);
		get_random_bytes(h->bus->host, sizeof(host));
		h->bus->ops->ring(h->bus, PVBUS_VECTOR_CTL);
	}
	msleep(20);
	*h->bus->host = host;
	/* the host looks at the next generation whatever came before */
	hostile_got(c, session_reset(h));
}

/* The list names other pages when they are pinned than when it was sent. */
static void ctl_list_changes(struct hostile *h, const struct hostile_case *c)
{
	__le64 hole = cpu_to_le64(hostile_place(h, PLACE_HOLE));
	struct pvbus_msg msg __aligned(8);
	unsigned int i, n;
	int got;

	EXPECT(!session_attach(h));
	for (i = 0; i < 16; i++) {
		__le64 *list = h->list;
		__le64 good;

		session_open_msg(h, PVBUS_TYPE_NET, &msg);
		good = list[2];
		EXPECT(!session_send(h, &msg));
		for (n = 0; n < 100; n++) {
			WRITE_ONCE(list[2], n % 2 ? good : hole);
			udelay(2);
		}
		got = session_answer(h, PVBUS_MSG_OPEN_ACK);
		EXPECT(!got || got == PVBUS_ST_FAULT);
		session_close_msg(h, PVBUS_TYPE_NET, &msg);
		got = session_try(h, &msg, PVBUS_MSG_CLOSE_ACK);
		EXPECT(!got || got == PVBUS_ST_NOENT);
	}
}

/* One page is all pages of both rings, and the list of them. */
static void ctl_one_page(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	__le64 *list = h->list;
	unsigned int i;

	EXPECT(!session_attach(h));
	session_open_msg(h, PVBUS_TYPE_BLK, &msg);
	for (i = 0; i < HOSTILE_RING_PAGES; i++)
		list[i] = cpu_to_le64(h->list_dma);
	EXPECT(!session_try(h, &msg, PVBUS_MSG_OPEN_ACK));
	for (i = 0; i < 100; i++)
		h->bus->ops->ring(h->bus, PVBUS_VECTOR_CTL);
	session_close_msg(h, PVBUS_TYPE_BLK, &msg);
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_CLOSE_ACK));
}

/* The disk's and the card's, by turns. */
static void ctl_opens(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	unsigned int i;
	int got = 0;

	EXPECT(!session_attach(h));
	for (i = 0; i < opens && !got; i++) {
		u16 type = i % 2 ? PVBUS_TYPE_NET : PVBUS_TYPE_BLK;

		session_open_msg(h, type, &msg);
		got = session_try(h, &msg, PVBUS_MSG_OPEN_ACK);
		if (got)
			break;
		session_close_msg(h, type, &msg);
		got = session_try(h, &msg, PVBUS_MSG_CLOSE_ACK);
	}
	hostile_got(c, got);
}

/* Such as are refused at different steps. */
static void ctl_opens_refused(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	struct pvbus_open *open = (void *)msg.body;
	__le64 *list = h->list;
	unsigned int i;
	int got = 0;

	EXPECT(!session_attach(h));
	for (i = 0; i < 20 * opens && got >= 0; i++) {
		session_open_msg(h, 1 + i % 2, &msg);
		if (i & 2)
			list[3] = cpu_to_le64(hostile_place(h, PLACE_END));
		else
			open->queue = cpu_to_le16(PVBUS_MAX_VECTORS + i);
		if (i & 4)
			open->gpadl = cpu_to_le64(hostile_place(h, PLACE_ROM));
		got = session_try(h, &msg, PVBUS_MSG_OPEN_ACK);
		EXPECT(got);
	}
	message(h, PVBUS_MSG_CLOSE, &msg);
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_CLOSE_ACK));
}

/* While requests are under way whose memory is the guest's afterwards. */
static void ctl_reset_busy(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	struct pvbus_blk_req req;
	struct pvring_prod tx;
	unsigned int round, i;

	for (round = 0; round < 8; round++) {
		EXPECT(!session_attach(h));
		session_open_msg(h, PVBUS_TYPE_BLK, &msg);
		EXPECT(!session_try(h, &msg, PVBUS_MSG_OPEN_ACK));
		pvring_prod_init(&tx, h->rings, HOSTILE_SLOTS,
				 PVBUS_SLOT_SIZE);
		for (i = 0; i < HOSTILE_SLOTS; i++) {
			blk_good(h, &req);
			pvring_put(&tx, &req, PVBUS_SLOT_SIZE);
		}
		h->bus->ops->ring(h->bus, PVBUS_VECTOR_CTL);
	}
	hostile_got(c, session_reset(h));
}

/* Generations that nobody waits for; 0 among them. */
static void ctl_resets(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	unsigned int i;

	for (i = 0; i < 500; i++) {
		u32 generation = i % 4 ? get_random_u32() : 0;

		WRITE_ONCE(h->bus->guest->generation,
			   cpu_to_le32(generation));
		h->bus->ops->ring(h->bus, PVBUS_VECTOR_CTL);
		/* no HELLO: half of one may speak another version */
		message(h, PVBUS_MSG_CLOSE, &msg);
		msg.generation = cpu_to_le32(generation);
		pvring_put(&h->tx, &msg, PVBUS_MBOX_SLOT_SIZE);
	}
	hostile_got(c, session_reset(h));
}

/* Each of these is worth a line in the host's log. */
static void ctl_violations(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	unsigned int i;
	int got = GOT_LOST;

	EXPECT(!session_attach(h));
	for (i = 0; i < 300 && got == GOT_LOST; i++) {
		EXPECT(!session_reset(h));
		message(h, PVBUS_MSG_CLOSE, &msg);
		got = session_try(h, &msg, PVBUS_MSG_CLOSE_ACK);
	}
	hostile_got(c, got);
}

static void ctl_storm(struct hostile *h, const struct hostile_case *c)
{
	struct pvbus_msg msg __aligned(8);
	unsigned long end = jiffies + HZ / 2;

	EXPECT(!session_attach(h));
	while (time_before(jiffies, end))
		h->bus->ops->ring(h->bus, PVBUS_VECTOR_CTL);
	message(h, PVBUS_MSG_CLOSE, &msg);
	hostile_got(c, session_try(h, &msg, PVBUS_MSG_CLOSE_ACK));
}

#define BODY(name, run, msg, type, field, v, place, want) \
	{ name, run, 0, msg, offsetof(struct pvbus_msg, body) + \
	  offsetof(struct type, field), sizeof_field(struct type, field), v, \
	  place, want }
#define MSG(name, run, type, field, v, want) \
	{ name, run, 0, PVBUS_MSG_##type, offsetof(struct pvbus_msg, field), \
	  sizeof_field(struct pvbus_msg, field), v, 0, want }
#define HELLO(name, field, v, want) \
	BODY(name, ctl_early, PVBUS_MSG_HELLO, pvbus_hello, field, v, 0, want)
#define HELLO_PLACE(name, field, place, want) \
	BODY(name, ctl_early, PVBUS_MSG_HELLO, pvbus_hello, field, 0, place, \
	     want)
#define OPEN(name, field, v, want) \
	BODY(name, ctl_spoilt, PVBUS_MSG_OPEN, pvbus_open, field, v, 0, want)
#define OPEN_PLACE(name, place) \
	BODY(name, ctl_spoilt, PVBUS_MSG_OPEN, pvbus_open, gpadl, 0, place, \
	     PVBUS_ST_FAULT)
#define CLOSE(name, field, v, want) \
	BODY(name, ctl_spoilt, PVBUS_MSG_CLOSE, pvbus_chan_ref, field, v, 0, \
	     want)
#define LIST(name, nr, v, place) \
	{ name, ctl_list, 0, 0, (nr) * sizeof(__le64), sizeof(__le64), v, \
	  place, PVBUS_ST_FAULT }
#define OTHER(name, run, v, want) \
	{ name, run, 0, 0, 0, 0, v, 0, want }

#define ST(status)	PVBUS_ST_##status

const struct hostile_case hostile_ctl_cases[] = {
	MSG("msg_type_zero", ctl_spoilt, CLOSE, type, 0, GOT_LOST),
	MSG("msg_type_unknown", ctl_spoilt, CLOSE, type, PVBUS_MSG_TYPES,
	    GOT_LOST),
	MSG("msg_type_last", ctl_spoilt, CLOSE, type, 0xffff, GOT_LOST),
	MSG("msg_type_of_host", ctl_spoilt, CLOSE, type, PVBUS_MSG_BROKEN,
	    GOT_LOST),
	MSG("msg_short", ctl_spoilt, OPEN, len, 39, GOT_LOST),
	MSG("msg_long", ctl_spoilt, OPEN, len, 240, GOT_LOST),
	MSG("msg_too_long", ctl_spoilt, CLOSE, len, 0xffff, GOT_LOST),
	MSG("msg_reserved", ctl_spoilt, CLOSE, reserved, 1, GOT_LOST),
	MSG("msg_tail", ctl_spoilt, OPEN, body[239], 1, GOT_LOST),
	MSG("early_open", ctl_early, OPEN, reserved, 0, GOT_LOST),
	MSG("early_close", ctl_early, CLOSE, reserved, 0, GOT_LOST),
	MSG("early_rescind_ack", ctl_early, RESCIND_ACK, reserved, 0,
	    GOT_LOST),
	MSG("second_hello", ctl_spoilt, HELLO, reserved, 0, GOT_LOST),
	MSG("rescind_ack", ctl_spoilt, RESCIND_ACK, reserved, 0, GOT_LOST),
	HELLO("hello_reserved", reserved[1], 1, GOT_LOST),
	HELLO("hello_no_vectors", vectors, 0, GOT_LOST),
	HELLO("hello_no_ranges", nr_ranges, 0, GOT_LOST),
	HELLO("hello_ranges", nr_ranges, 255, GOT_LOST),
	HELLO("hello_range_empty", nr_ranges, 2, GOT_LOST),
	HELLO("hello_range_wraps", range[0].size, U64_MAX, GOT_LOST),
	HELLO("hello_range_unused", range[3].start, 1, GOT_LOST),
	HELLO("hello_no_nonces", nr_nonces, 0, GOT_LOST),
	HELLO("hello_nonces", nr_nonces, 255, GOT_LOST),
	HELLO("hello_nonce_odd", nonce[0].addr, 8, GOT_LOST),
	HELLO("hello_nonce_unused", nonce[1].value[0], 1, GOT_LOST),
	HELLO("hello_features", features, BIT_ULL(63), ST(FEATURES)),
	OTHER("hello_nonce_wrong", ctl_nonce, 0, ST(RAM)),
	HELLO_PLACE("hello_range_hole", range[0].start, PLACE_HOLE, ST(RAM)),
	HELLO_PLACE("hello_range_beyond", range[0].start, PLACE_END, ST(RAM)),
	HELLO_PLACE("hello_nonce_hole", nonce[0].addr, PLACE_HOLE, ST(RAM)),
	HELLO_PLACE("hello_nonce_top", nonce[0].addr, PLACE_TOP, ST(RAM)),
	OPEN("open_reserved", reserved, 1, GOT_LOST),
	OPEN("open_no_offer", offer, 0, ST(NOENT)),
	OPEN("open_offer_unknown", offer, U32_MAX, ST(NOENT)),
	OPEN("open_queue", queue, 64, ST(NOENT)),
	OPEN("open_queue_last", queue, 0xffff, ST(NOENT)),
	OPEN("open_features", features, BIT_ULL(40), ST(FEATURES)),
	OPEN("open_vector", vector, PVBUS_MAX_VECTORS, ST(INVAL)),
	OPEN("open_vector_last", vector, 0xffff, ST(INVAL)),
	OPEN("open_slots_none", g2h_slots, 0, ST(INVAL)),
	OPEN("open_slots_odd", g2h_slots, 63, ST(INVAL)),
	OPEN("open_slots_huge", h2g_slots, 0x80000000, ST(INVAL)),
	OPEN("open_slots_less", h2g_slots, 32, ST(INVAL)),
	OPEN("open_pages_none", nr_pages, 0, ST(INVAL)),
	OPEN("open_pages_more", nr_pages, HOSTILE_RING_PAGES + 1, ST(INVAL)),
	OPEN("open_pages_huge", nr_pages, U32_MAX, ST(INVAL)),
	OPEN("open_list_odd", gpadl, 0x100008, ST(INVAL)),
	OPEN_PLACE("open_list_hole", PLACE_HOLE),
	OPEN_PLACE("open_list_window", PLACE_WINDOW),
	OPEN_PLACE("open_list_rom", PLACE_ROM),
	OPEN_PLACE("open_list_beyond", PLACE_END),
	OPEN_PLACE("open_list_top", PLACE_TOP),
	LIST("page_odd", 0, 0x100001, 0),
	LIST("page_hole", 0, 0, PLACE_HOLE),
	LIST("page_registers", 1, 0, PLACE_REGS),
	LIST("page_window", 2, 0, PLACE_WINDOW),
	LIST("page_rom", 3, 0, PLACE_ROM),
	LIST("page_beyond", 3, 0, PLACE_END),
	LIST("page_far", 3, 0, PLACE_FAR),
	CLOSE("close_reserved", reserved2, 1, GOT_LOST),
	CLOSE("close_status", status, 1, GOT_LOST),
	CLOSE("close_no_offer", offer, U32_MAX, ST(NOENT)),
	CLOSE("close_not_open", queue, 0, ST(NOENT)),
	CLOSE("close_queue", queue, 0xffff, ST(NOENT)),
	OTHER("open_twice", ctl_open_twice, 0, ST(BUSY)),
	OTHER("close_twice", ctl_close_twice, 0, ST(NOENT)),
	OTHER("stale_generation", ctl_stale, 0, ST(NOENT)),
	OTHER("mailbox_not_read", ctl_not_read, 0, ST(NOENT)),
	OTHER("mailbox_index", ctl_index, 0x40000000, GOT_LOST),
	OTHER("mailbox_index_behind", ctl_index, U32_MAX - 1, GOT_LOST),
	OTHER("mailbox_sequence", ctl_sequence, 0, ST(NOENT)),
	OTHER("window_garbage", ctl_window, 0, 0),
	OTHER("list_changes", ctl_list_changes, 0, 0),
	OTHER("one_page", ctl_one_page, 0, 0),
	OTHER("opens", ctl_opens, 0, 0),
	OTHER("opens_refused", ctl_opens_refused, 0, ST(NOENT)),
	OTHER("reset_busy", ctl_reset_busy, 0, 0),
	OTHER("resets", ctl_resets, 0, 0),
	OTHER("violations", ctl_violations, 0, GOT_LOST),
	OTHER("storm", ctl_storm, 0, ST(NOENT)),
	{}
};
