// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/ivshmem.c userspace/pvbusd/sock.c userspace/lib/err.c */
/*
 * The ivshmem server against a client, and the sockets that it listens on.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/pvbus.h>

#include "ivshmem.h"
#include "sock.h"

static struct pv_err err;

/* As QEMU receives: 8 bytes and at most one descriptor; -1 if there is none. */
static int64_t receive(int sock, int *fd)
{
	uint64_t wire;
	struct iovec iov = { .iov_base = &wire, .iov_len = sizeof(wire) };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *cmsg;

	assert_int_equal(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC), 8);
	*fd = -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg) {
		assert_int_equal(cmsg->cmsg_len, CMSG_LEN(sizeof(int)));
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	}
	return (int64_t)le64toh(wire);
}

static void check_window(int fd, const void *window)
{
	struct stat st;
	char *p;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, PVBUS_WIN_SIZE);
	p = mmap(NULL, PVBUS_WIN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_memory_equal(p, window, PVBUS_WIN_SIZE);
	p[5] = 42;
	assert_int_equal(((const char *)window)[5], 42);
	munmap(p, PVBUS_WIN_SIZE);
	/* a client cannot cut it off */
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 2 * PVBUS_WIN_SIZE), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(fd);
}

/* The descriptor that the client has is the other end of ours. */
static void check_eventfd(int theirs, int ours)
{
	eventfd_t value;

	assert_int_equal(eventfd_write(theirs, 3), 0);
	assert_int_equal(eventfd_read(ours, &value), 0);
	assert_int_equal(value, 3);
	/* and no more: it does not block */
	assert_int_equal(eventfd_read(ours, &value), -1);
	assert_int_equal(errno, EAGAIN);
	close(theirs);
}

static void handshake(int sock, const struct ivshmem *iv, const void *window,
		      unsigned int vectors)
{
	unsigned int i;
	int fd;

	assert_int_equal(receive(sock, &fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(receive(sock, &fd), IVSHMEM_PEER_QEMU);
	assert_int_equal(fd, -1);
	assert_int_equal(receive(sock, &fd), -1);
	check_window(fd, window);
	for (i = 0; i < vectors; i++) {
		assert_int_equal(receive(sock, &fd), IVSHMEM_PEER_HOST);
		check_eventfd(fd, iv->doorbell[i]);
	}
	for (i = 0; i < vectors; i++) {
		assert_int_equal(receive(sock, &fd), IVSHMEM_PEER_QEMU);
		check_eventfd(fd, iv->interrupt[i]);
	}
	assert_int_equal(recv(sock, &fd, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void serve(void **state)
{
	static const unsigned int vectors[] = { 1, 5, PVBUS_MAX_VECTORS };
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct ivshmem_conn conn = { .vectors = vectors[i] };
		struct ivshmem iv;
		void *window;
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		assert_int_equal(ivshmem_create(&iv, "t", PVBUS_MAX_VECTORS,
						&window, &err), 0);
		conn.fd = pair[0];
		assert_int_equal(ivshmem_send(&iv, &conn), 0);
		assert_true(ivshmem_sent(&conn));
		handshake(pair[1], &iv, window, vectors[i]);
		munmap(window, PVBUS_WIN_SIZE);
		ivshmem_destroy(&iv);
		close(pair[0]);
		close(pair[1]);
	}
}

/* A client that does not read for a while gets the rest later. */
static void slow_client(void **state)
{
	struct ivshmem_conn conn = { .vectors = PVBUS_MAX_VECTORS };
	int small = 1, pair[2], fd;
	struct ivshmem iv;
	unsigned int got = 0;
	void *window;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	assert_int_equal(ivshmem_create(&iv, "t", PVBUS_MAX_VECTORS, &window,
					&err), 0);
	conn.fd = pair[0];
	assert_int_equal(ivshmem_send(&iv, &conn), 0);
	assert_false(ivshmem_sent(&conn));
	while (!ivshmem_sent(&conn)) {
		receive(pair[1], &fd);
		got++;
		if (fd >= 0)
			close(fd);
		assert_int_equal(ivshmem_send(&iv, &conn), 0);
	}
	for (; got < 3 + 2 * PVBUS_MAX_VECTORS; got++) {
		receive(pair[1], &fd);
		if (fd >= 0)
			close(fd);
	}
	close(pair[1]);
	/* one that is gone is an error, not a signal */
	conn.next = 0;
	assert_true(ivshmem_send(&iv, &conn) < 0);
	munmap(window, PVBUS_WIN_SIZE);
	ivshmem_destroy(&iv);
	close(pair[0]);
}

/* -- sockets ------------------------------------------------------------------ */

static char dir[32];
static char path[64];

static int make_dir(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/pvbus-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	return 0;
}

static int remove_dir(void **state)
{
	unlink(path);
	return rmdir(dir);
}

static void sock_new(void **state)
{
	struct listener l;
	struct stat st;

	assert_int_equal(sock_check(path, &err), 0);
	assert_int_equal(lstat(path, &st), -1);
	assert_int_equal(sock_listen(&l, path, SOCK_NO_GROUP, &err), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
	sock_close(&l);
	assert_int_equal(lstat(path, &st), -1);
	/* twice is harmless */
	sock_close(&l);
}

/* What the umask is does not matter. */
static void sock_group(void **state)
{
	mode_t old = umask(0);
	gid_t group = getegid() ? getegid() : 12345;
	struct listener l;
	struct stat st;

	assert_int_equal(sock_listen(&l, path, group, &err), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(st.st_gid, group);
	assert_int_equal(st.st_uid, geteuid());
	sock_close(&l);
	assert_int_equal(sock_listen(&l, path, SOCK_NO_GROUP, &err), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	sock_close(&l);
	umask(old);
}

static void sock_live(void **state)
{
	struct listener l, other;

	assert_int_equal(sock_listen(&l, path, SOCK_NO_GROUP, &err), 0);
	assert_int_equal(sock_check(path, &err), -1);
	assert_non_null(strstr(err.text, "in use"));
	assert_int_equal(sock_listen(&other, path, SOCK_NO_GROUP, &err), -1);
	sock_remove_stale(path);
	assert_int_equal(access(path, F_OK), 0);
	/* the server has not seen us */
	assert_int_equal(accept(l.fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	sock_close(&l);
}

static void sock_stale(void **state)
{
	struct listener l;

	assert_int_equal(sock_listen(&l, path, SOCK_NO_GROUP, &err), 0);
	close(l.fd);
	assert_int_equal(sock_check(path, &err), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(sock_listen(&l, path, SOCK_NO_GROUP, &err), 0);
	close(l.fd);
	sock_remove_stale(path);
	assert_int_equal(access(path, F_OK), -1);
	l.fd = -1;
	sock_close(&l);
}

static void sock_replaced(void **state)
{
	struct listener l, other;

	/* the file of somebody who came later is not ours to remove */
	assert_int_equal(sock_listen(&l, path, SOCK_NO_GROUP, &err), 0);
	unlink(path);
	assert_int_equal(sock_listen(&other, path, SOCK_NO_GROUP, &err), 0);
	sock_close(&l);
	assert_int_equal(access(path, F_OK), 0);
	sock_close(&other);
}

static void sock_bad(void **state)
{
	char name[200];
	int fd;

	memset(name, 'a', sizeof(name));
	name[0] = '/';
	name[108] = '\0';
	assert_int_equal(sock_check(name, &err), -1);
	assert_non_null(strstr(err.text, "at most 107"));

	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(sock_check(path, &err), -1);
	assert_non_null(strstr(err.text, "not a socket"));
	sock_remove_stale(path);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);

	snprintf(name, sizeof(name), "%s/none/s", dir);
	assert_int_equal(sock_check(name, &err), -1);
	assert_non_null(strstr(err.text, "directory"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(serve),
		cmocka_unit_test(slow_client),
		cmocka_unit_test(sock_new),
		cmocka_unit_test(sock_group),
		cmocka_unit_test(sock_live),
		cmocka_unit_test(sock_stale),
		cmocka_unit_test(sock_replaced),
		cmocka_unit_test(sock_bad),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
