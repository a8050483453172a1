/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the shared headers need from their environment when it is user space:
 * the kernel's names for byte order, barriers and assertions.
 */
#ifndef PVBUS_USER_H
#define PVBUS_USER_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/types.h>

#define cpu_to_le16(v)	((__le16)htole16(v))
#define cpu_to_le32(v)	((__le32)htole32(v))
#define cpu_to_le64(v)	((__le64)htole64(v))
#define le16_to_cpu(v)	((__u16)le16toh(v))
#define le32_to_cpu(v)	((__u32)le32toh(v))
#define le64_to_cpu(v)	((__u64)le64toh(v))

#define pvring_load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define pvring_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define pvring_load(p)			__atomic_load_n(p, __ATOMIC_RELAXED)
#define pvring_store(p, v)		__atomic_store_n(p, v, __ATOMIC_RELAXED)
#define pvring_mb()			__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define pvring_opaque(v)		__asm__("" : "+r" (v))

static inline void pvring_barrier(void)
{
	__asm__ __volatile__("" ::: "memory");
}

#endif /* PVBUS_USER_H */
