/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's interfaces that only the host's sources use. Guest RAM is what
 * the fuzzer makes it: see vm.c.
 */
#ifndef FUZZ_SHIM_HOST_H
#define FUZZ_SHIM_HOST_H

struct kref {
	int n;
};

#define kref_init(k)		((k)->n = 1)
#define kref_get(k)		((k)->n++)
#define kref_put(k, release) \
do { \
	struct kref *kref = (k); \
	must(kref->n > 0); \
	if (!--kref->n) \
		release(kref); \
} while (0)

struct eventfd_ctx;
struct file;
struct mm_struct;
struct mmu_notifier { int unused; };
struct pid;
struct task_struct;

/**
 * struct page - a page
 * @data: what is in it
 * @pins: who holds it
 */
struct page {
	u8	data[PAGE_SIZE] __aligned(64);
	int	pins;
};

#define kmap_local_page(p)	((void *)(p)->data)
#define kunmap_local(p)		((void)(p))
#define is_zone_device_page(p)	false
/* no two are neighbours, as far as bio_vecs are concerned */
#define page_to_pfn(p)		((unsigned long)(p) >> 3)
#define PageAnon(p)		false

#define NSEC_PER_USEC			1000L
#define mmu_notifier_synchronize()	do { } while (0)

#define TASK_SIZE_MAX		0x7ffffffff000UL
#define VM_MAP			0
#define PAGE_KERNEL		0
#define FOLL_WRITE		0
#define FOLL_LONGTERM		0
#define pin_user_pages_fast(...)		(-EFAULT)
#define unpin_user_pages_dirty_lock(...)	do { } while (0)
void *vmap(struct page **pages, unsigned int nr, unsigned long flags, int prot);
void vunmap(const void *mem);

#define put_task_struct(t)	((void)(t))
#define task_pid_vnr(t)		((void)(t), 1)

struct blk_plug { int unused; };
#define blk_start_plug(p)	((void)(p))
#define blk_finish_plug(p)	((void)(p))
struct bio { int unused; };
struct kiocb { int unused; };
struct block_device;
struct bio_vec {
	struct page	*bv_page;
	unsigned int	bv_len;
	unsigned int	bv_offset;
};

#endif /* FUZZ_SHIM_HOST_H */
