// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: serves pvbus devices to one virtual machine of QEMU.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"
#include "paths.h"

/* Signals that end the daemon are read, not caught; others keep their ways. */
static int open_signals(struct pv_err *err)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		pv_err(err, "cannot receive signals: %s", strerror(errno));
	return fd;
}

static int serve(struct daemon *d, int signals, struct pv_err *err)
{
	if (daemon_start(d, err))
		return -1;
	sd_notifyf(0, "READY=1\nSTATUS=Serving VM %s", d->args.name);
	log_info("ready");
	if (loop_run(d, signals, err))
		return -1;
	sd_notify(0, "STOPPING=1");
	return 0;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	struct pv_err err;
	int signals;

	args_parse(&d.args, argc, argv);
	log_verbose(d.args.verbose);
	daemon_init(&d);
	signals = open_signals(&err);
	if (signals < 0 || serve(&d, signals, &err)) {
		log_err("%s", err.text);
		d.code = PVBUS_EXIT_FAILED;
	}
	daemon_end(&d);
	if (signals >= 0)
		close(signals);
	return d.code;
}
