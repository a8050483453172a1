/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: the control socket, lines of JSON from pvbusctl.
 */
#ifndef PVBUSD_CONTROL_H
#define PVBUSD_CONTROL_H

#include <poll.h>
#include <stdint.h>

#include "sock.h"

#define CONTROL_CLIENTS		8
/* Most file descriptors that control_poll() asks for. */
#define CONTROL_POLLFDS		(1 + CONTROL_CLIENTS)

/**
 * struct control_job - a request that takes time
 * @fd: readable when it is done
 * @finish: take the response, as @run of the server returns it, and free the
 *	job
 */
struct control_job {
	int	fd;
	char	*(*finish)(struct control_job *job);
};

/**
 * struct control_client - a connection
 * @fd: socket, or -1
 * @in: begin of a request
 * @in_len: bytes in @in
 * @out: response that is being sent, or NULL
 * @out_len: bytes in @out
 * @out_done: bytes sent
 * @job: request under way, or NULL; it may outlive the connection
 * @used: when it was last used, as a count of uses of the server
 */
struct control_client {
	int			fd;
	char			*in;
	size_t			in_len;
	char			*out;
	size_t			out_len;
	size_t			out_done;
	struct control_job	*job;
	uint64_t		used;
};

/**
 * struct control - the server
 * @listener: socket
 * @client: connections
 * @uses: count of uses
 * @run: run the request @line, which is NUL-terminated. Returns the response,
 *	to be freed, without newline; NULL if memory is short, which ends the
 *	connection, or if @job was set to a job that goes on.
 * @ctx: first argument of @run
 */
struct control {
	struct listener		listener;
	struct control_client	client[CONTROL_CLIENTS];
	uint64_t		uses;
	char			*(*run)(void *ctx, const char *line,
					struct control_job **job);
	void			*ctx;
};

void control_init(struct control *ctl,
		  char *(*run)(void *ctx, const char *line,
			       struct control_job **job),
		  void *ctx);
unsigned int control_poll(const struct control *ctl, struct pollfd *fds);
void control_dispatch(struct control *ctl, const struct pollfd *fds);
void control_close(struct control *ctl);

#endif /* PVBUSD_CONTROL_H */
