/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that breaks the rules: a driver that takes the disk and the card of
 * its VM, and the bus itself, and then does to the host what no driver should.
 *
 *	main.c		the driver, and what runs the cases
 *	channel.c	a channel that was opened by the rules
 *	blk.c, net.c	cases on such a channel
 *	session.c	the bus, taken away from its driver
 *	ctl.c		cases on the bus
 *	random.c	anything at all
 */
#ifndef PVBUS_TEST_HOSTILE_H
#define PVBUS_TEST_HOSTILE_H

#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/wait.h>

#include <linux/pvbus_blk.h>
#include <linux/pvbus_net.h>

#include "../../guest-drivers/bus_internal.h"

#define HOSTILE_TYPES		2	/* disk and card */
#define HOSTILE_SLOTS		64
#define HOSTILE_BUF		SZ_64K
/* Behind it, for what begins at an odd place near its end. */
#define HOSTILE_BUF_SIZE	(HOSTILE_BUF + PAGE_SIZE)
/* Of both rings of a channel that is opened without the bus core. */
#define HOSTILE_RING_PAGES	4

/* What came of something, beside a status of the host (0 and above). */
#define GOT_BROKEN		(-EPIPE)	/* the channel was stopped */
#define GOT_LOST		(-ENOLINK)	/* the session was ended */
#define GOT_NOTHING		(-ETIMEDOUT)
/* Only as what is wanted: an answer, whatever it is, or a stopped channel. */
#define GOT_ANYTHING		1000

/**
 * enum hostile_place - guest-physical addresses that are no memory of ours
 * @PLACE_HOLE: between RAM and the devices
 * @PLACE_REGS: registers of the bus's device
 * @PLACE_WINDOW: its window
 * @PLACE_APIC: the local APIC
 * @PLACE_ROM: the firmware
 * @PLACE_END: the first byte behind RAM
 * @PLACE_LAST: the last page of RAM, of which only the beginning is there for
 *	more than a page
 * @PLACE_FAR: beyond what the CPU can address
 * @PLACE_TOP: the last page of 64 bits
 * @PLACES: their number
 */
enum hostile_place {
	PLACE_HOLE,
	PLACE_REGS,
	PLACE_WINDOW,
	PLACE_APIC,
	PLACE_ROM,
	PLACE_END,
	PLACE_LAST,
	PLACE_FAR,
	PLACE_TOP,
	PLACES,
};

/**
 * struct hostile - the guest
 * @use: held while devices are used; they do not go before it is free
 * @wait: woken when @pdev changes
 * @pdev: devices by type less one; protected by @use, read without it to wait
 * @bus: their bus
 * @ram_end: end of RAM
 * @buf: memory for data, HOSTILE_BUF bytes
 * @dma: its address
 * @table: a page for a table of segments
 * @table_dma: its address
 * @list: a page for the list of the pages of @rings
 * @list_dma: its address
 * @rings: memory for rings that the bus core does not know
 * @rings_dma: its address
 *
 * @ch: the open channel, or NULL
 * @tag: of the last request
 * @cookie: of the last request
 *
 * @held: the bus core is stopped, and the mailbox ours
 * @tx: mailbox to the host, while @held
 * @rx: mailbox from the host, while @held
 * @generation: ours, while @held
 * @offer: what was offered, by type less one, while @held
 *
 * @rnd: where random numbers come from
 */
struct hostile {
	struct mutex		use;	/* see above */
	wait_queue_head_t	wait;
	struct pvbus_device	*pdev[HOSTILE_TYPES];
	struct pvbus		*bus;
	u64			ram_end;
	void			*buf;
	dma_addr_t		dma;
	void			*table;
	dma_addr_t		table_dma;
	void			*list;
	dma_addr_t		list_dma;
	void			*rings;
	dma_addr_t		rings_dma;

	struct pvbus_channel	*ch;
	u16			tag;
	u16			cookie;

	bool			held;
	struct pvring_prod	tx;
	struct pvring_cons	rx;
	u32			generation;
	struct pvbus_offer	offer[HOSTILE_TYPES];

	struct rnd_state	rnd;
};

/**
 * struct hostile_case - a rule to break
 * @name: its name
 * @run: breaks it
 * @type: device on whose open channel it does so; 0: on the bus
 * @msg: of a case on the bus: message to spoil
 * @at: byte of a message, entry or table to spoil
 * @size: bytes to spoil there
 * @value: what to put there
 * @place: the address of this when @size is 8 and @value 0
 * @want: what has to come of it
 */
struct hostile_case {
	const char		*name;
	void			(*run)(struct hostile *h,
				       const struct hostile_case *c);
	u16			type;
	u16			msg;
	u16			at;
	u16			size;
	u64			value;
	enum hostile_place	place;
	int			want;
};

/* Each ends with an empty entry. */
extern const struct hostile_case hostile_blk_cases[];
extern const struct hostile_case hostile_net_cases[];
extern const struct hostile_case hostile_ctl_cases[];

/* main.c */
/* Seconds that the host may take to answer. */
extern unsigned int hostile_patience;
#define EXPECT(cond)	hostile_expect(cond, #cond, __func__, __LINE__)
void hostile_expect(bool cond, const char *what, const char *func, int line);
/* Is @got what the case wants? */
void hostile_got(const struct hostile_case *c, int got);
u64 hostile_place(const struct hostile *h, enum hostile_place place);
/* Put what the case says into @what, and return it. */
void *hostile_spoil(const struct hostile *h, const struct hostile_case *c,
		    void *what);
bool hostile_take(struct hostile *h);
void hostile_leave(struct hostile *h);
bool hostile_anew(struct hostile *h, u16 type);

/* channel.c */
int hostile_open(struct hostile *h, u16 type);
void hostile_close(struct hostile *h);
int hostile_put(struct hostile *h, const void *entry);
void hostile_put_at(struct hostile *h, u32 ahead, const void *entry);
void hostile_ring(struct hostile *h);
void hostile_storm(struct hostile *h, unsigned int ms);
int hostile_get(struct hostile *h, void *entry);
int hostile_wait_broken(struct hostile *h);

/* blk.c, net.c: what nobody can say anything against, and what comes of it */
void blk_good(struct hostile *h, struct pvbus_blk_req *req);
int blk_try(struct hostile *h, struct pvbus_blk_req *req);
void net_good(struct hostile *h, struct pvbus_net_tx *tx);
void net_good_bufs(struct hostile *h, struct pvbus_net_bufs *bufs);
int net_try(struct hostile *h, struct pvbus_net_tx *tx);

/* session.c */
void hostile_hold(struct hostile *h);
void hostile_release(struct hostile *h);
int session_reset(struct hostile *h);
int session_attach(struct hostile *h);
void session_hello(struct hostile *h, struct pvbus_msg *msg);
void session_open_msg(struct hostile *h, u16 type, struct pvbus_msg *msg);
void session_close_msg(struct hostile *h, u16 type, struct pvbus_msg *msg);
int session_send(struct hostile *h, struct pvbus_msg *msg);
int session_answer(struct hostile *h, u16 type);
int session_try(struct hostile *h, struct pvbus_msg *msg, u16 answer);

/* random.c */
int hostile_random(struct hostile *h, u32 seed, unsigned int seconds);

#endif /* PVBUS_TEST_HOSTILE_H */
