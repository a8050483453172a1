// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: listening on UNIX sockets.
 *
 * The file of a socket outlives a server that was killed, so what is found at
 * a path is either in use or stale. To tell, a socket of another type is
 * connected: the kernel answers EPROTOTYPE when a server lives, without that
 * server noticing; a real connection would be taken for QEMU. Looking, removing
 * and binding happen under a lock on the directory, so that two daemons that
 * start at once do not remove each other's file.
 */
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG		8
#define LOCK_TRIES	40
#define LOCK_PAUSE_NS	50000000L

enum sock_file {
	SOCK_NONE,	/* nothing is there */
	SOCK_STALE,	/* a socket without a server */
	SOCK_LIVE,	/* a socket with a server */
	SOCK_OTHER,	/* not a socket */
	SOCK_ERROR,	/* cannot tell, see errno */
};

static int make_addr(const char *path, struct sockaddr_un *addr,
		     struct pv_err *err)
{
	size_t len = strlen(path);

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (len >= sizeof(addr->sun_path))
		return pv_err(err,
			      "socket path '%.300s' has %zu characters: use at most %zu",
			      path, len, sizeof(addr->sun_path) - 1);
	memcpy(addr->sun_path, path, len);
	return 0;
}

static enum sock_file look(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, ret;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? SOCK_NONE : SOCK_ERROR;
	if (!S_ISSOCK(st.st_mode))
		return SOCK_OTHER;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return SOCK_ERROR;
	ret = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	ret = ret ? errno : 0;
	close(fd);
	errno = ret;
	if (ret == ECONNREFUSED)
		return SOCK_STALE;
	if (!ret || ret == EPROTOTYPE || ret == EAGAIN)
		return SOCK_LIVE;
	return SOCK_ERROR;
}

/* Is the path free, or made free by removing a stale file? */
static int check_file(const struct sockaddr_un *addr, bool *stale,
		      struct pv_err *err)
{
	const char *path = addr->sun_path;

	*stale = false;
	switch (look(addr)) {
	case SOCK_NONE:
		return 0;
	case SOCK_STALE:
		*stale = true;
		return 0;
	case SOCK_LIVE:
		return pv_err(err,
			      "socket path '%s' is in use by another server: choose another path, or end that server",
			      path);
	case SOCK_OTHER:
		return pv_err(err,
			      "socket path '%s' exists and is not a socket: choose another path, or remove the file",
			      path);
	case SOCK_ERROR:
		break;
	}
	return pv_err(err, "socket path '%s' cannot be used: %s", path,
		      strerror(errno));
}

/* Open the directory that a path is in. */
static int open_dir(const char *path, struct pv_err *err)
{
	const char *slash = strrchr(path, '/');
	char dir[SOCK_PATH_SIZE] = ".";
	int fd;

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s",
			 slash == path ? 1 : (int)(slash - path), path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pv_err(err,
			      "directory of socket path '%s' cannot be used (%s): create it, or choose another path",
			      path, strerror(errno));
	return fd;
}

static int lock_dir(const char *path, struct pv_err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	int fd = open_dir(path, err);
	int tries;

	if (fd < 0)
		return -1;
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		if (errno != EWOULDBLOCK)
			break;
		nanosleep(&pause, NULL);
	}
	pv_err(err, "directory of socket path '%s' cannot be locked: %s", path,
	       strerror(errno));
	close(fd);
	return -1;
}

static int can_create(const char *path, struct pv_err *err)
{
	int ret, dir = open_dir(path, err);

	if (dir < 0)
		return -1;
	ret = faccessat(dir, ".", W_OK | X_OK, AT_EACCESS);
	if (ret)
		pv_err(err, "socket path '%s' cannot be created: %s", path,
		       strerror(errno));
	close(dir);
	return ret;
}

/**
 * sock_check - check that a path can be listened on, and change nothing
 * @path: absolute path
 * @err: why it cannot
 *
 * Returns 0 or -1.
 */
int sock_check(const char *path, struct pv_err *err)
{
	struct sockaddr_un addr;
	bool stale;

	if (make_addr(path, &addr, err) || can_create(path, err))
		return -1;
	return check_file(&addr, &stale, err);
}

/* Nobody can connect before listen(), when the file is the group's. */
static int bind_file(struct listener *l, const struct sockaddr_un *addr,
		     gid_t group)
{
	mode_t old = umask(group == SOCK_NO_GROUP ? 0177 : 0117);
	int ret = bind(l->fd, (const struct sockaddr *)addr, sizeof(*addr));
	struct stat st;

	umask(old);
	if (ret)
		return -1;
	if (!lstat(addr->sun_path, &st)) {
		l->dev = st.st_dev;
		l->ino = st.st_ino;
		memcpy(l->path, addr->sun_path, sizeof(l->path));
	}
	if (group != SOCK_NO_GROUP && lchown(addr->sun_path, -1, group))
		return -1;
	return listen(l->fd, BACKLOG);
}

static int listen_locked(struct listener *l, const struct sockaddr_un *addr,
			 gid_t group, struct pv_err *err)
{
	bool stale;

	if (check_file(addr, &stale, err))
		return -1;
	if (stale)
		unlink(addr->sun_path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || bind_file(l, addr, group)) {
		pv_err(err, "socket path '%s' cannot be created: %s",
		       addr->sun_path, strerror(errno));
		sock_close(l);
		return -1;
	}
	return 0;
}

/**
 * sock_listen - listen on a path, where a stale socket may be
 * @l: result
 * @path: absolute path
 * @group: who may connect besides root, or SOCK_NO_GROUP
 * @err: why that failed
 *
 * Returns 0 or -1.
 */
int sock_listen(struct listener *l, const char *path, gid_t group,
		struct pv_err *err)
{
	struct sockaddr_un addr;
	int ret, dir;

	*l = LISTENER_NONE;
	if (make_addr(path, &addr, err))
		return -1;
	dir = lock_dir(path, err);
	if (dir < 0)
		return -1;
	ret = listen_locked(l, &addr, group, err);
	close(dir);
	return ret;
}

/**
 * sock_remove_stale - remove the file of a server that was killed
 * @path: absolute path; left alone if anything else is there
 */
void sock_remove_stale(const char *path)
{
	struct sockaddr_un addr;
	struct pv_err err;
	bool stale;
	int dir;

	if (make_addr(path, &addr, &err))
		return;
	dir = lock_dir(path, &err);
	if (dir < 0)
		return;
	if (!check_file(&addr, &stale, &err) && stale)
		unlink(path);
	close(dir);
}

/**
 * sock_close - stop listening and remove the file
 * @l: socket; nothing happens if it is not open
 */
void sock_close(struct listener *l)
{
	struct stat st;

	if (l->path[0] && !lstat(l->path, &st) && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	*l = LISTENER_NONE;
}
