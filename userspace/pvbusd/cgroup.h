/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: charging workers to QEMU's cgroup.
 */
#ifndef PVBUSD_CGROUP_H
#define PVBUSD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

/* Longest path, relative to the root of the hierarchy, with its NUL. */
#define CGROUP_PATH	4096

int cgroup_parse(const char *text, char *path, size_t size);
int cgroup_follow(int pid);
int cgroup_open(int process, char *path, size_t size);
bool cgroup_has(const char *path, int tid);
int cgroup_move(int cgroup, int tid);

#endif /* PVBUSD_CGROUP_H */
