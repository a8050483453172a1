/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbus guest: what the files of the bus core share.
 *
 *	ivshmem.c ...	transports: interrupts in, doorbells out
 *	attach.c	a bus comes and goes
 *	session.c	the state machine of one attachment to the host
 *	hello.c		the handshake: version, guest RAM and its proof
 *	ctl.c		the control mailbox
 *	device.c	devices: offered, changed, rescinded
 *	channel.c	channels: opened, closed, broken
 *	vector.c	channels: interrupted
 *	idle.c		idle CPUs look at rings before they halt
 *	sysfs.c		what user space sees; Documentation/ABI
 *	bus.c		bus type and drivers
 *
 * Contexts. The state of a bus is written by its ctl_work alone, which never
 * waits for a driver or for an answer of the host: whatever a driver does in
 * probe() or remove(), answers are processed. Callbacks of drivers run in the
 * work of their device, on another workqueue, under device_lock().
 *
 * Lock order, outermost first:
 *
 *	device_lock() of a pvbus device: calls into its driver
 *	bus->send_lock: end of the mailbox towards the host; taken by whoever
 *		sends, who may sleep in it until there is room
 *	bus->lock: lists of devices and channels, their states
 *	vector->lock: channels of a vector; taken in hard interrupt context
 *	idle->lock: channels that an idle CPU looks at; likewise; a leaf
 *	pdev->lock: a device's blob; a leaf
 */
#ifndef PVBUS_BUS_INTERNAL_H
#define PVBUS_BUS_INTERNAL_H

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "pvbus.h"

/* Every wait for the host ends after one of these. */
#define PVBUS_RESET_TIMEOUT	(5 * HZ)	/* for the mailboxes */
#define PVBUS_HELLO_TIMEOUT	(30 * HZ)	/* for RAM to be proven */
#define PVBUS_SEND_TIMEOUT	(10 * HZ)	/* for room in the mailbox */
#define PVBUS_OPEN_TIMEOUT	(10 * HZ)
#define PVBUS_CLOSE_TIMEOUT	(30 * HZ)	/* I/O in flight ends first */
#define PVBUS_END_TIMEOUT	(5 * HZ)	/* for a session to be let go */

/* Sessions do not begin faster than this, whatever ends them. */
#define PVBUS_BEGIN_PACE	HZ

/* How often the window is looked at in a state that must not last, should the
 * interrupt that tells of its end get lost.
 */
#define PVBUS_POLL		(HZ / 10)

/* More devices than this are not believed. */
#define PVBUS_MAX_DEVICES	256

/**
 * enum pvbus_state - where a bus is
 * @PVBUS_S_IDLE: no session; one begins when the host is ready
 * @PVBUS_S_RESET: the host was asked to reset the mailboxes
 * @PVBUS_S_HELLO: HELLO was sent
 * @PVBUS_S_RUNNING: devices may be offered
 * @PVBUS_S_ENDING: the session is over; waits until the host has let go of
 *	memory and the devices are removed
 * @PVBUS_S_REFUSED: the host refused, or broke the protocol: nothing happens
 *	before it went down and came back, or the driver is loaded anew
 * @PVBUS_S_STOPPED: the bus is being detached
 */
enum pvbus_state {
	PVBUS_S_IDLE,
	PVBUS_S_RESET,
	PVBUS_S_HELLO,
	PVBUS_S_RUNNING,
	PVBUS_S_ENDING,
	PVBUS_S_REFUSED,
	PVBUS_S_STOPPED,
};

/**
 * struct pvbus_vector - channels that an interrupt is for
 * @lock: protects the rest, and is held while handlers run: when a channel was
 *	taken off under it, its handler does not run any more
 * @channels: those that take interrupts, by pvbus_channel.on_vector
 * @nr: number of all
 */
struct pvbus_vector {
	spinlock_t		lock;	/* protects the rest */
	struct list_head	channels;
	unsigned int		nr;
};

/**
 * struct pvbus_proof - a page with a nonce
 * @page: memory from the DMA API
 * @dma: its address, which the host has to find it at
 */
struct pvbus_proof {
	void		*page;
	dma_addr_t	dma;
};

/**
 * struct pvbus - a bus: one window, one host
 * @parent: the transport's device: parent of devices, maps buffers
 * @ops: transport
 * @priv: the transport's
 * @host: registers of the host
 * @guest: registers of the guest
 * @window: the window
 * @index: number for names
 * @max_vectors: interrupt vectors that the transport has
 * @panic_nb: tells the host when this kernel dies
 * @pm_nb: refuses hibernation, or sets @held
 *
 * @ctl_wq: runs @ctl_work
 * @ctl_work: the state machine and the mailbox
 * @dev_wq: runs the works of devices
 * @wait: woken when @state, room in the mailbox or @devs may have changed
 * @dead: interrupts are not looked at any more
 * @closing: no session begins and no device is added any more; written under
 *	@lock
 * @stopping: the session is to end now
 * @held: no session begins, as this system is about to hibernate; written by
 *	@pm_nb alone
 *
 * The following are written by @ctl_work alone:
 * @state: where the bus is; read anywhere
 * @next: state behind PVBUS_S_ENDING
 * @deadline: in jiffies, of the states that have one
 * @not_before: in jiffies, when the next session may begin
 * @reported: that @deadline has passed was logged
 * @generation: names the session
 * @offers_done: OFFERS_DONE came
 * @version: protocol version, 0 when there is none in common; read anywhere
 * @features: PVBUS_F_* in force
 * @vectors: vectors in force; read anywhere
 * @proof: nonces of the hello under way
 * @nr_proofs: their number
 * @rx: mailbox from the host
 *
 * @send_lock: protects @tx, @stuck
 * @tx: mailbox to the host
 * @stuck: it was full for as long as anybody waits
 * @ended: nothing is sent and no answer comes any more; written under @lock,
 *	read anywhere
 * @released: @let_go is decided
 * @let_go: the host does not touch memory of the session that ended
 *
 * @lock: protects the rest
 * @devs: devices by pvbus_device.node
 * @nr_devs: their number
 * @channels: channels by pvbus_channel.node, from before OPEN is sent until
 *	the host has let go of them
 * @unconfirmed: of how many, ever, the driver did not wait any longer for that
 * @vector: interrupts
 */
struct pvbus {
	struct device		*parent;
	const struct pvbus_transport_ops *ops;
	void			*priv;
	struct pvbus_win_host	*host;
	struct pvbus_win_guest	*guest;
	void			*window;
	int			index;
	unsigned int		max_vectors;
	struct notifier_block	panic_nb;
	struct notifier_block	pm_nb;

	struct workqueue_struct	*ctl_wq;
	struct delayed_work	ctl_work;
	struct workqueue_struct	*dev_wq;
	wait_queue_head_t	wait;
	bool			dead;
	bool			closing;
	bool			stopping;
	bool			held;

	enum pvbus_state	state;
	enum pvbus_state	next;
	unsigned long		deadline;
	unsigned long		not_before;
	bool			reported;
	bool			offers_done;
	u32			generation;
	u16			version;
	u64			features;
	unsigned int		vectors;
	struct pvbus_proof	proof[PVBUS_MAX_NONCES];
	unsigned int		nr_proofs;
	struct pvring_cons	rx;

	struct mutex		send_lock;	/* protects @tx, @stuck */
	struct pvring_prod	tx;
	bool			stuck;
	bool			ended;
	struct completion	released;
	bool			let_go;

	spinlock_t		lock;	/* protects the rest */
	struct list_head	devs;
	unsigned int		nr_devs;
	struct list_head	channels;
	unsigned int		unconfirmed;
	struct pvbus_vector	vector[PVBUS_MAX_VECTORS];
};

/* pvbus_channel.state; bus->lock */
enum pvbus_channel_state {
	PVBUS_CH_IDLE,		/* the host knows nothing of it */
	PVBUS_CH_OPENING,	/* OPEN was sent */
	PVBUS_CH_OPEN,
	PVBUS_CH_CLOSING,	/* CLOSE was sent */
	PVBUS_CH_CLOSED,	/* CLOSE_ACK came */
	PVBUS_CH_ZOMBIE,	/* as CLOSING, but nobody waits any more */
};

/* pvbus_device.events: bits; set under bus->lock */
enum pvbus_event {
	PVBUS_EV_ADD,
	PVBUS_EV_UPDATE,
	PVBUS_EV_BROKEN,
	PVBUS_EV_REMOVE,
	PVBUS_EV_REMOVING,	/* REMOVE was set: nothing follows it */
	PVBUS_EV_RESCINDED,	/* the host awaits RESCIND_ACK */
};

static inline enum pvbus_state pvbus_get_state(const struct pvbus *bus)
{
	return READ_ONCE(bus->state);
}

static inline u32 pvbus_host_state(const struct pvbus *bus)
{
	/* READY is followed by the other registers being valid */
	return le32_to_cpu(virt_load_acquire(&bus->host->state));
}

static inline u32 pvbus_host_generation(const struct pvbus *bus)
{
	/* what the host did before it acknowledged is visible */
	return le32_to_cpu(virt_load_acquire(&bus->host->generation));
}

/* session.c */
void pvbus_set_generation(struct pvbus *bus, u32 generation);
void pvbus_ctl_work(struct work_struct *work);
void pvbus_kick(struct pvbus *bus);
void pvbus_set_state(struct pvbus *bus, enum pvbus_state state);
void pvbus_refuse(struct pvbus *bus);

/* hello.c */
int pvbus_params_check(void);
u16 pvbus_pick_version(const struct pvbus *bus);
void pvbus_report_mismatch(struct pvbus *bus);
int pvbus_hello_send(struct pvbus *bus);
void pvbus_hello_free(struct pvbus *bus);
int pvbus_on_hello_ack(struct pvbus *bus, const void *body);

/* ctl.c */
void pvbus_ctl_init(struct pvbus *bus);
int pvbus_ctl_send(struct pvbus *bus, u16 type, const void *body, size_t len);
int pvbus_ctl_receive(struct pvbus *bus);
bool pvbus_ctl_pending(struct pvbus *bus);
int pvbus_violation(struct pvbus *bus, const char *what, u64 value);
const char *pvbus_status_name(u32 status);

/* device.c */
int pvbus_on_offer(struct pvbus *bus, const void *body);
int pvbus_on_update(struct pvbus *bus, const void *body);
int pvbus_on_rescind(struct pvbus *bus, const void *body);
struct pvbus_device *pvbus_device_find(struct pvbus *bus, u32 offer);
void pvbus_device_event(struct pvbus_device *pdev, enum pvbus_event event);
void pvbus_devices_gone(struct pvbus *bus, bool remove);
void pvbus_devices_remove(struct pvbus *bus);

/* idle.c */
int pvbus_idle_init(void);
void pvbus_idle_exit(void);
void pvbus_idle_forget(struct pvbus_channel *ch);
void pvbus_idle_learn(struct pvbus_channel *ch);

/* channel.c */
int pvbus_on_open_ack(struct pvbus *bus, const void *body);
int pvbus_on_close_ack(struct pvbus *bus, const void *body);
int pvbus_on_broken(struct pvbus *bus, const void *body);
bool pvbus_channel_take_stopped(struct pvbus_device *pdev, unsigned int *queue);
void pvbus_channels_abort(struct pvbus *bus);
void pvbus_channels_forget(struct pvbus *bus, bool let_go);

/* vector.c */
bool pvbus_vector_run(struct pvbus_vector *vector);
u16 pvbus_vector_choose(const struct pvbus *bus,
			const struct pvbus_channel_config *cfg);
void pvbus_vector_add(struct pvbus_channel *ch);
void pvbus_vector_del(struct pvbus_channel *ch);

/* sysfs.c */
extern const struct attribute_group *pvbus_device_groups[];
int pvbus_sysfs_add_dir(struct pvbus_device *pdev);
void pvbus_sysfs_del_dir(struct pvbus_device *pdev);
void pvbus_sysfs_add_channel(struct pvbus_channel *ch);
void pvbus_sysfs_del_channel(struct pvbus_channel *ch);

/* bus.c */
extern pvbus_bus_type_t pvbus_bus_type;

/* ivshmem.c */
int pvbus_ivshmem_init(void);
void pvbus_ivshmem_exit(void);

#endif /* PVBUS_BUS_INTERNAL_H */
