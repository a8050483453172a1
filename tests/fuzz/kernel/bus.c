// SPDX-License-Identifier: GPL-2.0
/*
 * Devices, drivers and DMA for the fuzzers of the guest: see shim_guest.h.
 *
 * sysfs.c and idle.c, which have nothing to do with what a host says, are not
 * there.
 */
#include "kernel/bus.h"

#define MAX_COHERENT	256
#define MAX_MAPPED	1024
#define RAM_LOW_END	0x80000000ULL
#define RAM_HIGH_END	0x180000000ULL

static struct {
	void		*mem;
	size_t		size;
	dma_addr_t	dma;
} coherent[MAX_COHERENT];

static struct {
	dma_addr_t	dma;
	u32		len;
} mapped[MAX_MAPPED];

static struct device_driver *driver;
static u64 next_dma;
static u32 random_state;

/* -- devices ------------------------------------------------------------------------- */

/* There is one driver at a time. */
int driver_register(struct device_driver *drv)
{
	driver = drv;
	return 0;
}

void driver_unregister(struct device_driver *drv)
{
	driver = NULL;
}

void device_initialize(struct device *dev)
{
	dev->refs = 1;
}

void put_device(struct device *dev)
{
	must(dev->refs > 0);
	if (--dev->refs)
		return;
	must(!dev->registered && !dev->locked && !dev->driver);
	dev->release(dev);
}

int device_add(struct device *dev)
{
	if (kernel_fail_at && !--kernel_fail_at)
		return -ENOMEM;
	get_device(dev);
	device_lock(dev);
	dev->registered = true;
	dev->bus->uevent(dev, NULL);
	if (driver && dev->bus->match(dev, driver)) {
		dev->driver = driver;
		if (dev->bus->probe(dev))
			dev->driver = NULL;
	}
	device_unlock(dev);
	return 0;
}

void device_del(struct device *dev)
{
	device_lock(dev);
	if (dev->driver)
		dev->bus->remove(dev);
	dev->driver = NULL;
	dev->registered = false;
	device_unlock(dev);
	put_device(dev);
}

const struct attribute_group *pvbus_device_groups[1];

int pvbus_sysfs_add_dir(struct pvbus_device *pdev)
{
	return 0;
}

void pvbus_sysfs_del_dir(struct pvbus_device *pdev)
{
}

void pvbus_sysfs_add_channel(struct pvbus_channel *ch)
{
}

void pvbus_sysfs_del_channel(struct pvbus_channel *ch)
{
}

int pvbus_ivshmem_init(void)
{
	return 0;
}

void pvbus_ivshmem_exit(void)
{
}

/* -- idle CPUs: there are none ------------------------------------------------------- */

int pvbus_idle_init(void)
{
	return 0;
}

void pvbus_idle_exit(void)
{
}

void pvbus_idle_forget(struct pvbus_channel *ch)
{
}

void pvbus_idle_learn(struct pvbus_channel *ch)
{
}

void pvbus_channel_expect(struct pvbus_channel *ch)
{
}

bool pvbus_channel_arm(struct pvbus_channel *ch, u32 count)
{
	must(count && count <= ch->rx.nr_slots / 2 + 1);
	return pvring_cons_arm_count(&ch->rx, count);
}

/* -- RAM, DMA ------------------------------------------------------------------------ */

int walk_iomem_res_desc(unsigned long desc, unsigned long flags, u64 start,
			u64 end, void *arg,
			int (*func)(struct resource *res, void *arg))
{
	struct resource low = { 0, RAM_LOW_END - 1 };
	struct resource high = { SZ_4G, RAM_HIGH_END - 1 };

	func(&low, arg);
	return func(&high, arg);
}

u32 get_random_u32(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state;
}

void get_random_bytes(void *to, size_t len)
{
	memset(to, get_random_u32(), len);
}

/* Never the same twice, and none where the mask does not allow it. */
static dma_addr_t new_dma(const struct device *dev, size_t size)
{
	dma_addr_t dma = next_dma;

	next_dma += round_up(size, PAGE_SIZE) + PAGE_SIZE;
	must(next_dma < RAM_LOW_END);
	if (dev && dev->coherent_dma_mask > U32_MAX)
		dma += SZ_4G;
	return dma;
}

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma,
			 gfp_t gfp)
{
	unsigned int i;

	must(size && size <= PVBUS_MAX_GPADL * PAGE_SIZE);
	if (kernel_fail_at && !--kernel_fail_at)
		return NULL;
	for (i = 0; coherent[i].mem; i++)
		must(i < MAX_COHERENT - 1);
	coherent[i].mem = aligned_alloc(PAGE_SIZE, round_up(size, PAGE_SIZE));
	memset(coherent[i].mem, 0, size);
	coherent[i].size = size;
	coherent[i].dma = new_dma(dev, size);
	*dma = coherent[i].dma;
	peer_share(coherent[i].mem, size);
	return coherent[i].mem;
}

void dma_free_coherent(struct device *dev, size_t size, void *mem,
		       dma_addr_t dma)
{
	unsigned int i;

	for (i = 0; i < MAX_COHERENT; i++)
		if (coherent[i].mem && coherent[i].mem == mem)
			break;
	must(i < MAX_COHERENT);
	must(coherent[i].size == size && coherent[i].dma == dma);
	coherent[i].mem = NULL;
	peer_unshare(mem);
	free(mem);
}

dma_addr_t kernel_dma_map(u32 len)
{
	unsigned int i;

	if (kernel_fail_at && !--kernel_fail_at)
		return DMA_MAPPING_ERROR;
	for (i = 0; mapped[i].len; i++)
		must(i < MAX_MAPPED - 1);
	mapped[i].dma = new_dma(NULL, len);
	mapped[i].len = len;
	return mapped[i].dma;
}

/* Just what was mapped, and once. */
void kernel_dma_unmap(dma_addr_t dma, u32 len)
{
	unsigned int i;

	for (i = 0; i < MAX_MAPPED; i++)
		if (mapped[i].len == len && mapped[i].dma == dma)
			break;
	must(i < MAX_MAPPED);
	mapped[i].len = 0;
}

void guest_begin(void)
{
	u8 how = fuzz_u8();

	kernel_reset();
	memset(coherent, 0, sizeof(coherent));
	memset(mapped, 0, sizeof(mapped));
	next_dma = 0x100000;
	random_state = 1;
	kernel_fail_at = how & 1 ? 1 + fuzz_u8() : 0;
}

unsigned int guest_end(void)
{
	unsigned int i, left = 0;

	for (i = 0; i < MAX_COHERENT; i++)
		if (coherent[i].mem) {
			free(coherent[i].mem);
			left++;
		}
	for (i = 0; i < MAX_MAPPED; i++)
		left += !!mapped[i].len;
	return left;
}
