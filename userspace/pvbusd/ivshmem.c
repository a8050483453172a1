// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: the server's side of QEMU's ivshmem protocol, as in QEMU's
 * docs/specs/ivshmem-spec.
 *
 * Messages are 8 bytes, little-endian, with at most one file descriptor:
 * protocol version 0; the client's peer number; -1 with the shared memory; then
 * one message for each eventfd of each peer, the peer's number with the
 * eventfd, the client's own last. The client sends nothing, ever.
 */
#include "ivshmem.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/pvbus.h>

#define IVSHMEM_VERSION		0
#define IVSHMEM_SHM		(-1)

/* Messages before those for eventfds */
#define IVSHMEM_SETUP		3

static int make_window(const char *name, void **window)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	char label[64];
	int fd, saved;

	snprintf(label, sizeof(label), "pvbus-%s", name);
	fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, PVBUS_WIN_SIZE) || fcntl(fd, F_ADD_SEALS, seals))
		goto close;
	*window = mmap(NULL, PVBUS_WIN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, 0);
	if (*window != MAP_FAILED)
		return fd;
close:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int *make_eventfds(unsigned int nr)
{
	int *fds = malloc(nr * sizeof(*fds));
	unsigned int i;

	if (!fds)
		return NULL;
	for (i = 0; i < nr; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (fds[i] >= 0)
			continue;
		while (i--)
			close(fds[i]);
		free(fds);
		return NULL;
	}
	return fds;
}

static void free_eventfds(int *fds, unsigned int nr)
{
	unsigned int i;

	for (i = 0; fds && i < nr; i++)
		close(fds[i]);
	free(fds);
}

/**
 * ivshmem_create - make what the server hands out
 * @iv: result
 * @name: name of the VM, to tell windows apart in /proc
 * @vectors: eventfds each way
 * @window: result: the shared memory, zeroed; stays mapped
 * @err: why that failed
 *
 * The size of the window is sealed: QEMU could otherwise cut it under the
 * module's feet. Returns 0 or -1.
 */
int ivshmem_create(struct ivshmem *iv, const char *name, unsigned int vectors,
		   void **window, struct pv_err *err)
{
	iv->nr = vectors;
	iv->doorbell = NULL;
	iv->interrupt = NULL;
	iv->shm = make_window(name, window);
	if (iv->shm >= 0)
		iv->doorbell = make_eventfds(vectors);
	if (iv->doorbell)
		iv->interrupt = make_eventfds(vectors);
	if (iv->interrupt)
		return 0;
	pv_err(err,
	       "cannot make the window and %u eventfds: %s: raise the limit of open files (ulimit -n)",
	       2 * vectors, strerror(errno));
	ivshmem_destroy(iv);
	return -1;
}

/**
 * ivshmem_destroy - close what the server hands out
 * @iv: what ivshmem_create() made, or what it could not
 */
void ivshmem_destroy(struct ivshmem *iv)
{
	free_eventfds(iv->doorbell, iv->nr);
	free_eventfds(iv->interrupt, iv->nr);
	if (iv->shm >= 0)
		close(iv->shm);
	*iv = (struct ivshmem){ .shm = -1 };
}

static unsigned int nr_messages(const struct ivshmem_conn *conn)
{
	return IVSHMEM_SETUP + 2 * conn->vectors;
}

/* What message @i says, and the file descriptor that goes with it, or -1. */
static int64_t message(const struct ivshmem *iv,
		       const struct ivshmem_conn *conn, unsigned int i, int *fd)
{
	*fd = -1;
	switch (i) {
	case 0:
		return IVSHMEM_VERSION;
	case 1:
		return IVSHMEM_PEER_QEMU;
	case 2:
		*fd = iv->shm;
		return IVSHMEM_SHM;
	}
	i -= IVSHMEM_SETUP;
	if (i < conn->vectors) {
		*fd = iv->doorbell[i];
		return IVSHMEM_PEER_HOST;
	}
	*fd = iv->interrupt[i - conn->vectors];
	return IVSHMEM_PEER_QEMU;
}

static int send_message(int sock, int64_t value, int fd)
{
	uint64_t wire = htole64((uint64_t)value);
	struct iovec iov = { .iov_base = &wire, .iov_len = sizeof(wire) };
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	ssize_t n;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* the kernel takes so few bytes as a whole or not at all */
	return n == sizeof(wire) ? 0 : -EIO;
}

/**
 * ivshmem_send - send QEMU what it does not have yet
 * @iv: what is handed out
 * @conn: the connection
 *
 * Never blocks. Returns 0, when everything was sent or the socket is full
 * (ivshmem_sent() tells), or a negative errno.
 */
int ivshmem_send(const struct ivshmem *iv, struct ivshmem_conn *conn)
{
	while (conn->next < nr_messages(conn)) {
		int fd, ret;
		int64_t value = message(iv, conn, conn->next, &fd);

		ret = send_message(conn->fd, value, fd);
		if (ret == -EAGAIN)
			return 0;
		if (ret)
			return ret;
		conn->next++;
	}
	return 0;
}

/**
 * ivshmem_sent - does QEMU have everything?
 * @conn: the connection
 */
bool ivshmem_sent(const struct ivshmem_conn *conn)
{
	return conn->next == nr_messages(conn);
}
