// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: opening what backs a disk.
 *
 * A path may lead to a device or a server that does not answer, for as long as
 * it likes. A thread waits for it.
 */
#include "opening.h"

#include <stdlib.h>
#include <unistd.h>

#include "disk.h"
#include "privileges.h"
#include "task.h"

/**
 * struct opening - a disk that is being opened
 * @task: the thread: it writes @fd and @err
 * @disk: the disk
 * @fd: what backs it, or negative
 * @err: why it cannot be used
 * @done: words the response
 * @ctx: for @done
 */
struct opening {
	struct task		task;
	struct disk_spec	disk;
	int			fd;
	struct pv_err		err;
	char			*(*done)(void *ctx,
					 const struct disk_spec *disk, int fd,
					 const char *error);
	void			*ctx;
};

static void open_it(struct task *task)
{
	struct opening *o = (struct opening *)task;

	o->fd = privileges_keep_thread(PRIVILEGES_SERVE, &o->err);
	if (!o->fd)
		o->fd = disk_open(&o->disk, &o->err);
}

static char *opened(struct task *task)
{
	struct opening *o = (struct opening *)task;
	char *text = o->done(o->ctx, &o->disk, o->fd,
			     o->fd < 0 ? o->err.text : NULL);

	if (o->fd >= 0)
		close(o->fd);
	free(o);
	return text;
}

/**
 * opening_start - begin to open a disk
 * @disk: the disk
 * @done: words the response, to be freed; called in the daemon's thread, with
 *	what disk_open() returned, which stays the caller's, and why the disk
 *	cannot be used, or NULL
 * @ctx: for @done
 *
 * Returns the job, or NULL when there is no memory for it.
 */
struct control_job *opening_start(const struct disk_spec *disk,
				  char *(*done)(void *ctx,
						const struct disk_spec *disk,
						int fd, const char *error),
				  void *ctx)
{
	struct opening *o = calloc(1, sizeof(*o));
	struct control_job *job;

	if (!o)
		return NULL;
	o->task.run = open_it;
	o->task.done = opened;
	o->disk = *disk;
	o->done = done;
	o->ctx = ctx;
	job = task_start(&o->task);
	if (!job)
		free(o);
	return job;
}
