// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: what may block, in a thread of its own, so that the daemon goes on.
 *
 * Nothing waits for a thread that is not done: the daemon ends without it.
 */
#include "task.h"

#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *thread_main(void *arg)
{
	struct task *task = arg;

	task->run(task);
	eventfd_write(task->job.fd, 1);
	return NULL;
}

static char *finish(struct control_job *job)
{
	struct task *task = (struct task *)job;

	pthread_join(task->thread, NULL);
	close(task->job.fd);
	return task->done(task);
}

/**
 * task_start - begin with a task
 * @task: its @run and @done are set
 *
 * Returns its job; NULL when there is no memory for it, and the task stays the
 * caller's.
 */
struct control_job *task_start(struct task *task)
{
	task->job.finish = finish;
	task->job.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (task->job.fd < 0)
		return NULL;
	if (!pthread_create(&task->thread, NULL, thread_main, task))
		return &task->job;
	close(task->job.fd);
	return NULL;
}
