// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: removing a device.
 *
 * The module waits until the guest has let go of the device, for as long as
 * the administrator allows. A thread waits with it, so that the daemon goes on.
 */
#include "removal.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "privileges.h"
#include "task.h"

/**
 * struct removal - a device that is being removed
 * @task: the thread: it writes @ret and @err
 * @dev: control device
 * @id: the device
 * @timeout_ms: how long the guest may take
 * @ret: result
 * @err: words for it
 * @done: words the response
 * @ctx: for @done
 */
struct removal {
	struct task		task;
	int			dev;
	char			id[PVBUS_ID_SIZE];
	unsigned int		timeout_ms;
	int			ret;
	struct pv_err		err;
	char			*(*done)(void *ctx, const char *id,
					 const char *error);
	void			*ctx;
};

static void wait_for_guest(struct task *task)
{
	struct removal *r = (struct removal *)task;

	r->ret = privileges_keep_thread(PRIVILEGES_NONE, &r->err);
	if (!r->ret)
		r->ret = device_remove(r->dev, r->id, r->timeout_ms, &r->err);
}

static char *removed(struct task *task)
{
	struct removal *r = (struct removal *)task;
	char *text = r->done(r->ctx, r->id, r->ret ? r->err.text : NULL);

	free(r);
	return text;
}

/**
 * removal_start - begin to remove a device
 * @dev: control device
 * @id: the device
 * @timeout_ms: how long the guest may take, in milliseconds
 * @done: words the response, to be freed; called in the daemon's thread, with
 *	why the device was not removed, or NULL
 * @ctx: for @done
 *
 * Returns the job, or NULL when there is no memory for it.
 */
struct control_job *removal_start(int dev, const char *id,
				  unsigned int timeout_ms,
				  char *(*done)(void *ctx, const char *id,
						const char *error),
				  void *ctx)
{
	struct removal *r = calloc(1, sizeof(*r));
	struct control_job *job;

	if (!r)
		return NULL;
	r->task.run = wait_for_guest;
	r->task.done = removed;
	r->dev = dev;
	r->timeout_ms = timeout_ms;
	r->done = done;
	r->ctx = ctx;
	memcpy(r->id, id, strnlen(id, sizeof(r->id) - 1));
	job = task_start(&r->task);
	if (!job)
		free(r);
	return job;
}
