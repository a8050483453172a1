// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: giving up privileges.
 *
 * Opening the control device takes CAP_SYS_ADMIN, and nothing after that does:
 * the module asks only then. What is left to do, and what that takes:
 *
 *	finding guest RAM: /proc/PID/maps and memory of a	CAP_SYS_PTRACE
 *	QEMU that runs as another user, or has capabilities
 *	adding a disk: files of any owner, as QEMU's user	CAP_DAC_OVERRIDE
 *	is one; moving workers into delegated cgroups;
 *	removing sockets from directories of any owner
 *	all else: the control device and what is open		none
 *
 * RAM is found once for each QEMU, so CAP_SYS_PTRACE goes when the guest runs. A
 * system call that no part of pvbusd makes fails with EPERM, and is logged.
 */
#include "privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/pvbus_ioctl.h>

#include "util.h"

/* What of the type of a socket is not flags. */
#define SOCK_TYPE	0xf

/* Arguments of 32 bits: what is above them the kernel does not look at. */
#define WORD		0xffffffff

/* What needs no look at its arguments. */
static const int calls[] = {
	/* events, files and sockets that are open */
	SCMP_SYS(accept4), SCMP_SYS(close), SCMP_SYS(eventfd2),
	SCMP_SYS(flock), SCMP_SYS(fstat), SCMP_SYS(getsockopt),
	SCMP_SYS(lseek), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(pread64), SCMP_SYS(read), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto),
	SCMP_SYS(setsockopt), SCMP_SYS(write), SCMP_SYS(writev),
	/* paths of disks, cgroups and sockets */
	SCMP_SYS(fstatfs), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(stat), SCMP_SYS(statfs), SCMP_SYS(statx),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	/* memory and threads */
	SCMP_SYS(brk), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex),
	SCMP_SYS(get_robust_list), SCMP_SYS(madvise), SCMP_SYS(mremap),
	SCMP_SYS(munmap), SCMP_SYS(rseq), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list),
	SCMP_SYS(sigaltstack), SCMP_SYS(sysinfo),
	/* time, signals, and who we are */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getpid), SCMP_SYS(getrandom), SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday), SCMP_SYS(getuid), SCMP_SYS(nanosleep),
	SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	/* giving up more of them */
	SCMP_SYS(capget), SCMP_SYS(capset), SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
};

/* Of a VM that is there, and of what a disk or a card is checked for. */
static const unsigned long requests[] = {
	PVBUS_IOC_VM_ATTACH, PVBUS_IOC_VM_INFO, PVBUS_IOC_VM_SET_MEM,
	PVBUS_IOC_VM_DESTROY, PVBUS_IOC_DEV_ADD, PVBUS_IOC_DEV_REMOVE,
	PVBUS_IOC_DEV_NEXT, PVBUS_IOC_DEV_RESIZE, PVBUS_IOC_CHAN_STATS,
	BLKGETSIZE64, SIOCGIFINDEX, TCGETS,
};

/* Not F_SETOWN: the kernel would signal others for us. */
static const int fcntls[] = {
	F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
};

/* Allow @call where all of @mask in argument @arg is as in @value. */
static int allow_if(scmp_filter_ctx ctx, int call, unsigned int arg,
		    uint64_t mask, uint64_t value)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, mask,
					   value));
}

/* About this process, not about others: all of root's would let us. */
static int add_own_rules(scmp_filter_ctx ctx)
{
	int ret = allow_if(ctx, SCMP_SYS(prlimit64), 0, WORD, 0);
	size_t i;

	if (!ret)
		ret = allow_if(ctx, SCMP_SYS(tgkill), 0, WORD, getpid());
	for (i = 0; !ret && i < ARRAY_SIZE(fcntls); i++)
		ret = allow_if(ctx, SCMP_SYS(fcntl), 1, WORD, fcntls[i]);
	return ret;
}

static int add_rules(scmp_filter_ctx ctx, enum privileges what)
{
	/* O_TMPFILE has O_DIRECTORY in it, which makes nothing */
	const uint64_t creates = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
	int ret = add_own_rules(ctx);
	size_t i;

	for (i = 0; !ret && i < ARRAY_SIZE(calls); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (i = 0; !ret && i < ARRAY_SIZE(requests); i++)
		ret = allow_if(ctx, SCMP_SYS(ioctl), 1, WORD, requests[i]);
	/* no code but what is there, no new file, no way to a server */
	if (!ret)
		ret = allow_if(ctx, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
	if (!ret)
		ret = allow_if(ctx, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
	if (!ret)
		ret = allow_if(ctx, SCMP_SYS(openat), 2, creates, 0);
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				       SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX),
				       SCMP_A1_32(SCMP_CMP_MASKED_EQ,
						  SOCK_TYPE, SOCK_DGRAM));
	/* threads; clone3() does not get past the other filter */
	if (!ret)
		ret = allow_if(ctx, SCMP_SYS(clone), 0, CLONE_THREAD,
			       CLONE_THREAD);
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone3),
				       0);
	if (!ret && what == PRIVILEGES_SEARCH)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
				       SCMP_SYS(process_vm_readv), 0);
	return ret;
}

/*
 * What clone3() is asked for cannot be seen. Without it, the C library makes its
 * threads with clone(), so it is nothing to log, which is a filter's as a whole.
 */
static int filter_clone3(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int ret;

	if (!ctx)
		return -ENOMEM;
	ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
			       0);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	return ret;
}

/* For all threads. A second filter leaves what both allow. */
static int filter_calls(enum privileges what)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret;

	if (!ctx)
		return -ENOMEM;
	ret = add_rules(ctx, what);
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	return ret;
}

static bool wanted(unsigned int cap, enum privileges what)
{
	if (cap == CAP_SYS_PTRACE)
		return what == PRIVILEGES_SEARCH;
	return cap == CAP_DAC_OVERRIDE && what != PRIVILEGES_NONE;
}

/* Of the calling thread. What it does not have, it does without. */
static int keep_caps(enum privileges what)
{
	const unsigned int both = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	bool have[CAP_LAST_CAP + 1] = { false };
	bool bounds;
	unsigned int i;

	if (capng_get_caps_process())
		return -EIO;
	bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (i = 0; i <= CAP_LAST_CAP; i++)
		have[i] = wanted(i, what) &&
			  capng_have_capability(CAPNG_PERMITTED, i);
	capng_clear(CAPNG_SELECT_ALL);
	for (i = 0; i <= CAP_LAST_CAP; i++)
		if (have[i] && capng_update(CAPNG_ADD,
					    both | CAPNG_BOUNDING_SET, i))
			return -EINVAL;
	/* these do not matter to who may not execute a program */
	if (bounds && capng_apply(CAPNG_SELECT_BOUNDS))
		return -EPERM;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/**
 * privileges_keep_thread - give up all capabilities of the calling thread but some
 * @what: what that takes which is kept
 * @err: why that failed
 *
 * Capabilities are a thread's: privileges_keep() does not reach a thread that
 * was started before. Returns 0 or -1.
 */
int privileges_keep_thread(enum privileges what, struct pv_err *err)
{
	int ret = keep_caps(what);

	if (ret)
		return pv_err(err, "cannot give up capabilities: %s",
			      strerror(-ret));
	return 0;
}

/**
 * privileges_keep - give up all privileges but some, for good
 * @what: which to keep
 * @err: why that failed
 *
 * Returns 0 or -1.
 */
int privileges_keep(enum privileges what, struct pv_err *err)
{
	int ret;

	/* what is open here is not for others, nor for a core dump */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return pv_err(err, "cannot give up privileges: %s",
			      strerror(errno));
	if (privileges_keep_thread(what, err))
		return -1;
	ret = filter_clone3();
	if (!ret)
		ret = filter_calls(what);
	if (ret)
		return pv_err(err,
			      "cannot give up system calls (seccomp): %s: use a kernel with CONFIG_SECCOMP_FILTER",
			      strerror(-ret));
	return 0;
}
