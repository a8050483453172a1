// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: where the loopback transport, a module of its own, plugs in.
 *
 * It is apart because it joins the host's half to the guest's: a host that
 * serves QEMU needs no guest drivers.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kmod.h>
#include <linux/module.h>

#include "host.h"

/* loop_ops, and that its module stays while it is being taken */
static DEFINE_MUTEX(loop_lock);
static const struct pvh_loop_ops *loop_ops;

/* -- for pvbus_loop.ko ------------------------------------------------------------- */

/**
 * pvh_loop_register() - offer the loopback transport
 * @ops: the transport; its module is held by each VM that uses it
 *
 * Return: 0, or -EBUSY when there is one.
 */
int pvh_loop_register(const struct pvh_loop_ops *ops)
{
	int err = 0;

	mutex_lock(&loop_lock);
	if (loop_ops)
		err = -EBUSY;
	else
		loop_ops = ops;
	mutex_unlock(&loop_lock);
	return err;
}
EXPORT_SYMBOL_GPL(pvh_loop_register);

/**
 * pvh_loop_unregister() - undo pvh_loop_register()
 * @ops: the transport; no VM uses it, for its module is being unloaded
 */
void pvh_loop_unregister(const struct pvh_loop_ops *ops)
{
	mutex_lock(&loop_lock);
	if (loop_ops == ops)
		loop_ops = NULL;
	mutex_unlock(&loop_lock);
}
EXPORT_SYMBOL_GPL(pvh_loop_unregister);

/**
 * pvh_loop_doorbell() - the guest rang
 * @vm: VM that is attached
 * @vector: doorbell; one that does not exist is ignored, as by ivshmem
 *
 * Context: any.
 */
void pvh_loop_doorbell(struct pvh_vm *vm, unsigned int vector)
{
	if (vector < vm->nr_doorbells)
		pvh_doorbell_ring(&vm->doorbell[vector]);
}
EXPORT_SYMBOL_GPL(pvh_loop_doorbell);

/* -- nobody there: the transport before and after ------------------------------------ */

static void nobody_interrupt(struct pvh_vm *vm, unsigned int vector)
{
}

static int nobody_pin(struct pvh_vm *vm, struct pvh_pin_cache *cache, u64 gfn,
		      struct page **page)
{
	return -ESRCH;
}

static void nobody_unpin(struct pvh_vm *vm, struct page *page)
{
}

static void nobody_sleep(struct pvh_vm *vm, struct pvh_pin_cache *cache)
{
}

static bool nobody_ram(struct pvh_vm *vm, u64 gpa, u64 len)
{
	return false;
}

static const struct pvh_transport_ops nobody_transport = {
	.name		= "nobody",
	.interrupt	= nobody_interrupt,
	.pin		= nobody_pin,
	.unpin		= nobody_unpin,
	.sleep		= nobody_sleep,
	.ram		= nobody_ram,
};

/**
 * pvh_loop_join() - give a VM its transport and let the window say READY
 * @vm: VM that is being attached; without vm->lock
 * @transport: the transport, ready to be called
 * @priv: its own
 *
 * Before the guest side looks, so that it finds a host that answers.
 */
void pvh_loop_join(struct pvh_vm *vm, const struct pvh_transport_ops *transport,
		   void *priv)
{
	mutex_lock(&vm->lock);
	vm->transport = transport;
	vm->transport_priv = priv;
	pvh_window_ready(vm);
	mutex_unlock(&vm->lock);
}
EXPORT_SYMBOL_GPL(pvh_loop_join);

/**
 * pvh_loop_cut() - undo pvh_loop_join()
 * @vm: VM whose guest side has said goodbye, or should have
 *
 * Closes the channels of a guest side that has not, and waits for that: the memory
 * is this kernel's. On return nothing calls the transport for this VM any more;
 * what it raised last may still be on its way.
 */
void pvh_loop_cut(struct pvh_vm *vm)
{
	mutex_lock(&vm->lock);
	pvh_window_down(vm);
	mutex_unlock(&vm->lock);
	wait_event(vm->wait, !READ_ONCE(vm->nr_channels));
	mutex_lock(&vm->lock);
	pvh_window_done(vm);
	vm->transport = &nobody_transport;
	vm->transport_priv = NULL;
	mutex_unlock(&vm->lock);
}
EXPORT_SYMBOL_GPL(pvh_loop_cut);

/* -- for vm.c --------------------------------------------------------------------- */

static const struct pvh_loop_ops *loop_get(void)
{
	const struct pvh_loop_ops *ops;

	mutex_lock(&loop_lock);
	ops = loop_ops;
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&loop_lock);
	return ops;
}

/**
 * pvh_loop_attach() - join a VM to the guest side of this kernel
 * @vm: new VM with its window and doorbells; without vm->lock
 *
 * Loads pvbus_loop.ko when it is not there.
 *
 * Return: 0, -EOPNOTSUPP when that cannot be loaded, or what it says.
 */
int pvh_loop_attach(struct pvh_vm *vm)
{
	const struct pvh_loop_ops *ops = loop_get();
	int err;

	if (!ops) {
		request_module("pvbus_loop");
		ops = loop_get();
	}
	if (!ops) {
		pr_err("%s: the loopback needs the module pvbus_loop, which cannot be loaded: install it, or load it by hand to see why\n",
		       vm->name);
		return -EOPNOTSUPP;
	}
	vm->transport = &nobody_transport;
	err = ops->attach(vm);
	if (err) {
		module_put(ops->owner);
		return err;
	}
	vm->loop = ops;
	return 0;
}

/**
 * pvh_loop_detach() - undo pvh_loop_attach()
 * @vm: VM, attached or not, whose control work still runs: the guest side says
 *	goodbye and waits, in bounded time, for the answer; without vm->lock
 */
void pvh_loop_detach(struct pvh_vm *vm)
{
	const struct pvh_loop_ops *ops = vm->loop;

	if (!ops)
		return;
	ops->detach(vm);
	vm->loop = NULL;
	module_put(ops->owner);
}
