// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: waiting for something to happen.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"
#include "paths.h"

enum {
	FD_SIGNALS,
	FD_DEVICE,
	FD_LISTENER,
	FD_QEMU,
	FD_CONTROL,
	NR_FDS = FD_CONTROL + CONTROL_POLLFDS
};

/**
 * daemon_stop - end the daemon when this round of the loop is over
 * @d: the daemon
 * @code: exit code; the first one counts
 */
void daemon_stop(struct daemon *d, int code)
{
	if (d->stop)
		return;
	d->stop = true;
	d->code = code;
}

/**
 * daemon_leave - end the daemon for what is wrong with itself
 * @d: the daemon
 *
 * A guest that runs is not to pay for that: the module serves it until the next
 * daemon adopts it. A VM without QEMU ends when the control device is closed.
 */
void daemon_leave(struct daemon *d)
{
	d->vm = false;
	daemon_stop(d, PVBUS_EXIT_FAILED);
}

static unsigned int collect(struct daemon *d, int signals, struct pollfd *fds)
{
	short qemu = POLLRDHUP;

	if (d->conn.fd >= 0 && !ivshmem_sent(&d->conn))
		qemu |= POLLOUT;
	fds[FD_SIGNALS] = (struct pollfd){ .fd = signals, .events = POLLIN };
	fds[FD_DEVICE] = (struct pollfd){ .fd = d->dev, .events = POLLIN };
	fds[FD_LISTENER] = (struct pollfd){
		.fd = d->listener.fd, .events = POLLIN,
	};
	fds[FD_QEMU] = (struct pollfd){ .fd = d->conn.fd, .events = qemu };
	return FD_CONTROL + control_poll(&d->ctl, &fds[FD_CONTROL]);
}

static void take_signal(struct daemon *d, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	log_debug("signal %u", info.ssi_signo);
	daemon_stop(d, PVBUS_EXIT_OK);
}

/*
 * The device comes first: when QEMU ends, why the guest was refused is told
 * before the end is noticed.
 */
static void dispatch(struct daemon *d, int signals, const struct pollfd *fds)
{
	if (fds[FD_DEVICE].revents & POLLIN)
		vm_event(d);
	if (fds[FD_DEVICE].revents & (POLLHUP | POLLERR | POLLNVAL))
		daemon_stop(d, PVBUS_EXIT_OK);
	if (fds[FD_SIGNALS].revents)
		take_signal(d, signals);
	if (!d->stop && fds[FD_QEMU].fd >= 0 && fds[FD_QEMU].revents)
		qemu_continue(d, fds[FD_QEMU].revents);
	if (!d->stop && fds[FD_LISTENER].fd >= 0 && fds[FD_LISTENER].revents)
		qemu_accept(d);
	if (!d->stop)
		control_dispatch(&d->ctl, &fds[FD_CONTROL]);
}

/**
 * loop_run - serve until the daemon is to end
 * @d: the daemon
 * @signals: signalfd of the signals that end it
 * @err: why it had to give up
 *
 * Returns 0 or -1; the exit code is in @d->code.
 */
int loop_run(struct daemon *d, int signals, struct pv_err *err)
{
	struct pollfd fds[NR_FDS];

	/* a VM that was taken over may wait already */
	vm_event(d);
	while (!d->stop) {
		unsigned int nr = collect(d, signals, fds);

		if (poll(fds, nr, -1) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			daemon_leave(d);
			return pv_err(err, "cannot wait for events: %s",
				      strerror(errno));
		}
		dispatch(d, signals, fds);
	}
	return 0;
}
