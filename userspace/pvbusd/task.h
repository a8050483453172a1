/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: what may block, in a thread of its own.
 */
#ifndef PVBUSD_TASK_H
#define PVBUSD_TASK_H

#include <pthread.h>

#include "control.h"

/**
 * struct task - a request that is carried out in a thread
 * @job: what the control socket sees; @job.fd is an eventfd
 * @thread: what @run changes is its alone until @job.fd is readable
 * @run: called in the thread
 * @done: called in the daemon's thread when @run is over: words the response,
 *	to be freed, and frees the task
 */
struct task {
	struct control_job	job;
	pthread_t		thread;
	void			(*run)(struct task *task);
	char			*(*done)(struct task *task);
};

struct control_job *task_start(struct task *task);

#endif /* PVBUSD_TASK_H */
