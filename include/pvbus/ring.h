/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pvbus ring: one direction, one producer, one consumer, in memory that
 * both sides can write. Compiled for the host kernel, the guest kernel and
 * user space (tests, fuzzers, libpvbus), so it is header only.
 *
 * Layout (see Documentation/protocol.rst, "Ring"):
 *
 *	byte   0  producer line: space_event        (written by the producer)
 *	byte 128  consumer line: index, event       (written by the consumer)
 *	byte 256  slots, a power of two of them     (written by the producer)
 *
 * A slot is announced by its own first word, a sequence number, and not by a
 * producer index: a consumer that keeps up touches one cache line per entry.
 * Index i occupies slot i & mask and is there once that slot's word reads
 * i + 1. Indices are free-running u32; both are private to their owner, and
 * nothing that was stored to shared memory is ever loaded back.
 *
 * Ordering, as labelled pairs (producer P, consumer C):
 *
 *	P: fill slot       (A)          C: load-acquire seq   (A')
 *	P: store-release seq            C: copy slot
 *	                                C: store-release index (B)
 *	P: load-acquire index (B')
 *	P: full barrier    (C)          C: store event
 *	P: load event                   C: full barrier       (C')
 *	                                C: load seq again
 *	P: store space_event            C: store index
 *	P: full barrier    (D)          C: full barrier       (D')
 *	P: load index again             C: load space_event
 *
 * A/A' make the entry visible before its announcement; B/B' keep a slot from
 * being reused before it was copied; C/C' and D/D' are the store-load fences
 * without which both sides could go to sleep on each other.
 */
#ifndef PVBUS_RING_H
#define PVBUS_RING_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>

#define pvring_load_acquire(p)		virt_load_acquire(p)	/* A', B' */
#define pvring_store_release(p, v)	virt_store_release(p, v) /* A, B */
#define pvring_load(p)			READ_ONCE(*(p))
#define pvring_store(p, v)		WRITE_ONCE(*(p), v)
#define pvring_mb()			virt_mb()		/* C, D */
#define pvring_opaque(v)		OPTIMIZER_HIDE_VAR(v)
#else
#include <pvbus/user.h>
#endif

/**
 * struct pvring_hdr - the first 256 bytes of a ring, little-endian
 * @space_event: consumer index whose passing the producer asks to be told of
 * @pad0: keeps what the other side writes out of this line and of the one
 *	that hardware fetches with it
 * @index: next index the consumer will read: all before it may be reused
 * @event: index whose appearance the consumer asks to be told of
 * @pad1: as @pad0
 */
struct pvring_hdr {
	__le32	space_event;
	__u8	pad0[124];
	__le32	index;
	__le32	event;
	__u8	pad1[120];
};

#define PVRING_HDR_SIZE		256
#define PVRING_MIN_SLOTS	8
#define PVRING_MAX_SLOTS	4096

static_assert(sizeof(struct pvring_hdr) == PVRING_HDR_SIZE, "wire size");

/**
 * struct pvring_prod - the producer's private state
 * @hdr: shared header
 * @slots: shared slots
 * @slot_size: bytes in a slot, the sequence word included
 * @nr_slots: number of slots, a power of two
 * @head: next index to fill
 * @told: index up to which the consumer's event has been considered
 * @seen: consumer index as last read
 */
struct pvring_prod {
	struct pvring_hdr	*hdr;
	__u8			*slots;
	__u32			slot_size;
	__u32			nr_slots;
	__u32			head;
	__u32			told;
	__u32			seen;
};

/**
 * struct pvring_cons - the consumer's private state
 * @hdr: shared header
 * @slots: shared slots
 * @slot_size: bytes in a slot, the sequence word included
 * @nr_slots: number of slots, a power of two
 * @head: next index to read
 * @told: index last published to the producer
 */
struct pvring_cons {
	struct pvring_hdr	*hdr;
	const __u8		*slots;
	__u32			slot_size;
	__u32			nr_slots;
	__u32			head;
	__u32			told;
};

/**
 * pvring_bytes() - memory that a ring takes
 * @nr_slots: number of slots
 * @slot_size: bytes in a slot
 */
static inline size_t pvring_bytes(__u32 nr_slots, __u32 slot_size)
{
	return PVRING_HDR_SIZE + (size_t)nr_slots * slot_size;
}

/**
 * pvring_valid_slots() - is this a number of slots that a ring can have?
 * @nr_slots: number from the peer, host byte order
 */
static inline bool pvring_valid_slots(__u32 nr_slots)
{
	return nr_slots >= PVRING_MIN_SLOTS && nr_slots <= PVRING_MAX_SLOTS &&
	       !(nr_slots & (nr_slots - 1));
}

/*
 * Did the step from @from to @to pass the entry at @event? The usual event
 * index arithmetic: true for an event in [from, to), whatever has wrapped.
 */
static inline bool pvring_passed(__u32 event, __u32 to, __u32 from)
{
	return (__u32)(to - event - 1) < (__u32)(to - from);
}

/*
 * Copies the words of eight bytes from @from on, @bytes of them, each loaded
 * once and kept: what is in the slot later does not matter.
 *
 * A store that was not yet done is handed on to a load of just its bytes, but
 * one that is wider or askew waits until it is done; in pvring_put(), this is
 * behind stores that wait for the line of the slot before, and would keep the
 * CPU from having several lines under way. So the words are those that entries
 * are filled with, and the compiler must not make vectors of them.
 */
static inline void pvring_copy(void *to, const void *from, __u32 bytes)
{
	__u64 word;
	__u32 i;

#pragma GCC unroll 8
	for (i = 0; i < bytes; i += sizeof(word)) {
		memcpy(&word, (const __u8 *)from + i, sizeof(word));
		pvring_opaque(word);
		memcpy((__u8 *)to + i, &word, sizeof(word));
	}
}

/**
 * pvring_prod_init() - take up the producing end of a zeroed ring
 * @p: private state to set up
 * @mem: ring memory, zeroed by whoever allocated it, cache line aligned
 * @nr_slots: number of slots, already checked with pvring_valid_slots()
 * @slot_size: bytes in a slot, a multiple of 8
 */
static inline void pvring_prod_init(struct pvring_prod *p, void *mem,
				    __u32 nr_slots, __u32 slot_size)
{
	p->hdr = (struct pvring_hdr *)mem;
	p->slots = (__u8 *)mem + PVRING_HDR_SIZE;
	p->slot_size = slot_size;
	p->nr_slots = nr_slots;
	p->head = 0;
	p->told = 0;
	p->seen = 0;
}

/**
 * pvring_prod_room() - how many entries can be put now
 * @p: producer
 * @want: as many as are wanted; the peer's index is only looked at, and its
 *	cache line only moved, when fewer are known to be free
 *
 * Return: free slots (it may be fewer than @want), or -EPROTO when the peer
 * claims to have consumed what was never produced: the ring is broken.
 */
static inline int pvring_prod_room(struct pvring_prod *p, __u32 want)
{
	__u32 used = p->head - p->seen;

	if (p->nr_slots - used < want) {
		__u32 index = le32_to_cpu(pvring_load_acquire(&p->hdr->index));

		used = p->head - index;
		if (used > p->nr_slots)
			return -EPROTO;
		p->seen = index;
	}
	return (int)(p->nr_slots - used);
}

/**
 * pvring_put() - put one entry and announce it
 * @p: producer; the caller has made sure of room
 * @entry: the entry, @size bytes, in private memory; its first word, the
 *	sequence, is ignored and supplied here
 * @size: the ring's slot size; pass a constant where it is one
 *
 * The consumer may see the entry at once. Whether it has to be woken is
 * decided once per batch, by pvring_prod_kick().
 */
static inline void pvring_put(struct pvring_prod *p, const void *entry,
			      __u32 size)
{
	__u8 *slot = p->slots + (size_t)(p->head & (p->nr_slots - 1)) * size;

	memcpy(slot + sizeof(__le32), (const __u8 *)entry + sizeof(__le32),
	       sizeof(__le32));
	pvring_copy(slot + sizeof(__u64), (const __u8 *)entry + sizeof(__u64),
		    size - sizeof(__u64));
	p->head++;
	pvring_store_release((__le32 *)slot, cpu_to_le32(p->head));
}

/**
 * pvring_prod_kick() - does the consumer want to be told of this batch?
 * @p: producer
 *
 * Context: call once after the last pvring_put() of a batch.
 * Return: true when a doorbell has to be rung.
 */
static inline bool pvring_prod_kick(struct pvring_prod *p)
{
	__u32 from = p->told;

	if (from == p->head)
		return false;
	p->told = p->head;
	pvring_mb();
	return pvring_passed(le32_to_cpu(pvring_load(&p->hdr->event)),
			     p->head, from);
}

/**
 * pvring_prod_wait_room() - ask to be told when @want slots are free
 * @p: producer that found the ring full
 * @want: slots needed, at most the ring's size
 *
 * Return: as pvring_prod_room(), looked up after asking; when it is at least
 * @want, do not sleep.
 */
static inline int pvring_prod_wait_room(struct pvring_prod *p, __u32 want)
{
	/* @want are free once the consumer has moved past this index */
	__u32 event = p->head + want - p->nr_slots - 1;

	pvring_store(&p->hdr->space_event, cpu_to_le32(event));
	pvring_mb();
	return pvring_prod_room(p, p->nr_slots);
}

/**
 * pvring_cons_init() - take up the consuming end of a zeroed ring
 * @c: private state to set up
 * @mem: ring memory, zeroed by whoever allocated it, cache line aligned
 * @nr_slots: number of slots, already checked with pvring_valid_slots()
 * @slot_size: bytes in a slot, a multiple of 8
 */
static inline void pvring_cons_init(struct pvring_cons *c, void *mem,
				    __u32 nr_slots, __u32 slot_size)
{
	c->hdr = (struct pvring_hdr *)mem;
	c->slots = (const __u8 *)mem + PVRING_HDR_SIZE;
	c->slot_size = slot_size;
	c->nr_slots = nr_slots;
	c->head = 0;
	c->told = 0;
}

static inline const __u8 *pvring_cons_slot(const struct pvring_cons *c,
					   __u32 size)
{
	return c->slots + (size_t)(c->head & (c->nr_slots - 1)) * size;
}

static inline bool pvring_announced(const struct pvring_cons *c,
				    const __u8 *slot)
{
	const __le32 *seq = (const __le32 *)slot;

	return le32_to_cpu(pvring_load_acquire(seq)) == c->head + 1;
}

/**
 * pvring_pending() - is there an entry to read?
 * @c: consumer
 */
static inline bool pvring_pending(const struct pvring_cons *c)
{
	return pvring_announced(c, pvring_cons_slot(c, c->slot_size));
}

/**
 * pvring_get() - copy the next entry out
 * @c: consumer
 * @entry: private memory for @size bytes; look only at this copy afterwards
 * @size: the ring's slot size; pass a constant where it is one
 *
 * The slot is not the producer's again until pvring_cons_publish().
 * Return: false when there is no entry.
 */
static inline bool pvring_get(struct pvring_cons *c, void *entry, __u32 size)
{
	const __u8 *slot = pvring_cons_slot(c, size);

	if (!pvring_announced(c, slot))
		return false;
	pvring_copy(entry, slot, size);
	c->head++;
	return true;
}

/**
 * pvring_cons_publish() - give what was read back to the producer
 * @c: consumer
 *
 * Context: once per batch, and before the peer is told of anything that it
 * could take as leave to reuse the slots.
 */
static inline void pvring_cons_publish(struct pvring_cons *c)
{
	pvring_store_release(&c->hdr->index, cpu_to_le32(c->head));
}

/**
 * pvring_cons_kick() - does the producer wait for the room just published?
 * @c: consumer
 *
 * Only for rings whose producer may wait with pvring_prod_wait_room().
 * Return: true when a doorbell has to be rung.
 */
static inline bool pvring_cons_kick(struct pvring_cons *c)
{
	__u32 from = c->told;

	if (from == c->head)
		return false;
	c->told = c->head;
	pvring_mb();
	return pvring_passed(le32_to_cpu(pvring_load(&c->hdr->space_event)),
			     c->head, from);
}

/**
 * pvring_cons_arm_count() - ask for a doorbell when some entries have come
 * @c: consumer that has something else to do before it looks again
 * @count: entries, 1 to @c->nr_slots / 2 + 1; with more than 1, the producer
 *	may wait a bounded time for the rest of them, see pvring_prod_waiting()
 *
 * Return: true when it may sleep, false when an entry is there already.
 */
static inline bool pvring_cons_arm_count(struct pvring_cons *c, __u32 count)
{
	pvring_store(&c->hdr->event, cpu_to_le32(c->head + count - 1));
	pvring_mb();
	return !pvring_pending(c);
}

/**
 * pvring_cons_arm() - ask for a doorbell with the next entry
 * @c: consumer about to sleep
 *
 * Return: true when it may sleep, false when an entry is there already.
 */
static inline bool pvring_cons_arm(struct pvring_cons *c)
{
	return pvring_cons_arm_count(c, 1);
}

/**
 * pvring_cons_arm_ahead() - ask for a doorbell, with patience
 * @c: consumer that has something else to do before it looks again
 *
 * As pvring_cons_arm_count(), for one that expects to find the entries itself.
 *
 * Return: true when there is no entry yet.
 */
static inline bool pvring_cons_arm_ahead(struct pvring_cons *c)
{
	return pvring_cons_arm_count(c, c->nr_slots / 2 + 1);
}

/**
 * pvring_cons_disarm() - ask for no doorbell
 * @c: consumer that looks by itself
 *
 * Takes back what pvring_cons_arm() has asked for, or the first entry of a ring
 * that has just been set up. Good for 2^32 entries, of which one or the other
 * then rings all the same.
 */
static inline void pvring_cons_disarm(struct pvring_cons *c)
{
	pvring_store(&c->hdr->event, cpu_to_le32(c->head - 1));
}

/**
 * enum pvring_waiting - what is there that nobody was rung for?
 * @PVRING_NONE: nothing
 * @PVRING_UNTOLD: entries for which pvring_prod_kick() was not called yet, and
 *	of which it would ring
 * @PVRING_AHEAD: entries of which the consumer need not be told yet
 */
enum pvring_waiting {
	PVRING_NONE,
	PVRING_UNTOLD,
	PVRING_AHEAD,
};

/**
 * pvring_prod_waiting() - are there entries that nobody was rung for?
 * @p: producer
 * @index: where to put the consumer's index: while that moves, it looks
 *
 * The peer's word, good only for deciding on a doorbell.
 *
 * Return: enum pvring_waiting.
 */
static inline enum pvring_waiting
pvring_prod_waiting(const struct pvring_prod *p, __u32 *index)
{
	__u32 event;

	/* as in pvring_prod_kick() */
	pvring_mb();
	*index = le32_to_cpu(pvring_load_acquire(&p->hdr->index));
	if (*index == p->head)
		return PVRING_NONE;
	event = le32_to_cpu(pvring_load(&p->hdr->event));
	if ((__u32)(event - p->head) < p->nr_slots)
		return PVRING_AHEAD;
	return pvring_passed(event, p->head, p->told) ? PVRING_UNTOLD :
							PVRING_NONE;
}

#endif /* PVBUS_RING_H */
