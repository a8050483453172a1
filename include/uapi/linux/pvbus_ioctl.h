/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pvbus host: the control device, /dev/pvbus.
 *
 * A file of the control device stands for at most one VM, which it creates
 * (PVBUS_IOC_VM_CREATE) or takes over from a daemon that died
 * (PVBUS_IOC_VM_ADOPT); all other calls are about that VM. Closing the file
 * leaves a VM whose QEMU lives running, so that a new daemon can adopt it;
 * PVBUS_IOC_VM_DESTROY ends it, or fails with EINPROGRESS when backing stores do not
 * answer: it ends when they do. poll() reports EPOLLIN when the state of the
 * VM has changed since PVBUS_IOC_VM_INFO was last called, EPOLLHUP when QEMU
 * is gone, EPOLLERR as long as the file has no VM. A VM that was destroyed is
 * not replaced: open the device again. Calls about a VM fail with ENXIO without
 * one.
 *
 * Fields are in host byte order. Reserved fields and unknown flags must be 0.
 */
#ifndef _UAPI_LINUX_PVBUS_IOCTL_H
#define _UAPI_LINUX_PVBUS_IOCTL_H

#include <linux/ioctl.h>
#include <linux/pvbus.h>
#include <linux/types.h>

/* Of this interface, not of the wire protocol. */
#define PVBUS_IOC_VERSION	1

/* PVBUS_IOC_VM_CREATE flags */
#define PVBUS_VM_LOOPBACK	(1U << 0)	/* the guest is this kernel */

/**
 * struct pvbus_ioc_vm_create - create a VM
 * @version: PVBUS_IOC_VERSION
 * @flags: PVBUS_VM_*
 * @name: name, unique on the host, as struct pvbus_offer's id
 * @window: address of the window in the caller: PVBUS_WIN_SIZE bytes, zeroed,
 *	page-aligned, of a shared mapping (0 with PVBUS_VM_LOOPBACK)
 * @doorbells: address of @vectors eventfds (__s32) that the guest rings
 * @interrupts: address of @vectors eventfds (__s32) that interrupt the guest
 *	(both 0 with PVBUS_VM_LOOPBACK)
 * @vectors: eventfds each way, 1 to PVBUS_MAX_VECTORS
 * @peer: ivshmem peer number of the host
 * @pin_limit: most bytes of guest memory that may be pinned for this VM, or 0
 *	for the module's default
 * @reserved: 0
 *
 * Errors: EPROTO (version; the kernel's is stored in @version), EEXIST (name),
 * EINVAL, EBUSY (this file has a VM), ENOMEM, EFAULT.
 */
struct pvbus_ioc_vm_create {
	__u32	version;
	__u32	flags;
	__u8	name[PVBUS_ID_SIZE];
	__u64	window;
	__u64	doorbells;
	__u64	interrupts;
	__u32	vectors;
	__u32	peer;
	__u64	pin_limit;
	__u64	reserved[2];
};

/**
 * struct pvbus_ioc_vm_adopt - take over a VM whose daemon is gone
 * @version: PVBUS_IOC_VERSION
 * @reserved: 0
 * @name: its name
 *
 * Errors: ENOENT, EBUSY (its daemon lives, or this file has a VM), EPROTO.
 */
struct pvbus_ioc_vm_adopt {
	__u32	version;
	__u32	reserved;
	__u8	name[PVBUS_ID_SIZE];
};

/**
 * struct pvbus_ioc_vm_attach - QEMU has connected
 * @sock: connected UNIX socket whose peer is QEMU: the kernel takes the process
 *	from the socket, not from a number
 * @vectors: vectors that were given to it, 1 to those of VM_CREATE
 * @min_vectors: refuse a guest that has fewer, 0 to @vectors
 * @reserved: 0
 *
 * Errors: EBUSY (attached already), ENOTSOCK, ESRCH (peer gone), EINVAL.
 */
struct pvbus_ioc_vm_attach {
	__s32	sock;
	__u32	vectors;
	__u32	min_vectors;
	__u32	reserved;
};

/* enum pvbus_vm_state */
#define PVBUS_VM_NEW		0	/* no QEMU yet */
#define PVBUS_VM_ATTACHED	1	/* QEMU, no driver in the guest */
#define PVBUS_VM_PROVING	2	/* a guest waits for VM_SET_MEM */
#define PVBUS_VM_RUNNING	3	/* a guest is attached */
#define PVBUS_VM_REFUSED	4	/* a guest was refused, see @refusal */
#define PVBUS_VM_DEAD		5	/* QEMU is gone */

/**
 * struct pvbus_ioc_vm_info - the VM's state
 * @name: its name
 * @state: PVBUS_VM_*
 * @refusal: PVBUS_ST_* with PVBUS_VM_REFUSED
 * @qemu_pid: process in the caller's pid namespace, or 0
 * @version: protocol version in force, or that the refused guest asked for
 * @generation: generation of the guest, 0 if there is none
 * @guest_vectors: MSI-X vectors that the guest said it has
 * @vectors: vectors in force
 * @devices: number of devices
 * @features: PVBUS_F_* in force
 * @pinned: bytes of guest memory pinned now
 * @pin_limit: most that may be
 * @resets: handshakes seen
 * @violations: protocol violations seen
 * @hello_ranges: ranges of RAM in the last hello, host byte order in @range
 * @hello_nonces: nonces in the last hello
 * @range: as in struct pvbus_hello, host byte order
 * @nonce_addr: as in struct pvbus_hello, host byte order
 * @nonce: as in struct pvbus_hello
 */
struct pvbus_ioc_vm_info {
	__u8	name[PVBUS_ID_SIZE];
	__u32	state;
	__u32	refusal;
	__s32	qemu_pid;
	__u32	version;
	__u32	generation;
	__u32	guest_vectors;
	__u32	vectors;
	__u32	devices;
	__u64	features;
	__u64	pinned;
	__u64	pin_limit;
	__u64	resets;
	__u64	violations;
	__u32	hello_ranges;
	__u32	hello_nonces;
	struct {
		__u64	start;
		__u64	size;
	} range[PVBUS_MAX_RANGES];
	__u64	nonce_addr[PVBUS_MAX_NONCES];
	__u8	nonce[PVBUS_MAX_NONCES][PVBUS_NONCE_SIZE];
};

#define PVBUS_MAX_REGIONS	8

/**
 * struct pvbus_ioc_vm_set_mem - where guest RAM is in QEMU
 * @nr_regions: entries of @region; 0 when it could not be found, which refuses
 *	the guest with PVBUS_ST_RAM
 * @reserved: 0
 * @region: ascending, disjoint and page-aligned: @gpa in the guest is @hva in
 *	QEMU, @size bytes
 *
 * The kernel reads the nonces of the pending hello through the table before it
 * believes it. A table that was believed stays until QEMU ends.
 *
 * Errors: EINVAL (malformed, or hello not pending), EBADMSG (a nonce differs),
 * EFAULT (not mapped).
 */
struct pvbus_ioc_vm_set_mem {
	__u32	nr_regions;
	__u32	reserved;
	struct {
		__u64	gpa;
		__u64	hva;
		__u64	size;
	} region[PVBUS_MAX_REGIONS];
};

/* Flags of a device */
#define PVBUS_DEV_READONLY	(1U << 0)	/* disk */
#define PVBUS_DEV_POLL_US	(1U << 1)	/* @poll_us is this device's */
#define PVBUS_DEV_COALESCE_US	(1U << 2)	/* so is @coalesce_us */
#define PVBUS_DEV_FLAGS		(PVBUS_DEV_READONLY | PVBUS_DEV_POLL_US | \
				 PVBUS_DEV_COALESCE_US)

/* Most that @poll_us and @coalesce_us may be. */
#define PVBUS_DEV_MAX_US	1000

#define PVBUS_IFNAME_SIZE	16

/**
 * struct pvbus_ioc_dev - add a device, or tell about one
 * @type: PVBUS_TYPE_*
 * @flags: PVBUS_DEV_*
 * @id: instance id, unique in the VM
 * @offer: number of the offer (out)
 * @max_queues: channels to offer; 0 leaves it to the type: as many as the host
 *	has CPUs, for a disk twice as many
 * @fd: disk: block device or raw file, opened with the access that is wanted
 *	and O_DIRECT (in; -1 out)
 * @mtu: network: MTU, or 0 for 1500
 * @serial: disk: serial number, NUL-terminated, or empty
 * @ifname: network: name for the host's interface, or empty for "pvbus%d";
 *	the name given (out)
 * @mac: network: MAC address of the guest's card, or zero for a random one;
 *	the one in use (out)
 * @open_queues: channels that are open (out)
 * @reserved0: 0
 * @capacity: disk: bytes (out)
 * @poll_us: with PVBUS_DEV_POLL_US, longest time in microseconds that a worker
 *	of this device polls before it sleeps, 0 for never; without, 0, and the
 *	module's parameter is in force
 * @coalesce_us: with PVBUS_DEV_COALESCE_US, how long in microseconds a guest
 *	that has asked for patience may take to find an entry before it is
 *	interrupted; without, 0, and the module's parameter is in force
 * @reserved: 0
 *
 * Errors of PVBUS_IOC_DEV_ADD: EEXIST (id; or ifname), EINVAL, EBADF, ENOTBLK
 * (neither block device nor regular file), EACCES (fd is not open for what is
 * wanted), EOPNOTSUPP (fd does not do direct I/O), EMSGSIZE (size is not a
 * multiple of the sector), ENOSPC (too many devices), ENOMEM.
 */
struct pvbus_ioc_dev {
	__u16	type;
	__u16	max_queues;
	__u32	flags;
	__u8	id[PVBUS_ID_SIZE];
	__u32	offer;
	__s32	fd;
	__u32	mtu;
	__u32	open_queues;
	__u8	serial[PVBUS_ID_SIZE];
	__u8	ifname[PVBUS_IFNAME_SIZE];
	__u8	mac[6];
	__u16	reserved0;
	__u64	capacity;
	__u32	poll_us;
	__u32	coalesce_us;
	__u64	reserved[3];
};

/**
 * struct pvbus_ioc_dev_remove - rescind a device
 * @id: its instance id
 * @timeout_ms: how long the guest may take to let go of it; after that its
 *	channels are closed under it
 * @reserved: 0
 *
 * Errors: ENOENT, EBUSY (is being removed already), EINPROGRESS (the guest has it no
 * more, but requests of it are with a backing store that does not answer: it goes,
 * and its id is free, when they are).
 */
struct pvbus_ioc_dev_remove {
	__u8	id[PVBUS_ID_SIZE];
	__u32	timeout_ms;
	__u32	reserved;
};

/**
 * struct pvbus_ioc_dev_resize - look anew at how large a disk is
 * @id: its instance id (in)
 * @capacity: bytes that its backing store has now, of which the guest is told
 *	(out)
 *
 * Errors: ENOENT, EOPNOTSUPP (not a disk), EMSGSIZE (empty, or the size is no
 * multiple of the sector: nothing has changed).
 */
struct pvbus_ioc_dev_resize {
	__u8	id[PVBUS_ID_SIZE];
	__u64	capacity;
};

/**
 * struct pvbus_ioc_chan_stats - what a channel did since it was opened
 * @id: instance id of the device (in)
 * @queue: channel (in)
 * @worker: thread that serves it, in the caller's pid namespace
 * @doorbells: doorbells received from the guest
 * @interrupts: interrupts sent to the guest
 * @wakeups: times that the worker was woken from sleep
 * @polls: times that the worker polled instead of sleeping at once
 * @poll_hits: times that polling found work
 * @poll_ns: time spent polling without finding work, in nanoseconds
 * @requests: disk: requests taken; network: packets from the guest
 * @completions: disk: requests completed; network: packets to the guest
 * @bytes_in: bytes from the guest (written, transmitted)
 * @bytes_out: bytes to the guest (read, received)
 * @errors: requests or packets that failed
 * @dropped: network: packets for the guest that found no buffer
 * @pin_hits: translations found in the cache
 * @pin_misses: translations that had to pin a page
 * @pauses: times that the worker did not listen to doorbells for a while, as most
 *	of them had brought no work
 * @reserved: 0
 *
 * Errors: ENOENT (no such device), ENOTCONN (not open).
 */
struct pvbus_ioc_chan_stats {
	__u8	id[PVBUS_ID_SIZE];
	__u32	queue;
	__s32	worker;
	__u64	doorbells;
	__u64	interrupts;
	__u64	wakeups;
	__u64	polls;
	__u64	poll_hits;
	__u64	poll_ns;
	__u64	requests;
	__u64	completions;
	__u64	bytes_in;
	__u64	bytes_out;
	__u64	errors;
	__u64	dropped;
	__u64	pin_hits;
	__u64	pin_misses;
	__u64	pauses;
	__u64	reserved[3];
};

#define PVBUS_IOC_TYPE		0xB6

#define PVBUS_IOC_VM_CREATE	_IOWR(PVBUS_IOC_TYPE, 0x00, \
				      struct pvbus_ioc_vm_create)
#define PVBUS_IOC_VM_ADOPT	_IOWR(PVBUS_IOC_TYPE, 0x01, \
				      struct pvbus_ioc_vm_adopt)
#define PVBUS_IOC_VM_ATTACH	_IOW(PVBUS_IOC_TYPE, 0x02, \
				     struct pvbus_ioc_vm_attach)
#define PVBUS_IOC_VM_INFO	_IOR(PVBUS_IOC_TYPE, 0x03, \
				     struct pvbus_ioc_vm_info)
#define PVBUS_IOC_VM_SET_MEM	_IOW(PVBUS_IOC_TYPE, 0x04, \
				     struct pvbus_ioc_vm_set_mem)
#define PVBUS_IOC_VM_DESTROY	_IO(PVBUS_IOC_TYPE, 0x05)
#define PVBUS_IOC_DEV_ADD	_IOWR(PVBUS_IOC_TYPE, 0x10, \
				      struct pvbus_ioc_dev)
#define PVBUS_IOC_DEV_REMOVE	_IOW(PVBUS_IOC_TYPE, 0x11, \
				     struct pvbus_ioc_dev_remove)
/* The device with the lowest offer number above @offer; ENOENT at the end. */
#define PVBUS_IOC_DEV_NEXT	_IOWR(PVBUS_IOC_TYPE, 0x12, \
				      struct pvbus_ioc_dev)
#define PVBUS_IOC_CHAN_STATS	_IOWR(PVBUS_IOC_TYPE, 0x13, \
				      struct pvbus_ioc_chan_stats)
#define PVBUS_IOC_DEV_RESIZE	_IOWR(PVBUS_IOC_TYPE, 0x14, \
				      struct pvbus_ioc_dev_resize)

static_assert(sizeof(struct pvbus_ioc_vm_create) == 96, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_vm_adopt) == 40, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_vm_attach) == 16, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_vm_info) == 272, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_vm_set_mem) == 200, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_dev) == 152, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_dev_remove) == 40, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_chan_stats) == 184, "ioctl size");
static_assert(sizeof(struct pvbus_ioc_dev_resize) == 40, "ioctl size");

#endif /* _UAPI_LINUX_PVBUS_IOCTL_H */
