/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: the daemon of one VM.
 */
#ifndef PVBUSD_DAEMON_H
#define PVBUSD_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/pvbus_ioctl.h>

#include "args.h"
#include "control.h"
#include "ivshmem.h"
#include "sock.h"

/**
 * struct daemon - the daemon of one VM
 * @args: command line
 * @dev: control device, or -1
 * @vm: the VM exists and ends with the daemon; see daemon_leave()
 * @adopted: it was taken over from another daemon: no socket, no window
 * @attached: QEMU is known to the module
 * @cgroup: to ask in which cgroup QEMU is, or -1
 * @settled: what finding guest RAM took is given up
 * @iv: what QEMU is given
 * @window: the window, or NULL
 * @listener: where QEMU connects
 * @conn: QEMU's connection
 * @ctl: where pvbusctl connects
 * @opening: disks that are being opened
 * @paths: what backs the disks, JSON object from id to path
 * @info: the VM's state when vm_event() last looked
 * @refused_at: when a refused guest was last reported, for log_allowed()
 * @intruder_at: when a refused connection was last reported, likewise
 * @stop: end, with exit code @code
 * @code: exit code
 */
struct daemon {
	struct args		args;
	int			dev;
	bool			vm;
	bool			adopted;
	bool			attached;
	int			cgroup;
	bool			settled;
	struct ivshmem		iv;
	void			*window;
	struct listener		listener;
	struct ivshmem_conn	conn;
	struct control		ctl;
	unsigned int		opening;
	json_t			*paths;
	struct pvbus_ioc_vm_info info;
	int64_t			refused_at;
	int64_t			intruder_at;
	bool			stop;
	int			code;
};

/* start.c */
void daemon_init(struct daemon *d);
int daemon_start(struct daemon *d, struct pv_err *err);
void daemon_end(struct daemon *d);

/* devices.c: adding devices */
int devices_add_disk(struct daemon *d, const struct disk_spec *disk, int fd,
		     struct pvbus_ioc_dev *dev, struct pv_err *err);
int devices_add_net(struct daemon *d, const struct net_spec *net,
		    struct pvbus_ioc_dev *dev, struct pv_err *err);
int devices_check_net(const struct net_spec *net, struct pv_err *err);
unsigned int devices_vectors(struct daemon *d, unsigned int cpus);

/* qemu.c: QEMU's connection */
void qemu_accept(struct daemon *d);
void qemu_few_vectors(const struct daemon *d, int pid, unsigned int nr);
void qemu_continue(struct daemon *d, short events);

/* vm.c: the VM's state */
void vm_event(struct daemon *d);
const char *vm_state_name(uint32_t state);

/* commands.c: requests from pvbusctl */
char *command_run(void *ctx, const char *line, struct control_job **job);

/* loop.c */
int loop_run(struct daemon *d, int signals, struct pv_err *err);
void daemon_stop(struct daemon *d, int code);
void daemon_leave(struct daemon *d);

#endif /* PVBUSD_DAEMON_H */
