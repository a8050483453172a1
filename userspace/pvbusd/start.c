// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: from the command line to a VM that QEMU can connect to, and back.
 *
 * Everything that can be wrong is looked for before anything is made. Whether a
 * VM of this name was left behind by a daemon that died decides what is wrong,
 * though: its disks and interfaces are in use, by itself. So "in use" is kept
 * until the module has answered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "device.h"
#include "disk.h"
#include "log.h"
#include "paths.h"
#include "privileges.h"

/**
 * struct plan - what was found out before anything was made
 * @fds: what backs the disks; -1 when it is in use
 * @in_use: words for the first thing that is in use, empty if nothing is
 */
struct plan {
	int		*fds;
	struct pv_err	in_use;
};

static int open_disks(const struct args *args, struct plan *plan,
		      struct pv_err *err)
{
	size_t i;

	for (i = 0; i < args->nr_disks; i++) {
		struct pv_err why;
		int fd = disk_open(&args->disks[i], &why);

		plan->fds[i] = fd < 0 ? -1 : fd;
		if (fd >= 0)
			continue;
		if (fd != -EBUSY) {
			*err = why;
			return -1;
		}
		if (!plan->in_use.text[0])
			plan->in_use = why;
	}
	return 0;
}

static void close_disks(const struct args *args, struct plan *plan)
{
	size_t i;

	for (i = 0; i < args->nr_disks; i++)
		if (plan->fds[i] >= 0)
			close(plan->fds[i]);
	free(plan->fds);
}

static int make_plan(struct daemon *d, struct plan *plan, struct pv_err *err)
{
	const struct args *args = &d->args;
	size_t i;

	if (disk_check_paths(args->disks, args->nr_disks, err) ||
	    open_disks(args, plan, err))
		return -1;
	for (i = 0; i < args->nr_nets && !plan->in_use.text[0]; i++)
		devices_check_net(&args->nets[i], &plan->in_use);
	if (args->loopback)
		return 0;
	return sock_check(args->socket, err);
}

static int create_vm(struct daemon *d, struct pv_err *err)
{
	const struct args *args = &d->args;
	struct pvbus_ioc_vm_create create = {
		.pin_limit = args->pin_limit,
		.vectors = args->vectors ? args->vectors : PVBUS_MAX_VECTORS,
	};

	memcpy(create.name, args->name, sizeof(create.name));
	if (args->loopback) {
		create.flags = PVBUS_VM_LOOPBACK;
	} else {
		if (ivshmem_create(&d->iv, args->name, create.vectors,
				   &d->window, err))
			return -1;
		create.peer = IVSHMEM_PEER_HOST;
		create.window = (uintptr_t)d->window;
		create.doorbells = (uintptr_t)d->iv.doorbell;
		create.interrupts = (uintptr_t)d->iv.interrupt;
	}
	if (device_vm_create(d->dev, &create, err))
		return -1;
	d->vm = true;
	return 0;
}

static int add_devices(struct daemon *d, const struct plan *plan,
		       struct pv_err *err)
{
	const struct args *args = &d->args;
	struct pvbus_ioc_dev dev;
	size_t i;

	for (i = 0; i < args->nr_disks; i++)
		if (devices_add_disk(d, &args->disks[i], plan->fds[i], &dev,
				     err))
			return -1;
	for (i = 0; i < args->nr_nets; i++)
		if (devices_add_net(d, &args->nets[i], &dev, err))
			return -1;
	return 0;
}

static bool has_device(struct daemon *d, const char *id)
{
	struct pvbus_ioc_dev dev = { .offer = 0 };
	struct pv_err err;

	while (!device_next(d->dev, &dev, &err))
		if (!strncmp((const char *)dev.id, id, sizeof(dev.id)))
			return true;
	return false;
}

static void adopt_disk(struct daemon *d, const struct disk_spec *disk, int fd)
{
	struct pvbus_ioc_dev dev;
	struct pv_err err;

	if (has_device(d, disk->id)) {
		json_object_set_new(d->paths, disk->id,
				    json_string(disk->path));
		return;
	}
	if (fd < 0)
		log_warning("disk '%s': path '%.512s' is in use: release it, then add the disk with 'pvbusctl add-disk'",
			    disk->id, disk->path);
	else if (devices_add_disk(d, disk, fd, &dev, &err))
		log_warning("%s", err.text);
	else
		log_info("added disk '%s', which the VM did not have",
			 disk->id);
}

static void adopt_net(struct daemon *d, const struct net_spec *net)
{
	struct pvbus_ioc_dev dev;
	struct pv_err err;

	if (has_device(d, net->id))
		return;
	if (devices_add_net(d, net, &dev, &err))
		log_warning("%s", err.text);
	else
		log_info("added network card '%s', which the VM did not have",
			 net->id);
}

/*
 * The VM goes on with what it has; what the command line has beside that is
 * added. A guest is not to lose its VM for a device that fails now: that is a
 * warning.
 */
static void adopt_devices(struct daemon *d, const struct plan *plan)
{
	const struct args *args = &d->args;
	size_t i;

	for (i = 0; i < args->nr_disks; i++)
		adopt_disk(d, &args->disks[i], plan->fds[i]);
	for (i = 0; i < args->nr_nets; i++)
		adopt_net(d, &args->nets[i]);
}

static void take_over(struct daemon *d, const struct plan *plan)
{
	d->vm = true;
	d->adopted = true;
	d->attached = true;
	if (!d->args.loopback)
		sock_remove_stale(d->args.socket);
	log_info("adopted running VM %s", d->args.name);
	adopt_devices(d, plan);
}

/* Take the VM over, or make it. */
static int get_vm(struct daemon *d, const struct plan *plan,
		  struct pv_err *err)
{
	int ret = device_vm_adopt(d->dev, d->args.name, err);

	if (!ret) {
		take_over(d, plan);
		return 0;
	}
	if (ret != -ENOENT)
		return -1;
	if (plan->in_use.text[0]) {
		*err = plan->in_use;
		return -1;
	}
	if (create_vm(d, err) || add_devices(d, plan, err))
		return -1;
	return d->args.loopback ? 0 : sock_listen(&d->listener, d->args.socket,
						  d->args.socket_group, err);
}

static int open_control(struct daemon *d, struct pv_err *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (mkdir(d->args.run_dir, 0700) && errno != EEXIST)
		return pv_err(err,
			      "directory '%.300s' cannot be created (%s): give another --run-dir",
			      d->args.run_dir, strerror(errno));
	if (stat(d->args.run_dir, &st) || !S_ISDIR(st.st_mode))
		return pv_err(err, "'%.300s' is not a directory: give another --run-dir",
			      d->args.run_dir);
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return pv_err(err,
			      "directory '%.300s' can be written by others: run 'chown root' and 'chmod 0700' on it, or give another --run-dir",
			      d->args.run_dir);
	snprintf(path, sizeof(path), "%.3900s/%s" PVBUS_CTL_SUFFIX,
		 d->args.run_dir, d->args.name);
	return sock_listen(&d->ctl.listener, path, SOCK_NO_GROUP, err);
}

/**
 * daemon_init - make daemon_end() possible
 * @d: the daemon with its command line
 */
void daemon_init(struct daemon *d)
{
	d->dev = -1;
	d->iv.shm = -1;
	d->conn.fd = -1;
	d->cgroup = -1;
	d->listener = LISTENER_NONE;
	d->paths = json_object();
	control_init(&d->ctl, command_run, d);
}

/**
 * daemon_start - get the VM ready
 * @d: the daemon, initialized
 * @err: why there is no VM
 *
 * Returns 0 or -1; daemon_end() follows either way.
 */
int daemon_start(struct daemon *d, struct pv_err *err)
{
	struct plan plan = { .fds = NULL };
	size_t i;
	int ret;

	plan.fds = calloc(d->args.nr_disks + 1, sizeof(*plan.fds));
	if (!plan.fds || !d->paths)
		return pv_err(err, "out of memory");
	for (i = 0; i < d->args.nr_disks; i++)
		plan.fds[i] = -1;

	ret = make_plan(d, &plan, err);
	if (ret)
		goto out;
	d->dev = device_open(err);
	if (d->dev < 0 && plan.in_use.text[0])
		*err = plan.in_use;
	ret = d->dev < 0 ? -1 : get_vm(d, &plan, err);
	if (!ret)
		ret = open_control(d, err);
	/* from here on others may talk to us */
	if (!ret)
		ret = privileges_keep(d->args.loopback ? PRIVILEGES_SERVE :
				      PRIVILEGES_SEARCH, err);
	/* a guest that runs is not to pay for what is wrong here */
	if (ret && d->adopted)
		d->vm = false;
out:
	/* the module has its own references */
	close_disks(&d->args, &plan);
	return ret;
}

/**
 * daemon_end - end the VM and everything that daemon_start() made
 * @d: the daemon
 */
void daemon_end(struct daemon *d)
{
	struct pv_err err;

	control_close(&d->ctl);
	sock_close(&d->listener);
	if (d->vm && device_vm_destroy(d->dev, &err))
		log_err("%s", err.text);
	if (d->conn.fd >= 0)
		close(d->conn.fd);
	if (d->cgroup >= 0)
		close(d->cgroup);
	if (d->dev >= 0)
		close(d->dev);
	if (d->window)
		munmap(d->window, PVBUS_WIN_SIZE);
	ivshmem_destroy(&d->iv);
	json_decref(d->paths);
	args_free(&d->args);
}
