/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libpvbus: what users write about devices, id=root,path=/dev/vg/root,readonly,
 * into structures. Pure functions over strings.
 */
#ifndef PVBUS_SPEC_H
#define PVBUS_SPEC_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/pvbus.h>
#include <linux/pvbus_blk.h>
#include <linux/pvbus_ioctl.h>

#include "err.h"

/* Most channels that the host module gives a device. */
#define SPEC_MAX_QUEUES		16

/**
 * struct tuning_spec - what a device has of its own
 * @flags: PVBUS_DEV_POLL_US, PVBUS_DEV_COALESCE_US: which of these are given
 * @poll_us: longest time that the host polls for it, in microseconds
 * @coalesce_us: how long the guest may take to find what the host has finished,
 *	in microseconds
 */
struct tuning_spec {
	uint32_t	flags;
	unsigned int	poll_us;
	unsigned int	coalesce_us;
};

/**
 * struct disk_spec - a disk, as in --disk
 * @id: instance id
 * @path: block device or raw file
 * @serial: serial number, or empty
 * @readonly: the guest may not write
 * @queues: channels, or 0 for as many as the host chooses
 * @tuning: of its own
 */
struct disk_spec {
	char		id[PVBUS_ID_SIZE];
	char		path[PATH_MAX];
	char		serial[PVBUS_BLK_SERIAL];
	bool		readonly;
	unsigned int	queues;
	struct tuning_spec tuning;
};

/**
 * struct net_spec - a network card, as in --net
 * @id: instance id
 * @ifname: name of the host's interface, or empty
 * @mac: address of the guest's card, or zero for a random one
 * @mtu: in bytes, or 0 for the default
 * @queues: channels, or 0 for as many as CPUs
 * @tuning: of its own
 */
struct net_spec {
	char		id[PVBUS_ID_SIZE];
	char		ifname[PVBUS_IFNAME_SIZE];
	uint8_t		mac[6];
	unsigned int	mtu;
	unsigned int	queues;
	struct tuning_spec tuning;
};

int spec_parse_name(const char *text, const char *what, char *name,
		    struct pv_err *err);
int spec_parse_number(const char *text, const char *what, unsigned int min,
		      unsigned int max, unsigned int *number,
		      struct pv_err *err);
int spec_parse_size(const char *text, const char *what, uint64_t *size,
		    struct pv_err *err);
int spec_parse_mac(const char *text, uint8_t mac[6], struct pv_err *err);
int spec_parse_ifname(const char *text, char *ifname, struct pv_err *err);
int spec_parse_disk(const char *text, struct disk_spec *disk,
		    struct pv_err *err);
int spec_parse_net(const char *text, struct net_spec *net, struct pv_err *err);
int spec_format_disk(const struct disk_spec *disk, char *text, size_t size);
int spec_check_unique(const struct disk_spec *disks, size_t nr_disks,
		      const struct net_spec *nets, size_t nr_nets,
		      struct pv_err *err);

#endif /* PVBUS_SPEC_H */
