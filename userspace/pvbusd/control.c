// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: the control socket.
 *
 * No client can hold up the daemon: sockets do not block, a client has one
 * request under way, its buffers are bounded, and when all places are taken the
 * one that was silent for longest makes room.
 */
#include "control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "paths.h"

/**
 * control_init - set up a server that does not listen yet
 * @ctl: the server; @ctl->listener is then for sock_listen()
 * @run: runs requests
 * @ctx: for @run
 */
void control_init(struct control *ctl,
		  char *(*run)(void *ctx, const char *line,
			       struct control_job **job),
		  void *ctx)
{
	int i;

	memset(ctl, 0, sizeof(*ctl));
	ctl->listener = LISTENER_NONE;
	ctl->run = run;
	ctl->ctx = ctx;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		ctl->client[i].fd = -1;
}

static bool client_free(const struct control_client *client)
{
	return client->fd < 0 && !client->job;
}

/* A job goes on without its client. */
static void hang_up(struct control_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	free(client->in);
	free(client->out);
	client->in = NULL;
	client->out = NULL;
	client->in_len = 0;
}

static short client_events(const struct control_client *client)
{
	if (client->out)
		return POLLOUT;
	return POLLIN;
}

/**
 * control_poll - say what to wait for
 * @ctl: the server
 * @fds: result: up to CONTROL_POLLFDS entries
 *
 * Returns the number of entries, for poll() and then control_dispatch().
 */
unsigned int control_poll(const struct control *ctl, struct pollfd *fds)
{
	unsigned int i;

	fds[0] = (struct pollfd){ .fd = ctl->listener.fd, .events = POLLIN };
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		const struct control_client *client = &ctl->client[i];

		if (client->job)
			fds[1 + i] = (struct pollfd){
				.fd = client->job->fd, .events = POLLIN,
			};
		else
			fds[1 + i] = (struct pollfd){
				.fd = client->fd,
				.events = client_events(client),
			};
	}
	return CONTROL_POLLFDS;
}

/* A place for a new client. */
static struct control_client *make_room(struct control *ctl)
{
	struct control_client *oldest = NULL;
	int i;

	for (i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &ctl->client[i];

		if (client_free(client))
			return client;
		if (!client->job && (!oldest || client->used < oldest->used))
			oldest = client;
	}
	if (oldest)
		hang_up(oldest);
	return oldest;
}

static void accept_client(struct control *ctl)
{
	int fd = accept4(ctl->listener.fd, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct control_client *client;

	if (fd < 0)
		return;
	client = make_room(ctl);
	if (client)
		client->in = malloc(PVBUS_CTL_REQUEST);
	if (!client || !client->in) {
		close(fd);
		return;
	}
	client->fd = fd;
	client->used = ++ctl->uses;
}

/* Send what the socket takes. */
static void send_out(struct control_client *client)
{
	ssize_t n = send(client->fd, client->out + client->out_done,
			 client->out_len - client->out_done,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			hang_up(client);
		return;
	}
	client->out_done += n;
	if (client->out_done < client->out_len)
		return;
	free(client->out);
	client->out = NULL;
}

static void respond(struct control_client *client, char *text)
{
	if (client->fd < 0 || !text) {
		free(text);
		hang_up(client);
		return;
	}
	client->out = text;
	client->out_len = strlen(text);
	client->out_done = 0;
	/* the NUL's place is the newline's */
	client->out[client->out_len++] = '\n';
	send_out(client);
}

/* Run the next request. Returns whether one was complete. */
static bool run_request(struct control *ctl, struct control_client *client)
{
	char *end = memchr(client->in, '\n', client->in_len);
	size_t used;
	char *text;

	if (!end) {
		if (client->in_len == PVBUS_CTL_REQUEST)
			hang_up(client);
		return false;
	}
	*end = '\0';
	client->used = ++ctl->uses;
	text = ctl->run(ctl->ctx, client->in, &client->job);
	used = end + 1 - client->in;
	memmove(client->in, end + 1, client->in_len - used);
	client->in_len -= used;
	if (!client->job)
		respond(client, text);
	return true;
}

static void receive(struct control_client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len,
			 PVBUS_CTL_REQUEST - client->in_len, MSG_DONTWAIT);

	if (n <= 0) {
		if (!n || (errno != EAGAIN && errno != EINTR))
			hang_up(client);
		return;
	}
	client->in_len += n;
}

static void finish_job(struct control_client *client)
{
	struct control_job *job = client->job;

	client->job = NULL;
	respond(client, job->finish(job));
}

static void serve(struct control *ctl, struct control_client *client,
		  short events)
{
	if (client->job)
		finish_job(client);
	else if (client->out)
		send_out(client);
	else if (events)
		receive(client);
	/* several requests may have come at once */
	while (client->fd >= 0 && !client->job && !client->out &&
	       client->in_len && run_request(ctl, client))
		;
}

/**
 * control_dispatch - do what poll() found
 * @ctl: the server
 * @fds: as control_poll() made them
 */
void control_dispatch(struct control *ctl, const struct pollfd *fds)
{
	int i;

	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (fds[1 + i].fd >= 0 && fds[1 + i].revents)
			serve(ctl, &ctl->client[i], fds[1 + i].revents);
	if (fds[0].fd >= 0 && fds[0].revents)
		accept_client(ctl);
}

/**
 * control_close - end the server
 * @ctl: the server; jobs under way are abandoned
 */
void control_close(struct control *ctl)
{
	int i;

	for (i = 0; i < CONTROL_CLIENTS; i++)
		hang_up(&ctl->client[i]);
	sock_close(&ctl->listener);
}
