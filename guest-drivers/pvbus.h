/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus guest: what drivers of devices (pvblk, pvnet) and transports (ivshmem,
 * loopback) use of the bus.
 */
#ifndef PVBUS_GUEST_H
#define PVBUS_GUEST_H

#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <linux/pvbus.h>
#include <pvbus/poll.h>
#include <pvbus/ring.h>

#include <pvbus/compat.h>

struct pvbus;
struct pvbus_channel;
struct pvbus_channel_dir;
struct pvbus_device;
struct pvbus_idle;

/* -- transports ----------------------------------------------------------- */

/**
 * struct pvbus_transport_ops - how the host is reached
 * @name: for messages
 * @ring: ring doorbell @vector of the host. Any context.
 */
struct pvbus_transport_ops {
	const char *name;
	void	(*ring)(struct pvbus *bus, unsigned int vector);
};

/**
 * pvbus_attach() - bring up a bus
 * @dma_dev: device whose DMA API maps buffers (the PCI device)
 * @ops: transport
 * @priv: the transport's, see pvbus_priv()
 * @window: the window, mapped write-back: the caller has seen PVBUS_MAGIC
 * @vectors: interrupt vectors that the transport has set up
 *
 * Performs the handshake and registers the devices as they are offered, in the
 * background; a host that does not answer in time is reported and retried with
 * the next doorbell. May sleep.
 *
 * The transport calls pvbus_interrupt() for each interrupt, and goes on to while
 * pvbus_detach() runs, as drivers finish their I/O then. One that comes late is
 * ignored: the memory of the bus is managed by @dma_dev, like that of
 * devm_kzalloc().
 *
 * Return: the bus, or an ERR_PTR: -EPROTO, no common protocol version (logged),
 * of which the host was told.
 */
struct pvbus *pvbus_attach(struct device *dma_dev,
			   const struct pvbus_transport_ops *ops, void *priv,
			   void *window, unsigned int vectors);

/**
 * pvbus_detach() - take a bus down
 * @bus: the bus
 *
 * Removes all devices, tells the host that no driver is attached and waits, in
 * bounded time, until it has let go of guest memory. May sleep.
 */
void pvbus_detach(struct pvbus *bus);

/**
 * pvbus_quiesce() - shutdown, kexec: the host must not touch memory any more
 * @bus: the bus
 *
 * Like pvbus_detach(), but devices stay registered. May sleep.
 */
void pvbus_quiesce(struct pvbus *bus);

void *pvbus_priv(struct pvbus *bus);

/**
 * pvbus_interrupt() - the host raised a vector
 * @bus: the bus
 * @vector: which
 *
 * Context: hard interrupt, or with interrupts disabled.
 */
void pvbus_interrupt(struct pvbus *bus, unsigned int vector);

/* -- devices --------------------------------------------------------------- */

/**
 * struct pvbus_device - a device that was offered
 * @dev: in the driver model, parent is the transport's device
 * @bus: its bus
 * @offer: number of the offer
 * @type: PVBUS_TYPE_*
 * @max_queues: channels that the host offers
 * @features: device features that the host offers
 * @id: instance id
 * @gone: the device was rescinded or the bus went down: nothing will be
 *	answered any more. Set before the driver's remove(), read anywhere.
 * @lock: protects @blob
 * @blob: configuration
 * @blob_len: bytes of it
 */
struct pvbus_device {
	struct device		dev;
	struct pvbus		*bus;
	u32			offer;
	u16			type;
	u16			max_queues;
	u64			features;
	char			id[PVBUS_ID_SIZE];
	bool			gone;
	spinlock_t		lock;	/* protects @blob */
	u8			blob[PVBUS_BLOB_SIZE];
	u32			blob_len;
	/* private: the bus core's own; drivers do not touch what follows */
	struct list_head	node;
	struct work_struct	work;
	unsigned long		events;
	struct kobject		*channels_dir;
	atomic_t		violations;
};

#define to_pvbus_device(d)	container_of(d, struct pvbus_device, dev)

/**
 * struct pvbus_driver - a driver of devices
 * @type: PVBUS_TYPE_* it serves
 * @probe: a device was offered
 * @remove: it goes, or the driver does; afterwards no channel is open
 * @update: the blob has changed; read it with pvbus_read_blob()
 * @broken: the host has stopped a channel; the driver may close and open it
 *	anew, or fail the device
 * @driver: name and owner are set by pvbus_register_driver()
 *
 * All are called in process context and never at the same time for one device.
 */
struct pvbus_driver {
	u16	type;
	int	(*probe)(struct pvbus_device *pdev);
	void	(*remove)(struct pvbus_device *pdev);
	void	(*update)(struct pvbus_device *pdev);
	void	(*broken)(struct pvbus_device *pdev, unsigned int queue);
	struct device_driver	driver;
};

int __pvbus_register_driver(struct pvbus_driver *drv, struct module *owner,
			    const char *name);
void pvbus_unregister_driver(struct pvbus_driver *drv);
#define pvbus_register_driver(drv) \
	__pvbus_register_driver(drv, THIS_MODULE, KBUILD_MODNAME)

/* Matches the modalias that the bus gives: "pvbus:t0001" for type 1. */
#define MODULE_ALIAS_PVBUS(type)	MODULE_ALIAS("pvbus:t" type)

/**
 * pvbus_read_blob() - read the configuration
 * @pdev: device
 * @buf: where to
 * @len: bytes expected
 *
 * Return: 0, or -EPROTO when the blob is shorter (a longer one is cut: later
 * protocol versions only append).
 */
int pvbus_read_blob(struct pvbus_device *pdev, void *buf, size_t len);

/* Device for the DMA API. */
struct device *pvbus_dma_dev(struct pvbus_device *pdev);

/**
 * pvbus_nr_queues() - how many channels to open
 * @pdev: device
 *
 * Return: the least of what the host offers, the CPUs online and, when there
 * are vectors beside the control vector, those; at least 1.
 */
unsigned int pvbus_nr_queues(struct pvbus_device *pdev);

/* -- channels ---------------------------------------------------------------- */

/**
 * struct pvbus_channel - an open channel: two rings
 * @pdev: device
 * @queue: number within the device
 * @vector: doorbell in both directions
 * @tx: ring from guest to host; the driver serializes its use
 * @rx: ring from host to guest; the driver serializes its use
 * @broken: see pvbus_channel_break()
 * @handler: called on the channel's interrupt, in hard interrupt context; NULL:
 *	there is none
 * @look: called by an idle CPU, see struct pvbus_channel_config
 * @expects: likewise
 * @priv: the driver's
 * @interrupts: interrupts received
 * @doorbells: doorbells rung
 * @idle_hits: times that an idle CPU found something
 */
struct pvbus_channel {
	struct pvbus_device	*pdev;
	u16			queue;
	u16			vector;
	struct pvring_prod	tx;
	struct pvring_cons	rx;
	bool			broken;
	void			(*handler)(struct pvbus_channel *ch);
	void			(*look)(struct pvbus_channel *ch);
	bool			(*expects)(struct pvbus_channel *ch);
	void			*priv;
	u64			interrupts;
	u64			doorbells;
	u64			idle_hits;
	/* private: the bus core's own; drivers do not touch what follows */
	struct list_head	node;
	void			*mem;
	dma_addr_t		mem_dma;
	size_t			mem_size;
	__le64			*gpadl;
	dma_addr_t		gpadl_dma;
	struct completion	answered;
	unsigned long		close_until;
	u32			status;
	bool			open;
	struct list_head	on_vector;
	u8			state;
	bool			stopped;
	struct pvbus_channel_dir *dir;
	unsigned long		flags;
	struct pvpoll		poll;
	u64			expected_since;
	u64			polled_since;
	struct pvbus_idle	*idle;
	struct list_head	on_idle;
	unsigned long		idle_gp;
};

/* Bits of struct pvbus_channel @flags */
#define PVBUS_CH_POLLED		0	/* an idle CPU looks at it, see idle.c */
#define PVBUS_CH_FORGOTTEN	1	/* and none does any more, for good */

/**
 * struct pvbus_channel_config - what a driver asks for
 * @queue: channel of the device
 * @g2h_slots: slots from guest to host, a power of two
 * @h2g_slots: slots from host to guest, a power of two
 * @features: device features accepted
 * @handler: as in struct pvbus_channel; may be called before
 *	pvbus_channel_open() has returned, with all but @open set up. NULL: the
 *	driver looks at @rx by itself, and never arms it: the host does not
 *	interrupt
 * @look: take what is in @rx, or see to it that it is taken, and arm the ring
 *	with pvbus_channel_arm(), whether there was something or not. Called by
 *	an idle CPU with bottom halves off, between pvbus_channel_expect() and
 *	the end of pvbus_channel_close(). NULL: idle CPUs do not look.
 * @expects: is something still expected? Called as @look. NULL: always, for
 *	the time that was learned.
 * @priv: as in struct pvbus_channel
 * @timeout: longest time that the host may take to answer, in jiffies, if that is
 *	less than the bus waits in any case; 0: as long as that
 */
struct pvbus_channel_config {
	u16	queue;
	u32	g2h_slots;
	u32	h2g_slots;
	u64	features;
	void	(*handler)(struct pvbus_channel *ch);
	void	(*look)(struct pvbus_channel *ch);
	bool	(*expects)(struct pvbus_channel *ch);
	void	*priv;
	unsigned long	timeout;
};

/**
 * pvbus_channel_open() - open a channel
 * @pdev: device
 * @cfg: what is asked for
 *
 * Allocates the rings, asks the host and waits for its answer in bounded time.
 * May sleep.
 *
 * Return: the channel, owned by the caller, or an ERR_PTR (-ETIMEDOUT, -ENODEV
 * when the device is gone, or what the host's status says).
 */
struct pvbus_channel *pvbus_channel_open(struct pvbus_device *pdev,
					 const struct pvbus_channel_config *cfg);

/**
 * pvbus_channel_close_begin() - ask the host to close a channel
 * @ch: channel
 *
 * When it returns, the handler does not run. What it names in its rings, and its
 * rings, are still the host's. May sleep.
 *
 * Who closes several channels begins with all of them before he ends the first:
 * the time that a host has to answer passes for all of them together.
 */
void pvbus_channel_close_begin(struct pvbus_channel *ch);

/**
 * pvbus_channel_close_end() - wait until a channel is closed, and free it
 * @ch: channel of which pvbus_channel_close_begin() was called
 *
 * When it returns, no idle CPU looks at the channel and the host has let go of
 * the rings and of all buffers that were named in them. When the host does not
 * confirm that in time, the memory of the rings is leaked on purpose and the
 * return value says so: the caller must then not free buffers that the host may
 * still write. May sleep.
 *
 * Return: true when the host has let go.
 */
bool pvbus_channel_close_end(struct pvbus_channel *ch);

/**
 * pvbus_channel_close() - close a channel and free it
 * @ch: channel
 *
 * pvbus_channel_close_begin() and pvbus_channel_close_end(), with what these say.
 *
 * Return: true when the host has let go.
 */
bool pvbus_channel_close(struct pvbus_channel *ch);

/**
 * pvbus_channel_kick() - announce a batch
 * @ch: channel whose @tx was put to
 *
 * Rings the doorbell when the host has asked for it. Any context, serialized
 * with puts.
 */
void pvbus_channel_kick(struct pvbus_channel *ch);

/**
 * pvbus_channel_expect() - something will come soon
 * @ch: channel
 *
 * If this CPU has nothing else to do, and if that has paid, it looks for it
 * itself: see idle.c.
 *
 * Context: any but hard interrupt with the vector's lock held; whatever calls it
 * is over before pvbus_channel_close() is called.
 */
void pvbus_channel_expect(struct pvbus_channel *ch);

/**
 * pvbus_channel_arm() - ask for an interrupt when some entries have come
 * @ch: channel; the driver serializes the use of @rx
 * @count: entries, as for pvring_cons_arm_count(): 1 for the next
 *
 * While an idle CPU looks at the ring, @count does not matter: it has patience.
 *
 * Return: true when there is no entry yet.
 */
bool pvbus_channel_arm(struct pvbus_channel *ch, u32 count);

/**
 * pvbus_channel_break() - the host broke the protocol
 * @ch: channel
 * @what: for the one line that is logged, e.g. "completion of unknown tag"
 * @value: the value that was wrong
 *
 * Marks the channel: the driver ignores it from then on and fails or resets the
 * device from process context. Any context.
 */
void pvbus_channel_break(struct pvbus_channel *ch, const char *what, u64 value);

#endif /* PVBUS_GUEST_H */
