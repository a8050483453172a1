/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel's interfaces as the sources under test use, in user
 * space. Every header of the kernel that they include is this one.
 *
 * It checks what the kernel would: locks are held or not, what is freed was
 * allocated, an index that array_index_nospec() gets was checked. There is one
 * thread: works run when the fuzzer says so (kernel_run()), and whoever waits
 * lets it have its turn (kernel_wait()).
 */
#ifndef FUZZ_SHIM_H
#define FUZZ_SHIM_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>

#include <linux/types.h>
#include <linux/virtio_net.h>
#include <pvbus/user.h>

#include "../fuzz.h"

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef __u64 dma_addr_t;
typedef unsigned int gfp_t;

/* -- compiler, arithmetic ------------------------------------------------------- */

#define __aligned(n)		__attribute__((__aligned__(n)))
#define __force
#define __init			__attribute__((__unused__))
#define __exit			__attribute__((__unused__))
#define ____cacheline_aligned_in_smp	__aligned(64)
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)

#define U16_MAX			0xffff
#define U32_MAX			0xffffffffU
#define U64_MAX			(~0ULL)
#define S64_MAX			0x7fffffffffffffffLL
#define SZ_256K			0x40000
#define SZ_1M			0x100000
#define SZ_16M			0x1000000
#define SZ_64M			0x4000000
#define SZ_4G			(1ULL << 32)

#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1UL << (n))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define round_down(n, to)	((n) & ~((__typeof__(n))(to) - 1))
#define round_up(n, to)		round_down((n) + (to) - 1, to)
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define ilog2(n)		(63 - __builtin_clzll(n))
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

static inline u64 roundup_pow_of_two(u64 n)
{
	return n <= 1 ? 1 : 1ULL << (ilog2(n - 1) + 1);
}

static inline u32 hash_64(u64 v, unsigned int bits)
{
	return v * 0x61c8864680b583ebULL >> (64 - bits);
}

/* What is not in range was not checked. */
#define array_index_nospec(i, n) \
({ \
	must((u64)(i) < (u64)(n)); \
	(i); \
})

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(n)		(((n) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_ALIGNED(n)		(!((n) & ~PAGE_MASK))
#define offset_in_page(n)	((unsigned long)(n) & ~PAGE_MASK)

#define MAX_ERRNO		4095

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= (unsigned long)-MAX_ERRNO;
}

static inline void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *b = p;

	/* nobody has that much to look at: a difference is below 0 */
	must(n <= SZ_1M);
	for (; n; n--, b++)
		if (*b != (u8)c)
			return (void *)b;
	return NULL;
}

static inline long strscpy(char *to, const char *from, size_t size)
{
	return snprintf(to, size, "%s", from);
}

/* -- memory that others see -------------------------------------------------------- */

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define virt_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define virt_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_load_acquire(p)	virt_load_acquire(p)
#define smp_store_release(p, v)	virt_store_release(p, v)
#define virt_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_mb()		virt_mb()
#define data_race(x)		(x)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, old, new) \
({ \
	__typeof__(*(p)) found = (old); \
	__atomic_compare_exchange_n(p, &found, new, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_SEQ_CST); \
	found; \
})

typedef struct { int v; } atomic_t;
typedef struct { s64 v; } atomic64_t;

#define atomic_read(a)		((a)->v)
#define atomic_read_acquire(a)	((a)->v)
#define atomic_set(a, n)	((a)->v = (n))
#define atomic_inc(a)		((a)->v++)
#define atomic64_read(a)	((a)->v)
#define atomic64_add_return(n, a)	((a)->v += (n))
#define atomic64_sub(n, a)	((void)((a)->v -= (n)))

static inline bool test_bit(int n, const unsigned long *p)
{
	return *p >> n & 1;
}

static inline void set_bit(int n, unsigned long *p)
{
	*p |= BIT(n);
}

static inline bool test_and_set_bit(int n, unsigned long *p)
{
	bool was = test_bit(n, p);

	*p |= BIT(n);
	return was;
}

static inline bool test_and_clear_bit(int n, unsigned long *p)
{
	bool was = test_bit(n, p);

	*p &= ~BIT(n);
	return was;
}

/* Copies of shared memory: small ones are loads, of which the compiler tells. */
static inline void *kernel_memcpy(void *to, const void *from, size_t n)
{
	peer_look(from, n);
	return __builtin_memcpy(to, from, n);
}

#define memcpy(to, from, n) \
	(__builtin_constant_p(n) && (n) <= 16 ? __builtin_memcpy(to, from, n) : \
						kernel_memcpy(to, from, n))

/* -- locks ------------------------------------------------------------------------- */

typedef struct { bool held; } spinlock_t;
struct mutex { bool held; };

#define lockdep_assert_held(l)	must((l)->held)
#define kernel_lock(l)		do { must(!(l)->held); (l)->held = true; } while (0)
#define kernel_unlock(l)	do { must((l)->held); (l)->held = false; } while (0)
#define spin_lock_init(l)	((l)->held = false)
#define spin_lock(l)		kernel_lock(l)
#define spin_unlock(l)		kernel_unlock(l)
#define spin_lock_irq(l)	kernel_lock(l)
#define spin_unlock_irq(l)	kernel_unlock(l)
#define spin_lock_irqsave(l, f)	do { (f) = 0; kernel_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f)	do { (void)(f); kernel_unlock(l); } while (0)
#define spin_trylock_irqsave(l, f)	((f) = 0, (l)->held ? false : ((l)->held = true))
#define DEFINE_MUTEX(m)		struct mutex m
#define mutex_init(m)		((m)->held = false)
#define mutex_lock(m)		kernel_lock(m)
#define mutex_unlock(m)		kernel_unlock(m)
#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)
#define synchronize_rcu()	do { } while (0)
#define cond_synchronize_rcu(gp)	((void)(gp))
#define local_bh_disable()	do { } while (0)
#define local_bh_enable()	do { } while (0)

/* -- lists ------------------------------------------------------------------------- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(l)	{ &(l), &(l) }
#define LIST_HEAD(l)		struct list_head l = LIST_HEAD_INIT(l)
#define INIT_LIST_HEAD(l)	((l)->next = (l)->prev = (l))
#define list_empty(l)		((l)->next == (l))

static inline void list_add(struct list_head *e, struct list_head *l)
{
	e->next = l->next;
	e->prev = l;
	l->next->prev = e;
	l->next = e;
}

static inline void list_add_tail(struct list_head *e, struct list_head *l)
{
	list_add(e, l->prev);
}

static inline void list_del_init(struct list_head *e)
{
	must(e->next->prev == e && e->prev->next == e);
	e->next->prev = e->prev;
	e->prev->next = e->next;
	INIT_LIST_HEAD(e);
}

static inline void list_del(struct list_head *e)
{
	list_del_init(e);
	e->next = NULL;
	e->prev = NULL;
}

static inline void list_splice_init(struct list_head *from,
				    struct list_head *to)
{
	while (!list_empty(from)) {
		struct list_head *e = from->prev;

		list_del(e);
		list_add(e, to);
	}
}

#define list_entry(e, type, member)	container_of(e, type, member)
#define list_for_each_entry(p, l, member) \
	for (p = list_entry((l)->next, __typeof__(*p), member); \
	     &p->member != (l); \
	     p = list_entry(p->member.next, __typeof__(*p), member))
#define list_for_each_entry_safe(p, n, l, member) \
	for (p = list_entry((l)->next, __typeof__(*p), member), \
	     n = list_entry(p->member.next, __typeof__(*p), member); \
	     &p->member != (l); \
	     p = n, n = list_entry(n->member.next, __typeof__(*n), member))

struct llist_node { struct llist_node *next; };
struct llist_head { struct llist_node *first; };

#define init_llist_head(l)	((l)->first = NULL)
#define llist_empty(l)		(!(l)->first)

static inline bool llist_add(struct llist_node *e, struct llist_head *l)
{
	e->next = l->first;
	l->first = e;
	return !e->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *l)
{
	struct llist_node *first = l->first;

	l->first = NULL;
	return first;
}

static inline struct llist_node *llist_reverse_order(struct llist_node *e)
{
	struct llist_node *next, *to = NULL;

	for (; e; e = next) {
		next = e->next;
		e->next = to;
		to = e;
	}
	return to;
}

#define llist_for_each_entry_safe(p, n, e, member) \
	for (struct llist_node *at = (e), *behind; \
	     at && (behind = at->next, \
		    p = container_of(at, __typeof__(*p), member), (n) = p, 1); \
	     at = behind)

/* -- words --------------------------------------------------------------------------- */

/* Words are made, so that the sanitizer sees what is quoted; nobody reads them. */
void kernel_say(const char *fmt, ...);

#define KBUILD_MODNAME		"fuzz"
#define pr_err(...)		kernel_say(__VA_ARGS__)
#define pr_warn(...)		kernel_say(__VA_ARGS__)
#define pr_err_ratelimited(...)		kernel_say(__VA_ARGS__)
#define pr_warn_ratelimited(...)	kernel_say(__VA_ARGS__)
#define pr_notice_ratelimited(...)	kernel_say(__VA_ARGS__)
#define dev_err(d, ...)			((void)(d), kernel_say(__VA_ARGS__))
#define dev_crit(d, ...)		dev_err(d, __VA_ARGS__)
#define dev_warn(d, ...)		dev_err(d, __VA_ARGS__)
#define dev_info(d, ...)		dev_err(d, __VA_ARGS__)
#define dev_err_ratelimited(d, ...)	dev_err(d, __VA_ARGS__)
#define dev_warn_ratelimited(d, ...)	dev_err(d, __VA_ARGS__)
#define WARN_ON_ONCE(cond) \
({ \
	must(!(cond)); \
	false; \
})

/* tracepoints are functions that do nothing */
#define TP_PROTO(...)		__VA_ARGS__
#define TP_ARGS(...)
#define TP_STRUCT__entry(...)
#define TP_fast_assign(...)
#define TP_printk(...)
#define DECLARE_EVENT_CLASS(...)
#define TRACE_EVENT(name, proto, ...) \
	static inline void trace_##name(proto) { }
#define DEFINE_EVENT(class, name, proto, args) \
	static inline void trace_##name(proto) { }

#define EXPORT_SYMBOL_GPL(x)	struct kernel_nothing
#define MODULE_PARM_DESC(...)	struct kernel_nothing
#define module_param_named(...)	struct kernel_nothing
#define module_param(...)		struct kernel_nothing
#define MODULE_ALIAS(x)		struct kernel_nothing
#define THIS_MODULE		NULL
struct module;
struct attribute_group;
struct kobject;

/* -- memory ------------------------------------------------------------------------- */

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define GFP_NOIO		0
#define GFP_ATOMIC		0
#define __GFP_NOWARN		0
#define memalloc_noio_save()	0
#define memalloc_noio_restore(flags)	((void)(flags))

/* Which of the next allocations fails; 0: none. */
extern unsigned int kernel_fail_at;
/* All memory comes from here; no size that a peer chose is without a bound. */
void *kernel_alloc(size_t n, size_t size);

#define kmalloc(n, gfp)		kernel_alloc(1, n)
#define kzalloc(n, gfp)		kernel_alloc(1, n)
#define kcalloc(n, size, gfp)	kernel_alloc(n, size)
#define kvcalloc(n, size, gfp)	kernel_alloc(n, size)
#define kmalloc_array(n, size, gfp)	kernel_alloc(n, size)
#define vzalloc(n)		kernel_alloc(1, n)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))
#define vfree(p)		free(p)

/* -- time, works, waiting ------------------------------------------------------------ */

#define HZ			100
extern unsigned long jiffies;
#define time_before(a, b)	((long)((a) - (b)) < 0)
#define time_after_eq(a, b)	(!time_before(a, b))
#define msecs_to_jiffies(ms)	((ms) / 10UL)
/* Time passes for who sleeps, and for nobody else. */
extern unsigned long kernel_slept_us;
#define usleep_range(a, b)	((void)(kernel_slept_us += (a)), (void)(b))
#define ktime_get_ns()		(1000ULL * kernel_slept_us)

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

/**
 * struct work_struct - a work
 * @func: what it does
 * @node: in the list of those that are due
 * @pending: it is in there
 * @when: not before, in jiffies
 */
struct work_struct {
	work_func_t		func;
	struct list_head	node;
	bool			pending;
	unsigned long		when;
};

struct delayed_work {
	struct work_struct work;
};

#define INIT_WORK(w, f)		(*(w) = (struct work_struct){ .func = (f) })
#define INIT_DELAYED_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)

bool kernel_queue(struct work_struct *work, unsigned long delay);
void kernel_cancel(struct work_struct *work);
/* Run the works that are due, with what these queue, up to a bound. */
void kernel_run(void);
/* Somebody waits: let time pass, the fuzzer act and works run. */
void kernel_wait(void);
/* The fuzzer's turn while somebody waits. */
extern void (*kernel_turn)(void);
void kernel_reset(void);

#define queue_work(wq, w)		kernel_queue(w, 0)
#define schedule_work(w)		kernel_queue(w, 0)
#define queue_delayed_work(wq, w, d)	kernel_queue(&(w)->work, d)
#define schedule_delayed_work(w, d)	kernel_queue(&(w)->work, d)
#define mod_delayed_work(wq, w, d) \
	(kernel_cancel(&(w)->work), kernel_queue(&(w)->work, d))
#define cancel_delayed_work_sync(w)	kernel_cancel(&(w)->work)
#define alloc_ordered_workqueue(...)	((struct workqueue_struct *)1)
#define alloc_workqueue(...)		((struct workqueue_struct *)1)
#define destroy_workqueue(wq)		kernel_run()

/* How often a waiter looks before its time has passed. */
#define KERNEL_LOOKS		4

typedef struct { int unused; } wait_queue_head_t;
typedef struct { int unused; } wait_queue_entry_t;
typedef struct { int unused; } poll_table;

#define init_waitqueue_head(w)	((void)(w))
#define wake_up(w)		((void)(w))
#define wake_up_all(w)		((void)(w))
#define waitqueue_active(w)	((void)(w), false)
#define wait_event_timeout(w, cond, timeout) \
({ \
	int looks = KERNEL_LOOKS; \
	bool is; \
	while (!(is = (cond)) && looks--) \
		kernel_wait(); \
	if (!is) \
		jiffies += (timeout); \
	is; \
})
#define wait_event_idle_timeout(w, cond, timeout) \
	wait_event_timeout(w, cond, timeout)
/* What has no time-out comes true, or nobody would ever go on. */
#define wait_event(w, cond) \
({ \
	int looks = 1000; \
	while (!(cond) && looks--) \
		kernel_wait(); \
	must(cond); \
})

struct completion {
	unsigned int done;
};

#define init_completion(c)	((c)->done = 0)
#define reinit_completion(c)	((c)->done = 0)
#define completion_done(c)	(!!(c)->done)

static inline void complete(struct completion *c)
{
	if (c->done != U32_MAX)
		c->done++;
}

static inline void complete_all(struct completion *c)
{
	c->done = U32_MAX;
}

unsigned long wait_for_completion_timeout(struct completion *c,
					  unsigned long timeout);
#define wait_for_completion_killable_timeout(c, t) \
	((long)wait_for_completion_timeout(c, t))

#define num_online_cpus()	4U

#include "shim_host.h"
#include "shim_guest.h"
#include "shim_block.h"
#include "shim_net.h"

#endif /* FUZZ_SHIM_H */
