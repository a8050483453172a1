// SPDX-License-Identifier: GPL-2.0
/*
 * libpvbus: the control device of the host module.
 */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

/* Names are zero behind their end in the kernel's structures. */
static void set_id(__u8 id[PVBUS_ID_SIZE], const char *name)
{
	size_t len = strnlen(name, PVBUS_ID_SIZE - 1);

	memset(id, 0, PVBUS_ID_SIZE);
	memcpy(id, name, len);
}

/* An ioctl that a signal may interrupt but must not fail. */
static int device_ioctl(int fd, unsigned long request, void *args)
{
	int ret;

	do {
		ret = ioctl(fd, request, args);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

/* Words that are the same whatever was asked for. */
static int other_error(int ret, const char *what, struct pv_err *err)
{
	switch (-ret) {
	case ENOTTY:
		pv_err(err,
		       "%s: module pvbus_host does not know this request: install module and pvbusd of one version, then reload the module",
		       what);
		break;
	case ENOMEM:
		pv_err(err, "%s: the host is out of memory: free some", what);
		break;
	case EPERM:
	case EACCES:
		pv_err(err, "%s: no permission: run pvbusd as root", what);
		break;
	default:
		pv_err(err, "%s: %s", what, strerror(-ret));
	}
	return ret;
}

static int version_error(int ret, unsigned int theirs, struct pv_err *err)
{
	const char *remedy = "install module and pvbusd of one version";

	if (theirs > PVBUS_IOC_VERSION)
		remedy = "update pvbusd";
	else if (theirs < PVBUS_IOC_VERSION)
		remedy = "update module pvbus_host and reload it";
	pv_err(err,
	       "module pvbus_host speaks version %u of the control device, pvbusd speaks version %u: %s",
	       theirs, PVBUS_IOC_VERSION, remedy);
	return ret;
}

/**
 * device_open - open the control device
 * @err: why it cannot be opened
 *
 * Returns a file descriptor or a negative errno.
 */
int device_open(struct pv_err *err)
{
	int fd = open(PVBUS_DEVICE, O_RDWR | O_CLOEXEC);
	int ret = -errno;

	if (fd >= 0)
		return fd;
	switch (-ret) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		pv_err(err, PVBUS_DEVICE
		       " is missing, module pvbus_host is not loaded: run 'modprobe pvbus_host'");
		break;
	case EACCES:
	case EPERM:
		pv_err(err, "no permission to open " PVBUS_DEVICE ": run pvbusd as root");
		break;
	default:
		pv_err(err, "cannot open " PVBUS_DEVICE ": %s",
		       strerror(-ret));
	}
	return ret;
}

/**
 * device_vm_create - create a VM
 * @fd: control device
 * @args: the VM; @args->version is set here
 * @err: why it was not created
 *
 * Returns 0 or a negative errno; -EEXIST when a VM has the name.
 */
int device_vm_create(int fd, struct pvbus_ioc_vm_create *args,
		     struct pv_err *err)
{
	int ret;

	args->version = PVBUS_IOC_VERSION;
	ret = device_ioctl(fd, PVBUS_IOC_VM_CREATE, args);
	switch (-ret) {
	case 0:
		return 0;
	case EPROTO:
		return version_error(ret, args->version, err);
	case EEXIST:
		pv_err(err,
		       "name '%.*s' is in use by another VM: choose another --name",
		       PVBUS_ID_SIZE, (const char *)args->name);
		return ret;
	case ENODEV:
	case EOPNOTSUPP:
		if (!(args->flags & PVBUS_VM_LOOPBACK))
			break;
		pv_err(err,
		       "--loopback is not there, module pvbus_loop is not loaded: run 'modprobe pvbus_loop'");
		return ret;
	}
	return other_error(ret, "cannot create the VM", err);
}

/**
 * device_vm_adopt - take over a VM whose daemon is gone
 * @fd: control device
 * @name: the VM
 * @err: why it was not taken over
 *
 * Returns 0 or a negative errno; -ENOENT when there is no such VM.
 */
int device_vm_adopt(int fd, const char *name, struct pv_err *err)
{
	struct pvbus_ioc_vm_adopt args = { .version = PVBUS_IOC_VERSION };
	int ret;

	set_id(args.name, name);
	ret = device_ioctl(fd, PVBUS_IOC_VM_ADOPT, &args);
	switch (-ret) {
	case 0:
		return 0;
	case EPROTO:
		return version_error(ret, args.version, err);
	case ENOENT:
		pv_err(err, "no VM has the name '%s'", name);
		return ret;
	case EBUSY:
		pv_err(err,
		       "name '%s' is in use, another pvbusd serves that VM, or it has not ended yet: choose another --name, or wait",
		       name);
		return ret;
	}
	return other_error(ret, "cannot take over the VM", err);
}

/**
 * device_vm_attach - tell the module that QEMU has connected
 * @fd: control device
 * @args: its socket and the vectors it has
 * @err: why it was refused
 *
 * Returns 0 or a negative errno; -ESRCH when QEMU is gone already.
 */
int device_vm_attach(int fd, const struct pvbus_ioc_vm_attach *args,
		     struct pv_err *err)
{
	struct pvbus_ioc_vm_attach copy = *args;
	int ret = device_ioctl(fd, PVBUS_IOC_VM_ATTACH, &copy);

	if (ret == -ESRCH)
		pv_err(err, "cannot attach QEMU: it ended while it connected: start it again");
	else if (ret)
		other_error(ret, "cannot attach QEMU", err);
	return ret;
}

/**
 * device_vm_info - the VM's state
 * @fd: control device
 * @info: result
 * @err: why there is none
 *
 * Returns 0 or a negative errno. Ends what poll() reports as EPOLLIN.
 */
int device_vm_info(int fd, struct pvbus_ioc_vm_info *info, struct pv_err *err)
{
	int ret;

	memset(info, 0, sizeof(*info));
	ret = device_ioctl(fd, PVBUS_IOC_VM_INFO, info);
	return ret ? other_error(ret, "cannot read the VM's state", err) : 0;
}

/**
 * device_vm_set_mem - tell the module where guest RAM is
 * @fd: control device
 * @args: the table
 * @err: why it was not believed
 *
 * Returns 0 or a negative errno.
 */
int device_vm_set_mem(int fd, const struct pvbus_ioc_vm_set_mem *args,
		      struct pv_err *err)
{
	struct pvbus_ioc_vm_set_mem copy = *args;
	int ret = device_ioctl(fd, PVBUS_IOC_VM_SET_MEM, &copy);

	if (ret == -EBADMSG || ret == -EFAULT)
		pv_err(err,
		       "RAM of the guest cannot be proven: the module finds other nonces there than pvbusd did: start QEMU with RAM in one block (-m SIZE)");
	else if (ret)
		other_error(ret, "the module refuses the table of guest RAM",
			    err);
	return ret;
}

/**
 * device_vm_destroy - end the VM
 * @fd: control device
 * @err: why that failed
 *
 * Returns 0 or a negative errno.
 */
int device_vm_destroy(int fd, struct pv_err *err)
{
	int ret = device_ioctl(fd, PVBUS_IOC_VM_DESTROY, NULL);

	if (ret == -EINPROGRESS)
		pv_err(err,
		       "the VM has not ended yet: a disk has requests that its backing store does not answer, the kernel log says which: the VM ends when it does");
	else if (ret)
		other_error(ret, "cannot end the VM", err);
	return ret;
}

/* What went wrong with a new device, without its name. */
static const char *add_finding(int ret, const struct pvbus_ioc_dev *dev)
{
	switch (-ret) {
	case EEXIST:
		if (dev->type == PVBUS_TYPE_NET && dev->ifname[0])
			return "its id or its ifname is in use: choose another";
		return "the VM has a device with this id: choose another id";
	case ENOSPC:
		return "the VM has as many devices as it may: remove one";
	case EMSGSIZE:
		return "its size is not a multiple of its sector: resize it";
	case EOPNOTSUPP:
		return "direct I/O is not possible on it: use a block device, or ext4 or xfs";
	case ENOTBLK:
		return "neither a block device nor a regular file: give one of these";
	case EINVAL:
		return "module pvbus_host refuses a value: see the kernel log";
	case ESRCH:
		return "the VM has ended: start QEMU again";
	}
	return strerror(-ret);
}

/**
 * device_add - offer the guest a device
 * @fd: control device
 * @dev: the device; updated with what the module made of it
 * @err: why it was not added
 *
 * Returns 0 or a negative errno.
 */
int device_add(int fd, struct pvbus_ioc_dev *dev, struct pv_err *err)
{
	const struct pvbus_ioc_dev asked = *dev;
	int ret = device_ioctl(fd, PVBUS_IOC_DEV_ADD, dev);

	if (ret)
		pv_err(err, "%s '%.*s': %s",
		       asked.type == PVBUS_TYPE_BLK ? "disk" : "network card",
		       PVBUS_ID_SIZE, (const char *)asked.id,
		       add_finding(ret, &asked));
	return ret;
}

static void no_device(const char *id, struct pv_err *err)
{
	pv_err(err, "the VM has no device '%s': 'pvbusctl show' lists its devices",
	       id);
}

/**
 * device_remove - take a device from the guest
 * @fd: control device
 * @id: the device
 * @timeout_ms: how long the guest may take, in milliseconds
 * @err: why it was not removed
 *
 * Blocks for up to @timeout_ms. Returns 0 or a negative errno.
 */
int device_remove(int fd, const char *id, unsigned int timeout_ms,
		  struct pv_err *err)
{
	struct pvbus_ioc_dev_remove args = { .timeout_ms = timeout_ms };
	int ret;

	set_id(args.id, id);
	ret = device_ioctl(fd, PVBUS_IOC_DEV_REMOVE, &args);
	if (ret == -ENOENT)
		no_device(id, err);
	else if (ret == -EBUSY)
		pv_err(err, "device '%s' is being removed already: wait until it is gone",
		       id);
	else if (ret == -EINPROGRESS)
		pv_err(err, "device '%s' is not gone yet: its backing store does not answer: look at that; the device goes when it does",
		       id);
	else if (ret)
		pv_err(err, "cannot remove device '%s': %s", id,
		       strerror(-ret));
	return ret;
}

/**
 * device_resize - look anew at how large a disk is
 * @fd: control device
 * @id: the disk
 * @capacity: result: bytes, as the guest is told
 * @err: why that failed
 *
 * Returns 0 or a negative errno.
 */
int device_resize(int fd, const char *id, uint64_t *capacity,
		  struct pv_err *err)
{
	struct pvbus_ioc_dev_resize args = { .capacity = 0 };
	int ret;

	set_id(args.id, id);
	ret = device_ioctl(fd, PVBUS_IOC_DEV_RESIZE, &args);
	if (ret == -ENOENT)
		no_device(id, err);
	else if (ret == -EOPNOTSUPP)
		pv_err(err, "device '%s' is not a disk: only disks have a size",
		       id);
	else if (ret == -EMSGSIZE)
		pv_err(err, "disk '%s' is empty, or its size is not a multiple of its sector: resize what is behind it once more",
		       id);
	else if (ret)
		pv_err(err, "cannot resize disk '%s': %s", id, strerror(-ret));
	else
		*capacity = args.capacity;
	return ret;
}

/**
 * device_next - walk through the devices of the VM
 * @fd: control device
 * @dev: in: @dev->offer is where to begin, 0 at first; out: the next device
 * @err: why that failed
 *
 * Returns 0, or -ENOENT without words at the end, or a negative errno.
 */
int device_next(int fd, struct pvbus_ioc_dev *dev, struct pv_err *err)
{
	const struct pvbus_ioc_dev ask = { .offer = dev->offer };
	int ret;

	*dev = ask;
	ret = device_ioctl(fd, PVBUS_IOC_DEV_NEXT, dev);
	if (ret && ret != -ENOENT)
		other_error(ret, "cannot list the VM's devices", err);
	return ret;
}

/**
 * device_chan_stats - counters of a channel
 * @fd: control device
 * @stats: in: @stats->id and @stats->queue; out: the counters
 * @err: why that failed
 *
 * Returns 0, or -ENOTCONN or -ENOENT without words when the channel is not
 * open, or a negative errno.
 */
int device_chan_stats(int fd, struct pvbus_ioc_chan_stats *stats,
		      struct pv_err *err)
{
	int ret = device_ioctl(fd, PVBUS_IOC_CHAN_STATS, stats);

	if (ret && ret != -ENOTCONN && ret != -ENOENT)
		other_error(ret, "cannot read counters", err);
	return ret;
}
