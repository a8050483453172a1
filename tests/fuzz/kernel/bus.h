/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers of the guest share: devices and DMA, as shim_guest.h declares
 * them, and what is checked in the end.
 */
#ifndef FUZZ_BUS_H
#define FUZZ_BUS_H

#include "bus_internal.h"

void guest_begin(void);
/* Free what is left of the memory for DMA: how much was there? */
unsigned int guest_end(void);

#endif /* FUZZ_BUS_H */
