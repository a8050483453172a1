// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: QEMU connects, is told to the module, and is handed the window and
 * the eventfds. The connection then stays silent; its end is QEMU's.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "device.h"
#include "log.h"
#include "paths.h"
#include "qemu_args.h"

/* Connections that are refused are reported this often at most. */
#define INTRUDER_SECONDS	1

static int peer_pid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return 0;
	return cred.pid;
}

static void refuse(struct daemon *d, int fd)
{
	if (log_allowed(&d->intruder_at, INTRUDER_SECONDS))
		log_warning("process %d connected to %s, which QEMU has: its connection was closed",
			    peer_pid(fd), d->args.socket);
	close(fd);
}

/**
 * qemu_few_vectors - say that there are fewer vectors than --vectors asks for
 * @d: the daemon
 * @pid: QEMU
 * @nr: its device's vectors
 */
void qemu_few_vectors(const struct daemon *d, int pid, unsigned int nr)
{
	unsigned int want = d->args.vectors;

	log_err("QEMU (pid %d) gives the device %u vector%s, --vectors asks for %u: start QEMU with -device ivshmem-doorbell,vectors=%u,...",
		pid, nr, nr == 1 ? "" : "s", want, want);
}

/* With an explicit --vectors: are there enough, as far as can be seen? */
static bool enough_vectors(struct daemon *d, int pid,
			   const struct qemu_hints *hints)
{
	if (!d->args.vectors)
		return true;
	if (!hints->found) {
		log_debug("no ivshmem-doorbell device on the command line of QEMU (pid %d): the guest will tell its vectors",
			  pid);
		return true;
	}
	if (hints->vectors >= d->args.vectors)
		return true;
	qemu_few_vectors(d, pid, hints->vectors);
	return false;
}

static unsigned int choose_vectors(struct daemon *d, int pid,
				   const struct qemu_hints *hints)
{
	unsigned int useful = devices_vectors(d, hints->cpus);
	unsigned int nr = hints->vectors;

	if (d->args.vectors)
		return d->args.vectors;
	if (nr < useful)
		log_warning("QEMU (pid %d) gives the device %u vector%s: channels share them, which costs speed: start QEMU with -device ivshmem-doorbell,vectors=%u,...",
			    pid, nr, nr == 1 ? "" : "s", useful);
	return nr < d->iv.nr ? nr : d->iv.nr;
}

static int attach(struct daemon *d, int fd, unsigned int vectors)
{
	struct pvbus_ioc_vm_attach args = {
		.sock = fd,
		.vectors = vectors,
		.min_vectors = d->args.vectors,
	};
	struct pv_err err;
	int ret = device_vm_attach(d->dev, &args, &err);

	if (ret)
		log_err("%s", err.text);
	return ret;
}

static void send_more(struct daemon *d)
{
	int ret = ivshmem_send(&d->iv, &d->conn);

	if (!ret)
		return;
	log_err("QEMU cannot be given its eventfds: %s", strerror(-ret));
	daemon_stop(d, PVBUS_EXIT_FAILED);
}

/**
 * qemu_accept - somebody connects to QEMU's socket
 * @d: the daemon
 */
void qemu_accept(struct daemon *d)
{
	int fd = accept4(d->listener.fd, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct qemu_hints hints;
	unsigned int vectors;
	int ret, pid;

	if (fd < 0)
		return;
	if (d->attached) {
		refuse(d, fd);
		return;
	}
	pid = peer_pid(fd);
	if (qemu_args_read(pid, d->args.socket, &hints))
		log_debug("command line of process %d cannot be read", pid);
	if (!enough_vectors(d, pid, &hints)) {
		close(fd);
		daemon_stop(d, PVBUS_EXIT_FAILED);
		return;
	}
	vectors = choose_vectors(d, pid, &hints);
	ret = attach(d, fd, vectors);
	if (ret) {
		close(fd);
		/* one that is gone already leaves the place to the next */
		if (ret != -ESRCH)
			daemon_stop(d, PVBUS_EXIT_FAILED);
		return;
	}
	d->attached = true;
	d->conn = (struct ivshmem_conn){ .fd = fd, .vectors = vectors };
	log_debug("QEMU (pid %d) has %u vectors", pid, vectors);
	send_more(d);
}

/**
 * qemu_continue - something happened on QEMU's connection
 * @d: the daemon
 * @events: what poll() found
 */
void qemu_continue(struct daemon *d, short events)
{
	if (events & (POLLHUP | POLLRDHUP | POLLERR)) {
		log_debug("QEMU has closed its connection");
		daemon_stop(d, PVBUS_EXIT_OK);
		return;
	}
	if (events & POLLOUT)
		send_more(d);
}
