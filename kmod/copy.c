// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: private copies of guest memory.
 *
 * What fits a page (a table, a small packet) lies in one that comes again: it is
 * read by way of the channel's cache of pinned pages. A guest's big buffers are
 * wherever its allocator had them. To pin their pages costs more than to read
 * them, so these are read through QEMU's address space, if there is one.
 */
#include <linux/highmem.h>
#include <linux/minmax.h>

#include "host.h"

static int pvh_copy_page(struct pvh_channel *ch, void *to, u64 gpa, size_t len)
{
	struct pvh_pin *pin = pvh_pin_get(ch, gpa);
	void *p;

	if (IS_ERR(pin))
		return PTR_ERR(pin);
	p = kmap_local_page(pin->page);
	memcpy(to, p + offset_in_page(gpa), len);
	kunmap_local(p);
	pvh_pin_put(ch, pin);
	return 0;
}

static int pvh_copy_pages(struct pvh_channel *ch, void *to, u64 gpa, size_t len)
{
	size_t part;
	int err;

	for (; len; gpa += part, to += part, len -= part) {
		part = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		err = pvh_copy_page(ch, to, gpa, part);
		if (err)
			return err;
	}
	return 0;
}

/**
 * pvh_copy_from_guest() - read guest memory, once
 * @ch: channel
 * @to: private memory for it
 * @gpa: guest-physical address, from the guest; no alignment is needed
 * @len: bytes, bounded by the caller
 *
 * Context: the channel's worker; may sleep.
 * Return: 0, or as pvh_pin_get(); @to is undefined then.
 */
int pvh_copy_from_guest(struct pvh_channel *ch, void *to, u64 gpa, size_t len)
{
	struct pvh_vm *vm = ch->dev->vm;

	if (len > U64_MAX - gpa)
		return -EFAULT;
	/* what that refuses, such as to go across two blocks of RAM, may still do */
	if (len > PAGE_SIZE && vm->transport->read &&
	    !vm->transport->read(vm, &ch->pins, to, gpa, len))
		return 0;
	return pvh_copy_pages(ch, to, gpa, len);
}
