// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the guest's bus core: handshake, devices, channels, hosts that go.
 */
#define pr_fmt(fmt) fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/module.h>

#include "mock.h"

/* Opens a channel that remove() closes. */
static int reopen(unsigned int queue)
{
	struct pvbus_channel *ch = mock_open(queue);

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	mock_drv.ch[queue] = ch;
	return 0;
}

/* -- handshake -------------------------------------------------------------------- */

static bool nonce_true(const struct pvbus_nonce *nonce)
{
	void *p = memremap(le64_to_cpu(nonce->addr), PVBUS_NONCE_SIZE,
			   MEMREMAP_WB);
	bool same = p && !memcmp(p, nonce->value, PVBUS_NONCE_SIZE);

	if (p)
		memunmap(p);
	return same;
}

static void un_hello(struct mock *m, const struct mock_case *c)
{
	const struct pvbus_hello *h = &m->hello;
	unsigned int i;

	mock_mute(m, MOCK_NO_HELLO);
	EXPECT(!mock_attach(m));
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
	EXPECT(h->version == cpu_to_le16(PVBUS_VERSION_MAX));
	EXPECT(h->vectors == cpu_to_le32(MOCK_VECTORS));
	EXPECT(h->nr_ranges == 1 || h->nr_ranges == 2);
	EXPECT(h->nr_nonces >= h->nr_ranges);
	EXPECT(!h->range[0].start);
	for (i = 0; i < h->nr_nonces; i++)
		EXPECT(nonce_true(&h->nonce[i]));
}

static void un_late_hello_ack(struct mock *m, const struct mock_case *c)
{
	struct pvbus_hello_ack ack = m->ack;

	mock_mute(m, MOCK_NO_HELLO);
	EXPECT(!mock_attach(m));
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
	msleep(31 * MSEC_PER_SEC);
	ack.version = m->hello.version;
	mock_send(m, PVBUS_MSG_HELLO_ACK, &ack, sizeof(ack));
	mock_offer(m, PVBUS_MSG_OFFER, 1, 11);
	EXPECT(mock_until(m, 5, mock_count(probes) == 1));
}

static void un_ready(struct mock *m, const struct mock_case *c)
{
	mock_set_state(m, PVBUS_HOST_DOWN);
	EXPECT(!mock_attach(m));
	msleep(200);
	EXPECT(!m->resets);
	mock_set_state(m, PVBUS_HOST_READY);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
}

static void un_answering(struct mock *m, const struct mock_case *c)
{
	mock_mute(m, MOCK_NO_RESET);
	EXPECT(!mock_attach(m));
	msleep(6 * MSEC_PER_SEC);
	/* a doorbell makes it try again */
	mock_mute(m, 0);
	mock_interrupt(m, PVBUS_VECTOR_CTL);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
}

static void un_answering_detach(struct mock *m, const struct mock_case *c)
{
	mock_mute(m, MOCK_NO_RESET);
	EXPECT(!mock_attach(m));
	msleep(50);
}

static void set_versions(struct mock *m, u16 lo, u16 hi)
{
	struct pvbus_win_host *host = m->window + PVBUS_WIN_HOST;

	WRITE_ONCE(host->version_min, cpu_to_le16(lo));
	WRITE_ONCE(host->version_max, cpu_to_le16(hi));
}

static void un_matched(struct mock *m, u16 lo, u16 hi)
{
	set_versions(m, lo, hi);
	m->status = PVBUS_ST_VERSION;
	EXPECT(mock_attach(m) == -EPROTO);
	EXPECT(m->count[PVBUS_MSG_HELLO] == 1);
	EXPECT(m->hello.version == cpu_to_le16(PVBUS_VERSION_MIN));
}

static void un_matched_newer(struct mock *m, const struct mock_case *c)
{
	un_matched(m, PVBUS_VERSION_MAX + 1, PVBUS_VERSION_MAX + 5);
}

static void un_matched_senseless(struct mock *m, const struct mock_case *c)
{
	un_matched(m, 3, 1);
}

/* It accepts the guest all the same, in version 0, and offers a device. */
static void un_matched_accepted(struct mock *m, const struct mock_case *c)
{
	set_versions(m, 99, 99);
	m->reckless = true;
	EXPECT(mock_attach(m) == -EPROTO);
	EXPECT(m->count[PVBUS_MSG_HELLO] == 1);
	msleep(200);
	EXPECT(!mock_count(probes));
}

/* It does not answer in time: that may still be somebody who can be talked to. */
static void un_matched_late(struct mock *m, const struct mock_case *c)
{
	set_versions(m, 99, 99);
	m->status = PVBUS_ST_VERSION;
	mock_mute(m, MOCK_NO_RESET);
	EXPECT(!mock_attach(m));
	mock_mute(m, 0);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
	mock_set_state(m, PVBUS_HOST_DOWN);
	msleep(200);
	m->status = 0;
	set_versions(m, PVBUS_VERSION_MIN, PVBUS_VERSION_MAX);
	mock_set_state(m, PVBUS_HOST_READY);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 2));
	mock_offer(m, PVBUS_MSG_OFFER, 1, 11);
	EXPECT(mock_until(m, 5, mock_count(probes) == 1));
}

static void un_refused(struct mock *m, const struct mock_case *c)
{
	u32 status;

	for (status = PVBUS_ST_VERSION; status < 14; status++) {
		m->status = status;
		m->count[PVBUS_MSG_HELLO] = 0;
		EXPECT(!mock_attach(m));
		EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
		/* and no second one, whoever rings */
		mock_interrupt(m, PVBUS_VECTOR_CTL);
		msleep(100);
		EXPECT(m->count[PVBUS_MSG_HELLO] == 1);
		EXPECT(mock_guest_generation(m));
		mock_detach(m);
		m->bus = NULL;
		EXPECT(!mock_guest_generation(m));
	}
}

static void un_ack_ok(struct mock *m, bool ok)
{
	EXPECT(!mock_attach(m));
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
	/* a violation makes the guest forget the session */
	EXPECT(mock_until(m, 2, !mock_guest_generation(m)) == !ok);
}

static void un_ack_vectors(struct mock *m, const struct mock_case *c)
{
	m->ack.vectors = cpu_to_le32(MOCK_VECTORS + 1);
	un_ack_ok(m, false);
}

static void un_ack_features(struct mock *m, const struct mock_case *c)
{
	m->ack.features = cpu_to_le64(BIT_ULL(40));
	un_ack_ok(m, false);
}

static void un_ack_version(struct mock *m, const struct mock_case *c)
{
	m->ack.version = cpu_to_le16(7);
	un_ack_ok(m, false);
}

static void un_ack_reserved(struct mock *m, const struct mock_case *c)
{
	m->ack.reserved2 = cpu_to_le32(1);
	un_ack_ok(m, false);
}

/* -- devices ------------------------------------------------------------------------ */

static void device(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, MOCK_QUEUES))
		return;
	EXPECT(!mock_drv.open_err && mock_drv.blob == 11);
	EXPECT(m->count[PVBUS_MSG_OPEN] == MOCK_QUEUES);
	EXPECT(m->open.offer == cpu_to_le32(1));
	EXPECT(m->open.nr_pages == cpu_to_le32(2 + 3));
	mock_offer(m, PVBUS_MSG_UPDATE, 1, 22);
	EXPECT(mock_until(m, 5, mock_count(updates) == 1));
	EXPECT(mock_drv.blob == 22);
	mock_send_ref(m, PVBUS_MSG_BROKEN, 1, 2, PVBUS_ST_PROTO);
	EXPECT(mock_until(m, 5, mock_count(brokens) == 1));
	mock_rescind(m, 1);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_RESCIND_ACK] == 1));
	EXPECT(mock_count(removes) == 1 && mock_drv.gone && mock_drv.let_go);
	EXPECT(m->count[PVBUS_MSG_CLOSE] == MOCK_QUEUES);
	/* once is enough */
	mock_rescind(m, 1);
	mock_offer(m, PVBUS_MSG_OFFER, 2, 33);
	EXPECT(mock_until(m, 5, mock_count(probes) == 2));
	mock_detach(m);
	m->bus = NULL;
	EXPECT(mock_count(removes) == 2 && !mock_drv.gone && mock_drv.let_go);
	EXPECT(m->count[PVBUS_MSG_RESCIND_ACK] == 1);
	EXPECT(!mock_guest_generation(m) && !m->generation);
}

static void interrupts(struct mock *m, const struct mock_case *c)
{
	/* the last queue shares a vector: that of its CPU, if that has one */
	unsigned int cpu = (MOCK_QUEUES - 1) % num_online_cpus();
	unsigned int shared = cpu < MOCK_VECTORS - 1 ? cpu + 1 : 1;
	unsigned int i;

	if (!with_device(m, MOCK_QUEUES))
		return;
	/* three vectors beside the control vector, four queues */
	for (i = 1; i < MOCK_VECTORS; i++)
		mock_interrupt(m, i);
	mock_interrupt(m, PVBUS_VECTOR_CTL);
	mock_interrupt(m, PVBUS_MAX_VECTORS);
	EXPECT(mock_count(handled) == MOCK_QUEUES);
	for (i = 0; i < MOCK_QUEUES - 1; i++)
		EXPECT(mock_drv.ch[i]->vector == i + 1);
	EXPECT(mock_drv.ch[MOCK_QUEUES - 1]->vector == shared);
}

static void un_shared_vector(struct mock *m, const struct mock_case *c)
{
	m->ack.vectors = cpu_to_le32(1);
	EXPECT(!mock_attach(m));
	if (!with_device(m, 2))
		return;
	EXPECT(mock_drv.ch[0]->vector == 0 && mock_drv.ch[1]->vector == 0);
	mock_interrupt(m, PVBUS_VECTOR_CTL);
	EXPECT(mock_count(handled) >= 2);
	/* control messages still get through */
	mock_offer(m, PVBUS_MSG_UPDATE, 1, 22);
	EXPECT(mock_until(m, 5, mock_count(updates) == 1));
}

static void rescind_in_probe(struct mock *m, const struct mock_case *c)
{
	mock_drv.probe_ms = 500;
	mock_drv.queues = 2;
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
	mock_offer(m, PVBUS_MSG_OFFER, 1, 11);
	msleep(100);
	mock_rescind(m, 1);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_RESCIND_ACK] == 1));
	EXPECT(mock_count(probes) == 1 && mock_count(removes) == 1);
	EXPECT(mock_drv.open_err == -ENODEV && !m->count[PVBUS_MSG_OPEN]);
}

static void detach_in_probe(struct mock *m, const struct mock_case *c)
{
	mock_drv.probe_ms = 500;
	mock_drv.queues = 2;
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
	mock_offer(m, PVBUS_MSG_OFFER, 1, 11);
	msleep(100);
	mock_detach(m);
	m->bus = NULL;
	EXPECT(mock_count(probes) == 1 && mock_count(removes) == 1);
	EXPECT(mock_drv.let_go && !mock_drv.gone);
}

static void rebind(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, MOCK_QUEUES))
		return;
	mock_driver_unregister();
	EXPECT(mock_count(removes) == 1 && mock_drv.let_go && !mock_drv.gone);
	EXPECT(!mock_driver_register());
	EXPECT(mock_count(probes) == 2 && !mock_drv.open_err);
}

static void quiesce(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, MOCK_QUEUES))
		return;
	pvbus_quiesce(m->bus);
	EXPECT(!mock_guest_generation(m) && !m->generation);
	EXPECT(!mock_count(removes) && READ_ONCE(mock_drv.pdev->gone));
	EXPECT(reopen(0) == -ENODEV);
	mock_detach(m);
	m->bus = NULL;
	EXPECT(mock_count(removes) == 1 && mock_drv.let_go);
}

/* -- channels ------------------------------------------------------------------------- */

static void open_refused(struct mock *m, const struct mock_case *c)
{
	static const int want[] = {
		[PVBUS_ST_INVAL] = -EINVAL, [PVBUS_ST_NOENT] = -ENODEV,
		[PVBUS_ST_BUSY] = -EBUSY, [PVBUS_ST_NOMEM] = -ENOMEM,
		[PVBUS_ST_FEATURES] = -EOPNOTSUPP, [PVBUS_ST_FAULT] = -EFAULT,
		[PVBUS_ST_GONE] = -ENODEV,
	};
	unsigned int i;

	if (!with_device(m, 0))
		return;
	for (i = 1; i < 20; i++) {
		m->status = i;
		EXPECT(reopen(0) ==
		       (i < ARRAY_SIZE(want) && want[i] ? want[i] : -EPROTO));
	}
	m->status = 0;
	EXPECT(!m->count[PVBUS_MSG_CLOSE]);
	EXPECT(!reopen(0));
	EXPECT(reopen(0) == -EBUSY);
	EXPECT(reopen(MOCK_QUEUES) == -EINVAL);
}

static void open_late(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, 0))
		return;
	mock_mute(m, MOCK_NO_OPEN | MOCK_NO_CLOSE);
	EXPECT(reopen(0) == -ETIMEDOUT);
	EXPECT(reopen(0) == -EBUSY);
	mock_send_ref(m, PVBUS_MSG_OPEN_ACK, 1, 0, PVBUS_ST_OK);
	msleep(50);
	EXPECT(reopen(0) == -EBUSY);
	mock_send_ref(m, PVBUS_MSG_CLOSE_ACK, 1, 0, PVBUS_ST_OK);
	msleep(50);
	mock_mute(m, 0);
	EXPECT(!reopen(0));
}

/* Who has less time than the bus would take is not kept waiting. */
static void open_in_haste(struct mock *m, const struct mock_case *c)
{
	unsigned long start;

	if (!with_device(m, 0))
		return;
	mock_drv.timeout = HZ;
	mock_mute(m, MOCK_NO_OPEN);
	start = jiffies;
	EXPECT(reopen(0) == -ETIMEDOUT);
	EXPECT(time_before(jiffies, start + 5 * HZ));
	EXPECT(m->count[PVBUS_MSG_CLOSE] == 1);
	mock_mute(m, 0);
	EXPECT(!reopen(0));
}

static void close_late(struct mock *m, const struct mock_case *c)
{
	unsigned long start = jiffies;
	unsigned int i;

	if (!with_device(m, MOCK_QUEUES))
		return;
	mock_mute(m, MOCK_NO_CLOSE);
	for (i = 0; i < MOCK_QUEUES; i++)
		pvbus_channel_close_begin(mock_drv.ch[i]);
	for (i = 0; i < MOCK_QUEUES; i++) {
		EXPECT(!pvbus_channel_close_end(mock_drv.ch[i]));
		mock_drv.ch[i] = NULL;
	}
	/* half a minute for all of them, not for each */
	EXPECT(time_before(jiffies, start + 45 * HZ));
	EXPECT(m->count[PVBUS_MSG_CLOSE] == MOCK_QUEUES);
	EXPECT(reopen(0) == -EBUSY);
	/* detach frees what is left when the host confirms that */
}

static void down_while_open(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, 0))
		return;
	mock_mute(m, MOCK_NO_OPEN);
	mock_drv.queues = 1;
	mock_offer(m, PVBUS_MSG_OFFER, 2, 11);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_OPEN] == 1));
	mock_set_state(m, PVBUS_HOST_DOWN);
	EXPECT(mock_until(m, 9, mock_count(probes) == 2));
	EXPECT(mock_drv.open_err == -ENODEV);
	EXPECT(mock_until(m, 5, mock_count(removes) == 2));
}

static void unexpected_acks(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, 1))
		return;
	mock_send_ref(m, PVBUS_MSG_OPEN_ACK, 1, 0, PVBUS_ST_NOMEM);
	mock_send_ref(m, PVBUS_MSG_CLOSE_ACK, 1, 0, PVBUS_ST_OK);
	mock_send_ref(m, PVBUS_MSG_OPEN_ACK, 9, 0, PVBUS_ST_OK);
	mock_send_ref(m, PVBUS_MSG_CLOSE_ACK, 9, 0, PVBUS_ST_OK);
	mock_send_ref(m, PVBUS_MSG_BROKEN, 9, 0, PVBUS_ST_OK);
	mock_rescind(m, 9);
	mock_offer(m, PVBUS_MSG_UPDATE, 9, 1);
	mock_offer(m, PVBUS_MSG_UPDATE, 1, 22);
	EXPECT(mock_until(m, 5, mock_count(updates) == 1));
	EXPECT(mock_guest_generation(m) && !mock_count(removes));
}

static void mailbox_full(struct mock *m, const struct mock_case *c)
{
	unsigned int i;

	if (!with_device(m, 1))
		return;
	mock_mute(m, MOCK_NO_READ);
	/* each sends OPEN; those who find no room wait for it */
	for (i = 2; i < PVBUS_MBOX_SLOTS + 10; i++) {
		mock_offer(m, PVBUS_MSG_OFFER, i, 11);
		msleep(20);
	}
	msleep(1000);
	EXPECT(mock_count(probes) == 1);
	mock_mute(m, 0);
	EXPECT(mock_until(m, 9, mock_count(probes) == PVBUS_MBOX_SLOTS + 9));
	EXPECT(!mock_count(failed));
}

/* -- the host goes ----------------------------------------------------------------------- */

static void host_down(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, MOCK_QUEUES))
		return;
	mock_set_state(m, PVBUS_HOST_DOWN);
	EXPECT(mock_until(m, 5, mock_count(removes) == 1));
	EXPECT(mock_drv.gone && mock_drv.let_go);
	EXPECT(!m->count[PVBUS_MSG_CLOSE]);
	msleep(200);
	mock_set_state(m, PVBUS_HOST_READY);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 2));
	mock_offer(m, PVBUS_MSG_OFFER, 1, 11);
	EXPECT(mock_until(m, 5, mock_count(probes) == 2));
}

static void host_dead(struct mock *m, const struct mock_case *c)
{
	if (!with_device(m, MOCK_QUEUES))
		return;
	mock_mute(m, MOCK_NO_RESET | MOCK_NO_CLOSE | MOCK_NO_READ);
	mock_set_state(m, PVBUS_HOST_DOWN);
	EXPECT(mock_until(m, 9, mock_count(removes) == 1));
	/* it never said that it is done with the memory */
	EXPECT(mock_drv.gone && !mock_drv.let_go);
	mock_mute(m, 0);
	mock_set_state(m, PVBUS_HOST_READY);
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 2));
}

static void host_disowns(struct mock *m, const struct mock_case *c)
{
	struct pvbus_win_host *host = m->window + PVBUS_WIN_HOST;

	if (!with_device(m, MOCK_QUEUES))
		return;
	WRITE_ONCE(host->generation, 0);
	mock_interrupt(m, PVBUS_VECTOR_CTL);
	EXPECT(mock_until(m, 5, mock_count(removes) == 1));
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 2));
}

const struct mock_case mock_cases[] = {
	{ "un_hello", un_hello },
	{ "un_ready", un_ready },
	{ "un_answering", un_answering },
	{ "un_answering_detach", un_answering_detach },
	{ "un_matched_newer", un_matched_newer },
	{ "un_matched_senseless", un_matched_senseless },
	{ "un_matched_accepted", un_matched_accepted },
	{ "un_matched_late", un_matched_late },
	{ "un_refused", un_refused },
	{ "un_ack_vectors", un_ack_vectors },
	{ "un_ack_features", un_ack_features },
	{ "un_ack_version", un_ack_version },
	{ "un_ack_reserved", un_ack_reserved },
	{ "un_late_hello_ack", un_late_hello_ack },
	{ "device", device },
	{ "interrupts", interrupts },
	{ "un_shared_vector", un_shared_vector },
	{ "rescind_in_probe", rescind_in_probe },
	{ "detach_in_probe", detach_in_probe },
	{ "rebind", rebind },
	{ "quiesce", quiesce },
	{ "open_refused", open_refused },
	{ "open_late", open_late },
	{ "open_in_haste", open_in_haste },
	{ "close_late", close_late },
	{ "down_while_open", down_while_open },
	{ "unexpected_acks", unexpected_acks },
	{ "mailbox_full", mailbox_full },
	{ "host_down", host_down },
	{ "host_dead", host_dead },
	{ "host_disowns", host_disowns },
	{}
};
