/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: the server's side of QEMU's ivshmem protocol.
 */
#ifndef PVBUSD_IVSHMEM_H
#define PVBUSD_IVSHMEM_H

#include <stdbool.h>

#include "err.h"

/* Peer numbers that we give out. */
#define IVSHMEM_PEER_QEMU	0
#define IVSHMEM_PEER_HOST	1

/**
 * struct ivshmem - what the server hands out
 * @shm: file descriptor of the shared memory, or -1
 * @nr: eventfds each way
 * @doorbell: what the guest rings
 * @interrupt: what interrupts the guest
 */
struct ivshmem {
	int		shm;
	unsigned int	nr;
	int		*doorbell;
	int		*interrupt;
};

/**
 * struct ivshmem_conn - QEMU's connection
 * @fd: socket, or -1
 * @vectors: eventfds each way that it gets
 * @next: messages that were sent
 */
struct ivshmem_conn {
	int		fd;
	unsigned int	vectors;
	unsigned int	next;
};

int ivshmem_create(struct ivshmem *iv, const char *name, unsigned int vectors,
		   void **window, struct pv_err *err);
void ivshmem_destroy(struct ivshmem *iv);
int ivshmem_send(const struct ivshmem *iv, struct ivshmem_conn *conn);
bool ivshmem_sent(const struct ivshmem_conn *conn);

#endif /* PVBUSD_IVSHMEM_H */
