// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the control device, /dev/pvbus. Its calls are checked for their
 * form here and carried out elsewhere; see linux/pvbus_ioctl.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "host.h"

/**
 * struct pvh_file - an open control device
 * @sem: written while @vm or @ended changes, read by all other calls: none of
 *	them sees a VM that is being destroyed
 * @vm: its VM, NULL before VM_CREATE or VM_ADOPT; set once, so that poll() can
 *	look without @sem and wait on it until the file is closed
 * @ended: the VM was destroyed by VM_DESTROY
 */
struct pvh_file {
	struct rw_semaphore	sem;
	struct pvh_vm		*vm;
	bool			ended;
};

/* -- checks ----------------------------------------------------------------------- */

static bool pvh_zero(const void *mem, size_t len)
{
	return !memchr_inv(mem, 0, len);
}

static bool pvh_terminated(const u8 *s, size_t size)
{
	return strnlen(s, size) < size;
}

static bool pvh_check_create(const struct pvbus_ioc_vm_create *args)
{
	if (args->flags & ~PVBUS_VM_LOOPBACK)
		return false;
	if (!pvh_id_valid(args->name) ||
	    !pvh_zero(args->reserved, sizeof(args->reserved)))
		return false;
	if (!args->vectors || args->vectors > PVBUS_MAX_VECTORS)
		return false;
	if (!PAGE_ALIGNED(args->pin_limit))
		return false;
	if (args->flags & PVBUS_VM_LOOPBACK)
		return !args->window && !args->doorbells && !args->interrupts;
	return args->window && PAGE_ALIGNED(args->window) && args->doorbells &&
	       args->interrupts;
}

static bool pvh_check_dev(const struct pvbus_ioc_dev *args)
{
	if (args->flags & ~PVBUS_DEV_FLAGS)
		return false;
	if (args->reserved0 ||
	    !pvh_zero(args->reserved, sizeof(args->reserved)))
		return false;
	return pvh_id_valid(args->id) &&
	       pvh_terminated(args->serial, sizeof(args->serial)) &&
	       pvh_terminated(args->ifname, sizeof(args->ifname));
}

/* The caller learns which version it should have spoken. */
static int pvh_check_version(u32 version, u32 __user *where)
{
	if (version == PVBUS_IOC_VERSION)
		return 0;
	return put_user(PVBUS_IOC_VERSION, where) ? -EFAULT : -EPROTO;
}

/* -- calls that give a file its VM, or take it -------------------------------------- */

static void pvh_file_set_vm(struct pvh_file *pf, struct pvh_vm *vm)
{
	/* pairs with pvh_poll(): the VM is set up when it is seen */
	smp_store_release(&pf->vm, vm);
}

static int pvh_ioc_create(struct pvh_file *pf, struct file *file,
			  void __user *arg)
{
	struct pvbus_ioc_vm_create __user *user = arg;
	struct pvbus_ioc_vm_create args;
	struct pvh_vm *vm;
	int err;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	err = pvh_check_version(args.version, &user->version);
	if (err)
		return err;
	if (!pvh_check_create(&args))
		return -EINVAL;
	if (pf->vm)
		return -EBUSY;
	err = pvh_vm_create(&args, file, &vm);
	if (!err)
		pvh_file_set_vm(pf, vm);
	return err;
}

static int pvh_ioc_adopt(struct pvh_file *pf, struct file *file,
			 void __user *arg)
{
	struct pvbus_ioc_vm_adopt __user *user = arg;
	struct pvbus_ioc_vm_adopt args;
	struct pvh_vm *vm;
	int err;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	err = pvh_check_version(args.version, &user->version);
	if (err)
		return err;
	if (args.reserved || !pvh_id_valid(args.name))
		return -EINVAL;
	if (pf->vm)
		return -EBUSY;
	err = pvh_vm_adopt(&args, file, &vm);
	if (!err)
		pvh_file_set_vm(pf, vm);
	return err;
}

static int pvh_ioc_destroy(struct pvh_file *pf)
{
	int err;

	if (!pf->vm || pf->ended)
		return -ENXIO;
	WRITE_ONCE(pf->ended, true);
	err = pvh_vm_destroy(pf->vm);
	wake_up_poll(&pf->vm->wait, EPOLLIN | EPOLLHUP);
	return err;
}

/* -- calls about the VM ---------------------------------------------------------------- */

static int pvh_ioc_attach(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_vm_attach args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	return pvh_vm_attach(vm, &args);
}

static int pvh_ioc_info(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_vm_info info;

	pvh_vm_info(vm, &info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int pvh_ioc_set_mem(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_vm_set_mem args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	return pvh_vm_set_mem(vm, &args);
}

static int pvh_ioc_dev_add(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_dev args;
	int err;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (!pvh_check_dev(&args))
		return -EINVAL;
	err = pvh_dev_add(vm, &args);
	if (err)
		return err;
	if (!copy_to_user(arg, &args, sizeof(args)))
		return 0;
	/* the caller does not know what it has: better nothing */
	pvh_dev_remove(vm, args.id, 0);
	return -EFAULT;
}

static int pvh_ioc_dev_remove(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_dev_remove args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.reserved || !pvh_id_valid(args.id))
		return -EINVAL;
	return pvh_dev_remove(vm, args.id, args.timeout_ms);
}

static int pvh_ioc_dev_next(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_dev args;
	u32 offer;
	int err;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.reserved0 || !pvh_zero(args.reserved, sizeof(args.reserved)))
		return -EINVAL;
	offer = args.offer;
	memset(&args, 0, sizeof(args));
	args.offer = offer;
	args.fd = -1;
	err = pvh_dev_next(vm, &args);
	if (err)
		return err;
	return copy_to_user(arg, &args, sizeof(args)) ? -EFAULT : 0;
}

static int pvh_ioc_dev_resize(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_dev_resize args;
	int err;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (!pvh_id_valid(args.id))
		return -EINVAL;
	err = pvh_dev_resize(vm, args.id, &args.capacity);
	if (err)
		return err;
	return copy_to_user(arg, &args, sizeof(args)) ? -EFAULT : 0;
}

static int pvh_ioc_chan_stats(struct pvh_vm *vm, void __user *arg)
{
	struct pvbus_ioc_chan_stats args;
	int err;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (!pvh_id_valid(args.id) ||
	    !pvh_zero(args.reserved, sizeof(args.reserved)))
		return -EINVAL;
	err = pvh_dev_stats(vm, &args);
	if (err)
		return err;
	return copy_to_user(arg, &args, sizeof(args)) ? -EFAULT : 0;
}

static long pvh_vm_ioctl(struct pvh_vm *vm, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case PVBUS_IOC_VM_ATTACH:
		return pvh_ioc_attach(vm, arg);
	case PVBUS_IOC_VM_INFO:
		return pvh_ioc_info(vm, arg);
	case PVBUS_IOC_VM_SET_MEM:
		return pvh_ioc_set_mem(vm, arg);
	case PVBUS_IOC_DEV_ADD:
		return pvh_ioc_dev_add(vm, arg);
	case PVBUS_IOC_DEV_REMOVE:
		return pvh_ioc_dev_remove(vm, arg);
	case PVBUS_IOC_DEV_NEXT:
		return pvh_ioc_dev_next(vm, arg);
	case PVBUS_IOC_DEV_RESIZE:
		return pvh_ioc_dev_resize(vm, arg);
	case PVBUS_IOC_CHAN_STATS:
		return pvh_ioc_chan_stats(vm, arg);
	default:
		return -ENOTTY;
	}
}

/* -- the file -------------------------------------------------------------------------- */

/* Calls that change which VM it is; -ENOTTY leaves @cmd to the others. */
static long pvh_file_ioctl(struct pvh_file *pf, struct file *file,
			   unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case PVBUS_IOC_VM_CREATE:
		return pvh_ioc_create(pf, file, arg);
	case PVBUS_IOC_VM_ADOPT:
		return pvh_ioc_adopt(pf, file, arg);
	case PVBUS_IOC_VM_DESTROY:
		return pvh_ioc_destroy(pf);
	default:
		return -ENOTTY;
	}
}

static bool pvh_cmd_of_file(unsigned int cmd)
{
	return cmd == PVBUS_IOC_VM_CREATE || cmd == PVBUS_IOC_VM_ADOPT ||
	       cmd == PVBUS_IOC_VM_DESTROY;
}

static long pvh_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pvh_file *pf = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	if (pvh_cmd_of_file(cmd)) {
		if (down_write_killable(&pf->sem))
			return -EINTR;
		ret = pvh_file_ioctl(pf, file, cmd, user);
		up_write(&pf->sem);
		return ret;
	}
	if (down_read_killable(&pf->sem))
		return -EINTR;
	ret = pf->vm && !pf->ended ? pvh_vm_ioctl(pf->vm, cmd, user) : -ENXIO;
	up_read(&pf->sem);
	return ret;
}

static __poll_t pvh_poll(struct file *file, poll_table *pt)
{
	struct pvh_file *pf = file->private_data;
	/* pairs with pvh_file_set_vm() */
	struct pvh_vm *vm = smp_load_acquire(&pf->vm);
	__poll_t mask = 0;

	/* there is nothing to wait for yet */
	if (!vm)
		return EPOLLERR;
	poll_wait(file, &vm->wait, pt);
	if (READ_ONCE(vm->event))
		mask |= EPOLLIN;
	if (READ_ONCE(vm->state) == PVBUS_VM_DEAD || READ_ONCE(pf->ended))
		mask |= EPOLLIN | EPOLLHUP;
	return mask;
}

static int pvh_open(struct inode *inode, struct file *file)
{
	struct pvh_file *pf;

	/* whoever may use it reads and writes the memory of other processes */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	pf = kzalloc(sizeof(*pf), GFP_KERNEL_ACCOUNT);
	if (!pf)
		return -ENOMEM;
	init_rwsem(&pf->sem);
	file->private_data = pf;
	return nonseekable_open(inode, file);
}

static int pvh_release(struct inode *inode, struct file *file)
{
	struct pvh_file *pf = file->private_data;

	if (pf->vm)
		pvh_vm_release(pf->vm);
	kfree(pf);
	return 0;
}

static const struct file_operations pvh_fops = {
	.owner		= THIS_MODULE,
	.open		= pvh_open,
	.release	= pvh_release,
	.poll		= pvh_poll,
	.unlocked_ioctl	= pvh_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice pvh_miscdev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pvbus",
	.fops	= &pvh_fops,
	.mode	= 0600,
};

/**
 * pvh_chardev_init() - make the control device appear
 *
 * Return: 0 or an error of misc_register().
 */
int pvh_chardev_init(void)
{
	return misc_register(&pvh_miscdev);
}

/**
 * pvh_chardev_exit() - make it disappear
 */
void pvh_chardev_exit(void)
{
	misc_deregister(&pvh_miscdev);
}
