/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusctl: talking to pvbusd.
 */
#ifndef PVBUSCTL_CLIENT_H
#define PVBUSCTL_CLIENT_H

#include <jansson.h>

#include "err.h"

#define CLIENT_TIMEOUT_MS	10000

/* client_connect(): nobody serves the socket */
#define CLIENT_STALE		(-2)

/**
 * struct client_names - names of VMs
 * @name: allocated strings, sorted
 * @nr: their number
 */
struct client_names {
	char	**name;
	size_t	nr;
};

int client_connect(const char *run_dir, const char *name, struct pv_err *err);
json_t *client_request(int fd, const char *name, json_t *request,
		       int timeout_ms, struct pv_err *err);
int client_list(const char *run_dir, struct client_names *names,
		struct pv_err *err);
void client_list_free(struct client_names *names);

#endif /* PVBUSCTL_CLIENT_H */
