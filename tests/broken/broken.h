/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A broken host: a transport whose other end is a small host in the same kernel,
 * with a disk and a card that work, until it is told to do something wrong.
 *
 *	main.c	what it is told: debugfs; the module
 *	host.c	window, mailbox, channels
 *	disk.c	a disk of memory
 *	card.c	a card that answers pings
 */
#ifndef PVBUS_TEST_BROKEN_H
#define PVBUS_TEST_BROKEN_H

#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/workqueue.h>

#include <linux/pvbus_blk.h>
#include <linux/pvbus_net.h>

#include "../../guest-drivers/pvbus.h"

#define BROKEN_DEVS		2	/* disk and card, by type less one */
/* Of the mailbox and of the channel of each device. */
#define BROKEN_VECTORS		(1 + BROKEN_DEVS)
#define BROKEN_FRAME		2048
/* What comes early comes so long before OPEN_ACK; milliseconds. */
#define BROKEN_EARLY		100

/**
 * enum broken_how - what becomes of an entry for the guest
 * @HOW_ONCE: it is put, spoilt
 * @HOW_TWICE: and once more
 * @HOW_NEVER: it is not
 * @HOW_LATE: it is put after broken.late_ms
 * @HOW_INDEX: it is right, and the guest's own ring said to be read too far
 * @HOW_EARLY: it is right; an empty one was put before the channel was open
 * @HOW_BLOB: it is right; the blob of an offer is spoilt in its place
 */
enum broken_how {
	HOW_ONCE,
	HOW_TWICE,
	HOW_NEVER,
	HOW_LATE,
	HOW_INDEX,
	HOW_EARLY,
	HOW_BLOB,
};

/**
 * struct broken_fault - something wrong with an entry for the guest
 * @name: as it is written to debugfs
 * @entry: type of the entry, of a card
 * @how: what becomes of it
 * @at: byte to spoil, of the entry or of the blob
 * @size: bytes there
 * @flip: bits to flip there
 */
struct broken_fault {
	const char	*name;
	u8		entry;
	enum broken_how	how;
	u8		at;
	u8		size;
	u32		flip;
};

/**
 * struct broken_chan - a channel
 * @open: the guest has opened it
 * @rx: ring from the guest
 * @tx: ring to the guest
 * @vector: of its interrupt
 */
struct broken_chan {
	bool			open;
	struct pvring_cons	rx;
	struct pvring_prod	tx;
	unsigned int		vector;
};

struct broken;

/**
 * struct broken_vector - an interrupt of the guest
 * @work: raises it
 * @b: the host
 * @nr: its number
 */
struct broken_vector {
	struct irq_work		work;
	struct broken		*b;
	unsigned int		nr;
};

/**
 * struct broken_late - an entry that is to come late
 * @work: puts it
 * @b: the host
 * @dev: device
 * @entry: the entry
 */
struct broken_late {
	struct delayed_work	work;
	struct broken		*b;
	unsigned int		dev;
	__le64			entry[PVBUS_SLOT_SIZE / 8];
};

/**
 * struct broken - the host
 * @pdev: the transport's device
 * @window: the window
 * @bus: the guest's bus
 * @wq: runs @work and what is late
 * @work: serves the guest
 * @vector: interrupts
 *
 * @lock: protects the rest
 * @rx: mailbox from the guest
 * @tx: mailbox to the guest
 * @generation: the guest's, acknowledged
 * @running: HELLO was answered
 * @offer: number of the offer of each device, 0: it is not offered
 * @next_offer: number of the next one
 * @chan: their channels
 * @store: the disk
 * @bufs: buffers that the guest has given the card
 * @nr_bufs: their number
 * @frame: the packet that is looked at
 * @late: the entry that is late; one at a time
 *
 * @fault: what to do wrong to entries of a device, or NULL
 * @after: entries that are right before
 * @times: entries that are wrong, 0: all
 * @late_ms: how late is late
 * @mute: devices, by bit, of which nothing is said
 * @done: how often something wrong was done
 * @open: devices, by bit, whose channel is open
 */
struct broken {
	struct platform_device	*pdev;
	void			*window;
	struct pvbus		*bus;
	struct workqueue_struct	*wq;
	struct work_struct	work;
	struct broken_vector	vector[BROKEN_VECTORS];

	struct mutex		lock;	/* protects the rest */
	struct pvring_cons	rx;
	struct pvring_prod	tx;
	u32			generation;
	bool			running;
	u32			offer[BROKEN_DEVS];
	u32			next_offer;
	struct broken_chan	chan[BROKEN_DEVS];
	void			*store;
	struct pvbus_net_bufs	bufs[64];
	unsigned int		nr_bufs;
	u8			frame[BROKEN_FRAME];
	struct broken_late	late;

	const struct broken_fault *fault[BROKEN_DEVS];
	u32			after;
	u32			times;
	u32			late_ms;
	u32			mute;
	u32			done;
	u32			open;
};

/* Each ends with an empty entry. */
extern const struct broken_fault broken_disk_faults[];
extern const struct broken_fault broken_card_faults[];

/* host.c */
int broken_start(struct broken *b);
void broken_stop(struct broken *b);
void broken_put(struct broken *b, unsigned int dev, const void *entry);
void broken_publish(struct broken *b, unsigned int dev);
void broken_offer(struct broken *b, unsigned int dev);
void broken_rescind(struct broken *b, unsigned int dev);
void broken_tell_broken(struct broken *b, unsigned int dev);
void broken_set_state(struct broken *b, u32 state);
void broken_disown(struct broken *b);

/* disk.c, card.c: what to say of it, and serve what is in its ring */
void broken_disk_blob(struct pvbus_offer *offer);
void broken_disk_serve(struct broken *b);
void broken_card_blob(struct pvbus_offer *offer);
void broken_card_serve(struct broken *b);

#endif /* PVBUS_TEST_BROKEN_H */
