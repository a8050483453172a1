/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that does as the test says, for the guest's bus core: a window, a
 * transport, and a driver of a device type that does not exist.
 */
#ifndef PVBUS_TEST_MOCK_H
#define PVBUS_TEST_MOCK_H

#include <linux/platform_device.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../../guest-drivers/pvbus.h"

#define MOCK_TYPE	0x7e57
#define MOCK_VECTORS	4
#define MOCK_QUEUES	4

/* What the host leaves undone: mock.mute */
#define MOCK_NO_RESET	BIT(0)
#define MOCK_NO_HELLO	BIT(1)
#define MOCK_NO_OPEN	BIT(2)
#define MOCK_NO_CLOSE	BIT(3)
#define MOCK_NO_READ	BIT(4)

/**
 * struct mock - the host
 * @pdev: the transport's device
 * @window: the window
 * @bus: the guest's bus
 * @lock: protects the rest
 * @work: reacts to doorbells
 * @wait: woken by @work
 * @rx: mailbox from the guest
 * @tx: mailbox to the guest
 * @generation: generation of the guest that was acknowledged
 * @mute: MOCK_NO_*
 * @status: PVBUS_ST_* for OPEN_ACK and HELLO_ACK
 * @ack: HELLO_ACK to give; @status goes before
 * @reckless: it accepts whoever there is, in no version at all, with a device
 * @hello: last HELLO
 * @open: last OPEN
 * @count: messages received by type
 * @resets: resets done
 */
struct mock {
	struct platform_device	*pdev;
	void			*window;
	struct pvbus		*bus;
	struct mutex		lock;	/* protects the rest */
	struct work_struct	work;
	wait_queue_head_t	wait;
	struct pvring_cons	rx;
	struct pvring_prod	tx;
	u32			generation;
	unsigned int		mute;
	u32			status;
	struct pvbus_hello_ack	ack;
	bool			reckless;
	struct pvbus_hello	hello;
	struct pvbus_open	open;
	unsigned int		count[PVBUS_MSG_TYPES];
	unsigned int		resets;
};

struct mock *mock_new(void);
void mock_free(struct mock *m);
int mock_attach(struct mock *m);
void mock_detach(struct mock *m);
void mock_set_state(struct mock *m, u32 state);
void mock_mute(struct mock *m, unsigned int mute);
void mock_send_raw(struct mock *m, struct pvbus_msg *msg);
void mock_send(struct mock *m, u16 type, const void *body, u16 len);
void mock_offer(struct mock *m, u16 type, u32 offer, u8 blob);
void mock_send_ref(struct mock *m, u16 type, u32 offer, u16 queue, u32 status);
void mock_rescind(struct mock *m, u32 offer);
void mock_interrupt(struct mock *m, unsigned int vector);
u32 mock_guest_generation(struct mock *m);

/* Wait until @cond, at most @secs seconds; is it true? */
#define mock_until(m, secs, cond) \
	(wait_event_timeout((m)->wait, cond, (secs) * HZ) > 0)

/**
 * struct mock_driver - what the driver does and did
 * @probe_ms: probe() sleeps so long
 * @queues: channels that probe() opens
 * @timeout: of those that are opened, as in struct pvbus_channel_config
 * @probes: calls of probe()
 * @removes: calls of remove()
 * @updates: calls of update()
 * @brokens: calls of broken() for a channel that is open and marked
 * @handled: calls of interrupt handlers
 * @failed: channels that could not be opened
 * @open_err: why not
 * @blob: first byte of the last blob that was read
 * @gone: the last device was gone when it was removed
 * @let_go: and the host had let go of all of its channels
 * @pdev: last device
 * @ch: its channels
 * @wait: woken when the above changes
 */
struct mock_driver {
	unsigned int		probe_ms;
	unsigned int		queues;
	unsigned long		timeout;
	atomic_t		probes;
	atomic_t		removes;
	atomic_t		updates;
	atomic_t		brokens;
	atomic_t		handled;
	atomic_t		failed;
	int			open_err;
	u8			blob;
	bool			gone;
	bool			let_go;
	struct pvbus_device	*pdev;
	struct pvbus_channel	**ch;
	wait_queue_head_t	*wait;
};

#define mock_count(what)	atomic_read(&mock_drv.what)

extern struct mock_driver mock_drv;

int mock_driver_register(void);
void mock_driver_unregister(void);
struct pvbus_channel *mock_open(unsigned int queue);

/**
 * struct mock_case - a test
 * @name: its name; the bus is attached before, unless it begins with "un_"
 * @run: the test, for a new host that is ready
 * @type: for @run: a message to spoil
 * @body: its body
 * @len: bytes of it
 * @at: which byte to spoil, or -1 for the reserved field of the message
 */
struct mock_case {
	const char	*name;
	void		(*run)(struct mock *m, const struct mock_case *c);
	u16		type;
	const void	*body;
	u16		len;
	int		at;
};

/* Each ends with an empty entry. */
extern const struct mock_case mock_cases[];
extern const struct mock_case mock_spoilt_cases[];
extern const struct mock_case mock_fuzz_cases[];

/* A condition that is not true fails the case, which goes on. */
#define EXPECT(cond)	mock_expect(cond, #cond, __func__, __LINE__)
void mock_expect(bool cond, const char *what, const char *func, int line);
/* Is there a device, number 1, with @queues open channels? */
bool with_device(struct mock *m, unsigned int queues);

#endif /* PVBUS_TEST_MOCK_H */
