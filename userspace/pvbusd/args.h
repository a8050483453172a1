/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: its command line.
 */
#ifndef PVBUSD_ARGS_H
#define PVBUSD_ARGS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "spec.h"

/**
 * struct args - the command line, checked as far as words go
 * @name: the VM
 * @socket: absolute path for QEMU, empty on loopback
 * @socket_group: who may connect there besides root, or SOCK_NO_GROUP
 * @run_dir: directory of control sockets
 * @disks: disks
 * @nr_disks: their number
 * @nets: network cards
 * @nr_nets: their number
 * @vectors: vectors that the VM must have, or 0 if any number will do
 * @pin_limit: bytes, or 0 for the module's default
 * @loopback: the guest is this kernel
 * @verbose: debug messages
 */
struct args {
	char			name[PVBUS_ID_SIZE];
	char			socket[PATH_MAX];
	gid_t			socket_group;
	const char		*run_dir;
	struct disk_spec	*disks;
	size_t			nr_disks;
	struct net_spec		*nets;
	size_t			nr_nets;
	unsigned int		vectors;
	uint64_t		pin_limit;
	bool			loopback;
	bool			verbose;
};

void args_parse(struct args *args, int argc, char **argv);
void args_free(struct args *args);

#endif /* PVBUSD_ARGS_H */
