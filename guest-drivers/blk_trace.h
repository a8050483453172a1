/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvblk: tracepoints of a request. Tag and cookie are those of the host's events.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvblk

#if !defined(PVBLK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVBLK_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "blk.h"

/* the block layer has given a request to the driver */
TRACE_EVENT(pvblk_queue,
	    TP_PROTO(const struct pvblk_queue *q, struct request *rq),
	    TP_ARGS(q, rq),
	    TP_STRUCT__entry(__array(char, disk, DISK_NAME_LEN)
			     __field(unsigned int, queue)
			     __field(int, tag)
			     __field(bool, write)
			     __field(u64, sector)
			     __field(unsigned int, bytes)),
	    TP_fast_assign(strscpy(__entry->disk, q->blk->disk->disk_name,
				   DISK_NAME_LEN);
			   __entry->queue = q - q->blk->queue;
			   __entry->tag = rq->tag;
			   __entry->write = op_is_write(req_op(rq));
			   __entry->sector = blk_rq_pos(rq);
			   __entry->bytes = blk_rq_bytes(rq);),
	    TP_printk("disk=%s queue=%u tag=%d write=%d sector=%llu bytes=%u",
		      __entry->disk, __entry->queue, __entry->tag, __entry->write,
		      __entry->sector, __entry->bytes)
);

DECLARE_EVENT_CLASS(pvblk_request,
		    TP_PROTO(const struct pvblk_queue *q, u16 tag, u16 cookie),
		    TP_ARGS(q, tag, cookie),
		    TP_STRUCT__entry(__array(char, disk, DISK_NAME_LEN)
				     __field(unsigned int, queue)
				     __field(u16, tag)
				     __field(u16, cookie)),
		    TP_fast_assign(strscpy(__entry->disk, q->blk->disk->disk_name,
					   DISK_NAME_LEN);
				   __entry->queue = q - q->blk->queue;
				   __entry->tag = tag;
				   __entry->cookie = cookie;),
		    TP_printk("disk=%s queue=%u tag=%u cookie=%u", __entry->disk,
			      __entry->queue, __entry->tag, __entry->cookie)
);

/* it is in the ring */
DEFINE_EVENT(pvblk_request, pvblk_put,
	     TP_PROTO(const struct pvblk_queue *q, u16 tag, u16 cookie),
	     TP_ARGS(q, tag, cookie)
);

/* its answer was found in the ring */
DEFINE_EVENT(pvblk_request, pvblk_done,
	     TP_PROTO(const struct pvblk_queue *q, u16 tag, u16 cookie),
	     TP_ARGS(q, tag, cookie)
);

#endif /* PVBLK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE blk_trace
#include <trace/define_trace.h>
