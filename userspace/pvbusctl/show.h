/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusctl: what daemons answer, as tables.
 */
#ifndef PVBUSCTL_SHOW_H
#define PVBUSCTL_SHOW_H

#include <jansson.h>

void show_list(const json_t *vms);
void show_vm(const json_t *response);
void show_device(const json_t *response);
void show_stats(const json_t *response, const json_t *before, double seconds);

#endif /* PVBUSCTL_SHOW_H */
