// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/control.c userspace/pvbusd/commands.c */
/* SOURCES: userspace/pvbusd/devices.c userspace/pvbusd/sock.c */
/* SOURCES: userspace/pvbusd/opening.c userspace/pvbusd/removal.c */
/* SOURCES: userspace/lib/spec.c userspace/lib/err.c */
/* LIBS: -ljansson */
/*
 * pvbusd's control socket: clients that connect, send pieces of requests, hang
 * up and do not read. Whatever they do, each answer is a line of JSON, no
 * descriptor is left behind, and no value that was not checked gets to the
 * module.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "device.h"
#include "disk.h"
#include "fuzz.h"
#include "paths.h"
#include "privileges.h"
#include "task.h"

#define CLIENTS		(CONTROL_CLIENTS + 2)
#define DEVICES		8
#define STEPS		64

static struct daemon d;
static struct pvbus_ioc_dev devs[DEVICES];
static unsigned int nr_devs;
static int client[CLIENTS];

/* -- what is below pvbusd ----------------------------------------------------- */

static void check_name(const __u8 *name, size_t size)
{
	size_t len = strnlen(name, size);

	must(len && len < size);
	while (len < size)
		must(!name[len++]);
}

static bool error_at_times(struct pv_err *err)
{
	if (fuzz_u8() < 0xf0)
		return false;
	pv_err(err, "the module %s", "says no");
	return true;
}

int device_add(int fd, struct pvbus_ioc_dev *dev, struct pv_err *err)
{
	check_name(dev->id, sizeof(dev->id));
	must(dev->type == PVBUS_TYPE_BLK || dev->type == PVBUS_TYPE_NET);
	must(dev->max_queues <= SPEC_MAX_QUEUES);
	must(dev->poll_us <= PVBUS_DEV_MAX_US);
	must(dev->coalesce_us <= PVBUS_DEV_MAX_US);
	must(strnlen((char *)dev->serial, sizeof(dev->serial)) <
	     sizeof(dev->serial));
	must(strnlen((char *)dev->ifname, sizeof(dev->ifname)) <
	     sizeof(dev->ifname));
	must(!(dev->mac[0] & 1));
	if (nr_devs == DEVICES || error_at_times(err))
		return -ENOSPC;
	dev->offer = nr_devs + 1;
	dev->max_queues = 1;
	dev->open_queues = fuzz_u8() & 1;
	devs[nr_devs++] = *dev;
	return 0;
}

int device_next(int fd, struct pvbus_ioc_dev *dev, struct pv_err *err)
{
	if (dev->offer >= nr_devs)
		return -ENOENT;
	*dev = devs[dev->offer];
	return 0;
}

int device_chan_stats(int fd, struct pvbus_ioc_chan_stats *stats,
		      struct pv_err *err)
{
	check_name(stats->id, sizeof(stats->id));
	stats->bytes_in = fuzz_u64();
	return 0;
}

int device_resize(int fd, const char *id, uint64_t *capacity,
		  struct pv_err *err)
{
	check_name((const __u8 *)id, PVBUS_ID_SIZE);
	*capacity = fuzz_u64();
	return error_at_times(err) ? -ENOENT : 0;
}

unsigned int if_nametoindex(const char *name)
{
	must(*name && strlen(name) < PVBUS_IFNAME_SIZE && !strchr(name, '/'));
	return fuzz_u8() < 8;
}

void vm_event(struct daemon *daemon)
{
}

const char *vm_state_name(uint32_t state)
{
	return "running";
}

/* The client named a path: it is not to be opened here. */
int disk_open(const struct disk_spec *disk, struct pv_err *err)
{
	must(disk->path[0] == '/');
	if (error_at_times(err))
		return -ENOENT;
	return eventfd(0, EFD_CLOEXEC);
}

int device_remove(int fd, const char *id, unsigned int timeout_ms,
		  struct pv_err *err)
{
	must(timeout_ms <= PVBUS_REMOVE_MAX_MS);
	check_name((const __u8 *)id, PVBUS_ID_SIZE);
	if (fuzz_u8() & 1)
		return pv_err(err, "it is gone");
	return 0;
}

int privileges_keep_thread(enum privileges what, struct pv_err *err)
{
	return 0;
}

static char *task_finish(struct control_job *job)
{
	struct task *task = (struct task *)job;

	task->run(task);
	close(job->fd);
	return task->done(task);
}

/* There are no threads here: what one would do is done at the end. */
struct control_job *task_start(struct task *task)
{
	must(d.opening < CONTROL_CLIENTS);
	task->job.finish = task_finish;
	task->job.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	return &task->job;
}

/* -- clients ------------------------------------------------------------------- */

static int listen_somewhere(struct sockaddr_un *addr, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	/* the kernel finds an abstract name */
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	must(!bind(fd, (struct sockaddr *)addr, sizeof(sa_family_t)));
	*len = sizeof(*addr);
	must(!getsockname(fd, (struct sockaddr *)addr, len));
	must(!listen(fd, CLIENTS));
	return fd;
}

static void hang_up(int i)
{
	if (client[i] >= 0)
		close(client[i]);
	client[i] = -1;
}

static void call(int i, const struct sockaddr_un *addr, socklen_t len)
{
	hang_up(i);
	client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(client[i], (const struct sockaddr *)addr, len))
		hang_up(i);
}

static void say(int i, size_t len)
{
	char text[512];

	if (len > sizeof(text))
		len = sizeof(text);
	fuzz_bytes(text, len);
	send(client[i], text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A request that is longer than any. */
static void say_much(int i)
{
	static char text[PVBUS_CTL_REQUEST];

	memset(text, ' ', sizeof(text));
	send(client[i], text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Answers may come in pieces, and break off; each line is a whole one. */
static void hear(int i)
{
	static char text[1 << 16];
	ssize_t len = recv(client[i], text, sizeof(text), MSG_PEEK);
	char *line = text, *end;
	json_t *json;

	if (len <= 0)
		return;
	while ((end = memchr(line, '\n', text + len - line))) {
		json = json_loadb(line, end - line, 0, NULL);
		must(json_is_object(json));
		must(json_is_boolean(json_object_get(json, "ok")));
		json_decref(json);
		line = end + 1;
	}
	must(line != text || len == sizeof(text));
	recv(client[i], text, line - text, 0);
}

static void serve(void)
{
	struct pollfd fds[CONTROL_POLLFDS];
	unsigned int nr = control_poll(&d.ctl, fds);

	must(nr <= CONTROL_POLLFDS);
	if (poll(fds, nr, 0) > 0)
		control_dispatch(&d.ctl, fds);
}

static void step(const struct sockaddr_un *addr, socklen_t len)
{
	uint8_t how = fuzz_u8();
	int i = (how >> 3) % CLIENTS;

	if ((how & 7) && client[i] < 0)
		call(i, addr, len);
	switch (how & 7) {
	case 0:
		call(i, addr, len);
		break;
	case 1:
		hang_up(i);
		break;
	case 2:
		hear(i);
		break;
	case 3:
		shutdown(client[i], SHUT_WR);
		break;
	case 4:
		if (how & 0x80)
			say_much(i);
		break;
	default:
		say(i, fuzz_u8() * 2);
		/* most requests are meant to be whole */
		if (how & 1)
			send(client[i], "\n", 1, MSG_NOSIGNAL);
	}
	serve();
}

static int lowest_free_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* A job is never forgotten, not even when its client is gone. */
static void finish_jobs(void)
{
	int i, n;

	for (n = 0; n < 2; n++)
		serve();
	for (i = 0; i < CONTROL_CLIENTS; i++)
		must(!d.ctl.client[i].job || d.ctl.client[i].fd >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int i, fd = lowest_free_fd();
	struct sockaddr_un addr;
	socklen_t len;

	fuzz_begin(data, size);
	nr_devs = 0;
	d.opening = 0;
	d.paths = json_object();
	control_init(&d.ctl, command_run, &d);
	d.ctl.listener.fd = listen_somewhere(&addr, &len);
	for (i = 0; i < CLIENTS; i++)
		client[i] = -1;
	for (i = 0; i < STEPS && fuzz_left(); i++)
		step(&addr, len);
	for (i = 0; i < CLIENTS; i++)
		hang_up(i);
	for (i = 0; i < CLIENTS; i++)
		serve();
	finish_jobs();
	control_close(&d.ctl);
	json_decref(d.paths);
	must(lowest_free_fd() == fd);
	return 0;
}
