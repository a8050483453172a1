/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus guest: tracepoints of channels: doorbells, interrupts, and what takes
 * the place of interrupts.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvbus

#if !defined(PVBUS_BUS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVBUS_BUS_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "pvbus.h"

DECLARE_EVENT_CLASS(pvbus_channel,
		    TP_PROTO(const struct pvbus_channel *ch),
		    TP_ARGS(ch),
		    TP_STRUCT__entry(__array(char, dev, PVBUS_ID_SIZE)
				     __field(u16, queue)),
		    TP_fast_assign(strscpy(__entry->dev, dev_name(&ch->pdev->dev),
					   PVBUS_ID_SIZE);
				   __entry->queue = ch->queue;),
		    TP_printk("dev=%s queue=%u", __entry->dev, __entry->queue)
);

DEFINE_EVENT(pvbus_channel, pvbus_doorbell,
	     TP_PROTO(const struct pvbus_channel *ch),
	     TP_ARGS(ch)
);

DEFINE_EVENT(pvbus_channel, pvbus_interrupt,
	     TP_PROTO(const struct pvbus_channel *ch),
	     TP_ARGS(ch)
);

/* an idle CPU has found something */
DEFINE_EVENT(pvbus_channel, pvbus_idle_hit,
	     TP_PROTO(const struct pvbus_channel *ch),
	     TP_ARGS(ch)
);

/* idle CPUs do not look any more: an interrupt is asked for */
DEFINE_EVENT(pvbus_channel, pvbus_idle_drop,
	     TP_PROTO(const struct pvbus_channel *ch),
	     TP_ARGS(ch)
);

#endif /* PVBUS_BUS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE bus_trace
#include <trace/define_trace.h>
