/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM for the fuzzers of the host: guest RAM of a few pages in two regions,
 * a transport that counts who holds them, a window, and disks whose backing
 * store answers when the fuzzer says so.
 */
#ifndef FUZZ_VM_H
#define FUZZ_VM_H

#include "blk.h"
#include "host.h"

#define RAM_PAGES	48
/* Half of them below 4 GiB, the others above. */
#define RAM_LOW_PAGES	(RAM_PAGES / 2)
#define RAM_HIGH	SZ_4G
#define RAM_HVA		0x7f0000000000ULL

extern struct pvh_vm vm;
extern struct page ram[RAM_PAGES];

/* A VM that is attached to and has no guest yet; the input says how it fails. */
void host_begin(void);
/* End everything, and check that nothing of the guest is held any more. */
void host_end(void);
/* The table of guest RAM, as the daemon would find it. */
struct pvbus_ioc_vm_set_mem host_mem(void);
/* Believe it without a proof. */
void host_set_mem(void);
/* Guest RAM at @gpa, or NULL; as the guest sees it, in one page. */
void *host_ram(u64 gpa, size_t len);
/* Address of page @n. */
u64 host_gpa(unsigned int n);

int host_add(const char *id, u16 type);
/* Let the worker of a channel run. */
void host_work(struct pvh_channel *ch);
/* Have the backing store finish what it has, or some of it. */
void host_finish_io(void);

#endif /* FUZZ_VM_H */
