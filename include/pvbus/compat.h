/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that pvbus builds for: Debian's 6.1 and
 * 6.12, and what lies between. Where the kernel shows a difference in a macro,
 * that is asked; otherwise the version is, and only here.
 */
#ifndef PVBUS_COMPAT_H
#define PVBUS_COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>
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

/* 6.5 dropped the vmas, which nobody wanted. mmap_lock of @mm is held. */
static inline long pvbus_pin_user_pages_remote(struct mm_struct *mm,
					       unsigned long start,
					       unsigned long nr,
					       unsigned int gup_flags,
					       struct page **pages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return pin_user_pages_remote(mm, start, nr, gup_flags, pages, NULL,
				     NULL);
#else
	return pin_user_pages_remote(mm, start, nr, gup_flags, pages, NULL);
#endif
}

/* Callbacks of bus_type: 6.3 made the device of uevent() const, 6.11 the driver
 * of match().
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define PVBUS_UEVENT_CONST
#else
#define PVBUS_UEVENT_CONST	const
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define PVBUS_MATCH_CONST
#else
#define PVBUS_MATCH_CONST	const
#endif

/* A bus type is const where the pointer to it in a device is: since 6.4. */
#define pvbus_bus_type_t	typeof(*((struct device *)NULL)->bus)

#endif /* PVBUS_COMPAT_H */
