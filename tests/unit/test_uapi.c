// SPDX-License-Identifier: GPL-2.0
/*
 * What goes over the wire and through the control device, byte by byte: this
 * table is written out from Documentation/protocol.rst and not from the
 * headers, which have to agree with it. A change that breaks one of these
 * breaks every guest, or every daemon, that is out there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/pvbus.h>
#include <linux/pvbus_blk.h>
#include <linux/pvbus_ioctl.h>
#include <linux/pvbus_net.h>

/**
 * struct field - where a field is
 * @name: its name
 * @want_offset: offset according to the protocol
 * @want_size: size according to the protocol
 * @offset: offset in the structure
 * @size: size in the structure
 */
struct field {
	const char	*name;
	size_t		want_offset;
	size_t		want_size;
	size_t		offset;
	size_t		size;
};

#define F(type, field, want_offset, want_size) \
	{ #type "." #field, want_offset, want_size, \
	  offsetof(struct type, field), sizeof(((struct type *)0)->field) }

/* The fields of a structure, with neither a hole nor an overlap. */
static void check_fields(const struct field *f, size_t nr, size_t want_size,
			 size_t size)
{
	size_t i, end = 0;

	for (i = 0; i < nr; i++) {
		if (f[i].offset != f[i].want_offset ||
		    f[i].size != f[i].want_size || f[i].offset != end)
			fail_msg("%s is at %zu with %zu bytes, not at %zu with %zu",
				 f[i].name, f[i].offset, f[i].size,
				 f[i].want_offset, f[i].want_size);
		end = f[i].offset + f[i].size;
	}
	assert_int_equal(end, size);
	assert_int_equal(size, want_size);
}

#define CHECK(type, want_size, ...) do { \
	const struct field fields[] = { __VA_ARGS__ }; \
	\
	check_fields(fields, sizeof(fields) / sizeof(fields[0]), want_size, \
		     sizeof(struct type)); \
} while (0)

static void test_window(void **state)
{
	assert_int_equal(PVBUS_WIN_SIZE, 65536);
	assert_int_equal(PVBUS_WIN_HOST, 0);
	assert_int_equal(PVBUS_WIN_GUEST, 4096);
	assert_int_equal(PVBUS_WIN_G2H, 16384);
	assert_int_equal(PVBUS_WIN_H2G, 32768);
	assert_int_equal(PVBUS_MBOX_SLOTS, 32);
	assert_int_equal(PVBUS_MBOX_SLOT_SIZE, 256);
	CHECK(pvbus_win_host, 64,
	      F(pvbus_win_host, magic, 0, 8),
	      F(pvbus_win_host, version_min, 8, 2),
	      F(pvbus_win_host, version_max, 10, 2),
	      F(pvbus_win_host, state, 12, 4),
	      F(pvbus_win_host, features, 16, 8),
	      F(pvbus_win_host, peer, 24, 4),
	      F(pvbus_win_host, vectors, 28, 4),
	      F(pvbus_win_host, generation, 32, 4),
	      F(pvbus_win_host, reserved, 36, 28));
	CHECK(pvbus_win_guest, 64,
	      F(pvbus_win_guest, generation, 0, 4),
	      F(pvbus_win_guest, reserved, 4, 60));
}

/* "PVBUSWIN" in a hex dump of the window */
static void test_magic(void **state)
{
	const __u64 magic = PVBUS_MAGIC;
	char text[8];
	int i;

	for (i = 0; i < 8; i++)
		text[i] = (char)(magic >> (8 * i));
	assert_memory_equal(text, "PVBUSWIN", 8);
}

static void test_messages(void **state)
{
	CHECK(pvbus_msg, 256,
	      F(pvbus_msg, seq, 0, 4),
	      F(pvbus_msg, type, 4, 2),
	      F(pvbus_msg, len, 6, 2),
	      F(pvbus_msg, generation, 8, 4),
	      F(pvbus_msg, reserved, 12, 4),
	      F(pvbus_msg, body, 16, 240));
	CHECK(pvbus_range, 16,
	      F(pvbus_range, start, 0, 8),
	      F(pvbus_range, size, 8, 8));
	CHECK(pvbus_nonce, 24,
	      F(pvbus_nonce, addr, 0, 8),
	      F(pvbus_nonce, value, 8, 16));
	CHECK(pvbus_hello, 192,
	      F(pvbus_hello, version, 0, 2),
	      F(pvbus_hello, nr_ranges, 2, 1),
	      F(pvbus_hello, nr_nonces, 3, 1),
	      F(pvbus_hello, vectors, 4, 4),
	      F(pvbus_hello, features, 8, 8),
	      F(pvbus_hello, range, 16, 64),
	      F(pvbus_hello, nonce, 80, 96),
	      F(pvbus_hello, reserved, 176, 16));
	CHECK(pvbus_hello_ack, 24,
	      F(pvbus_hello_ack, status, 0, 4),
	      F(pvbus_hello_ack, version, 4, 2),
	      F(pvbus_hello_ack, reserved, 6, 2),
	      F(pvbus_hello_ack, vectors, 8, 4),
	      F(pvbus_hello_ack, reserved2, 12, 4),
	      F(pvbus_hello_ack, features, 16, 8));
	CHECK(pvbus_offer, 184,
	      F(pvbus_offer, offer, 0, 4),
	      F(pvbus_offer, type, 4, 2),
	      F(pvbus_offer, max_queues, 6, 2),
	      F(pvbus_offer, id, 8, 32),
	      F(pvbus_offer, blob_len, 40, 4),
	      F(pvbus_offer, reserved, 44, 4),
	      F(pvbus_offer, features, 48, 8),
	      F(pvbus_offer, blob, 56, 128));
	CHECK(pvbus_offer_ref, 8,
	      F(pvbus_offer_ref, offer, 0, 4),
	      F(pvbus_offer_ref, reserved, 4, 4));
	CHECK(pvbus_open, 40,
	      F(pvbus_open, offer, 0, 4),
	      F(pvbus_open, queue, 4, 2),
	      F(pvbus_open, vector, 6, 2),
	      F(pvbus_open, gpadl, 8, 8),
	      F(pvbus_open, nr_pages, 16, 4),
	      F(pvbus_open, g2h_slots, 20, 4),
	      F(pvbus_open, h2g_slots, 24, 4),
	      F(pvbus_open, reserved, 28, 4),
	      F(pvbus_open, features, 32, 8));
	CHECK(pvbus_chan_ref, 16,
	      F(pvbus_chan_ref, offer, 0, 4),
	      F(pvbus_chan_ref, queue, 4, 2),
	      F(pvbus_chan_ref, reserved, 6, 2),
	      F(pvbus_chan_ref, status, 8, 4),
	      F(pvbus_chan_ref, reserved2, 12, 4));
}

static void test_message_numbers(void **state)
{
	assert_int_equal(PVBUS_MSG_HELLO, 1);
	assert_int_equal(PVBUS_MSG_HELLO_ACK, 2);
	assert_int_equal(PVBUS_MSG_OFFER, 3);
	assert_int_equal(PVBUS_MSG_OFFERS_DONE, 4);
	assert_int_equal(PVBUS_MSG_UPDATE, 5);
	assert_int_equal(PVBUS_MSG_RESCIND, 6);
	assert_int_equal(PVBUS_MSG_RESCIND_ACK, 7);
	assert_int_equal(PVBUS_MSG_OPEN, 8);
	assert_int_equal(PVBUS_MSG_OPEN_ACK, 9);
	assert_int_equal(PVBUS_MSG_CLOSE, 10);
	assert_int_equal(PVBUS_MSG_CLOSE_ACK, 11);
	assert_int_equal(PVBUS_MSG_BROKEN, 12);
	assert_int_equal(PVBUS_ST_VERSION, 1);
	assert_int_equal(PVBUS_ST_GONE, 11);
	assert_int_equal(PVBUS_TYPE_BLK, 1);
	assert_int_equal(PVBUS_TYPE_NET, 2);
}

static void test_disk(void **state)
{
	CHECK(pvbus_blk_config, 80,
	      F(pvbus_blk_config, capacity, 0, 8),
	      F(pvbus_blk_config, logical_block, 8, 4),
	      F(pvbus_blk_config, physical_block, 12, 4),
	      F(pvbus_blk_config, io_min, 16, 4),
	      F(pvbus_blk_config, io_opt, 20, 4),
	      F(pvbus_blk_config, max_bytes, 24, 4),
	      F(pvbus_blk_config, max_segments, 28, 4),
	      F(pvbus_blk_config, max_discard, 32, 4),
	      F(pvbus_blk_config, flags, 36, 4),
	      F(pvbus_blk_config, dma_alignment, 40, 4),
	      F(pvbus_blk_config, reserved, 44, 4),
	      F(pvbus_blk_config, serial, 48, 32));
	CHECK(pvbus_blk_seg, 16,
	      F(pvbus_blk_seg, addr, 0, 8),
	      F(pvbus_blk_seg, len, 8, 4),
	      F(pvbus_blk_seg, reserved, 12, 4));
	CHECK(pvbus_blk_req, 64,
	      F(pvbus_blk_req, seq, 0, 4),
	      F(pvbus_blk_req, tag, 4, 2),
	      F(pvbus_blk_req, cookie, 6, 2),
	      F(pvbus_blk_req, op, 8, 1),
	      F(pvbus_blk_req, flags, 9, 1),
	      F(pvbus_blk_req, nr_segs, 10, 2),
	      F(pvbus_blk_req, len, 12, 4),
	      F(pvbus_blk_req, sector, 16, 8),
	      F(pvbus_blk_req, addr, 24, 24),
	      F(pvbus_blk_req, seg_len, 48, 12),
	      F(pvbus_blk_req, reserved, 60, 4));
	CHECK(pvbus_blk_done, 8,
	      F(pvbus_blk_done, tag, 0, 2),
	      F(pvbus_blk_done, cookie, 2, 2),
	      F(pvbus_blk_done, status, 4, 4));
	CHECK(pvbus_blk_cpl, 64,
	      F(pvbus_blk_cpl, seq, 0, 4),
	      F(pvbus_blk_cpl, count, 4, 2),
	      F(pvbus_blk_cpl, reserved, 6, 2),
	      F(pvbus_blk_cpl, done, 8, 56));
}

static void test_network(void **state)
{
	CHECK(pvbus_net_config, 16,
	      F(pvbus_net_config, mac, 0, 6),
	      F(pvbus_net_config, reserved, 6, 2),
	      F(pvbus_net_config, mtu, 8, 4),
	      F(pvbus_net_config, flags, 12, 4));
	CHECK(pvbus_net_hdr, 10,
	      F(pvbus_net_hdr, flags, 0, 1),
	      F(pvbus_net_hdr, gso_type, 1, 1),
	      F(pvbus_net_hdr, hdr_len, 2, 2),
	      F(pvbus_net_hdr, gso_size, 4, 2),
	      F(pvbus_net_hdr, csum_start, 6, 2),
	      F(pvbus_net_hdr, csum_offset, 8, 2));
	CHECK(pvbus_net_seg, 16,
	      F(pvbus_net_seg, addr, 0, 8),
	      F(pvbus_net_seg, len, 8, 4),
	      F(pvbus_net_seg, reserved, 12, 4));
	CHECK(pvbus_net_tx, 64,
	      F(pvbus_net_tx, seq, 0, 4),
	      F(pvbus_net_tx, type, 4, 1),
	      F(pvbus_net_tx, flags, 5, 1),
	      F(pvbus_net_tx, nr_segs, 6, 2),
	      F(pvbus_net_tx, tag, 8, 2),
	      F(pvbus_net_tx, cookie, 10, 2),
	      F(pvbus_net_tx, len, 12, 4),
	      F(pvbus_net_tx, hdr, 16, 10),
	      F(pvbus_net_tx, seg_len, 26, 6),
	      F(pvbus_net_tx, addr, 32, 24),
	      F(pvbus_net_tx, reserved, 56, 8));
	CHECK(pvbus_net_bufs, 64,
	      F(pvbus_net_bufs, seq, 0, 4),
	      F(pvbus_net_bufs, type, 4, 1),
	      F(pvbus_net_bufs, flags, 5, 1),
	      F(pvbus_net_bufs, count, 6, 2),
	      F(pvbus_net_bufs, len, 8, 2),
	      F(pvbus_net_bufs, id, 10, 10),
	      F(pvbus_net_bufs, reserved, 20, 4),
	      F(pvbus_net_bufs, addr, 24, 40));
	CHECK(pvbus_net_coalesce, 64,
	      F(pvbus_net_coalesce, seq, 0, 4),
	      F(pvbus_net_coalesce, type, 4, 1),
	      F(pvbus_net_coalesce, flags, 5, 1),
	      F(pvbus_net_coalesce, reserved, 6, 2),
	      F(pvbus_net_coalesce, rx_usecs, 8, 4),
	      F(pvbus_net_coalesce, tx_usecs, 12, 4),
	      F(pvbus_net_coalesce, reserved2, 16, 48));
	CHECK(pvbus_net_done, 4,
	      F(pvbus_net_done, tag, 0, 2),
	      F(pvbus_net_done, cookie, 2, 2));
	CHECK(pvbus_net_tx_done, 64,
	      F(pvbus_net_tx_done, seq, 0, 4),
	      F(pvbus_net_tx_done, type, 4, 1),
	      F(pvbus_net_tx_done, flags, 5, 1),
	      F(pvbus_net_tx_done, count, 6, 2),
	      F(pvbus_net_tx_done, done, 8, 56));
	CHECK(pvbus_net_rx, 64,
	      F(pvbus_net_rx, seq, 0, 4),
	      F(pvbus_net_rx, type, 4, 1),
	      F(pvbus_net_rx, flags, 5, 1),
	      F(pvbus_net_rx, nr_bufs, 6, 2),
	      F(pvbus_net_rx, len, 8, 4),
	      F(pvbus_net_rx, hdr, 12, 10),
	      F(pvbus_net_rx, id, 22, 38),
	      F(pvbus_net_rx, reserved, 60, 4));
}

/* The same for 32-bit and 64-bit programs: no hole that depends on either. */
static void test_control_device(void **state)
{
	CHECK(pvbus_ioc_vm_create, 96,
	      F(pvbus_ioc_vm_create, version, 0, 4),
	      F(pvbus_ioc_vm_create, flags, 4, 4),
	      F(pvbus_ioc_vm_create, name, 8, 32),
	      F(pvbus_ioc_vm_create, window, 40, 8),
	      F(pvbus_ioc_vm_create, doorbells, 48, 8),
	      F(pvbus_ioc_vm_create, interrupts, 56, 8),
	      F(pvbus_ioc_vm_create, vectors, 64, 4),
	      F(pvbus_ioc_vm_create, peer, 68, 4),
	      F(pvbus_ioc_vm_create, pin_limit, 72, 8),
	      F(pvbus_ioc_vm_create, reserved, 80, 16));
	CHECK(pvbus_ioc_vm_adopt, 40,
	      F(pvbus_ioc_vm_adopt, version, 0, 4),
	      F(pvbus_ioc_vm_adopt, reserved, 4, 4),
	      F(pvbus_ioc_vm_adopt, name, 8, 32));
	CHECK(pvbus_ioc_vm_attach, 16,
	      F(pvbus_ioc_vm_attach, sock, 0, 4),
	      F(pvbus_ioc_vm_attach, vectors, 4, 4),
	      F(pvbus_ioc_vm_attach, min_vectors, 8, 4),
	      F(pvbus_ioc_vm_attach, reserved, 12, 4));
	CHECK(pvbus_ioc_vm_set_mem, 200,
	      F(pvbus_ioc_vm_set_mem, nr_regions, 0, 4),
	      F(pvbus_ioc_vm_set_mem, reserved, 4, 4),
	      F(pvbus_ioc_vm_set_mem, region, 8, 192));
	CHECK(pvbus_ioc_dev, 152,
	      F(pvbus_ioc_dev, type, 0, 2),
	      F(pvbus_ioc_dev, max_queues, 2, 2),
	      F(pvbus_ioc_dev, flags, 4, 4),
	      F(pvbus_ioc_dev, id, 8, 32),
	      F(pvbus_ioc_dev, offer, 40, 4),
	      F(pvbus_ioc_dev, fd, 44, 4),
	      F(pvbus_ioc_dev, mtu, 48, 4),
	      F(pvbus_ioc_dev, open_queues, 52, 4),
	      F(pvbus_ioc_dev, serial, 56, 32),
	      F(pvbus_ioc_dev, ifname, 88, 16),
	      F(pvbus_ioc_dev, mac, 104, 6),
	      F(pvbus_ioc_dev, reserved0, 110, 2),
	      F(pvbus_ioc_dev, capacity, 112, 8),
	      F(pvbus_ioc_dev, poll_us, 120, 4),
	      F(pvbus_ioc_dev, coalesce_us, 124, 4),
	      F(pvbus_ioc_dev, reserved, 128, 24));
	assert_int_equal(PVBUS_DEV_READONLY, 1);
	assert_int_equal(PVBUS_DEV_POLL_US, 2);
	assert_int_equal(PVBUS_DEV_COALESCE_US, 4);
	CHECK(pvbus_ioc_dev_remove, 40,
	      F(pvbus_ioc_dev_remove, id, 0, 32),
	      F(pvbus_ioc_dev_remove, timeout_ms, 32, 4),
	      F(pvbus_ioc_dev_remove, reserved, 36, 4));
	CHECK(pvbus_ioc_dev_resize, 40,
	      F(pvbus_ioc_dev_resize, id, 0, 32),
	      F(pvbus_ioc_dev_resize, capacity, 32, 8));
	assert_int_equal(sizeof(struct pvbus_ioc_vm_info), 272);
	assert_int_equal(sizeof(struct pvbus_ioc_chan_stats), 184);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_magic),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_message_numbers),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_control_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
