// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: removing a device.
 *
 * The module waits until the guest has let go of the device, for as long as
 * the administrator allows. A thread waits with it, so that the daemon goes on.
 */
#include "removal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "device.h"
#include "privileges.h"

/**
 * struct removal - a device that is being removed
 * @job: what the control socket sees; @job.fd is an eventfd
 * @thread: it alone writes @ret and @err until @job.fd is readable
 * @dev: control device
 * @id: the device
 * @timeout_ms: how long the guest may take
 * @ret: result
 * @err: words for it
 * @done: words the response
 * @ctx: for @done
 */
struct removal {
	struct control_job	job;
	pthread_t		thread;
	int			dev;
	char			id[PVBUS_ID_SIZE];
	unsigned int		timeout_ms;
	int			ret;
	struct pv_err		err;
	char			*(*done)(void *ctx, const char *id,
					 const char *error);
	void			*ctx;
};

static void *wait_for_guest(void *arg)
{
	struct removal *r = arg;

	privileges_drop_thread();
	r->ret = device_remove(r->dev, r->id, r->timeout_ms, &r->err);
	eventfd_write(r->job.fd, 1);
	return NULL;
}

static char *finish(struct control_job *job)
{
	struct removal *r = (struct removal *)job;
	char *text;

	pthread_join(r->thread, NULL);
	text = r->done(r->ctx, r->id, r->ret ? r->err.text : NULL);
	close(r->job.fd);
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

	if (!r)
		return NULL;
	r->dev = dev;
	r->timeout_ms = timeout_ms;
	r->done = done;
	r->ctx = ctx;
	memcpy(r->id, id, strnlen(id, sizeof(r->id) - 1));
	r->job.finish = finish;
	r->job.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->job.fd >= 0 &&
	    !pthread_create(&r->thread, NULL, wait_for_guest, r))
		return &r->job;
	if (r->job.fd >= 0)
		close(r->job.fd);
	free(r);
	return NULL;
}
