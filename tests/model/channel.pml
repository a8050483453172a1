/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel is opened and closed, its device rescinded, the session reset: by
 * both sides at once, see Documentation/protocol.rst. For spin; channel.sh runs it.
 *
 * One device with one queue. Statements between atomic { } are what a lock makes
 * one step: the guest's bus->lock, or the host's vm->lock, where nothing waits.
 * The mailbox is two queues: that no doorbell of theirs is lost is what ring.pml
 * shows. HELLO and its answer are left out: the session runs when its generation
 * is acknowledged.
 *
 * What is shown:
 *  - the host touches guest memory only while it is lent: from OPEN until the
 *    guest takes it back (the assertion in touch);
 *  - no message of one session is taken in another;
 *  - in the end the device is gone on both sides, however late the guest was told;
 *  - no wait needs its time-out, as long as host and guest are alive (no invalid
 *    end state).
 *
 * HASTY: every wait may time out at any moment, as it does when the other side is
 * slow; the host does not break off the session then, to have fewer states.
 */
#define ROOM		1	/* of a mailbox */
#define SESSIONS	2
#define OPENS		2	/* by each driver */
#define PAGES		2	/* pieces of memory that are enough for a channel */

#ifdef HASTY
#define timed_out	true
#define may_break_off	false
#else
#define timed_out	false
#define may_break_off	true
#endif

mtype = { OFFER, RESCIND, RESCIND_ACK, OPEN, OPEN_ACK, CLOSE, CLOSE_ACK };
/* type; generation; page or status; session that it was meant for */
chan g2h = [ROOM] of { mtype, byte, byte, byte };
chan h2g = [ROOM] of { mtype, byte, byte };

byte g_gen, h_gen;		/* both sides' generation in the window */
bool lent[PAGES];
byte session;

#include "channel_host.inc"
#include "channel_guest.inc"

init {
	atomic {
		run worker(); run disk(); run host_ctl(); run admin();
		run guest_dev(); run guest_ctl();
	}
}
