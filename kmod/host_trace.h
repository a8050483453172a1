/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus host: tracepoints, one for each step of a request or packet; the
 * guest's are in its drivers. Documentation/performance.rst says how to read
 * them side by side.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvbus_host

#if !defined(PVBUS_HOST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVBUS_HOST_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "host.h"

TRACE_EVENT(pvbus_host_doorbell,
	    TP_PROTO(const struct pvh_vm *vm, unsigned int vector),
	    TP_ARGS(vm, vector),
	    TP_STRUCT__entry(__array(char, vm, PVBUS_ID_SIZE)
			     __field(unsigned int, vector)),
	    TP_fast_assign(strscpy(__entry->vm, vm->name, PVBUS_ID_SIZE);
			   __entry->vector = vector;),
	    TP_printk("vm=%s vector=%u", __entry->vm, __entry->vector)
);

DECLARE_EVENT_CLASS(pvbus_host_channel,
		    TP_PROTO(const struct pvh_channel *ch),
		    TP_ARGS(ch),
		    TP_STRUCT__entry(__array(char, vm, PVBUS_ID_SIZE)
				     __array(char, dev, PVBUS_ID_SIZE)
				     __field(u16, queue)),
		    TP_fast_assign(strscpy(__entry->vm, ch->dev->vm->name, PVBUS_ID_SIZE);
				   strscpy(__entry->dev, ch->dev->id, PVBUS_ID_SIZE);
				   __entry->queue = ch->queue;),
		    TP_printk("vm=%s dev=%s queue=%u", __entry->vm, __entry->dev,
			      __entry->queue)
);

/* somebody has something for a worker that sleeps, or may */
DEFINE_EVENT(pvbus_host_channel, pvbus_host_wake,
	     TP_PROTO(const struct pvh_channel *ch),
	     TP_ARGS(ch)
);

/* the worker is about to sleep, and runs again */
DEFINE_EVENT(pvbus_host_channel, pvbus_host_sleep,
	     TP_PROTO(const struct pvh_channel *ch),
	     TP_ARGS(ch)
);

DEFINE_EVENT(pvbus_host_channel, pvbus_host_awake,
	     TP_PROTO(const struct pvh_channel *ch),
	     TP_ARGS(ch)
);

DEFINE_EVENT(pvbus_host_channel, pvbus_host_interrupt,
	     TP_PROTO(const struct pvh_channel *ch),
	     TP_ARGS(ch)
);

/* an amount: entries that were dealt with, or bytes of a packet */
DECLARE_EVENT_CLASS(pvbus_host_amount,
		    TP_PROTO(const struct pvh_channel *ch, unsigned int amount),
		    TP_ARGS(ch, amount),
		    TP_STRUCT__entry(__array(char, vm, PVBUS_ID_SIZE)
				     __array(char, dev, PVBUS_ID_SIZE)
				     __field(u16, queue)
				     __field(unsigned int, amount)),
		    TP_fast_assign(strscpy(__entry->vm, ch->dev->vm->name, PVBUS_ID_SIZE);
				   strscpy(__entry->dev, ch->dev->id, PVBUS_ID_SIZE);
				   __entry->queue = ch->queue;
				   __entry->amount = amount;),
		    TP_printk("vm=%s dev=%s queue=%u amount=%u", __entry->vm,
			      __entry->dev, __entry->queue, __entry->amount)
);

/* one turn of the worker that did something */
DEFINE_EVENT(pvbus_host_amount, pvbus_host_work,
	     TP_PROTO(const struct pvh_channel *ch, unsigned int amount),
	     TP_ARGS(ch, amount)
);

/* a nap is over, and so many entries have come during it */
DEFINE_EVENT(pvbus_host_amount, pvbus_host_nap,
	     TP_PROTO(const struct pvh_channel *ch, unsigned int amount),
	     TP_ARGS(ch, amount)
);

/* a packet of the guest was copied, and goes to the stack */
DEFINE_EVENT(pvbus_host_amount, pvbus_host_net_take,
	     TP_PROTO(const struct pvh_channel *ch, unsigned int amount),
	     TP_ARGS(ch, amount)
);

/* the stack has given a packet for the guest to the worker */
DEFINE_EVENT(pvbus_host_amount, pvbus_host_net_xmit,
	     TP_PROTO(const struct pvh_channel *ch, unsigned int amount),
	     TP_ARGS(ch, amount)
);

/* a packet was copied into the guest's buffers and announced */
DEFINE_EVENT(pvbus_host_amount, pvbus_host_net_give,
	     TP_PROTO(const struct pvh_channel *ch, unsigned int amount),
	     TP_ARGS(ch, amount)
);

/* polling has ended: found something, or not, after so long */
TRACE_EVENT(pvbus_host_poll,
	    TP_PROTO(const struct pvh_channel *ch, bool hit, u64 ns),
	    TP_ARGS(ch, hit, ns),
	    TP_STRUCT__entry(__array(char, vm, PVBUS_ID_SIZE)
			     __array(char, dev, PVBUS_ID_SIZE)
			     __field(u16, queue)
			     __field(bool, hit)
			     __field(u64, ns)),
	    TP_fast_assign(strscpy(__entry->vm, ch->dev->vm->name, PVBUS_ID_SIZE);
			   strscpy(__entry->dev, ch->dev->id, PVBUS_ID_SIZE);
			   __entry->queue = ch->queue;
			   __entry->hit = hit;
			   __entry->ns = ns;),
	    TP_printk("vm=%s dev=%s queue=%u hit=%d ns=%llu", __entry->vm,
		      __entry->dev, __entry->queue, __entry->hit, __entry->ns)
);

DECLARE_EVENT_CLASS(pvbus_host_blk,
		    TP_PROTO(const struct pvh_channel *ch, u16 tag, u16 cookie,
			     u32 status),
		    TP_ARGS(ch, tag, cookie, status),
		    TP_STRUCT__entry(__array(char, vm, PVBUS_ID_SIZE)
				     __array(char, dev, PVBUS_ID_SIZE)
				     __field(u16, queue)
				     __field(u16, tag)
				     __field(u16, cookie)
				     __field(u32, status)),
		    TP_fast_assign(strscpy(__entry->vm, ch->dev->vm->name, PVBUS_ID_SIZE);
				   strscpy(__entry->dev, ch->dev->id, PVBUS_ID_SIZE);
				   __entry->queue = ch->queue;
				   __entry->tag = tag;
				   __entry->cookie = cookie;
				   __entry->status = status;),
		    TP_printk("vm=%s dev=%s queue=%u tag=%u cookie=%u status=%u",
			      __entry->vm, __entry->dev, __entry->queue, __entry->tag,
			      __entry->cookie, __entry->status)
);

/* a request was read from the ring */
DEFINE_EVENT(pvbus_host_blk, pvbus_host_blk_take,
	     TP_PROTO(const struct pvh_channel *ch, u16 tag, u16 cookie,
		      u32 status),
	     TP_ARGS(ch, tag, cookie, status)
);

/* it was checked and its pages found: it goes to the backing store */
DEFINE_EVENT(pvbus_host_blk, pvbus_host_blk_submit,
	     TP_PROTO(const struct pvh_channel *ch, u16 tag, u16 cookie,
		      u32 status),
	     TP_ARGS(ch, tag, cookie, status)
);

/* the backing store has answered */
DEFINE_EVENT(pvbus_host_blk, pvbus_host_blk_done,
	     TP_PROTO(const struct pvh_channel *ch, u16 tag, u16 cookie,
		      u32 status),
	     TP_ARGS(ch, tag, cookie, status)
);

/* the worker has its answer in hand, and puts it into the ring */
DEFINE_EVENT(pvbus_host_blk, pvbus_host_blk_announce,
	     TP_PROTO(const struct pvh_channel *ch, u16 tag, u16 cookie,
		      u32 status),
	     TP_ARGS(ch, tag, cookie, status)
);

#endif /* PVBUS_HOST_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE host_trace
#include <trace/define_trace.h>
