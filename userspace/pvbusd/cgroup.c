// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: charging workers to QEMU's cgroup.
 *
 * The time that a worker spends is the VM's: it joins the cgroup (version 2)
 * that QEMU is in. In a threaded cgroup, as libvirt's emulator/, a process
 * from outside can only enter by the domain above.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "util.h"

static ssize_t read_start(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n < 0 ? 0 : n] = '\0';
	return n;
}

static ssize_t read_file(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read_start(fd, buf, size);
	close(fd);
	return n;
}

/**
 * cgroup_parse - find the cgroup of version 2 in /proc/PID/cgroup
 * @text: contents of that file
 * @path: result, relative to the root of the hierarchy
 * @size: bytes there
 *
 * Returns 0, or -1 when there is none.
 */
int cgroup_parse(const char *text, char *path, size_t size)
{
	while (text) {
		size_t len = strcspn(text, "\n");

		if (!strncmp(text, "0::/", 4) && len > 4 && len - 4 < size) {
			memcpy(path, text + 4, len - 4);
			path[len - 4] = '\0';
			return 0;
		}
		text = text[len] ? text + len + 1 : NULL;
	}
	return -1;
}

static int read_path(int process, char *path, size_t size)
{
	char text[2 * CGROUP_PATH];

	return read_start(process, text, sizeof(text)) < 0 ? -1 :
	       cgroup_parse(text, path, size);
}

static int open_root(void)
{
	static const char * const roots[] = {
		"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
	};
	struct statfs fs;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roots); i++)
		if (!statfs(roots[i], &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
			return open(roots[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
	errno = ENOENT;
	return -1;
}

/* Leave threaded cgroups for the domain that they are in. */
static int open_domain(int root, char *path)
{
	char type[32];

	for (;;) {
		int fd = openat(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		char *slash = strrchr(path, '/');

		if (fd < 0 || read_file(fd, "cgroup.type", type,
					sizeof(type)) < 0 ||
		    strcmp(type, "threaded\n") || !slash)
			return fd;
		close(fd);
		*slash = '\0';
	}
}

/**
 * cgroup_follow - get ready for asking in which cgroup a process is
 * @pid: QEMU
 *
 * Where /proc hides processes (hidepid), that takes CAP_SYS_PTRACE, and asking
 * later does not. Returns a file descriptor for cgroup_open(), or -1.
 */
int cgroup_follow(int pid)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	return open(name, O_RDONLY | O_CLOEXEC);
}

/**
 * cgroup_open - open the cgroup that a process is in now
 * @process: from cgroup_follow()
 * @path: result, for cgroup_has()
 * @size: bytes there
 *
 * Returns a file descriptor for cgroup_move(), or -1 when the process is in no
 * cgroup of version 2, or in its root.
 */
int cgroup_open(int process, char *path, size_t size)
{
	int root, fd;

	if (read_path(process, path, size))
		return -1;
	root = open_root();
	if (root < 0)
		return -1;
	fd = open_domain(root, path);
	close(root);
	return fd;
}

/**
 * cgroup_has - is a worker where it is to be?
 * @path: from cgroup_open()
 * @tid: the worker
 *
 * To move it there again would change nothing, but stop all forks and exits of
 * the host meanwhile.
 */
bool cgroup_has(const char *path, int tid)
{
	int fd = cgroup_follow(tid);
	char own[CGROUP_PATH];
	bool has;

	if (fd < 0)
		return false;
	has = !read_path(fd, own, sizeof(own)) && !strcmp(own, path);
	close(fd);
	return has;
}

/**
 * cgroup_move - move a worker
 * @cgroup: where to, from cgroup_open()
 * @tid: the worker
 *
 * Returns 0 or a negative errno.
 */
int cgroup_move(int cgroup, int tid)
{
	int fd = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	char text[16];
	ssize_t n;
	int len;

	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%d", tid);
	n = write(fd, text, len);
	n = n == len ? 0 : -errno;
	close(fd);
	return n;
}
