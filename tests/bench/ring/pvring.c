// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of pvbus as a contender of the kernel's tools/virtio/ringtest:
 * requests on one ring and answers on another, in slots of the size that a
 * channel's have.
 *
 * The two sides do for an operation what the drivers do. The guest keeps its
 * buffer under a tag; the host copies the request and answers with the tag; the
 * guest copies the answer and checks the tag before it uses it. Nothing of what
 * the host writes is trusted, so it abort()s when the tag is wrong.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pvbus/ring.h>

#include "main.h"

/* as PVBUS_SLOT_SIZE */
#define SLOT_SIZE	64

/*
 * What one side writes shares no line, nor the one that hardware fetches with
 * it, with what the other side reads. It is a matter of the type: a variable
 * that is only aligned has others behind it in its last line.
 */
#define OWN_LINES	__attribute__((aligned(128)))

struct entry {
	__le32	seq;
	__le32	tag;
	__le64	len;
	__le64	addr;
	__u8	pad[40];
};

static_assert(sizeof(struct entry) == SLOT_SIZE, "slot size");

struct buffer {
	void	*buf;
	void	*data;
};

/**
 * struct consumer - the consuming end of a ring, and what it owes
 * @ring: the ring
 * @given: index up to which slots were given back
 */
struct consumer {
	struct pvring_cons	ring;
	__u32			given;
};

/*
 * As many operations are under way as there are tags, and as slots. A tag is
 * used again as late as can be, so that what the next request says does not
 * depend on an answer that is still on its way into the CPU.
 */
static struct OWN_LINES {
	struct pvring_prod	req;
	struct consumer		ans;
	struct buffer		*buffers;
	__u32			*tags;
} guest;

static struct OWN_LINES {
	struct consumer		req;
	struct pvring_prod	ans;
} host;

static void *zeroed(size_t bytes)
{
	void *mem = NULL;

	if (posix_memalign(&mem, 4096, bytes)) {
		fprintf(stderr, "pvring: out of memory\n");
		exit(3);
	}
	return memset(mem, 0, bytes);
}

void alloc_ring(void)
{
	size_t bytes = pvring_bytes(ring_size, SLOT_SIZE);
	void *req, *ans;
	__u32 i;

	if (!pvring_valid_slots(ring_size)) {
		fprintf(stderr, "pvring: not the size of a ring: %u\n",
			ring_size);
		exit(3);
	}
	req = zeroed(bytes);
	ans = zeroed(bytes);
	pvring_prod_init(&guest.req, req, ring_size, SLOT_SIZE);
	pvring_cons_init(&guest.ans.ring, ans, ring_size, SLOT_SIZE);
	pvring_cons_init(&host.req.ring, req, ring_size, SLOT_SIZE);
	pvring_prod_init(&host.ans, ans, ring_size, SLOT_SIZE);
	guest.buffers = zeroed(ring_size * sizeof(*guest.buffers));
	guest.tags = zeroed(ring_size * sizeof(*guest.tags));
	for (i = 0; i < ring_size; i++)
		guest.tags[i] = i;
}

static void give_back(struct consumer *c)
{
	if (c->given == c->ring.head)
		return;
	c->given = c->ring.head;
	pvring_cons_publish(&c->ring);
}

/*
 * The next entry. A batch, after which slots are given back, ends when there is
 * none, or after a quarter of the ring.
 */
static bool next_entry(struct consumer *c, struct entry *e)
{
	if (!pvring_get(&c->ring, e, sizeof(*e))) {
		give_back(c);
		return false;
	}
	if (c->ring.head - c->given == ring_size / 4)
		give_back(c);
	return true;
}

/* the guest's side */

int add_inbuf(unsigned int len, void *buf, void *data)
{
	struct entry e = { };
	__u32 tag;

	if (guest.req.head - guest.ans.ring.head == ring_size ||
	    pvring_prod_room(&guest.req, 1) < 1)
		return -1;
	tag = guest.tags[guest.req.head & (ring_size - 1)];
	guest.buffers[tag].buf = buf;
	guest.buffers[tag].data = data;
	e.tag = cpu_to_le32(tag);
	e.len = cpu_to_le64(len);
	e.addr = cpu_to_le64((unsigned long)buf);
	pvring_put(&guest.req, &e, sizeof(e));
	return 0;
}

void *get_buf(unsigned int *lenp, void **bufp)
{
	__u32 at = guest.ans.ring.head & (ring_size - 1);
	struct buffer *b;
	struct entry e;
	void *data;
	__u32 tag;

	if (!next_entry(&guest.ans, &e))
		return NULL;
	tag = le32_to_cpu(e.tag);
	if (tag >= ring_size || !guest.buffers[tag].data)
		abort();
	guest.tags[at] = tag;
	b = &guest.buffers[tag];
	*lenp = le64_to_cpu(e.len);
	*bufp = b->buf;
	data = b->data;
	b->data = NULL;
	return data;
}

bool used_empty(void)
{
	return !pvring_pending(&guest.ans.ring);
}

/* who does not ask is not told */
void disable_call(void)
{
}

bool enable_call(void)
{
	return pvring_cons_arm(&guest.ans.ring);
}

void kick_available(void)
{
	if (pvring_prod_kick(&guest.req))
		kick();
}

/* the host's side */

void disable_kick(void)
{
}

bool avail_empty(void)
{
	return !pvring_pending(&host.req.ring);
}

bool enable_kick(void)
{
	return pvring_cons_arm(&host.req.ring);
}

/* As the other contenders do, it answers at once and fills in nothing. */
bool use_buf(unsigned int *lenp, void **bufp)
{
	struct entry e, answer = { };

	if (pvring_prod_room(&host.ans, 1) < 1 || !next_entry(&host.req, &e))
		return false;
	answer.tag = e.tag;
	answer.len = cpu_to_le64(le64_to_cpu(e.len) - 1);
	pvring_put(&host.ans, &answer, sizeof(answer));
	return true;
}

void call_used(void)
{
	if (pvring_prod_kick(&host.ans))
		call();
}
