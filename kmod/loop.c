// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus loopback: host and guest in one kernel, joined by software.
 *
 * The whole stack but QEMU and the PCI device runs this way, in any machine:
 * each VM that is created with PVBUS_VM_LOOPBACK gets a bus in this kernel.
 * Doorbells are function calls, interrupts are irq_works, and a guest-physical
 * address is a physical one.
 *
 * How the two part. The guest side says goodbye first, while the host side is
 * alive to answer (its control work runs on a workqueue of its own, and nobody
 * here holds vm->lock); then the host lets go of this transport; then what it
 * raised last is waited for; and only then is the bus's memory freed, which
 * belongs to the platform device.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "host.h"
#include "pvbus.h"

/**
 * struct loop_vector - an interrupt of the guest side
 * @work: raised by the host side, runs in hard interrupt context
 * @loop: whose it is
 * @nr: its number
 */
struct loop_vector {
	struct irq_work	work;
	struct loop	*loop;
	unsigned int	nr;
};

/**
 * struct loop - a VM and a bus, joined
 * @vm: host side
 * @bus: guest side; NULL until it is there, read by interrupts
 * @pdev: parent of the bus and its device for the DMA API
 * @nr_vectors: entries of @vector
 * @vector: interrupts
 */
struct loop {
	struct pvh_vm		*vm;
	struct pvbus		*bus;
	struct platform_device	*pdev;
	unsigned int		nr_vectors;
	struct loop_vector	vector[];
};

/* -- interrupts, host to guest -------------------------------------------------- */

/*
 * irq_work clears its pending bit before it calls: what is raised while this
 * runs makes it run again, what is raised before that is one interrupt, as with
 * MSI.
 */
static void loop_irq(struct irq_work *work)
{
	struct loop_vector *vector = container_of(work, struct loop_vector,
						  work);
	/* pairs with loop_publish(): the bus is set up when it is seen */
	struct pvbus *bus = smp_load_acquire(&vector->loop->bus);

	if (bus)
		pvbus_interrupt(bus, vector->nr);
}

static void loop_raise(struct loop *loop, unsigned int nr)
{
	if (nr < loop->nr_vectors)
		irq_work_queue(&loop->vector[nr].work);
}

static void loop_op_interrupt(struct pvh_vm *vm, unsigned int vector)
{
	loop_raise(vm->transport_priv, vector);
}

/* Interrupts that came before there was a bus are made up for. */
static void loop_publish(struct loop *loop, struct pvbus *bus)
{
	unsigned int i;

	/* pairs with loop_irq() */
	smp_store_release(&loop->bus, bus);
	for (i = 0; i < loop->nr_vectors; i++)
		loop_raise(loop, i);
}

/* Nothing is raised any more: wait for what was. */
static void loop_sync(struct loop *loop)
{
	unsigned int i;

	for (i = 0; i < loop->nr_vectors; i++)
		irq_work_sync(&loop->vector[i].work);
}

/* -- memory ---------------------------------------------------------------------- */

/*
 * No reference is taken on a page: it is a buffer of a driver in this kernel,
 * which keeps it until the request is complete, or the channel closed, as it
 * does for any device; and the host side lets go of it before that. What
 * remains in a pin cache afterwards is only looked at again when a driver names
 * the page again. A kernel that is its own guest cannot be protected from
 * itself, which is why only root may set this up.
 */
static int loop_op_pin(struct pvh_vm *vm, struct pvh_pin_cache *cache, u64 gfn,
		       struct page **page)
{
	if (!pfn_valid(gfn))
		return -EFAULT;
	/* there is nothing to bound here, but the limit's paths run as ever */
	if (!pvh_vm_charge(vm, 1))
		return -ENOMEM;
	*page = pfn_to_page(gfn);
	return 0;
}

static void loop_op_unpin(struct pvh_vm *vm, struct page *page)
{
	pvh_vm_uncharge(vm, 1);
}

static void loop_op_sleep(struct pvh_vm *vm, struct pvh_pin_cache *cache)
{
}

static bool loop_op_ram(struct pvh_vm *vm, u64 gpa, u64 len)
{
	u64 pfn, end;

	if (!len || check_add_overflow(gpa, len - 1, &end))
		return false;
	for (pfn = gpa >> PAGE_SHIFT; pfn <= end >> PAGE_SHIFT; pfn++)
		if (!page_is_ram(pfn))
			return false;
	return true;
}

static const struct pvh_transport_ops loop_transport = {
	.name		= "loopback",
	.interrupt	= loop_op_interrupt,
	.pin		= loop_op_pin,
	.unpin		= loop_op_unpin,
	.sleep		= loop_op_sleep,
	.ram		= loop_op_ram,
};

/* -- doorbells, guest to host ------------------------------------------------------ */

static void loop_ring(struct pvbus *bus, unsigned int vector)
{
	struct loop *loop = pvbus_priv(bus);

	pvh_loop_doorbell(loop->vm, vector);
}

static const struct pvbus_transport_ops loop_bus_ops = {
	.name	= "loopback",
	.ring	= loop_ring,
};

/* -- joining and parting ------------------------------------------------------------ */

static struct loop *loop_alloc(struct pvh_vm *vm)
{
	unsigned int i, nr = vm->nr_vectors;
	struct loop *loop = kzalloc(struct_size(loop, vector, nr), GFP_KERNEL);

	if (!loop)
		return NULL;
	loop->vm = vm;
	loop->nr_vectors = nr;
	for (i = 0; i < nr; i++) {
		loop->vector[i].work = IRQ_WORK_INIT_HARD(loop_irq);
		loop->vector[i].loop = loop;
		loop->vector[i].nr = i;
	}
	return loop;
}

/* With 64 bits of address and no IOMMU, a DMA address is a physical one. */
static struct platform_device *loop_device(void)
{
	const struct platform_device_info info = {
		.name		= "pvbus_loop",
		.id		= PLATFORM_DEVID_AUTO,
		.dma_mask	= DMA_BIT_MASK(64),
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	/* segments are as long as the device's type says, not the bus */
	if (!IS_ERR(pdev))
		dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	return pdev;
}

/* The host side lets go, the guest side has or never was. */
static void loop_part(struct loop *loop)
{
	pvh_loop_cut(loop->vm);
	loop_sync(loop);
	platform_device_unregister(loop->pdev);
	kfree(loop);
}

static int loop_attach(struct pvh_vm *vm)
{
	struct loop *loop = loop_alloc(vm);
	struct pvbus *bus;
	int err;

	if (!loop)
		return -ENOMEM;
	loop->pdev = loop_device();
	if (IS_ERR(loop->pdev)) {
		err = PTR_ERR(loop->pdev);
		kfree(loop);
		return err;
	}
	pvh_loop_join(vm, &loop_transport, loop);
	bus = pvbus_attach(&loop->pdev->dev, &loop_bus_ops, loop, vm->win,
			   loop->nr_vectors);
	if (IS_ERR(bus)) {
		loop_part(loop);
		err = PTR_ERR(bus);
		/* VM_CREATE says EPROTO when the daemon's version differs */
		return err == -EPROTO ? -EPROTONOSUPPORT : err;
	}
	loop_publish(loop, bus);
	return 0;
}

static void loop_detach(struct pvh_vm *vm)
{
	struct loop *loop = vm->transport_priv;

	pvbus_detach(loop->bus);
	loop_part(loop);
}

static const struct pvh_loop_ops loop_ops = {
	.owner	= THIS_MODULE,
	.attach	= loop_attach,
	.detach	= loop_detach,
};

static int __init loop_init(void)
{
	return pvh_loop_register(&loop_ops);
}

static void __exit loop_exit(void)
{
	pvh_loop_unregister(&loop_ops);
}

module_init(loop_init);
module_exit(loop_exit);

MODULE_DESCRIPTION("pvbus loopback: host and guest drivers in one kernel");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
