// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: a channel that was opened by the rules, and whose rings and
 * doorbell are then used in any way.
 */
#include <linux/delay.h>
#include <linux/err.h>

#include "hostile.h"

int hostile_open(struct hostile *h, u16 type)
{
	struct pvbus_device *pdev = h->pdev[type - 1];
	struct pvbus_channel_config cfg = {
		.g2h_slots = HOSTILE_SLOTS,
		.h2g_slots = HOSTILE_SLOTS,
	};
	struct pvbus_channel *ch;

	if (!pdev)
		return -ENODEV;
	cfg.features = pdev->features;
	ch = pvbus_channel_open(pdev, &cfg);
	if (IS_ERR(ch))
		return PTR_ERR(ch);
	h->ch = ch;
	return 0;
}

void hostile_close(struct hostile *h)
{
	if (!h->ch)
		return;
	/* a session that was ended has let go of everything at once */
	EXPECT(pvbus_channel_close(h->ch));
	h->ch = NULL;
}

/* Whether it was asked for or not. */
void hostile_ring(struct hostile *h)
{
	h->bus->ops->ring(h->bus, h->ch->vector);
}

int hostile_put(struct hostile *h, const void *entry)
{
	if (pvring_prod_room(&h->ch->tx, 1) < 1)
		return -ENOSPC;
	pvring_put(&h->ch->tx, entry, PVBUS_SLOT_SIZE);
	hostile_ring(h);
	return 0;
}

/*
 * Put an entry @ahead slots beyond the next one, whatever lies between and
 * whether there is room. Those put so are taken once that one is there.
 */
void hostile_put_at(struct hostile *h, u32 ahead, const void *entry)
{
	struct pvring_prod tx = h->ch->tx;

	tx.head += ahead;
	pvring_put(&tx, entry, PVBUS_SLOT_SIZE);
	if (!ahead)
		h->ch->tx.head = tx.head;
}

/* All doorbells, and such as there are none of. */
void hostile_storm(struct hostile *h, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	unsigned int vector = 0;

	while (time_before(jiffies, end)) {
		h->bus->ops->ring(h->bus, vector++ % PVBUS_MAX_VECTORS);
		if (!(vector % PVBUS_MAX_VECTORS)) {
			h->bus->ops->ring(h->bus, U16_MAX);
			cond_resched();
		}
	}
}

/* The next entry from the host: 0, GOT_BROKEN or GOT_NOTHING. */
int hostile_get(struct hostile *h, void *entry)
{
	unsigned long end = jiffies + hostile_patience * HZ;
	struct pvbus_channel *ch = h->ch;

	do {
		if (pvring_get(&ch->rx, entry, PVBUS_SLOT_SIZE)) {
			pvring_cons_publish(&ch->rx);
			return 0;
		}
		if (READ_ONCE(ch->broken))
			return GOT_BROKEN;
		if (READ_ONCE(ch->pdev->gone))
			return GOT_LOST;
		usleep_range(50, 100);
	} while (time_before(jiffies, end));
	return GOT_NOTHING;
}

/* Nothing is read: is the channel stopped? */
int hostile_wait_broken(struct hostile *h)
{
	unsigned long end = jiffies + hostile_patience * HZ;

	while (time_before(jiffies, end)) {
		if (READ_ONCE(h->ch->broken))
			return GOT_BROKEN;
		usleep_range(50, 100);
	}
	return GOT_NOTHING;
}
