// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the guest's bus core: each thing that is wrong with a message of the
 * host ends the session, and is found before anything was done.
 */
#define pr_fmt(fmt) fmt

#include <linux/delay.h>
#include <linux/module.h>

#include "mock.h"

/* The device is gone, the host forgotten, and not attached to again. */
static void violated(struct mock *m)
{
	EXPECT(mock_until(m, 5, mock_count(removes) == 1));
	EXPECT(mock_drv.gone && mock_drv.let_go);
	EXPECT(mock_until(m, 5, !mock_guest_generation(m)));
	mock_interrupt(m, PVBUS_VECTOR_CTL);
	msleep(1500);
	EXPECT(m->count[PVBUS_MSG_HELLO] == 1);
	EXPECT(mock_count(probes) == 1);
}

static void spoilt(struct mock *m, const struct mock_case *c)
{
	struct pvbus_msg msg = {
		.type = cpu_to_le16(c->type),
		.len = cpu_to_le16(c->len),
	};

	memcpy(msg.body, c->body, c->len);
	if (c->at >= 0)
		msg.body[c->at] ^= 0x81;
	else
		msg.reserved = cpu_to_le32(1);
	if (!with_device(m, 2))
		return;
	mock_send_raw(m, &msg);
	violated(m);
}

/* As it stands in the table: with nothing spoilt. */
static void malformed(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, 2))
		return;
	mock_send(m, c->type, c->body, c->len);
	violated(m);
}

static void offer_twice(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, 1))
		return;
	mock_offer(m, PVBUS_MSG_OFFER, 1, 1);
	violated(m);
}

static void offers_without_end(struct mock *m, const struct mock_case *c)
{
	unsigned int i;

	if (!with_device(m, 1))
		return;
	mock_driver_unregister();
	for (i = 2; i < 300; i++) {
		mock_offer(m, PVBUS_MSG_OFFER, i, 1);
		usleep_range(1000, 2000);
	}
	EXPECT(mock_until(m, 5, !mock_guest_generation(m)));
	EXPECT(!mock_driver_register());
}

static void second_hello_ack(struct mock *m, const struct mock_case *c)
{
	struct pvbus_hello_ack ack = m->ack;

	if (!with_device(m, 1))
		return;
	ack.version = cpu_to_le16(PVBUS_VERSION_MAX);
	mock_send(m, PVBUS_MSG_HELLO_ACK, &ack, sizeof(ack));
	violated(m);
}

static void offers_done_twice(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, 1))
		return;
	mock_send(m, PVBUS_MSG_OFFERS_DONE, "", 0);
	msleep(100);
	EXPECT(!mock_count(removes));
	mock_send(m, PVBUS_MSG_OFFERS_DONE, "", 0);
	violated(m);
}

/* Of another generation, nothing is looked at. */
static void stale_generation(struct mock *m, const struct mock_case *c)
{
	struct pvbus_msg msg = { .type = cpu_to_le16(200) };

	if (!with_device(m, 1))
		return;
	mutex_lock(&m->lock);
	msg.generation = cpu_to_le32(m->generation + 1);
	pvring_put(&m->tx, &msg, PVBUS_MBOX_SLOT_SIZE);
	pvring_prod_kick(&m->tx);
	mutex_unlock(&m->lock);
	mock_interrupt(m, PVBUS_VECTOR_CTL);
	mock_offer(m, PVBUS_MSG_UPDATE, 1, 22);
	EXPECT(mock_until(m, 5, mock_count(updates) == 1));
	EXPECT(!mock_count(removes));
}

static const struct pvbus_offer good = {
	.offer = cpu_to_le32(2),
	.type = cpu_to_le16(MOCK_TYPE),
	.max_queues = cpu_to_le16(1),
	.id = "x",
	.blob_len = cpu_to_le32(1),
};

static const struct pvbus_offer no_number = {
	.type = cpu_to_le16(MOCK_TYPE),
	.max_queues = cpu_to_le16(1),
	.id = "x",
};

static const struct pvbus_offer no_queues = {
	.offer = cpu_to_le32(2),
	.type = cpu_to_le16(MOCK_TYPE),
	.id = "x",
};

static const struct pvbus_offer no_id = {
	.offer = cpu_to_le32(2),
	.type = cpu_to_le16(MOCK_TYPE),
	.max_queues = cpu_to_le16(1),
};

/* The device of with_device() has another id. */
static const struct pvbus_offer other = {
	.offer = cpu_to_le32(1),
	.type = cpu_to_le16(MOCK_TYPE),
	.max_queues = cpu_to_le16(MOCK_QUEUES),
	.id = "x",
};

static const struct pvbus_offer_ref no_offer;
static const struct pvbus_chan_ref no_channel;

#define OFFER_AT(name, field, more) \
	{ name, spoilt, PVBUS_MSG_OFFER, &good, sizeof(good), \
	  offsetof(struct pvbus_offer, field) + (more) }
#define CHAN_AT(name, type, field) \
	{ name, spoilt, type, &no_channel, sizeof(no_channel), \
	  offsetof(struct pvbus_chan_ref, field) }

const struct mock_case mock_spoilt_cases[] = {
	{ "type_zero", malformed, 0, "", 0 },
	{ "type_unknown", malformed, PVBUS_MSG_TYPES, "", 0 },
	{ "type_of_guest", malformed, PVBUS_MSG_RESCIND_ACK, &no_offer,
	  sizeof(no_offer) },
	{ "message_reserved", spoilt, PVBUS_MSG_OFFERS_DONE, "", 0, -1 },
	{ "message_tail", spoilt, PVBUS_MSG_OFFERS_DONE, "", 0, 17 },
	{ "message_short", malformed, PVBUS_MSG_OFFER, &good,
	  offsetof(struct pvbus_offer, blob) },
	{ "message_long", malformed, PVBUS_MSG_OFFERS_DONE, &no_offer,
	  sizeof(no_offer) },
	{ "second_hello_ack", second_hello_ack },
	{ "stale_generation", stale_generation },
	OFFER_AT("offer_id_char", id, 0),
	OFFER_AT("offer_id_tail", id, 5),
	OFFER_AT("offer_id_end", id, 31),
	OFFER_AT("offer_blob_len", blob_len, 1),
	OFFER_AT("offer_blob_tail", blob, 1),
	OFFER_AT("offer_reserved", reserved, 0),
	{ "offer_no_number", malformed, PVBUS_MSG_OFFER, &no_number,
	  sizeof(no_number) },
	{ "offer_no_queues", malformed, PVBUS_MSG_OFFER, &no_queues,
	  sizeof(no_queues) },
	{ "offer_no_id", malformed, PVBUS_MSG_OFFER, &no_id, sizeof(no_id) },
	{ "offer_twice", offer_twice },
	{ "offers_without_end", offers_without_end },
	{ "offers_done_twice", offers_done_twice },
	{ "update_of_id", malformed, PVBUS_MSG_UPDATE, &other, sizeof(other) },
	{ "rescind_reserved", spoilt, PVBUS_MSG_RESCIND, &no_offer,
	  sizeof(no_offer), offsetof(struct pvbus_offer_ref, reserved) },
	CHAN_AT("open_ack_reserved", PVBUS_MSG_OPEN_ACK, reserved),
	CHAN_AT("close_ack_reserved", PVBUS_MSG_CLOSE_ACK, reserved2),
	CHAN_AT("broken_reserved", PVBUS_MSG_BROKEN, reserved),
	{}
};
