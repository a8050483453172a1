// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: opening and locking what backs a disk.
 *
 * A disk that a guest may write belongs to that guest alone: a block device is
 * opened with O_EXCL, which mounts, RAID and LVM honour, and every file is
 * locked with flock(), exclusively or, if it is read-only, shared. The lock
 * belongs to the open file, which the module keeps, so that it lasts as long as
 * the guest has the disk, and longer than pvbusd.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

/* udev locks a device while it looks at it, for some milliseconds. */
#define LOCK_TRIES	10
#define LOCK_PAUSE_NS	50000000L

static int fail(const struct disk_spec *disk, struct pv_err *err, int ret,
		const char *finding)
{
	pv_err(err, "disk '%s': path '%.512s' %s", disk->id, disk->path,
	       finding);
	return -ret;
}

static int check_type(const struct disk_spec *disk, const struct stat *st,
		      struct pv_err *err)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode))
		return fail(disk, err, EISDIR,
			    "is a directory: give a block device or a raw file");
	return fail(disk, err, ENOTBLK,
		    "is neither a block device nor a regular file: give one of these");
}

/* Tell a file that may not be written from one that may not be read. */
static int access_error(const struct disk_spec *disk, struct pv_err *err,
			int ret)
{
	int fd = disk->readonly ? -1 :
		 open(disk->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(disk, err, ret,
			    "is not readable: run pvbusd as root, or change the permissions of the path");
	close(fd);
	return fail(disk, err, ret,
		    "is not writable: add ',readonly', or change its permissions");
}

static int open_error(const struct disk_spec *disk, struct pv_err *err,
		      int ret)
{
	switch (ret) {
	case ENOENT:
	case ENOTDIR:
		return fail(disk, err, ENOENT,
			    "does not exist: correct it, or create the file");
	case EACCES:
	case EPERM:
	case EROFS:
		return access_error(disk, err, ret);
	case EBUSY:
		return fail(disk, err, EBUSY,
			    "is in use (mounted, part of RAID or LVM, or of another VM): release it first");
	case EINVAL:
		return fail(disk, err, ret,
			    "is on a file system without direct I/O (O_DIRECT): move it to one that has it, as ext4 or xfs");
	case ETXTBSY:
		return fail(disk, err, EBUSY,
			    "is in use (swap or a running program): release it first");
	case ENXIO:
	case ENODEV:
	case ENOMEDIUM:
		return fail(disk, err, ret,
			    "is a block device without a device or medium behind it: attach it first");
	}
	pv_err(err, "disk '%s': path '%.512s' cannot be opened: %s", disk->id,
	       disk->path, strerror(ret));
	return -ret;
}

static int lock(const struct disk_spec *disk, int fd, bool block,
		struct pv_err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	int tries = block ? LOCK_TRIES : 1;
	int ret;

	for (;;) {
		if (!flock(fd, (disk->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB))
			return 0;
		ret = errno;
		if (ret != EWOULDBLOCK)
			break;
		if (!--tries)
			return fail(disk, err, EBUSY,
				    "is in use by another pvbusd, or by a program that locked it: end that one first, or use ',readonly' in both");
		nanosleep(&pause, NULL);
	}
	pv_err(err, "disk '%s': path '%.512s' cannot be locked: %s", disk->id,
	       disk->path, strerror(ret));
	return -ret;
}

static int check_size(const struct disk_spec *disk, int fd,
		      const struct stat *st, struct pv_err *err)
{
	uint64_t size = st->st_size;

	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, &size))
		return open_error(disk, err, errno);
	if (!size)
		return fail(disk, err, EMSGSIZE,
			    "is empty: give it a size, as with 'truncate -s 10G'");
	if (size % PVBUS_BLK_SECTOR) {
		pv_err(err,
		       "disk '%s': path '%.512s' has %llu bytes, not a multiple of 512: resize it, as with 'truncate -s %%512'",
		       disk->id, disk->path, (unsigned long long)size);
		return -EMSGSIZE;
	}
	return 0;
}

static int check_open(const struct disk_spec *disk, int fd, struct pv_err *err)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return open_error(disk, err, errno);
	/* again: the path may lead elsewhere by now */
	ret = check_type(disk, &st, err);
	if (ret)
		return ret;
	ret = check_size(disk, fd, &st, err);
	if (ret)
		return ret;
	return lock(disk, fd, S_ISBLK(st.st_mode), err);
}

/**
 * disk_open - open and lock what backs a disk
 * @disk: the disk
 * @err: why it cannot be used
 *
 * Returns a file descriptor for the module, or a negative errno; -EBUSY when
 * somebody else uses it.
 */
int disk_open(const struct disk_spec *disk, struct pv_err *err)
{
	int flags = O_DIRECT | O_CLOEXEC | O_NOCTTY;
	struct stat st;
	int ret, fd;

	if (stat(disk->path, &st))
		return open_error(disk, err, errno);
	ret = check_type(disk, &st, err);
	if (ret)
		return ret;
	if (disk->readonly)
		flags |= O_RDONLY;
	else
		flags |= S_ISBLK(st.st_mode) ? O_RDWR | O_EXCL : O_RDWR;
	fd = open(disk->path, flags);
	if (fd < 0)
		return open_error(disk, err, errno);
	ret = check_open(disk, fd, err);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/**
 * disk_is_free - is there nobody who uses what a path leads to?
 * @disk: the disk
 *
 * A VM keeps its disks locked, and those that it can write opened with O_EXCL,
 * so what nobody uses is no VM's disk. Changes nothing; if in doubt, the path is
 * in use.
 */
bool disk_is_free(const struct disk_spec *disk)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct pv_err err;
	struct stat st;
	bool is_free;
	int fd;

	if (stat(disk->path, &st))
		return errno == ENOENT || errno == ENOTDIR;
	if (check_type(disk, &st, &err))
		return true;
	fd = open(disk->path, S_ISBLK(st.st_mode) ? flags | O_EXCL : flags);
	if (fd < 0)
		return false;
	is_free = !flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return is_free;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode))
		return a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/**
 * disk_check_paths - check that no file backs two disks of one VM
 * @disks: disks
 * @nr: their number
 * @err: which two
 *
 * Two disks may share a file if both are read-only. Returns 0 or -1; paths that
 * do not exist are no business of this function.
 */
int disk_check_paths(const struct disk_spec *disks, size_t nr,
		     struct pv_err *err)
{
	struct stat a, b;
	size_t i, j;

	for (i = 0; i < nr; i++) {
		if (stat(disks[i].path, &a))
			continue;
		for (j = 0; j < i; j++) {
			if (disks[i].readonly && disks[j].readonly)
				continue;
			if (stat(disks[j].path, &b) || !same_file(&a, &b))
				continue;
			return pv_err(err,
				      "path '%.512s' is given to disks '%s' and '%s': give each its own, or make both readonly",
				      disks[i].path, disks[j].id, disks[i].id);
		}
	}
	return 0;
}
