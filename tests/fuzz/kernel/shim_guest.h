/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's interfaces that only the guest's sources use: devices and their
 * drivers, and the DMA API, whose addresses are made up and whose memory the
 * peer may write.
 */
#ifndef FUZZ_SHIM_GUEST_H
#define FUZZ_SHIM_GUEST_H

/* -- devices ------------------------------------------------------------------------- */

struct device;
struct kobj_uevent_env { int unused; };

struct device_driver {
	const char		*name;
	struct module		*owner;
	struct bus_type		*bus;
};

struct bus_type {
	const char			*name;
	const struct attribute_group	**dev_groups;
	int	(*match)(struct device *dev, struct device_driver *drv);
	int	(*uevent)(const struct device *dev, struct kobj_uevent_env *env);
	int	(*probe)(struct device *dev);
	void	(*remove)(struct device *dev);
};

/* as compat.h has them */
typedef struct bus_type pvbus_bus_type_t;
#define PVBUS_UEVENT_CONST	const
#define PVBUS_MATCH_CONST

struct device {
	struct device		*parent;
	struct bus_type		*bus;
	struct device_driver	*driver;
	void			(*release)(struct device *dev);
	u64			coherent_dma_mask;
	int			node;
	int			refs;
	bool			registered;
	bool			locked;
};

#define add_uevent_var(env, ...)	(kernel_say(__VA_ARGS__), 0)
#define bus_register(bus)		0
#define bus_unregister(bus)		do { } while (0)
#define module_init(f)			struct kernel_nothing
#define module_exit(f)			struct kernel_nothing
#define MODULE_DESCRIPTION(x)		struct kernel_nothing
#define MODULE_VERSION(x)		struct kernel_nothing
#define MODULE_LICENSE(x)		struct kernel_nothing

int driver_register(struct device_driver *drv);
void driver_unregister(struct device_driver *drv);
void device_initialize(struct device *dev);
int device_add(struct device *dev);
void device_del(struct device *dev);
void put_device(struct device *dev);

#define get_device(d)			((d)->refs++)
#define device_is_registered(d)		((d)->registered)
#define device_lock(d)		do { must(!(d)->locked); (d)->locked = true; } while (0)
#define device_unlock(d)	do { must((d)->locked); (d)->locked = false; } while (0)
#define dev_set_name(d, ...) \
	(kernel_say(__VA_ARGS__), kernel_fail_at && !--kernel_fail_at)
#define devm_kzalloc(d, n, gfp)		kernel_alloc(1, n)
#define devm_kfree(d, p)		free(p)

#define min_not_zero(a, b)	(!(a) || ((b) && (b) < (a)) ? (b) : (a))

/* what is due runs, in the order in which it was queued */
#define flush_delayed_work(w)	((w)->work.pending ? kernel_run() : (void)0)

struct ida { int unused; };
#define DEFINE_IDA(name)		struct ida name
#define ida_alloc(name, gfp)		((void)(name), 0)
#define ida_free(name, n)		((void)(name))

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long event,
			     void *data);
};

#define NOTIFY_DONE			0
#define NOTIFY_BAD			0x8002
#define PM_HIBERNATION_PREPARE		1
#define PM_POST_HIBERNATION		2
#define PM_RESTORE_PREPARE		5
#define PM_POST_RESTORE			6
#define register_pm_notifier(nb)	((void)(nb))
#define unregister_pm_notifier(nb)	((void)(nb))
#define atomic_notifier_chain_register(list, nb)	do { } while (0)
#define atomic_notifier_chain_unregister(list, nb)	do { } while (0)

/* -- RAM, DMA ------------------------------------------------------------------------ */

struct resource {
	u64	start;
	u64	end;
};

#define IORES_DESC_NONE			0
#define IORESOURCE_SYSTEM_RAM		0
#define IORESOURCE_BUSY			0
int walk_iomem_res_desc(unsigned long desc, unsigned long flags, u64 start,
			u64 end, void *arg,
			int (*func)(struct resource *res, void *arg));

u32 get_random_u32(void);
void get_random_bytes(void *to, size_t len);

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

#define DMA_BIT_MASK(n)		((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)
#define DMA_MAPPING_ERROR	(~(dma_addr_t)0)
#define dma_mapping_error(d, a)	((a) == DMA_MAPPING_ERROR)
#define dma_set_coherent_mask(d, m)	((d)->coherent_dma_mask = (m), 0)
#define NUMA_NO_NODE			(-1)
#define N_MEMORY			0
#define for_each_node_state(n, s)	for ((n) = (s); (n) < 1; (n)++)
#define dev_to_node(d)			((d)->node)
#define set_dev_node(d, n)		((d)->node = (n))
#define virt_to_page(p)			(p)
#define page_to_nid(p)			((void)(p), 0)
void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma,
			 gfp_t gfp);
void dma_free_coherent(struct device *dev, size_t size, void *mem,
		       dma_addr_t dma);
dma_addr_t kernel_dma_map(u32 len);
void kernel_dma_unmap(dma_addr_t dma, u32 len);

#define kmemleak_not_leak(ptr)		((void)(ptr))
#define dma_map_page(d, page, off, len, dir)	kernel_dma_map(len)
#define dma_unmap_page(d, dma, len, dir)	((void)(d), kernel_dma_unmap(dma, len))

#endif /* FUZZ_SHIM_GUEST_H */
