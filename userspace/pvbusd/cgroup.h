/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: charging workers to QEMU's cgroup.
 */
#ifndef PVBUSD_CGROUP_H
#define PVBUSD_CGROUP_H

#include <stddef.h>

int cgroup_parse(const char *text, char *path, size_t size);
int cgroup_follow(int pid);
int cgroup_open(int process);
int cgroup_move(int cgroup, int tid);

#endif /* PVBUSD_CGROUP_H */
