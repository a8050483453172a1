// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: vectors, and which channels an interrupt is for.
 */
#include <linux/cpumask.h>

#include "bus_internal.h"
#include "bus_trace.h"

/**
 * pvbus_vector_run() - call the handlers of the channels of a vector
 * @vector: vector
 *
 * Context: hard interrupt, or with interrupts disabled.
 * Return: true when it has channels that take interrupts.
 */
bool pvbus_vector_run(struct pvbus_vector *vector)
{
	struct pvbus_channel *ch;
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&vector->lock, flags);
	any = !list_empty(&vector->channels);
	list_for_each_entry(ch, &vector->channels, on_vector) {
		ch->interrupts++;
		trace_pvbus_interrupt(ch);
		pvbus_idle_learn(ch);
		ch->handler(ch);
	}
	spin_unlock_irqrestore(&vector->lock, flags);
	return any;
}

/* How well does a vector suit a channel? Less is better: few channels, and then
 * that the CPU that uses the queue, n for queue n, is the one that the transport
 * has serve it, n for vector n + 1.
 */
static unsigned int pvbus_vector_rank(const struct pvbus *bus, unsigned int i,
				      const struct pvbus_channel_config *cfg)
{
	unsigned int cpus = num_online_cpus();
	unsigned int rank = 2 * READ_ONCE(bus->vector[i].nr);

	if (cfg->handler && i && (i - 1) % cpus != cfg->queue % cpus)
		rank++;
	return rank;
}

/**
 * pvbus_vector_choose() - the vector of a channel that is about to be opened
 * @bus: the bus
 * @cfg: what is asked for
 *
 * The best one other than the control vector if there is another: queue n of the
 * only device gets vector n + 1, also when it is opened again. What takes no
 * interrupts begins at the other end, to leave that order to those that do.
 *
 * Return: the vector.
 */
u16 pvbus_vector_choose(const struct pvbus *bus,
			const struct pvbus_channel_config *cfg)
{
	unsigned int vectors = READ_ONCE(bus->vectors);
	unsigned int best = vectors > 1 ? 1 : PVBUS_VECTOR_CTL;
	unsigned int least = pvbus_vector_rank(bus, best, cfg);
	unsigned int i;

	for (i = best + 1; i < vectors; i++) {
		unsigned int rank = pvbus_vector_rank(bus, i, cfg);

		if (rank > least || (rank == least && cfg->handler))
			continue;
		best = i;
		least = rank;
	}
	return best;
}

/**
 * pvbus_vector_add() - begin to call the handler of a channel
 * @ch: channel
 *
 * Context: process.
 */
void pvbus_vector_add(struct pvbus_channel *ch)
{
	struct pvbus_vector *vector = &ch->pdev->bus->vector[ch->vector];

	spin_lock_irq(&vector->lock);
	if (ch->handler)
		list_add_tail(&ch->on_vector, &vector->channels);
	WRITE_ONCE(vector->nr, vector->nr + 1);
	spin_unlock_irq(&vector->lock);
}

/**
 * pvbus_vector_del() - undo pvbus_vector_add()
 * @ch: channel, whose handler does not run any more when this returns
 *
 * Context: process.
 */
void pvbus_vector_del(struct pvbus_channel *ch)
{
	struct pvbus_vector *vector = &ch->pdev->bus->vector[ch->vector];

	spin_lock_irq(&vector->lock);
	list_del_init(&ch->on_vector);
	WRITE_ONCE(vector->nr, vector->nr - 1);
	spin_unlock_irq(&vector->lock);
}
