// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/privileges.c userspace/lib/err.c */
/* LIBS: -lcap-ng -lseccomp -lsystemd */
/*
 * What pvbusd can still do when it serves, and what it cannot. What is given up
 * does not come back, so each test is a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/pvbus_ioctl.h>

#include "privileges.h"

static struct pv_err err;

/* In a child, which says what was wrong. */
#define NEED(condition) do {						\
	if (!(condition)) {						\
		dprintf(2, "# line %d: %s: %s\n", __LINE__, #condition,	\
			strerror(errno));				\
		_exit(1);						\
	}								\
} while (0)

#define DENIED(call)	NEED((call) == -1 && errno == EPERM)

static void in_child(void (*run)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Capabilities as a mask, KEY of /proc/self/status. */
static uint64_t caps(const char *key)
{
	char line[256], text[8192];
	int fd = open("/proc/thread-self/status", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *found;

	NEED(n > 0);
	close(fd);
	text[n] = '\0';
	snprintf(line, sizeof(line), "\n%s:\t", key);
	found = strstr(text, line);
	NEED(found);
	return strtoull(found + strlen(line), NULL, 16);
}

#define SEARCH	(1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_OVERRIDE)
#define SERVE	(1ULL << CAP_DAC_OVERRIDE)

/* What there was before, of @want: a test need not run as root. */
static void need_caps(uint64_t before, uint64_t want)
{
	NEED(caps("CapEff") == (before & want));
	NEED(caps("CapPrm") == (before & want));
	NEED(caps("CapInh") == 0);
	NEED(caps("CapAmb") == 0);
	if (before & 1ULL << CAP_SETPCAP)
		NEED((caps("CapBnd") & ~want) == 0);
}

static void caps_search_and_serve(void)
{
	uint64_t before = caps("CapPrm");

	NEED(!privileges_keep(PRIVILEGES_SEARCH, &err));
	need_caps(before, SEARCH);
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	NEED(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	NEED(!privileges_keep(PRIVILEGES_SERVE, &err));
	NEED(caps("CapEff") == (before & SERVE));
	NEED(caps("CapPrm") == (before & SERVE));
}

static void kept_caps(void **state)
{
	in_child(caps_search_and_serve);
}

static void *thread_without(void *unused)
{
	struct pv_err mine;

	if (privileges_keep_thread(PRIVILEGES_NONE, &mine))
		return NULL;
	return caps("CapEff") || caps("CapPrm") ? NULL : &err;
}

static void *thread_of_disk(void *before)
{
	uint64_t want = *(uint64_t *)before & SERVE;
	struct pv_err mine;

	if (privileges_keep_thread(PRIVILEGES_SERVE, &mine))
		return NULL;
	return caps("CapEff") == want && caps("CapPrm") == want ? &err : NULL;
}

static void *thread_busy(void *pipe)
{
	char c;

	return read(*(int *)pipe, &c, 1) == 1 ? NULL : pipe;
}

/* A thread that is there already has the second filter, too. */
static void *thread_late(void *pipe)
{
	struct iovec iov = { .iov_base = &err, .iov_len = 1 };

	if (thread_busy(pipe))
		return NULL;
	return process_vm_readv(getpid(), &iov, 1, &iov, 1, 0) == -1 &&
	       errno == EPERM ? pipe : NULL;
}

static void with_threads(void)
{
	uint64_t before = caps("CapPrm");
	pthread_t thread;
	void *ret;
	int fds[2];

	NEED(!pipe(fds));
	NEED(!privileges_keep(PRIVILEGES_SEARCH, &err));
	NEED(!pthread_create(&thread, NULL, thread_without, NULL));
	NEED(!pthread_join(thread, &ret) && ret);
	NEED(!pthread_create(&thread, NULL, thread_of_disk, &before));
	NEED(!pthread_join(thread, &ret) && ret);
	/* the others have what they had */
	NEED(caps("CapEff") == (before & SEARCH));
	NEED(!pthread_create(&thread, NULL, thread_late, &fds[0]));
	NEED(!privileges_keep(PRIVILEGES_SERVE, &err));
	NEED(write(fds[1], "x", 1) == 1);
	NEED(!pthread_join(thread, &ret) && ret);
}

static void threads(void **state)
{
	in_child(with_threads);
}

/* What serving takes, as its code does it. */
static void serve(void)
{
	char from[4] = "abc", to[4] = "";
	struct iovec local = { .iov_base = to, .iov_len = sizeof(to) };
	struct iovec remote = { .iov_base = from, .iov_len = sizeof(from) };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) +
			snprintf(addr.sun_path, sizeof(addr.sun_path),
				 "@pvbus-test-%d", getpid());
	struct rlimit limit;
	uint64_t size;
	void *mem;
	int fd, systemd;

	systemd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	NEED(systemd >= 0 && !setenv("NOTIFY_SOCKET", addr.sun_path, 1));
	addr.sun_path[0] = '\0';
	NEED(!bind(systemd, (void *)&addr, len));
	NEED(!privileges_keep(PRIVILEGES_SEARCH, &err));
	NEED(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 4);
	NEED(!strcmp(to, "abc"));
	NEED(!privileges_keep(PRIVILEGES_SERVE, &err));
	/* a disk: ENOTTY, as it is none */
	fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	NEED(fd >= 0);
	NEED(ioctl(fd, BLKGETSIZE64, &size) == -1 && errno == ENOTTY);
	NEED(ioctl(fd, PVBUS_IOC_DEV_ADD, &size) == -1 && errno == ENOTTY);
	NEED(ioctl(fd, PVBUS_IOC_VM_INFO, &size) == -1 && errno == ENOTTY);
	/* a card */
	NEED(if_nametoindex("nosuchcard0") == 0 && errno == ENODEV);
	/* a cgroup */
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	NEED(fd >= 0 && openat(fd, ".", O_RDONLY | O_DIRECTORY) >= 0);
	/* what the C library does when it makes a thread, or aborts */
	NEED(!getrlimit(RLIMIT_STACK, &limit));
	NEED(!syscall(SYS_tgkill, getpid(), gettid(), 0));
	NEED(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	/* a removal */
	NEED(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) >= 0);
	NEED(sd_notify(0, "STOPPING=1") > 0);
	NEED(recv(systemd, to, sizeof(to), 0) == 4 && !memcmp(to, "STOP", 4));
	mem = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(mem != MAP_FAILED && !munmap(mem, 1 << 20));
}

static void serves(void **state)
{
	in_child(serve);
}

static void try_all(void)
{
	char *const argv[] = { "true", NULL };
	struct iovec iov = { .iov_base = &err, .iov_len = 1 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct rlimit limit;
	int fd;

	NEED(!privileges_keep(PRIVILEGES_SEARCH, &err));
	fd = open("/dev/null", O_RDWR);
	NEED(fd >= 0);
	/* other programs, processes, and what is of them */
	DENIED(execve("/bin/true", argv, argv));
	DENIED(syscall(SYS_fork));
	DENIED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	DENIED(ptrace(PTRACE_TRACEME, 0, 0, 0));
	DENIED(kill(getppid(), 0));
	DENIED(syscall(SYS_tgkill, getppid(), getppid(), 0));
	DENIED(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
	/* not by number either, though it is the same process */
	DENIED(prlimit(getpid(), RLIMIT_NOFILE, NULL, &limit));
	/* signals that the kernel sends */
	DENIED(fcntl(fd, F_SETOWN, getppid()));
	DENIED(fcntl(fd, F_SETSIG, SIGKILL));
	DENIED(process_vm_writev(getpid(), &iov, 1, &iov, 1, 0));
	/* code */
	DENIED(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
	DENIED(mprotect(&err, 1, PROT_READ | PROT_EXEC));
	/* files */
	DENIED(open("/nonexistent/file", O_RDWR | O_CREAT, 0600));
	DENIED(open("/nonexistent", O_RDWR | O_TMPFILE, 0600));
	DENIED(rename("/nonexistent/a", "/nonexistent/b"));
	DENIED(chmod("/nonexistent", 0));
	DENIED(chown("/nonexistent", 0, 0));
	DENIED(mkdir("/nonexistent/dir", 0700));
	DENIED(syscall(SYS_mount, "none", "/nonexistent", "tmpfs", 0, ""));
	/* servers, and being one */
	DENIED(socket(AF_INET, SOCK_STREAM, 0));
	DENIED(socket(AF_NETLINK, SOCK_RAW, 0));
	DENIED(socket(AF_UNIX, SOCK_STREAM, 0));
	DENIED(connect(fd, (void *)&addr, sizeof(addr)));
	DENIED(bind(fd, (void *)&addr, sizeof(addr)));
	/* another VM, and other devices */
	DENIED(ioctl(fd, PVBUS_IOC_VM_CREATE, &err));
	DENIED(ioctl(fd, PVBUS_IOC_VM_ADOPT, &err));
	DENIED(ioctl(fd, BLKRRPART, 0));
	/* the kernel */
	DENIED(syscall(SYS_init_module, NULL, 0, ""));
	DENIED(syscall(SYS_bpf, 0, NULL, 0));
	DENIED(syscall(SYS_io_uring_setup, 1, NULL));
	DENIED(setuid(0));
	NEED(!privileges_keep(PRIVILEGES_SERVE, &err));
	DENIED(process_vm_readv(getpid(), &iov, 1, &iov, 1, 0));
}

static void denied(void **state)
{
	in_child(try_all);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_caps),
		cmocka_unit_test(threads),
		cmocka_unit_test(serves),
		cmocka_unit_test(denied),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
