// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus guest: the transport to a host under QEMU, its ivshmem-doorbell device.
 *
 * The device is shared with other users (anything may lie in its memory), so
 * nothing is touched before the memory says that it is a pvbus window.
 */
#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "bus_internal.h"

#define IVSHMEM_VENDOR		0x1af4
#define IVSHMEM_DEVICE		0x1110

#define IVSHMEM_BAR_REGS	0
#define IVSHMEM_BAR_WINDOW	2

/* Registers, 32 bits each */
#define IVSHMEM_IVPOSITION	8
#define IVSHMEM_DOORBELL	12
#define IVSHMEM_REGS_SIZE	16

#define IVSHMEM_MAX_PEER	0xffff

struct ivshmem;

/* An interrupt vector. */
struct ivshmem_vector {
	struct ivshmem	*iv;
	unsigned int	nr;
	char		name[32];
};

/**
 * struct ivshmem - a device
 * @pci: the PCI device
 * @bus: the bus; NULL until it is attached, which interrupts do not wait for
 * @regs: registers
 * @window: the window
 * @peer: what to ring for the host, shifted to its place in the doorbell
 * @vectors: vectors that are set up
 * @vector: the vectors
 */
struct ivshmem {
	struct pci_dev		*pci;
	struct pvbus		*bus;
	void __iomem		*regs;
	void			*window;
	u32			peer;
	unsigned int		vectors;
	struct ivshmem_vector	vector[PVBUS_MAX_VECTORS];
};

static void ivshmem_ring(struct pvbus *bus, unsigned int vector)
{
	struct ivshmem *iv = pvbus_priv(bus);

	iowrite32(iv->peer | vector, iv->regs + IVSHMEM_DOORBELL);
}

static const struct pvbus_transport_ops ivshmem_ops = {
	.name	= "ivshmem",
	.ring	= ivshmem_ring,
};

static irqreturn_t ivshmem_interrupt(int irq, void *data)
{
	struct ivshmem_vector *vector = data;
	struct pvbus *bus = READ_ONCE(vector->iv->bus);

	if (bus)
		pvbus_interrupt(bus, vector->nr);
	return IRQ_HANDLED;
}

/* Is there a pvbus window behind the device? Reads its first bytes only. */
static int ivshmem_map_window(struct ivshmem *iv)
{
	struct pci_dev *pci = iv->pci;
	const struct pvbus_win_host *host;

	if (!(pci_resource_flags(pci, IVSHMEM_BAR_REGS) & IORESOURCE_MEM) ||
	    !(pci_resource_flags(pci, IVSHMEM_BAR_WINDOW) & IORESOURCE_MEM) ||
	    pci_resource_len(pci, IVSHMEM_BAR_REGS) < IVSHMEM_REGS_SIZE ||
	    pci_resource_len(pci, IVSHMEM_BAR_WINDOW) < PVBUS_WIN_SIZE)
		return -ENODEV;
	iv->window = memremap(pci_resource_start(pci, IVSHMEM_BAR_WINDOW),
			      PVBUS_WIN_SIZE, MEMREMAP_WB);
	if (!iv->window)
		return -ENOMEM;
	host = iv->window + PVBUS_WIN_HOST;
	/* it was written after the other registers */
	if (le64_to_cpu(virt_load_acquire(&host->magic)) != PVBUS_MAGIC) {
		memunmap(iv->window);
		return -ENODEV;
	}
	return 0;
}

/* The host finds buffers at their physical addresses. */
static int ivshmem_check_iommu(struct pci_dev *pci)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&pci->dev);

	if (!device_iommu_mapped(&pci->dev) || !domain ||
	    domain->type == IOMMU_DOMAIN_IDENTITY)
		return 0;
	pci_err(pci, "pvbus: a virtual IOMMU translates for the device, which the host cannot follow: boot the guest with iommu=pt, or start QEMU with the device outside of the IOMMU\n");
	return -EOPNOTSUPP;
}

static int ivshmem_check_host(struct ivshmem *iv)
{
	const struct pvbus_win_host *host = iv->window + PVBUS_WIN_HOST;
	u32 vectors = le32_to_cpu(READ_ONCE(host->vectors));
	u32 peer = le32_to_cpu(READ_ONCE(host->peer));

	if (pci_msix_vec_count(iv->pci) <= 0) {
		pci_err(iv->pci, "pvbus: the device has no doorbell: start QEMU with -device ivshmem-doorbell in place of ivshmem-plain\n");
		return -ENODEV;
	}
	if (peer > IVSHMEM_MAX_PEER ||
	    peer == ioread32(iv->regs + IVSHMEM_IVPOSITION)) {
		pci_err(iv->pci, "pvbus: peer %u cannot be the host's number: update pvbus on the host\n",
			peer);
		return -EPROTO;
	}
	iv->peer = peer << 16;
	/* a host that is not ready yet does not say */
	if (!vectors || vectors > PVBUS_MAX_VECTORS)
		vectors = PVBUS_MAX_VECTORS;
	iv->vectors = vectors;
	return 0;
}

static void ivshmem_free_irqs(struct ivshmem *iv, unsigned int nr)
{
	while (nr--) {
		int irq = pci_irq_vector(iv->pci, nr);

		irq_set_affinity_hint(irq, NULL);
		free_irq(irq, &iv->vector[nr]);
	}
	pci_free_irq_vectors(iv->pci);
}

/* Queue n of a device has vector n + 1 as long as there are enough: have it
 * served by CPU n, whose requests go through that queue. The administrator, or
 * irqbalance, may change that.
 */
static void ivshmem_spread(struct ivshmem *iv, unsigned int nr)
{
	unsigned int cpu;

	if (nr == PVBUS_VECTOR_CTL)
		return;
	cpu = cpumask_local_spread(nr - 1, dev_to_node(&iv->pci->dev));
	irq_set_affinity_and_hint(pci_irq_vector(iv->pci, nr),
				  cpumask_of(cpu));
}

static int ivshmem_request_irqs(struct ivshmem *iv)
{
	struct pci_dev *pci = iv->pci;
	unsigned int i;
	int ret;

	ret = pci_alloc_irq_vectors(pci, 1, iv->vectors, PCI_IRQ_MSIX);
	if (ret < 0) {
		pci_err(pci, "pvbus: no MSI-X vector can be set up: error %d: is the guest booted with pci=nomsi?\n",
			ret);
		return ret;
	}
	iv->vectors = ret;
	for (i = 0; i < iv->vectors; i++) {
		struct ivshmem_vector *vector = &iv->vector[i];

		vector->iv = iv;
		vector->nr = i;
		if (i == PVBUS_VECTOR_CTL)
			snprintf(vector->name, sizeof(vector->name),
				 "pvbus-ctl@pci:%s", pci_name(pci));
		else
			snprintf(vector->name, sizeof(vector->name),
				 "pvbus-%u@pci:%s", i, pci_name(pci));
		ret = request_irq(pci_irq_vector(pci, i), ivshmem_interrupt, 0,
				  vector->name, vector);
		if (ret) {
			ivshmem_free_irqs(iv, i);
			return ret;
		}
		ivshmem_spread(iv, i);
	}
	return 0;
}

/* Interrupts that came before there was a bus are made up for. */
static void ivshmem_publish(struct ivshmem *iv, struct pvbus *bus)
{
	unsigned long flags;
	unsigned int i;

	WRITE_ONCE(iv->bus, bus);
	local_irq_save(flags);
	for (i = 0; i < iv->vectors; i++)
		pvbus_interrupt(bus, i);
	local_irq_restore(flags);
}

/* Everything between the window's magic and the bus. */
static int ivshmem_start(struct ivshmem *iv)
{
	struct pci_dev *pci = iv->pci;
	struct pvbus *bus;
	int err;

	iv->regs = pci_iomap(pci, IVSHMEM_BAR_REGS, IVSHMEM_REGS_SIZE);
	if (!iv->regs)
		return -ENOMEM;
	err = ivshmem_check_host(iv);
	if (err)
		goto err_unmap;
	err = dma_set_mask_and_coherent(&pci->dev, DMA_BIT_MASK(64));
	if (err)
		goto err_unmap;
	/* segments are as long as the device's type says, not the bus */
	dma_set_max_seg_size(&pci->dev, UINT_MAX);
	pci_set_master(pci);
	err = ivshmem_request_irqs(iv);
	if (err)
		goto err_master;
	bus = pvbus_attach(&pci->dev, &ivshmem_ops, iv, iv->window,
			   iv->vectors);
	if (IS_ERR(bus)) {
		err = PTR_ERR(bus);
		goto err_irqs;
	}
	ivshmem_publish(iv, bus);
	return 0;

err_irqs:
	ivshmem_free_irqs(iv, iv->vectors);
err_master:
	pci_clear_master(pci);
err_unmap:
	pci_iounmap(pci, iv->regs);
	return err;
}

static int ivshmem_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct ivshmem *iv;
	int err;

	iv = kzalloc(sizeof(*iv), GFP_KERNEL);
	if (!iv)
		return -ENOMEM;
	iv->pci = pci;
	err = pci_enable_device_mem(pci);
	if (err)
		goto err_free;
	err = pci_request_mem_regions(pci, "pvbus");
	if (err)
		goto err_disable;
	err = ivshmem_map_window(iv);
	if (err)
		goto err_regions;
	err = ivshmem_check_iommu(pci);
	if (err)
		goto err_window;
	pci_set_drvdata(pci, iv);
	err = ivshmem_start(iv);
	if (err)
		goto err_window;
	return 0;

err_window:
	memunmap(iv->window);
err_regions:
	pci_release_mem_regions(pci);
err_disable:
	pci_disable_device(pci);
err_free:
	kfree(iv);
	return err;
}

static void ivshmem_remove(struct pci_dev *pci)
{
	struct ivshmem *iv = pci_get_drvdata(pci);

	/* interrupts go on meanwhile: drivers finish their I/O */
	pvbus_detach(iv->bus);
	ivshmem_free_irqs(iv, iv->vectors);
	pci_clear_master(pci);
	pci_iounmap(pci, iv->regs);
	memunmap(iv->window);
	pci_release_mem_regions(pci);
	pci_disable_device(pci);
	kfree(iv);
}

static void ivshmem_shutdown(struct pci_dev *pci)
{
	struct ivshmem *iv = pci_get_drvdata(pci);

	pvbus_quiesce(iv->bus);
}

static const struct pci_device_id ivshmem_ids[] = {
	{ PCI_DEVICE(IVSHMEM_VENDOR, IVSHMEM_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ivshmem_ids);

static struct pci_driver ivshmem_driver = {
	.name		= "pvbus",
	.id_table	= ivshmem_ids,
	.probe		= ivshmem_probe,
	.remove		= ivshmem_remove,
	.shutdown	= ivshmem_shutdown,
};

/**
 * pvbus_ivshmem_init() - register the driver of the PCI device
 *
 * Return: 0 or a negative error code.
 */
int pvbus_ivshmem_init(void)
{
	return pci_register_driver(&ivshmem_driver);
}

/**
 * pvbus_ivshmem_exit() - undo pvbus_ivshmem_init()
 */
void pvbus_ivshmem_exit(void)
{
	pci_unregister_driver(&ivshmem_driver);
}
