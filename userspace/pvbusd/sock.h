/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: listening on UNIX sockets.
 */
#ifndef PVBUSD_SOCK_H
#define PVBUSD_SOCK_H

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include "err.h"

#define SOCK_PATH_SIZE	sizeof(((struct sockaddr_un *)0)->sun_path)

/**
 * struct listener - a listening socket and its file
 * @fd: socket, or -1
 * @path: absolute path of the file
 * @dev: its file system, to remove no other file
 * @ino: its inode
 */
struct listener {
	int	fd;
	char	path[SOCK_PATH_SIZE];
	dev_t	dev;
	ino_t	ino;
};

#define LISTENER_NONE	((struct listener){ .fd = -1 })

/* Nobody but root may connect. */
#define SOCK_NO_GROUP	((gid_t)-1)

int sock_check(const char *path, struct pv_err *err);
int sock_listen(struct listener *l, const char *path, gid_t group,
		struct pv_err *err);
void sock_remove_stale(const char *path);
void sock_close(struct listener *l);

#endif /* PVBUSD_SOCK_H */
