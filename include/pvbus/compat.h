/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that pvbus builds for: Debian's 6.1 and
 * 6.12, and what lies between. Where the kernel shows a difference in a macro,
 * that is asked; otherwise the version is, and only here.
 */
#ifndef PVBUS_COMPAT_H
#define PVBUS_COMPAT_H

#include <linux/eventfd.h>
#include <linux/uio.h>
#include <linux/version.h>

/* 6.8 dropped the count, which was always 1. */
static inline void pvbus_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

#endif /* PVBUS_COMPAT_H */
