// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: from the command line to a VM that QEMU can connect to, and back.
 *
 * A VM of this name that a daemon left behind comes first: it goes on with what
 * it has, whatever has become of the command line since. Without one, everything
 * that can be wrong is looked for before anything is made.
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

/* What backs the disks; close_disks() follows, whatever is wrong. */
static int open_disks(const struct args *args, int *fds, struct pv_err *err)
{
	size_t i;

	for (i = 0; i < args->nr_disks; i++) {
		fds[i] = disk_open(&args->disks[i], err);
		if (fds[i] < 0)
			return -1;
	}
	return 0;
}

static void close_disks(const struct args *args, int *fds)
{
	size_t i;

	for (i = 0; i < args->nr_disks; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
}

static int check(const struct args *args, int *fds, struct pv_err *err)
{
	size_t i;

	if (disk_check_paths(args->disks, args->nr_disks, err) ||
	    open_disks(args, fds, err))
		return -1;
	for (i = 0; i < args->nr_nets; i++)
		if (devices_check_net(&args->nets[i], err))
			return -1;
	return args->loopback ? 0 : sock_check(args->socket, err);
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

static int add_devices(struct daemon *d, const int *fds, struct pv_err *err)
{
	const struct args *args = &d->args;
	struct pvbus_ioc_dev dev;
	size_t i;

	for (i = 0; i < args->nr_disks; i++)
		if (devices_add_disk(d, &args->disks[i], fds[i], &dev, err))
			return -1;
	for (i = 0; i < args->nr_nets; i++)
		if (devices_add_net(d, &args->nets[i], &dev, err))
			return -1;
	return 0;
}

static int make_vm(struct daemon *d, struct pv_err *err)
{
	const struct args *args = &d->args;
	int *fds = malloc((args->nr_disks + 1) * sizeof(*fds));
	int ret = -1;
	size_t i;

	if (!fds)
		return pv_err(err, "out of memory");
	for (i = 0; i < args->nr_disks; i++)
		fds[i] = -1;
	if (!check(args, fds, err) && !create_vm(d, err) &&
	    !add_devices(d, fds, err))
		ret = 0;
	/* the module has its own references */
	close_disks(args, fds);
	if (ret || args->loopback)
		return ret;
	return sock_listen(&d->listener, args->socket, args->socket_group, err);
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

/* The VM has a disk of that id. The module does not tell what is behind it. */
static void adopt_path(struct daemon *d, const struct disk_spec *disk)
{
	if (disk_is_free(disk))
		log_warning("disk '%s': path '%.512s' is not what the VM has: to give it that, use 'pvbusctl remove' and 'pvbusctl add-disk'",
			    disk->id, disk->path);
	else
		json_object_set_new(d->paths, disk->id,
				    json_string(disk->path));
}

static void adopt_disk(struct daemon *d, const struct disk_spec *disk)
{
	struct pvbus_ioc_dev dev;
	struct pv_err err;
	int fd;

	if (has_device(d, disk->id)) {
		adopt_path(d, disk);
		return;
	}
	fd = disk_open(disk, &err);
	if (fd < 0) {
		log_warning("%s; then add the disk with 'pvbusctl add-disk'",
			    err.text);
		return;
	}
	if (devices_add_disk(d, disk, fd, &dev, &err))
		log_warning("%s", err.text);
	else
		log_info("added disk '%s', which the VM did not have",
			 disk->id);
	close(fd);
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
 * added. A guest is not to be left without a daemon for a device that fails now,
 * as a disk that was removed and is gone: that is a warning.
 */
static void adopt_devices(struct daemon *d)
{
	const struct args *args = &d->args;
	size_t i;

	for (i = 0; i < args->nr_disks; i++)
		adopt_disk(d, &args->disks[i]);
	for (i = 0; i < args->nr_nets; i++)
		adopt_net(d, &args->nets[i]);
}

static void take_over(struct daemon *d)
{
	d->vm = true;
	d->adopted = true;
	d->attached = true;
	if (!d->args.loopback)
		sock_remove_stale(d->args.socket);
	log_info("adopted running VM %s", d->args.name);
	adopt_devices(d);
}

/* Take the VM over, or make it. */
static int get_vm(struct daemon *d, struct pv_err *err)
{
	int ret = device_vm_adopt(d->dev, d->args.name, err);

	if (ret == -ENOENT)
		return make_vm(d, err);
	if (ret)
		return -1;
	take_over(d);
	return 0;
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
	int ret;

	if (!d->paths)
		return pv_err(err, "out of memory");
	d->dev = device_open(err);
	ret = d->dev < 0 ? -1 : get_vm(d, err);
	if (!ret)
		ret = open_control(d, err);
	/* from here on others may talk to us */
	if (!ret)
		ret = privileges_keep(d->args.loopback ? PRIVILEGES_SERVE :
				      PRIVILEGES_SEARCH, err);
	if (ret && d->adopted)
		daemon_leave(d);
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
