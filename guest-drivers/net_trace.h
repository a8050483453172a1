/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvnet: tracepoints of a packet.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvnet

#if !defined(PVNET_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVNET_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "net.h"

DECLARE_EVENT_CLASS(pvnet_packet,
		    TP_PROTO(const struct pvnet_queue *q, unsigned int bytes),
		    TP_ARGS(q, bytes),
		    TP_STRUCT__entry(__array(char, dev, IFNAMSIZ)
				     __field(unsigned int, queue)
				     __field(unsigned int, bytes)),
		    TP_fast_assign(strscpy(__entry->dev, netdev_name(q->pn->dev), IFNAMSIZ);
				   __entry->queue = q->index;
				   __entry->bytes = bytes;),
		    TP_printk("dev=%s queue=%u bytes=%u", __entry->dev, __entry->queue,
			      __entry->bytes)
);

/* the stack has given a packet, which is in the ring */
DEFINE_EVENT(pvnet_packet, pvnet_xmit,
	     TP_PROTO(const struct pvnet_queue *q, unsigned int bytes),
	     TP_ARGS(q, bytes)
);

/* the host has taken a packet: its memory is free again */
DEFINE_EVENT(pvnet_packet, pvnet_sent,
	     TP_PROTO(const struct pvnet_queue *q, unsigned int bytes),
	     TP_ARGS(q, bytes)
);

/* a packet of the host goes to the stack */
DEFINE_EVENT(pvnet_packet, pvnet_receive,
	     TP_PROTO(const struct pvnet_queue *q, unsigned int bytes),
	     TP_ARGS(q, bytes)
);

#endif /* PVNET_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE net_trace
#include <trace/define_trace.h>
