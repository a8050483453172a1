// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the guest's bus core: a host that does things at random.
 */
#define pr_fmt(fmt) fmt

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/random.h>

#include "mock.h"

static unsigned int fuzz_rounds = 200;
module_param(fuzz_rounds, uint, 0444);
MODULE_PARM_DESC(fuzz_rounds, "attachments to a host that does things at random");

/* Something that is mostly well-formed. */
static void fuzz_message(struct mock *m, u32 dice)
{
	static const u16 len[PVBUS_MSG_TYPES] = {
		[PVBUS_MSG_HELLO_ACK] = sizeof(struct pvbus_hello_ack),
		[PVBUS_MSG_OFFER] = sizeof(struct pvbus_offer),
		[PVBUS_MSG_UPDATE] = sizeof(struct pvbus_offer),
		[PVBUS_MSG_RESCIND] = sizeof(struct pvbus_offer_ref),
		[PVBUS_MSG_OPEN_ACK] = sizeof(struct pvbus_chan_ref),
		[PVBUS_MSG_CLOSE_ACK] = sizeof(struct pvbus_chan_ref),
		[PVBUS_MSG_BROKEN] = sizeof(struct pvbus_chan_ref),
	};
	struct pvbus_msg msg = {};
	u16 type = (dice >> 8) % PVBUS_MSG_TYPES;

	msg.type = cpu_to_le16(type);
	msg.len = cpu_to_le16(len[type]);
	get_random_bytes(msg.body, len[type]);
	if (dice & BIT(20))
		get_random_bytes(&msg, sizeof(msg));
	mock_send_raw(m, &msg);
}

static void fuzz_step(struct mock *m)
{
	u32 dice = get_random_u32();
	u32 offer = 1 + (dice >> 24) % 4;
	u16 queue = (dice >> 16) % MOCK_QUEUES;

	switch (dice % 16) {
	case 0:
		if (!(dice & 0xf00))
			fuzz_message(m, dice);
		break;
	case 1:
		if (!(dice & 0x700))
			mock_set_state(m, PVBUS_HOST_DOWN);
		break;
	case 2:
		mock_set_state(m, PVBUS_HOST_READY);
		break;
	case 3:
		mock_rescind(m, offer);
		break;
	case 4:
	case 5:
		mock_offer(m, PVBUS_MSG_UPDATE, offer, 1);
		break;
	case 6:
		mock_send_ref(m, PVBUS_MSG_BROKEN, offer, queue, 10);
		break;
	case 7:
		mock_send_ref(m, PVBUS_MSG_OPEN_ACK, offer, queue, dice & 1);
		break;
	case 8:
		mock_send_ref(m, PVBUS_MSG_CLOSE_ACK, offer, queue, 0);
		break;
	case 9:
		mock_mute(m, (dice >> 8) & (MOCK_NO_RESET | MOCK_NO_HELLO));
		break;
	case 10:
		mock_offer(m, PVBUS_MSG_OFFER, 2 + (dice >> 8) % 1000, 1);
		break;
	case 11:
		if (dice & 0xf00)
			break;
		memset(m->window + PVBUS_WIN_H2G, dice, PVBUS_MBOX_SLOT_SIZE *
		       ((dice >> 12) % 8));
		break;
	case 12:
		if (!(dice & 0xf00))
			memset(m->window + PVBUS_WIN_G2H + 128, dice, 8);
		break;
	default:
		mock_interrupt(m, (dice >> 8) % MOCK_VECTORS);
	}
}

/* Whatever the host does, the bus can be detached, and nothing crashes. */
static void un_fuzz(struct mock *m, const struct mock_case *c)
{
	unsigned int round, i;

	mock_drv.queues = 2;
	for (round = 0; round < fuzz_rounds; round++) {
		mock_mute(m, 0);
		mock_set_state(m, PVBUS_HOST_READY);
		if (!mock_attach(m)) {
			for (i = get_random_u32() % 60; i; i--) {
				fuzz_step(m);
				if (i % 8 == 0)
					usleep_range(500, 2000);
			}
			/* so that it ends today */
			mock_mute(m, 0);
			mock_detach(m);
			WRITE_ONCE(m->bus, NULL);
		}
		EXPECT(mock_count(probes) == mock_count(removes));
	}
}

const struct mock_case mock_fuzz_cases[] = {
	{ "un_fuzz", un_fuzz },
	{}
};
