// SPDX-License-Identifier: GPL-2.0
/*
 * pvbus host: the handshake: what a guest says of itself, and whether the host can
 * work with it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "host.h"

static bool range_ok(const struct pvbus_range *range, u64 above, u64 *end)
{
	u64 start = le64_to_cpu(range->start);
	u64 size = le64_to_cpu(range->size);

	return size && start >= above && !check_add_overflow(start, size, end);
}

/* Ranges in use are ascending and disjoint, the others zero. */
static bool hello_ranges_ok(const struct pvbus_hello *hello)
{
	u64 end = 0;
	unsigned int i;

	if (!hello->nr_ranges || hello->nr_ranges > PVBUS_MAX_RANGES)
		return false;
	for (i = 0; i < hello->nr_ranges; i++)
		if (!range_ok(&hello->range[i], end, &end))
			return false;
	return !memchr_inv(&hello->range[i], 0,
			   (PVBUS_MAX_RANGES - i) * sizeof(hello->range[0]));
}

/* Whether they lie in the ranges, and are true, is what pvh_mem_verify() asks. */
static bool hello_nonces_ok(const struct pvbus_hello *hello)
{
	unsigned int i;

	if (hello->nr_nonces < hello->nr_ranges ||
	    hello->nr_nonces > PVBUS_MAX_NONCES)
		return false;
	for (i = 0; i < hello->nr_nonces; i++)
		if (le64_to_cpu(hello->nonce[i].addr) % PVBUS_NONCE_SIZE)
			return false;
	return !memchr_inv(&hello->nonce[i], 0,
			   (PVBUS_MAX_NONCES - i) * sizeof(hello->nonce[0]));
}

static bool hello_version_ok(const struct pvh_vm *vm)
{
	return vm->version >= pvh_protocol_min &&
	       vm->version <= pvh_protocol_max;
}

static bool hello_form_ok(const struct pvbus_hello *hello)
{
	return !hello->reserved[0] && !hello->reserved[1] && hello->vectors &&
	       hello_ranges_ok(hello) && hello_nonces_ok(hello);
}

/* Can the host work with such a guest? Whether it tells the truth comes later. */
static u32 hello_acceptable(const struct pvh_vm *vm)
{
	if (vm->features & ~PVBUS_F_ALL)
		return PVBUS_ST_FEATURES;
	if (vm->guest_vectors < vm->min_vectors)
		return PVBUS_ST_VECTORS;
	return PVBUS_ST_OK;
}

static void hello_log_refusal(struct pvh_vm *vm, u32 status)
{
	switch (status) {
	case PVBUS_ST_VERSION:
		pr_warn_ratelimited("%s: guest speaks protocol version %u, this host %u to %u: update the older one\n",
				    vm->name, vm->version, pvh_protocol_min,
				    pvh_protocol_max);
		break;
	case PVBUS_ST_VECTORS:
		pr_warn_ratelimited("%s: guest has %u vectors, at least %u are required: start QEMU with vectors=%u\n",
				    vm->name, vm->guest_vectors,
				    vm->min_vectors, vm->nr_vectors);
		break;
	case PVBUS_ST_RAM:
		pr_warn_ratelimited("%s: guest RAM could not be proven; pvbusd's log says what was found\n",
				    vm->name);
		break;
	default:
		pr_warn_ratelimited("%s: guest refused with status %u\n",
				    vm->name, status);
	}
}

static void hello_accept(struct pvh_vm *vm)
{
	vm->vectors = min(vm->guest_vectors, vm->nr_vectors);
	vm->refusal = PVBUS_ST_OK;
	vm->running = true;
	vm->state = PVBUS_VM_RUNNING;
}

static void hello_refuse(struct pvh_vm *vm, u32 status)
{
	hello_log_refusal(vm, status);
	vm->refusal = status;
	vm->state = PVBUS_VM_REFUSED;
}

/**
 * pvh_hello_ack() - answer the hello that is pending
 * @vm: VM; vm->lock held
 * @status: PVBUS_ST_OK, and offers follow; otherwise the guest is refused
 */
void pvh_hello_ack(struct pvh_vm *vm, u32 status)
{
	struct pvbus_hello_ack ack = {
		.status = cpu_to_le32(status),
	};

	lockdep_assert_held(&vm->lock);
	/* the first message of a generation: no room means a broken ring */
	if (!pvh_ctl_room(vm)) {
		pvh_ctl_violation(vm, "no room to answer its hello", 0);
		return;
	}
	if (status == PVBUS_ST_OK) {
		hello_accept(vm);
		ack.version = cpu_to_le16(vm->version);
		ack.vectors = cpu_to_le32(vm->vectors);
		ack.features = cpu_to_le64(vm->features);
	} else {
		hello_refuse(vm, status);
		if (status == PVBUS_ST_VECTORS)
			ack.vectors = cpu_to_le32(vm->min_vectors);
	}
	pvh_ctl_send(vm, PVBUS_MSG_HELLO_ACK, &ack, sizeof(ack));
	pvh_vm_event(vm);
	pvh_ctl_flush(vm);
}

/**
 * pvh_hello_receive() - the guest says hello
 * @vm: VM; vm->lock held
 * @body: copy of struct pvbus_hello
 *
 * It is answered at once, or when the daemon has found its memory.
 *
 * Return: NULL, or what broke the protocol.
 */
const char *pvh_hello_receive(struct pvh_vm *vm, const void *body)
{
	const struct pvbus_hello *hello = body;
	u32 status;

	if (vm->state != PVBUS_VM_ATTACHED)
		return "second hello";
	/* of a version that is not known, nothing else is */
	vm->version = le16_to_cpu(hello->version);
	if (!hello_version_ok(vm)) {
		pvh_hello_ack(vm, PVBUS_ST_VERSION);
		return NULL;
	}
	if (!hello_form_ok(hello))
		return "malformed hello";

	vm->hello = *hello;
	vm->features = le64_to_cpu(hello->features);
	vm->guest_vectors = le32_to_cpu(hello->vectors);
	status = hello_acceptable(vm);
	if (status == PVBUS_ST_OK && !vm->mem &&
	    !(vm->flags & PVBUS_VM_LOOPBACK)) {
		/* the daemon has to find the memory first */
		vm->state = PVBUS_VM_PROVING;
		pvh_vm_event(vm);
		return NULL;
	}
	if (status == PVBUS_ST_OK && pvh_mem_verify(vm))
		status = PVBUS_ST_RAM;
	pvh_hello_ack(vm, status);
	return NULL;
}
