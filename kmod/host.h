/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus host: the objects of the core and how they hang together.
 *
 *	pvh_vm ---- pvh_dev ---- pvh_channel ---- worker thread
 *	  |            |              |
 *	  |            ops of type    rings, pin cache
 *	  memory, window, mailbox, transport
 *
 * Names: pvh_ is the host, pvbus_ the wire and the guest.
 */
#ifndef PVBUS_HOST_H
#define PVBUS_HOST_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <linux/pvbus.h>
#include <linux/pvbus_ioctl.h>
#include <pvbus/poll.h>
#include <pvbus/ring.h>

#include <pvbus/compat.h>

#include "nap.h"
#include "rest.h"
#include "storm.h"

struct pvh_channel;
struct pvh_dev;
struct pvh_loop_ops;
struct pvh_vm;

/* main.c: module parameters */
extern unsigned int pvh_pin_limit_mb;
/* Protocol versions to offer; others than PVBUS_VERSION_* only in tests. */
extern unsigned short pvh_protocol_min;
extern unsigned short pvh_protocol_max;
/* Ends VMs whose daemon and QEMU are gone; flushed when the module unloads. */
extern struct workqueue_struct *pvh_reap_wq;

/* -- guest memory (mem.c) ------------------------------------------------ */

struct pvh_mem_region {
	u64	gpa;
	u64	size;
	u64	hva;
};

/**
 * struct pvh_mem - guest RAM, as proven; never changes once set
 * @nr: entries of @region
 * @region: ascending and disjoint
 */
struct pvh_mem {
	unsigned int		nr;
	struct pvh_mem_region	region[PVBUS_MAX_REGIONS];
};

/* -- pin cache (pin.c) ---------------------------------------------------- */

/**
 * struct pvh_pin - one page of guest memory, held in place
 * @page: the page
 * @gfn: guest frame number
 * @users: references by requests in flight; an entry in use is not evicted
 * @cached: belongs to the channel's cache; otherwise freed with the last user
 * @stale: QEMU took the page away while it was in use: it is found by no
 *	lookup any more and leaves the cache with its last user
 *
 * All but @page and @gfn belong to the channel's worker; no lock.
 */
struct pvh_pin {
	struct page	*page;
	u64		gfn;
	u32		users;
	bool		cached;
	bool		stale;
};

#define PVH_PIN_WAYS	4
/* Pages that a channel's cache holds, unless its backend needs other. */
#define PVH_PIN_ENTRIES	4096

/**
 * struct pvh_pin_cache - a channel's translation cache
 * @set: @nr_sets sets of PVH_PIN_WAYS entries, indexed by hash of the frame
 * @nr_sets: a power of two
 * @nr_held: entries that hold a page
 * @hand: where eviction looks next
 * @stale: set by the MMU notifier: what lies in the range below is dropped
 *	before the next lookup, and before the worker sleeps
 * @lock: protects @stale_first, @stale_last; taken in atomic context
 * @stale_first: first frame to drop
 * @stale_last: last frame to drop
 * @node: in vm->caches, as long as @tracked; vm->cache_lock
 * @tracked: in vm->caches: the channel may hold cached pages
 * @wakeable: between pvh_doorbell_add() and _del(): the worker can be woken;
 *	vm->cache_lock
 * @mm: QEMU's memory, loaded in the worker since its last sleep, or NULL
 *
 * Owned by the worker, save where a lock is named.
 */
struct pvh_pin_cache {
	struct pvh_pin		*set;
	unsigned int		nr_sets;
	unsigned int		nr_held;
	unsigned int		hand;
	atomic_t		stale;
	spinlock_t		lock; /* stale_first, stale_last */
	u64			stale_first;
	u64			stale_last;
	struct list_head	node;
	bool			tracked;
	bool			wakeable;
	struct mm_struct	*mm;
};

/* -- statistics ------------------------------------------------------------ */

/*
 * Counters of a channel, as struct pvbus_ioc_chan_stats describes them.
 *
 * Each is written by one context only (the worker, but for @doorbells, which
 * the doorbell's wake function writes) and read without a lock.
 */
struct pvh_stats {
	u64	doorbells;
	u64	interrupts;
	u64	wakeups;
	u64	pauses;
	u64	polls;
	u64	poll_hits;
	u64	poll_ns;
	u64	requests;
	u64	completions;
	u64	bytes_in;
	u64	bytes_out;
	u64	errors;
	u64	dropped;
	u64	pin_hits;
	u64	pin_misses;
};

/* -- channels (channel.c, worker.c) ------------------------------------------ */

/**
 * struct pvh_channel - an open channel: two rings and a worker
 * @dev: device it belongs to
 * @queue: number within the device
 * @vector: doorbell in both directions
 * @features: device features the guest accepted
 * @rx: ring from guest to host; worker only
 * @tx: ring from host to guest; worker only
 * @rx_slots: slots of @rx: tags are below this
 * @tx_slots: slots of @tx
 * @rx_held: entries of @rx have to wait for something else, such as room in @tx:
 *	no reason to call ->work() and none to stay awake; worker only
 * @worker: the thread; it alone runs @dev->ops->work. NULL before it starts;
 *	a reference is held until the channel is freed, so that backends may call
 *	pvh_channel_wake() from ->open() on until ->close() returns
 * @kicked: something happened since the worker looked
 * @broken: PVBUS_ST_* once the peer broke the protocol; the worker then idles
 * @closing: nothing is served any more; written under vm->lock
 * @ack: the guest is to be told when it is closed; vm->lock
 * @drained: nothing is in flight any more, and the worker ends; written by it,
 *	release
 * @pins: translation cache; worker only
 * @stats: counters
 * @broken_told: the guest was told of @broken; vm->lock
 * @poll: how long it polls at present before it sleeps; worker only
 * @bulk: the last entries brought so much each that there is no use in polling for
 *	the next; set by the backend, worker only
 * @crowded: for how long it was taken that others stay on its CPU; worker only
 * @crowded_until: when to try again to share the CPU, as local_clock(); worker
 *	only
 * @crowded_cpu: the CPU that this is about; worker only
 * @policy: its scheduling policy, see policy.c
 * @policy.look: looks whether it gets to run, while that is SCHED_IDLE
 * @policy.ran: how long, in nanoseconds, it had run when that was begun
 * @policy.not_before: when the policy may be SCHED_IDLE again, in jiffies
 * @policy.asleep: it sleeps until it is woken; written by the worker
 * @policy.hold: for how long it was not to be, in jiffies; @policy.look only
 * @reminded: head of @tx up to which a guest that had asked for patience was
 *	interrupted after all; worker only
 * @waiting_index: the guest's index when @waiting_since was taken; worker only
 * @waiting_since: since when entries wait for such a guest, as local_clock();
 *	0: none do; worker only
 * @rx_us: how long, in microseconds, the guest has allowed entries to wait while
 *	it is patient; negative: it has not; worker only
 * @lazy_us: likewise those in no hurry; worker only
 * @lazy: head of @tx behind the last such entry; worker only
 * @nap: how long it naps where it cannot poll; worker only
 * @napped: it has, and what that has brought is to be counted; worker only
 * @napped_from: head of @rx before that; worker only
 * @storm: doorbells in vain; worker only
 * @deaf: doorbells are not heard for a while; written by the worker
 * @ring_mem: mapping of the ring pages
 * @ring_pages: the pages, pinned
 * @nr_ring_pages: their number
 * @on_vector: entry in the doorbell's list of channels
 * @priv: the backend's
 */
struct pvh_channel {
	struct pvh_dev		*dev;
	u16			queue;
	u16			vector;
	u64			features;

	struct pvring_cons	rx;
	struct pvring_prod	tx;
	u32			rx_slots;
	u32			tx_slots;

	bool			rx_held;

	struct task_struct	*worker;
	unsigned long		kicked;
	int			broken;
	bool			closing;
	bool			ack;
	bool			drained;
	struct pvh_pin_cache	pins;
	struct pvh_stats	stats;
	bool			broken_told;
	struct pvpoll		poll;
	bool			bulk;
	u64			crowded;
	u64			crowded_until;
	unsigned int		crowded_cpu;
	struct {
		struct delayed_work	look;
		u64			ran;
		unsigned long		not_before;
		unsigned long		hold;
		bool			asleep;
	} policy;
	u32			reminded;
	u32			waiting_index;
	u64			waiting_since;
	int			rx_us;
	int			lazy_us;
	u32			lazy;
	struct pvh_nap		nap;
	bool			napped;
	u32			napped_from;
	struct pvh_storm	storm;
	bool			deaf;

	void			*ring_mem;
	struct page		**ring_pages;
	unsigned int		nr_ring_pages;
	struct list_head	on_vector;
	void			*priv;
};

void pvh_channel_wake(struct pvh_channel *ch);
void pvh_channel_rung(struct pvh_channel *ch);
void pvh_channel_interrupt(struct pvh_channel *ch);
void pvh_channel_lazy(struct pvh_channel *ch);
void pvh_channel_stuck(struct pvh_channel *ch);

/*
 * For how long, in milliseconds, somebody waits for a device or a VM to be gone,
 * whose backing store may not answer: then it goes without him.
 */
#define PVH_GONE_MS		5000

/* Return: 0, or -EINPROGRESS when it goes without the caller, who may be killed. */
static inline int pvh_wait_gone(struct completion *gone)
{
	unsigned long timeout = msecs_to_jiffies(PVH_GONE_MS);

	return wait_for_completion_killable_timeout(gone, timeout) > 0 ?
	       0 : -EINPROGRESS;
}

/*
 * Entries that ->work() may take from the ring before it returns, and bytes that
 * they may ask for, the last one not counted: between two calls the worker lets
 * others have its CPU, and the guest is told what is done.
 */
#define PVH_BUDGET		128
#define PVH_BUDGET_BYTES	SZ_1M

/* -- devices (dev.c) ----------------------------------------------------------- */

/**
 * struct pvh_dev_ops - a device type's backend
 * @type: PVBUS_TYPE_*
 * @name: for messages
 * @create: check @args (user's, already copied; @args->id is valid), set up
 *	dev->priv, dev->features, dev->blob, dev->blob_len and dev->max_queues,
 *	write outputs into @args. Process context, vm->lock not held.
 * @destroy: undo @create. No channel is open any more.
 * @info: fill the outputs of @args
 * @resize: look anew at the size, store it and update the blob; vm->lock held.
 *	NULL: it has none
 * @open: set up ch->priv for a channel whose rings exist and whose worker does
 *	not run yet. Features were checked against dev->features.
 * @drain: the channel closes: wait for what is in flight, however long the
 *	device takes for that. Worker context. NULL: it has nothing in flight
 * @close: the worker has ended, and drained the channel if it ever ran; drop all
 *	pins with pvh_pin_put(), free ch->priv. Does not wait for the device
 * @work: take entries from the ring, up to PVH_BUDGET of them or
 *	PVH_BUDGET_BYTES, and reap what the device finished; publish; interrupt
 *	when the guest asked for it. Worker context, may sleep. Returns how much
 *	was done (0: nothing to do), or a negative -PVBUS_ST_* when the guest
 *	broke the protocol. Sets ch->rx_held when it leaves entries in the ring
 *	that it cannot take.
 * @pending: is there something for @work beside the ring, or can it take again
 *	what ch->rx_held says it could not? Called by the worker before it
 *	sleeps, in TASK_IDLE state: must not sleep.
 *
 * @open, @close of a device are serialized by vm->lock.
 */
struct pvh_dev_ops {
	u16		type;
	const char	*name;
	int	(*create)(struct pvh_dev *dev, struct pvbus_ioc_dev *args);
	void	(*destroy)(struct pvh_dev *dev);
	void	(*info)(struct pvh_dev *dev, struct pvbus_ioc_dev *args);
	int	(*resize)(struct pvh_dev *dev, u64 *capacity);
	int	(*open)(struct pvh_channel *ch);
	void	(*drain)(struct pvh_channel *ch);
	void	(*close)(struct pvh_channel *ch);
	int	(*work)(struct pvh_channel *ch);
	bool	(*pending)(struct pvh_channel *ch);
};

extern const struct pvh_dev_ops pvh_blk_ops;
extern const struct pvh_dev_ops pvh_net_ops;

#define PVH_MAX_QUEUES	16
#define PVH_MAX_DEVS	64

/**
 * struct pvh_dev - a device that a VM is offered
 * @vm: the VM, with a reference
 * @ref: references: the list of devices, whoever waits for @gone
 * @node: in vm->devs, ascending by @offer; vm->lock
 * @ops: its type
 * @offer: number of the offer
 * @id: instance id
 * @max_queues: channels offered
 * @own: PVBUS_DEV_POLL_US, PVBUS_DEV_COALESCE_US: which of the next two are
 *	this device's; otherwise the module's parameter is in force. Like them,
 *	constant
 * @poll_us: longest time that its workers poll
 * @coalesce_us: how long its guest may take to find an entry
 * @features: device features offered
 * @blob_lock: protects @blob, @blob_len and @blob_changed; a leaf, so that
 *	backends may call pvh_dev_update() in any context
 * @blob: configuration
 * @blob_len: bytes of it
 * @blob_changed: pvh_dev_update() was called since the guest was told
 * @offered: the guest knows of it; vm->lock
 * @removing: RESCIND is to be or was sent; vm->lock
 * @rescind_sent: it was; vm->lock
 * @released: completed when the guest has let go of it
 * @ending: it goes as soon as its channels are closed; vm->lock
 * @end_work: has the backend let go, then it is gone
 * @gone: completed when it is
 * @channel: channels by queue, open or closing, or NULL; vm->lock
 * @nr_channels: their number; vm->lock
 * @priv: the backend's
 */
struct pvh_dev {
	struct pvh_vm		*vm;
	struct kref		ref;
	struct list_head	node;
	const struct pvh_dev_ops *ops;
	u32			offer;
	char			id[PVBUS_ID_SIZE];
	u16			max_queues;
	u32			own;
	u32			poll_us;
	u32			coalesce_us;
	u64			features;
	/* protects @blob, @blob_len and @blob_changed */
	spinlock_t		blob_lock;
	u8			blob[PVBUS_BLOB_SIZE];
	u32			blob_len;
	bool			blob_changed;
	bool			offered;
	bool			removing;
	bool			rescind_sent;
	struct completion	released;
	bool			ending;
	struct work_struct	end_work;
	struct completion	gone;
	struct pvh_channel	*channel[PVH_MAX_QUEUES];
	unsigned int		nr_channels;
	void			*priv;
};

int pvh_dev_add(struct pvh_vm *vm, struct pvbus_ioc_dev *args);
int pvh_dev_resize(struct pvh_vm *vm, const char *id, u64 *capacity);
int pvh_dev_remove(struct pvh_vm *vm, const char *id, unsigned int timeout_ms);
void pvh_dev_remove_all(struct pvh_vm *vm);
/* A channel was freed: does the device wait for that? vm->lock held. */
void pvh_dev_channel_gone(struct pvh_dev *dev);
int pvh_dev_next(struct pvh_vm *vm, struct pvbus_ioc_dev *args);
int pvh_dev_stats(struct pvh_vm *vm, struct pvbus_ioc_chan_stats *args);
struct pvh_dev *pvh_dev_find(struct pvh_vm *vm, u32 offer);
/* Is this a name: [A-Za-z0-9][A-Za-z0-9._-]*, terminated? */
bool pvh_id_valid(const u8 id[PVBUS_ID_SIZE]);
/* Give the guest a new blob. Any context: the sending is left to vm->wq. */
void pvh_dev_update(struct pvh_dev *dev, const void *blob, size_t len);

/* -- transport ------------------------------------------------------------------ */

/**
 * struct pvh_transport_ops - how a VM is reached
 * @name: for messages
 * @interrupt: raise @vector in the guest. Any context.
 * @pin: hold the page at guest frame @gfn, which lies in guest RAM, for
 *	reading and writing. Worker or workqueue context, may sleep.
 * @unpin: undo @pin
 * @read: copy what is at [gpa, gpa + len) without pinning it, or fail; NULL where
 *	that is no quicker. Worker context, may sleep.
 * @sleep: the worker is about to sleep: let go of what @pin and @read keep for
 *	speed
 * @ram: is [gpa, gpa + len) guest RAM? Overflow-safe.
 */
struct pvh_transport_ops {
	const char *name;
	void	(*interrupt)(struct pvh_vm *vm, unsigned int vector);
	int	(*pin)(struct pvh_vm *vm, struct pvh_pin_cache *cache, u64 gfn,
		       struct page **page);
	void	(*unpin)(struct pvh_vm *vm, struct page *page);
	int	(*read)(struct pvh_vm *vm, struct pvh_pin_cache *cache, void *to,
			u64 gpa, size_t len);
	void	(*sleep)(struct pvh_vm *vm, struct pvh_pin_cache *cache);
	bool	(*ram)(struct pvh_vm *vm, u64 gpa, u64 len);
};

/**
 * struct pvh_doorbell - one doorbell that the guest rings
 * @vm: the VM
 * @vector: its number
 * @lock: protects @channels; taken in interrupt context
 * @channels: channels that share it
 * @ctx: eventfd, NULL on loopback
 * @file: the eventfd's file, held for @wait
 * @wait: entry in the eventfd's queue
 * @pt: how @wait got there
 */
struct pvh_doorbell {
	struct pvh_vm		*vm;
	unsigned int		vector;
	spinlock_t		lock; /* channels */
	struct list_head	channels;
	struct eventfd_ctx	*ctx;
	struct file		*file;
	wait_queue_entry_t	wait;
	poll_table		pt;
};

/* -- VMs (vm.c) -------------------------------------------------------------------- */

/**
 * struct pvh_vm - a virtual machine
 * @ref: references: the list of VMs, the daemon's file, work in progress
 * @node: in the list of VMs
 * @name: its name
 * @flags: PVBUS_VM_*
 * @lock: serializes the handshake, devices and channels: everything that is
 *	not marked otherwise
 * @wq: ordered: control messages, resets and the end of the VM
 * @ctl_work: the guest rang the control doorbell, or room was made
 * @death_work: QEMU is gone
 * @dead: QEMU is gone; set once, read anywhere
 * @state: PVBUS_VM_*
 * @owner: the control device's file, NULL when the daemon died
 * @event: something to tell the daemon
 * @wait: the daemon polls here
 * @ending: somebody destroys it; list mutex
 * @reap_work: destroys it when neither daemon nor QEMU is left
 * @leaving: it goes as soon as its devices are gone
 * @end_work: the rest goes
 * @gone: completed when all of it is gone
 * @loop: the software transport, with PVBUS_VM_LOOPBACK
 *
 * @transport: how the guest is reached
 * @transport_priv: the transport's
 * @mm: QEMU's memory (mmgrab), NULL until attached
 * @mn: tells when it changes and when it ends
 * @pid: QEMU
 * @mem: guest RAM, by VM_SET_MEM; NULL before, and when @mem_lost was seen to.
 *	vm->lock; read by workers, which have ended before it goes, and by @mn
 * @mem_lost: QEMU has unmapped some of that: nothing is looked up in it any more
 * @pinned: pages pinned, and those of lists of pages
 * @pin_limit: most pages
 * @invalidating: QEMU is taking pages away right now: nothing is looked up in
 *	the pin caches, and nothing new is put into them
 * @cache_lock: protects @caches; taken in atomic context
 * @caches: pin caches of the channels
 *
 * @win: the window, mapped
 * @win_pages: its pages, pinned; NULL on loopback
 * @mbox_rx: mailbox from the guest; ctl_work only
 * @mbox_tx: mailbox to the guest; vm->lock
 * @generation: the guest's, 0 if none
 * @resetting: the guest has asked for a reset; its channels are closing
 * @disowned: it is to be told that its generation is served no more
 * @running: HELLO_ACK was sent: devices may be offered
 * @hello: the last hello, checked
 * @refusal: PVBUS_ST_* of the last refusal
 * @version: protocol version in force
 * @features: PVBUS_F_* in force
 * @offers_done: OFFERS_DONE was sent
 * @ctl_idle: runs of @ctl_work in a row that found no message
 * @ctl_rest: what those took; ctl_work only
 * @nr_doorbells: entries of @doorbell and @irq
 * @nr_vectors: of them, those that the transport was given: what the guest can
 *	use at most; set before the window says READY
 * @guest_vectors: MSI-X vectors the guest said it has
 * @vectors: vectors in force
 * @min_vectors: fewer are refused
 * @peer: ivshmem peer number of the host
 * @doorbell: guest to host
 * @irq: host to guest: eventfds, NULL on loopback
 * @resets: handshakes
 * @violations: protocol violations
 *
 * @devs: devices by offer
 * @nr_devs: their number
 * @nr_channels: channels that they have, open or closing; read without the lock
 * @next_offer: next offer's number
 * @owed: offers of devices that are gone, of which the guest is still to be told
 * @nr_owed: their number
 */
struct pvh_vm {
	struct kref		ref;
	struct list_head	node;
	char			name[PVBUS_ID_SIZE];
	u32			flags;
	struct mutex		lock; /* see @lock */
	struct workqueue_struct	*wq;
	struct work_struct	ctl_work;
	struct work_struct	death_work;
	bool			dead;
	u32			state;
	struct file		*owner;
	bool			event;
	wait_queue_head_t	wait;
	bool			ending;
	struct work_struct	reap_work;
	bool			leaving;
	struct work_struct	end_work;
	struct completion	gone;
	const struct pvh_loop_ops *loop;

	const struct pvh_transport_ops *transport;
	void			*transport_priv;
	struct mm_struct	*mm;
	struct mmu_notifier	mn;
	struct pid		*pid;
	struct pvh_mem		*mem;
	bool			mem_lost;
	atomic64_t		pinned;
	u64			pin_limit;
	atomic_t		invalidating;
	spinlock_t		cache_lock; /* caches */
	struct list_head	caches;

	void			*win;
	struct page		**win_pages;
	struct pvring_cons	mbox_rx;
	struct pvring_prod	mbox_tx;
	u32			generation;
	bool			resetting;
	bool			disowned;
	bool			running;
	struct pvbus_hello	hello;
	u32			refusal;
	u16			version;
	u64			features;
	bool			offers_done;
	unsigned int		ctl_idle;
	struct pvh_rest		ctl_rest;
	unsigned int		nr_doorbells;
	unsigned int		nr_vectors;
	unsigned int		guest_vectors;
	unsigned int		vectors;
	unsigned int		min_vectors;
	u32			peer;
	struct pvh_doorbell	*doorbell;
	struct eventfd_ctx	**irq;
	u64			resets;
	u64			violations;

	struct list_head	devs;
	unsigned int		nr_devs;
	unsigned int		nr_channels;
	u32			next_offer;
	u32			owed[PVH_MAX_DEVS];
	unsigned int		nr_owed;
};

int pvh_vm_create(struct pvbus_ioc_vm_create *args, struct file *owner,
		  struct pvh_vm **vmp);
int pvh_vm_adopt(struct pvbus_ioc_vm_adopt *args, struct file *owner,
		 struct pvh_vm **vmp);
int pvh_vm_attach(struct pvh_vm *vm, const struct pvbus_ioc_vm_attach *args);
int pvh_vm_set_mem(struct pvh_vm *vm, const struct pvbus_ioc_vm_set_mem *args);
void pvh_vm_info(struct pvh_vm *vm, struct pvbus_ioc_vm_info *info);
/* The daemon's file closes: destroy a VM that nobody can use, orphan others. */
void pvh_vm_release(struct pvh_vm *vm);
int pvh_vm_destroy(struct pvh_vm *vm);
void pvh_vm_put(struct pvh_vm *vm);
/* A device is gone: does the VM wait for that? vm->lock held. */
void pvh_vm_dev_gone(struct pvh_vm *vm);
/* Tell the daemon that the state changed. Any context. */
void pvh_vm_event(struct pvh_vm *vm);

/* mem.c */
int pvh_mem_check(const struct pvbus_ioc_vm_set_mem *args);
bool pvh_mem_hva(const struct pvh_mem *mem, u64 gpa, u64 len, u64 *hva);
bool pvh_mem_covers(const struct pvh_mem *mem, u64 start, u64 size);
/*
 * Is what vm->hello claims true in vm->mem? For the hello of a guest that
 * rebooted: the table was believed before. vm->lock held; may sleep. 0, or
 * -EBADMSG (ranges or nonces do not fit the table), -EFAULT, -ESRCH (QEMU is
 * gone), -ENOMEM (quota).
 */
int pvh_mem_verify(struct pvh_vm *vm);
void pvh_mem_forget(struct pvh_vm *vm);

/* qemu.c: the transport to QEMU's guest, its mm and MMU notifier */
extern const struct pvh_transport_ops pvh_qemu_transport;
int pvh_qemu_attach(struct pvh_vm *vm, int sock);
void pvh_qemu_detach(struct pvh_vm *vm);
/* QEMU's task with a reference, for put_task_struct(), or NULL. */
struct task_struct *pvh_qemu_task(struct pvh_vm *vm);
/* Hold the page at @hva of QEMU; NULL @cache outside of the worker. */
int pvh_qemu_pin(struct pvh_vm *vm, struct pvh_pin_cache *cache, u64 hva,
		 struct page **page);

/* Pages that count against the VM's limit: false when they exceed it. Any context. */
static inline bool pvh_vm_charge(struct pvh_vm *vm, unsigned int pages)
{
	if (atomic64_add_return(pages, &vm->pinned) <= vm->pin_limit)
		return true;
	atomic64_sub(pages, &vm->pinned);
	return false;
}

static inline void pvh_vm_uncharge(struct pvh_vm *vm, unsigned int pages)
{
	atomic64_sub(pages, &vm->pinned);
}

/* pin.c */
int pvh_pin_cache_init(struct pvh_pin_cache *cache, unsigned int nr_entries);
void pvh_pin_cache_destroy(struct pvh_channel *ch);
/*
 * The page that @gpa lies in, held until pvh_pin_put(); or ERR_PTR(): -EFAULT
 * (not guest RAM), -ENOMEM (quota), -ESRCH (QEMU is gone). Worker only.
 */
struct pvh_pin *pvh_pin_get(struct pvh_channel *ch, u64 gpa);
/* Worker, or ->close() once the worker has ended. */
void pvh_pin_put(struct pvh_channel *ch, struct pvh_pin *pin);
/* pvh_vm_charge() that drops unused pages for it. Worker only. */
bool pvh_pin_charge(struct pvh_channel *ch, unsigned int pages);
/* The worker calls it in TASK_RUNNING before each sleep and when it returns. */
void pvh_pin_sleep(struct pvh_channel *ch);
/* QEMU takes frames @first to @last away. Any context; see qemu.c. */
void pvh_pin_invalidate(struct pvh_vm *vm, u64 first, u64 last);
/* Pages for which no cache is at hand (rings, nonces): one page at a time. */
int pvh_vm_pin_page(struct pvh_vm *vm, u64 gpa, unsigned int *tries,
		    struct page **page);
void pvh_vm_unpin_page(struct pvh_vm *vm, struct page *page);

/* copy.c: read guest RAM, once; -EFAULT when it is not that. Worker only. */
int pvh_copy_from_guest(struct pvh_channel *ch, void *to, u64 gpa, size_t len);

/* doorbell.c */
int pvh_doorbells_init(struct pvh_vm *vm, const s32 *doorbell_fds,
		       const s32 *interrupt_fds);
void pvh_doorbells_destroy(struct pvh_vm *vm);
/* The guest rang. Any context. */
void pvh_doorbell_ring(struct pvh_doorbell *db);
void pvh_doorbell_add(struct pvh_channel *ch);
void pvh_doorbell_del(struct pvh_channel *ch);

/*
 * window.c: registers and reset. Map before anything else uses the VM, with
 * vm->peer set; the others with vm->lock held and vm->transport and vm->nr_vectors
 * set. Down begins to close all channels and is what VM_DESTROY and the death of
 * QEMU call; done tells the guest that they are closed.
 */
int pvh_window_map(struct pvh_vm *vm, u64 addr);
void pvh_window_unmap(struct pvh_vm *vm);
void pvh_window_ready(struct pvh_vm *vm);
void pvh_window_down(struct pvh_vm *vm);
void pvh_window_done(struct pvh_vm *vm);
/* Has the guest asked for a reset? False while its channels are closing. */
bool pvh_window_check_reset(struct pvh_vm *vm);
/* The guest's generation is not served any more. */
void pvh_window_disown(struct pvh_vm *vm);

/* ctl.c: the mailbox */
void pvh_ctl_work(struct work_struct *work);
/* Room for one more message to the guest? */
bool pvh_ctl_room(struct pvh_vm *vm);
void pvh_ctl_send(struct pvh_vm *vm, u16 type, const void *body, size_t len);
void pvh_ctl_send_chan(struct pvh_vm *vm, u16 type, u32 offer, u16 queue,
		       u32 status);
/* The guest broke the protocol: it has to start over. vm->lock held. */
void pvh_ctl_violation(struct pvh_vm *vm, const char *what, u64 value);
/* Send offers, updates and rescinds that are due. vm->lock held. */
void pvh_ctl_flush(struct pvh_vm *vm);

/* hello.c: the handshake. vm->lock held. */
const char *pvh_hello_receive(struct pvh_vm *vm, const void *body);
/* Answer the hello that is pending. */
void pvh_hello_ack(struct pvh_vm *vm, u32 status);

/* channel.c. vm->lock held. Opening returns PVBUS_ST_*. */
u32 pvh_channel_open(struct pvh_dev *dev, const struct pvbus_open *msg);
void pvh_channel_close(struct pvh_channel *ch);
void pvh_channel_close_all(struct pvh_dev *dev);
void pvh_channel_reap(struct pvh_vm *vm);
/* worker.c */
int pvh_worker_start(struct pvh_channel *ch);
void pvh_worker_end(struct pvh_channel *ch);
void pvh_worker_stop(struct pvh_channel *ch);
void pvh_worker_forget(struct pvh_channel *ch);
/* policy.c, for worker.c */
void pvh_policy_init(struct pvh_channel *ch);
void pvh_policy_idle(struct pvh_channel *ch);
void pvh_policy_woken(struct pvh_channel *ch);
void pvh_policy_normal(struct pvh_channel *ch);
void pvh_policy_end(struct pvh_channel *ch);
/* coalesce.c, for worker.c */
extern const struct kernel_param_ops pvh_time_us_ops;
u64 pvh_remind(struct pvh_channel *ch, u64 now);
void pvh_remind_last(struct pvh_channel *ch);

/* loopback: pvbus_loop.ko registers what VMs with PVBUS_VM_LOOPBACK use */
/**
 * struct pvh_loop_ops - the software transport
 * @owner: module
 * @attach: the VM was created with its window; make it visible to the guest
 *	side of this kernel. Calls pvh_loop_join() before the guest side looks.
 * @detach: undo @attach; the guest side has let go when it returns. Calls
 *	pvh_loop_cut() between the guest's goodbye and freeing its own.
 */
struct pvh_loop_ops {
	struct module *owner;
	int	(*attach)(struct pvh_vm *vm);
	void	(*detach)(struct pvh_vm *vm);
};

int pvh_loop_register(const struct pvh_loop_ops *ops);
void pvh_loop_unregister(const struct pvh_loop_ops *ops);

/*
 * loopreg.c, for vm.c: join a loopback VM to the guest side and part them.
 * Without vm->lock; detach before devices are removed. -EOPNOTSUPP when there is
 * no pvbus_loop.ko.
 */
int pvh_loop_attach(struct pvh_vm *vm);
void pvh_loop_detach(struct pvh_vm *vm);
/* for pvbus_loop.ko: set vm->transport and be ready, undo that; a doorbell. */
void pvh_loop_join(struct pvh_vm *vm, const struct pvh_transport_ops *transport,
		   void *priv);
void pvh_loop_doorbell(struct pvh_vm *vm, unsigned int vector);
void pvh_loop_cut(struct pvh_vm *vm);

/* chardev.c */
int pvh_chardev_init(void);
void pvh_chardev_exit(void);

#endif /* PVBUS_HOST_H */
